// Styles, of which several go together, and the presets beside them: qualities, proportions, recipes.
import { $, make, button } from "../lib/view.js";
import { get } from "../lib/api.js";
import { t, hasText, counted } from "../lib/text.js";

let presets = [];
let clips = [];

/** A preset's name as people read it. */
const named = (name) => (hasText(`preset.${name}`) ? t(`preset.${name}`) : name.replaceAll("-", " "));

/** Reads the presets anew, and keeps what was chosen; those that want a larger CLIP appear once there is one. */
export async function buildStyles() {
  const chosen = new Set(chosenStyles());
  const [quality, recipe] = [$("quality").value, $("recipe").value];
  const [all, { models }] = await Promise.all([get("/api/v1/presets"), get("/api/v1/models")]);
  presets = all.presets;
  clips = models.filter((model) => model.kind === "clip").map((model) => model.id);
  const of = (kind) => presets.filter((preset) => preset.kind === kind);
  const option = (preset) => make("option", { value: preset.name, title: preset.help }, named(preset.name));
  $("quality").replaceChildren(make("option", { value: "" }, t("usual")), ...of("quality").map(option));
  $("recipe").replaceChildren(make("option", { value: "" }, t("none")), ...of("recipe").map((preset) =>
    make("option", { value: preset.name }, `${named(preset.name)}: ${preset.help}`)));
  [$("quality").value, $("recipe").value] = [quality, recipe];
  // Those that only change the words are painted as fast as without; they come first.
  const styles = of("style").filter((preset) => !preset.wantsLargeCLIP || clips.length)
    .sort((a, b) => Boolean(a.fields.method) - Boolean(b.fields.method));
  $("styles").replaceChildren(...styles.map((style) => chip(style, chosen.has(style.name))));
  $("styles-large").hidden = clips.length > 0 || !of("style").some((preset) => preset.wantsLargeCLIP);
  tell();
}

function chip(style, checked) {
  const name = named(style.name);
  const picture = style.picture ? make("img", { src: style.picture, alt: "", loading: "lazy", width: 84, height: 84 }) : name.slice(0, 1);
  return make("label", { title: style.help }, make("input", { type: "checkbox", name: "style", value: style.name, checked, onchange: tell }),
    make("span", { className: "swatch", "aria-hidden": "true" }, picture), name);
}

export function startStyles() {
  $("find-style").addEventListener("input", find);
  $("find-style").addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
  $("all-styles").addEventListener("click", () => {
    const isOpen = $("styles").classList.toggle("open");
    $("all-styles").setAttribute("aria-expanded", String(isOpen));
  });
  $("no-style").addEventListener("click", () => chooseStyles([]));
}

function find() {
  const words = $("find-style").value.trim().toLowerCase();
  let found = 0;
  for (const label of $("styles").children) {
    label.hidden = Boolean(words) && !`${label.textContent} ${label.title} ${label.firstChild.value}`.toLowerCase().includes(words);
    found += label.hidden ? 0 : 1;
  }
  $("styles-none").hidden = found > 0;
}

function tell() {
  const chosen = chosenStyles();
  $("styles-chosen").textContent = chosen.length ? counted("styles.chosen", chosen.length, { names: chosen.map(named).join(", ") }) : "";
  $("no-style").hidden = !chosen.length;
}

/** Names of the chosen styles. */
export const chosenStyles = () => [...document.querySelectorAll("input[name=style]:checked")].map((input) => input.value);

/** Chooses these, and no others. */
export function chooseStyles(names) {
  for (const input of document.querySelectorAll("input[name=style]")) input.checked = names.includes(input.value);
  tell();
  $("styles").dispatchEvent(new Event("change", { bubbles: true }));
}

/** All chosen presets, recipe first; and the CLIP that one of them wants, where the request names none. */
export function readPresets() {
  const names = [$("recipe").value, ...chosenStyles(), $("quality").value].filter(Boolean);
  const wantsCLIP = presets.some((preset) => preset.wantsLargeCLIP && names.includes(preset.name));
  return { presets: names, clip: wantsCLIP ? clips[0] : undefined };
}

/** Chooses none of all. */
export function emptyPresets() {
  chooseStyles([]);
  $("quality").value = $("recipe").value = "";
}

/** A style by chance. */
export function anyStyle() {
  const all = [...document.querySelectorAll("input[name=style]")].map((input) => input.value);
  return all[Math.floor(Math.random() * all.length)];
}
