// The settings of a request: those of the chosen method, in groups that open, with a search; what was changed
// stands above them.
import { $, make, button, later } from "../lib/view.js";
import { get } from "../lib/api.js";
import { t, counted } from "../lib/text.js";
import { declarations, helped, titled, shown, methodOf } from "./declared.js";
import { control } from "./controls.js";
import { parts } from "./parts.js";

/** What has a place of its own in the composer. */
const elsewhere = new Set(["method", "width", "height", "seed", "prompts", "negativePrompt", "initImage"]);
const fields = new Map();
let declared = null;
/** What other parts of the page do when the method changes. */
const followers = [];

/** Calls back when another method is chosen. */
export const followMethod = (body) => followers.push(body);

/** The chosen method's name; nothing for the automatic choice. */
export const chosenMethod = () => $("method").value;

/** Builds the form, or builds it again with what it holds. */
export async function buildSettings() {
  const before = declared ? peek() : null;
  const [all, { models }] = await Promise.all([declarations(true), get("/api/v1/models")]);
  declared = all;
  const clips = models.filter((model) => model.kind === "clip").map((model) => model.id);
  methods();
  fields.clear();
  const groups = [];
  const group = (key, title, list) => {
    if (!list.length) return;
    groups.push(make("details", { className: "group", id: `group-${key}` },
      make("summary", {}, title, " ", make("span", { className: "count hint" })),
      make("div", { className: "many" }, ...list.map((parameter) => box(parameter, clips)))));
  };
  const own = new Map();
  for (const method of declared.methods)
    for (const argument of method.arguments) {
      const known = own.get(argument.name);
      own.set(argument.name, {
        ...argument, methods: [...(known?.methods ?? []), method.name],
        defaults: { ...known?.defaults, [method.name]: argument.default },
      });
    }
  const isPart = (parameter) => parameter.kind === "parts";
  const common = declared.parameters.filter((parameter) => !elsewhere.has(parameter.name) && !own.has(parameter.name));
  group("own", t("group.own"), [...own.values()]);
  declared.groups.forEach((name, index) => group(index, t(`group.${name}`), common.filter((one) => one.group === name && !isPart(one))));
  for (const part of common.filter(isPart)) group(part.name, t(`group.${part.name}`), [part]);
  $("settings").replaceChildren(...groups);
  if (before) fillSettings(before);
  suit();
}

function methods() {
  const chosen = $("method").value;
  const option = (method) => make("option", { value: method.name === "auto" ? "" : method.name, disabled: !method.available, title: method.help },
    method.name === "auto" ? t("method.auto") : method.available ? method.title : t("method.missing", { title: method.title }));
  const [auto, ...others] = declared.methods;
  $("method").replaceChildren(option(auto),
    make("optgroup", { label: t("method.here") }, ...others.filter((method) => method.available).map(option)),
    make("optgroup", { label: t("method.away") }, ...others.filter((method) => !method.available).map(option)));
  $("method").value = chosen;
}

function box(parameter, clips) {
  const id = `set-${parameter.name}`;
  let made;
  if (parameter.kind === "parts") made = parts(declared[parameter.name], id, { weighs: parameter.name === "objectives" });
  else {
    const models = [...new Set(declared.methods.flatMap((method) => method.models ?? []))];
    made = control(parameter, id, { clips, models });
  }
  made.input.setAttribute("aria-describedby", `${id}-help ${id}-error`);
  const error = make("p", { className: "error", id: `${id}-error`, role: "alert", hidden: true });
  const element = make("div", { className: "field setting", id: `field-${parameter.name}` },
    make("label", { htmlFor: made.input.id }, titled(parameter.name)), made.element, helped(parameter, `${id}-help`), error);
  if (parameter.kind === "parts") element.classList.add("whole");
  const words = `${titled(parameter.name)} ${parameter.name} ${parameter.help}`.toLowerCase();
  fields.set(parameter.name, { parameter, made, element, error, words });
  element.addEventListener("change", changes);
  element.addEventListener("input", later(300, changes));
  return element;
}

/** Connects what stands round the settings. */
export function startSettings() {
  $("method").addEventListener("change", suit);
  $("find").addEventListener("input", suit);
  $("find").addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
  $("reset").addEventListener("click", emptySettings);
}

/** What stands in for a parameter that is left open. */
const usual = ({ parameter }) => parameter.defaults?.[chosenMethod()] ?? parameter.default;

/** Whether the chosen method takes a parameter; with the automatic choice, whether all methods do. */
function fits({ parameter }) {
  const method = chosenMethod();
  return method ? parameter.methods.includes(method) : parameter.methods.length === declared.methods.length - 1;
}

