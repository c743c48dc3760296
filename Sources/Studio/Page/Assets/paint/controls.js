// Controls for declared values: each kind of value has one, with what it says read and set in one way.
//
// A control is { element, input, read(), write(value) }: `element` stands in the page, `input` is what a label
// names, `read` gives undefined where nothing was chosen and throws a sentence where that cannot be read.
import { make, button } from "../lib/view.js";
import { t } from "../lib/text.js";
import { handIn } from "../lib/api.js";
import { palette, color } from "./colors.js";

/** What changed in a control is told to those above it. */
const changed = (element) => element.dispatchEvent(new Event("change", { bubbles: true }));

/** The control of a declaration. */
export function control(declaration, id, lists = {}) {
  const { kind, schema } = declaration;
  switch (kind) {
    case "choice": return choice(id, schema.enum.map((word) => [word, word]));
    case "flag": return choice(id, [[true, t("yes")], [false, t("no")]]);
    case "integer": case "number": return numeric(declaration, id);
    case "file": return file(id);
    case "color": return color(id);
    case "palette": return palette(id);
    case "choices": return choices(id, schema.items.enum);
    case "augmentations": return list(id, String, declaration.words);
    case "numbers": case "seeds": return list(id, (word) => (Number.isFinite(Number(word)) ? Number(word) : null));
    case "schedule": return text(id, (words) => (Number.isNaN(Number(words)) ? words : Number(words)));
    case "model": return choice(id, (lists.models ?? []).map((model) => [model, model]));
    case "clip": return clips(id, lists.clips ?? []);
    default: return text(id, String, schema.maxLength);
  }
}

function choice(id, options) {
  const input = make("select", { id }, make("option", { value: "" }, t("usual")),
    ...options.map(([, name], index) => make("option", { value: String(index) }, name)));
  return {
    element: input, input,
    read: () => (input.value === "" ? undefined : options[Number(input.value)][0]),
    write(value) {
      const index = options.findIndex(([one]) => one === value);
      // What there is no more stays what was asked for.
      if (index < 0 && value !== undefined) {
        options.push([value, String(value)]);
        input.append(make("option", { value: String(options.length - 1) }, String(value)));
      }
      input.value = value === undefined ? "" : String(index < 0 ? options.length - 1 : index);
    },
  };
}

function numeric({ kind, schema, default: usual }, id) {
  const { minimum, maximum } = schema;
  const isWhole = kind === "integer";
  const input = make("input", {
    id, type: "number", min: minimum, max: maximum, step: isWhole ? 1 : "any", inputMode: isWhole ? "numeric" : "decimal",
  });
  const read = () => {
    if (input.validity.badInput) throw new Error(t("form.number"));
    if (input.value.trim() === "") return undefined;
    // What the studio would refuse is told at once.
    if (!input.checkValidity()) throw new Error(input.validationMessage);
    return Number(input.value);
  };
  // Where all values lie close together, one slides from one to the other.
  const slides = maximum - minimum <= (isWhole ? 200 : 100);
  if (!slides) return { element: input, input, read, write(value) { input.value = value ?? ""; } };
  const step = isWhole ? 1 : maximum - minimum <= 2 ? 0.01 : 0.1;
  const slider = make("input", { type: "range", min: minimum, max: maximum, step, tabIndex: -1, "aria-hidden": "true" });
  const follow = () => { slider.value = input.value || (typeof usual === "number" ? usual : minimum); };
  slider.addEventListener("input", () => { input.value = slider.value; changed(input); });
  input.addEventListener("input", follow);
  follow();
  return {
    element: make("div", { className: "slide" }, slider, input), input, read,
    write(value) { input.value = value ?? ""; follow(); },
    suit(value) { usual = value; follow(); },
  };
}

function text(id, convert, maxLength = 1000) {
  const input = make("input", { id, type: "text", maxLength, autocomplete: "off" });
  return {
    element: input, input,
    read: () => (input.value.trim() ? convert(input.value.trim()) : undefined),
    write(value) { input.value = value ?? ""; },
  };
}

/** Several by commas; "none" is the empty list. */
function list(id, convert, words = []) {
  const input = make("input", { id, type: "text", maxLength: 1000, autocomplete: "off", spellcheck: false, list: words.length ? `${id}-words` : null });
  return {
    element: make("div", {}, input, words.length > 0 && make("datalist", { id: `${id}-words` }, ...words.map((word) => make("option", { value: word })))), input,
    read() {
      const given = input.value.trim();
      if (!given) return undefined;
      if (given === t("none") || given === "none") return [];
      const values = given.split(/[,;]/).map((part) => part.trim()).filter(Boolean).map(convert);
      if (values.includes(null)) throw new Error(t("form.numbers"));
      return values;
    },
    write(value) { input.value = value === undefined ? "" : value.length ? value.join(", ") : t("none"); },
  };
}

function choices(id, words) {
  const boxes = words.map((word, index) => make("input", { type: "checkbox", value: word, id: index ? `${id}-${index}` : id }));
  return {
    element: make("div", { className: "boxes", role: "group" }, ...boxes.map((box) => make("label", {}, box, " ", box.value))), input: boxes[0],
    read: () => { const chosen = boxes.filter((box) => box.checked).map((box) => box.value); return chosen.length ? chosen : undefined; },
    write(value) { for (const box of boxes) box.checked = (value ?? []).includes(box.value); },
  };
}

/** Installed CLIPs, each with its weight, as `ID:WEIGHT,…`. */
function clips(id, ids) {
  const rows = ["pack", ...ids].map((name, index) => {
    const box = make("input", { type: "checkbox", id: index ? `${id}-${index}` : id });
    const weight = make("input", { type: "number", min: 0, max: 100, step: "any", value: 1, "aria-label": t("clip.weight", { name }) });
    return { name, box, weight, element: make("div", { className: "clip" }, make("label", {}, box, " ", name === "pack" ? t("clip.pack") : name), weight) };
  });
  const read = () => {
    const chosen = rows.filter((row) => row.box.checked);
    return chosen.length ? chosen.map((row) => (row.weight.value === "1" ? row.name : `${row.name}:${row.weight.value || 1}`)).join(",") : undefined;
  };
  return {
    element: make("div", { role: "group", className: "clips" }, ...rows.map((row) => row.element)), input: rows[0].box, read,
    write(value) {
      const wanted = new Map((value ?? "").split(",").filter(Boolean).map((one) => { const [name, weight = "1"] = one.trim().split(":"); return [name, weight]; }));
      for (const row of rows) {
        row.box.checked = wanted.has(row.name);
        row.weight.value = wanted.get(row.name) ?? "1";
      }
    },
  };
}

/** A picture that is handed in at once. */
function file(id) {
  let reference;
  let problem = null;
  const input = make("input", { id, type: "file", accept: "image/png,image/jpeg,image/webp" });
  const name = make("span", { className: "hint" });
  const drop = button(t("form.without"), () => { set(undefined); changed(input); }, { className: "link", hidden: true });
  const set = (value) => {
    reference = value;
    problem = null;
    if (!value) input.value = "";
    name.textContent = value?.name ?? "";
    drop.hidden = !value;
  };
  input.addEventListener("change", async () => {
    const chosen = input.files[0];
    if (!chosen) return;
    try { set((await handIn(chosen)).file); } catch (error) { problem = error; }
    changed(drop);
  });
  return {
    element: make("div", { className: "file" }, input, name, drop), input,
    read() { if (problem) throw problem; return reference; }, write: set,
  };
}
