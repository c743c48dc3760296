// The form of all settings, made from what the studio declares.
import { $, make } from "./view.js";
import { get, handIn } from "./api.js";

let declared = null;
const controls = new Map();

/** Builds the form; once is enough. */
export async function buildForm() {
  declared = await get("/api/v1/parameters");
  const home = $("settings");
  home.replaceChildren();
  controls.clear();
  for (const group of declared.groups) {
    const fields = declared.parameters.filter((parameter) => parameter.group === group && !["width", "height"].includes(parameter.name));
    if (!fields.length) continue;
    home.append(make("fieldset", { id: `group-${group}` }, make("legend", {}, group),
      make("div", { className: "many" }, ...fields.map(field))));
  }
  const own = new Map();
  for (const method of declared.methods)
    for (const argument of method.arguments)
      own.set(argument.name, {
        ...argument, methods: [...(own.get(argument.name)?.methods ?? []), method.name],
        defaults: { ...own.get(argument.name)?.defaults, [method.name]: argument.default },
      });
  home.append(make("fieldset", { id: "group-own" }, make("legend", {}, "Of this method alone"),
    make("div", { className: "many" }, ...[...own.values()].map(field))));
  controls.get("method").input.addEventListener("change", suit);
  suit();
}

function field(parameter) {
  const id = `set-${parameter.name}`;
  const input = control(parameter, id);
  input.setAttribute("aria-describedby", `${id}-help ${id}-error`);
  const error = make("p", { className: "error", id: `${id}-error`, hidden: true });
  const box = make("div", { className: "field" },
    make("label", { htmlFor: id }, title(parameter.name)), input,
    make("p", { className: "hint", id: `${id}-help` }, parameter.help), error);
  controls.set(parameter.name, { parameter, input, box, error });
  return box;
}

/** `cutPower` as people read it. */
const title = (name) => name.replace(/[A-Z]/g, (letter) => " " + letter.toLowerCase()).replace(/^./, (letter) => letter.toUpperCase());

function control(parameter, id) {
  const schema = parameter.schema;
  switch (parameter.kind) {
    case "method":
      return make("select", { id }, ...declared.methods.map((method) =>
        make("option", { value: method.name === "auto" ? "" : method.name, disabled: !method.available, title: method.help },
          method.available ? method.title : `${method.title} (needs its weights)`)));
    case "choice":
      return make("select", { id }, make("option", { value: "" }, ""), ...schema.enum.map((word) => make("option", {}, word)));
    case "flag":
      return make("select", { id }, make("option", { value: "" }, ""), make("option", {}, "yes"), make("option", {}, "no"));
    case "integer": case "number":
      return make("input", {
        id, type: "number", min: schema.minimum, max: schema.maximum, inputMode: parameter.kind === "integer" ? "numeric" : "decimal",
        step: parameter.kind === "integer" ? 1 : "any",
      });
    case "file": {
      const input = make("input", { id, type: "file", accept: "image/png,image/jpeg,image/webp" });
      input.addEventListener("change", async () => {
        input.reference = null;
        const error = controls.get(parameter.name).error;
        error.hidden = true;
        if (!input.files[0]) return;
        try { input.reference = (await handIn(input.files[0])).file; } catch (problem) {
          error.textContent = problem.message;
          error.hidden = false;
        }
      });
      return input;
    }
    case "parts": case "prompts":
      return make("textarea", { id, rows: 2, spellcheck: false, placeholder: parameter.kind === "parts" ? '[{"name": "palette", "weight": 1}]' : '[{"text": "a fox", "weight": 0.5}]' });
    default:
      return make("input", { id, type: "text", maxLength: schema.maxLength ?? 1000 });
  }
}

/** Shows what the chosen method takes, with what stands in for it. */
function suit() {
  const method = controls.get("method").input.value;
  for (const { parameter, input, box } of controls.values()) {
    box.hidden = Boolean(method) && !parameter.methods.includes(method) && parameter.name !== "method";
    if ("placeholder" in input && !["parts", "prompts"].includes(parameter.kind))
      input.placeholder = shown(parameter.defaults?.[method] ?? parameter.default);
  }
  for (const group of $("settings").querySelectorAll("fieldset"))
    group.hidden = ![...group.querySelectorAll(".field")].some((box) => !box.hidden);
}

function shown(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "boolean") return value ? "yes" : "no";
  return Array.isArray(value) ? value.map((one) => (typeof one === "object" ? one.name : one)).join(", ") : String(value);
}

/** The settings that are not empty. Throws with a field when one cannot be read. */
export function readForm() {
  const values = {};
  for (const [name, { parameter, input, box }] of controls) {
    if (box.hidden) continue;
    if (parameter.kind === "file") {
      if (input.reference) values[name] = input.reference;
      continue;
    }
    const text = input.value.trim();
    if (input.validity?.badInput) throw bad(name, "This must be a number.");
    if (!text) continue;
    // What the studio would refuse is told at once.
    if (!input.checkValidity()) throw bad(name, input.validationMessage);
    switch (parameter.kind) {
      case "integer": case "number": values[name] = Number(text); break;
      case "flag": values[name] = text === "yes"; break;
      case "schedule": values[name] = Number.isNaN(Number(text)) ? text : Number(text); break;
      case "numbers": values[name] = list(text).map(Number); break;
      case "augmentations": case "choices": values[name] = text === "none" ? [] : list(text); break;
      case "parts": case "prompts":
        try { values[name] = JSON.parse(text); } catch { throw bad(name, "This must be a list as JSON."); }
        break;
      default: values[name] = text;
    }
  }
  return values;
}

const list = (text) => text.split(",").map((part) => part.trim()).filter(Boolean);
const bad = (field, message) => Object.assign(new Error(message), { field });

/** Fills the form with a request's settings. */
export function fillForm(request) {
  emptyForm();
  for (const [name, value] of Object.entries(request)) {
    const known = controls.get(name);
    if (!known || value === null || value === undefined) continue;
    const { parameter, input } = known;
    if (parameter.kind === "file") input.reference = value;
    else if (["parts", "prompts"].includes(parameter.kind)) input.value = JSON.stringify(value);
    else if (typeof value === "boolean") input.value = value ? "yes" : "no";
    else input.value = Array.isArray(value) ? (value.length ? value.join(",") : "none") : value;
  }
  suit();
}

export function emptyForm() {
  for (const { input } of controls.values()) {
    input.value = "";
    input.reference = null;
  }
  suit();
  clearErrors();
}

export function clearErrors() {
  for (const { input, error } of controls.values()) {
    error.hidden = true;
    input.removeAttribute("aria-invalid");
  }
}

/** Shows a mistake at its field; false when the form has none of that name in sight. */
export function showError(field, message) {
  const known = controls.get(field?.split(".")[0]);
  if (!known || known.box.hidden) return false;
  $("all").open = true;
  known.error.textContent = message;
  known.error.hidden = false;
  known.input.setAttribute("aria-invalid", "true");
  known.input.focus();
  return true;
}

/** The request of a picture with a method that shoots films of this kind: its own, else the first that does. */
export function filmable(picture, kind) {
  const shoots = (name) => declared.methods.find((method) => method.name === name)?.films.includes(kind);
  if (shoots(picture.method)) return { ...picture.request };
  const { prompt, seed, width, height } = picture.request;
  const method = declared.methods.find((one) => one.available && one.films.includes(kind)).name;
  return { prompt, seed, width, height, method };
}