/** Shows what belongs to the chosen method and to what is looked for. */
function suit() {
  if (!declared) return;
  const query = $("find").value.trim().toLowerCase();
  const method = methodOf(chosenMethod() || "auto");
  $("method-help").textContent = method.name === "auto" ? t("method.auto.help") : method.help;
  $("method-help").lang = method.name === "auto" ? document.documentElement.lang : "en";
  for (const known of fields.values()) {
    const { parameter, made, element, words } = known;
    known.fits = fits(known);
    element.hidden = !known.fits || Boolean(query && !query.split(/\s+/).every((word) => words.includes(word)));
    const value = usual(known);
    if ("placeholder" in made.input) made.input.placeholder = shown(value);
    if (made.input.options?.[0]?.value === "" && parameter.kind !== "parts")
      made.input.options[0].textContent = value === null || value === undefined ? t("usual") : t("usual.value", { value: shown(value) });
    made.suit?.(value);
    if (parameter.kind === "model") for (const option of made.input.options)
      option.hidden = option.disabled = Boolean(option.value) && !(method.models ?? []).includes(option.textContent);
  }
  let found = 0;
  for (const group of $("settings").children) {
    const seen = [...group.querySelectorAll(".setting")].filter((one) => !one.hidden).length;
    found += seen;
    group.hidden = !seen;
    group.querySelector(".count").textContent = counted("settings.count", seen);
    if (query && seen) group.open = true;
  }
  $("find-none").hidden = found > 0;
  changes();
  for (const body of followers) body(chosenMethod());
}

/** Says above what was changed, with a way back. */
function changes() {
  const changed = [...fields.values()].filter((known) => known.fits && isSet(known));
  $("changed-box").hidden = !changed.length;
  $("changed").replaceChildren(...changed.map((known) => make("li", {},
    button(`${titled(known.parameter.name)}: ${short(known)}`, () => show(known), { className: "link" }),
    button("×", () => putBack(known), { title: t("settings.back"), "aria-label": t("settings.back.one", { name: titled(known.parameter.name) }) }))));
  $("all-count").textContent = changed.length ? counted("settings.changed", changed.length) : "";
}

function putBack(known) {
  known.made.write(undefined);
  known.error.hidden = true;
  changes();
  ($("changed").querySelector("button") ?? $("find")).focus();
}

function isSet(known) {
  try { return known.made.read() !== undefined; } catch { return true; }
}

function short(known) {
  try {
    const text = shown(known.made.read());
    return text.length > 40 ? `${text.slice(0, 39)}…` : text;
  } catch { return "?"; }
}

/** Brings a setting into sight. */
function show({ element, made }) {
  $("all").open = true;
  $("find").value = "";
  suit();
  element.closest("details").open = true;
  made.input.focus();
  element.scrollIntoView({ block: "center" });
}

/** The settings that are not left open. Throws with a field when one cannot be read. */
export function readSettings() {
  const values = chosenMethod() ? { method: chosenMethod() } : {};
  for (const [name, known] of fields) {
    if (!known.fits) continue;
    try {
      const value = known.made.read();
      if (value !== undefined) values[name] = value;
    } catch (error) { throw Object.assign(error, { field: name }); }
  }
  return values;
}

function peek() {
  const values = chosenMethod() ? { method: chosenMethod() } : {};
  for (const [name, known] of fields) try { values[name] = known.made.read(); } catch { /* it is left out */ }
  return values;
}

const alike = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/** Fills the settings from a request; what is usual for its method is left open. */
export function fillSettings(request) {
  $("method").value = request.method && request.method !== "auto" ? request.method : "";
  if ($("method").selectedIndex < 0 || $("method").selectedOptions[0]?.disabled) $("method").value = "";
  for (const known of fields.values()) {
    const value = request[known.parameter.name] ?? undefined;
    known.made.write(value === undefined || alike(value, usual(known)) ? undefined : value);
    known.error.hidden = true;
  }
  suit();
}

export function emptySettings() {
  fillSettings({ method: chosenMethod() });
  clearErrors();
}

export function clearErrors() {
  for (const { made, error } of fields.values()) {
    error.hidden = true;
    made.input.removeAttribute("aria-invalid");
  }
}

/** Shows a mistake at its field; false when there is none of that name in sight. */
export function showError(field, message) {
  const known = fields.get(field?.split(".")[0]);
  if (!known?.fits) return false;
  show(known);
  known.error.textContent = message;
  known.error.hidden = false;
  known.made.input.setAttribute("aria-invalid", "true");
  return true;
}
