// What is wanted beside the prompt: what is not, more prompts with weights, scenes one after another.
import { $, make, button } from "../lib/view.js";
import { t } from "../lib/text.js";
import { takes, parameterOf } from "./declared.js";
import { chosenMethod, followMethod } from "./settings.js";

let rows = [];
let scenes = [];
let number = 0;

export function startWishes() {
  $("more-prompts").append(
    make("ul", { id: "rows", className: "rows" }), button(t("wishes.more"), () => focusLast(addRow({ text: "" })), { id: "add-prompt", className: "quiet-button" }),
    make("ol", { id: "scenes", className: "rows" }), button(t("wishes.scene"), () => focusLast(addScene("")), { id: "add-scene", className: "quiet-button" }),
    make("p", { className: "hint", id: "wishes-hint" }, t("wishes.hint")));
  followMethod(suit);
}

/** Says what the chosen method does not take, where something of it is written. */
function suit(method) {
  $("not-field").hidden = !takes(method, "negativePrompt");
  const hasPrompts = takes(method, "prompts");
  for (const id of ["rows", "add-prompt", "scenes", "add-scene"]) $(id).hidden = !hasPrompts;
  $("wishes-hint").textContent = t(hasPrompts ? "wishes.hint" : "wishes.none");
}

const focusLast = (row) => row.element.querySelector("input").focus();

/** A further prompt: a text, or something else that a request names. */
function addRow(prompt) {
  const id = `wish-${number += 1}`;
  const isText = typeof prompt.text === "string";
  const weight = make("input", { type: "range", min: -1, max: 2, step: 0.05, value: prompt.weight ?? 1, "aria-label": t("weight") });
  const says = make("output", { className: "hint" });
  const tell = () => { says.textContent = Number(weight.value) < 0 ? t("wishes.away", { weight: weight.value }) : weight.value; };
  weight.addEventListener("input", tell);
  const text = make("input", { id, type: "text", maxLength: parameterOf("negativePrompt")?.schema.maxLength ?? 4096, value: prompt.text ?? "", placeholder: t("wishes.text"), "aria-label": t("wishes.text") });
  const row = { prompt, isText, text, weight, isTouched: false };
  weight.addEventListener("input", () => { row.isTouched = true; });
  row.element = make("li", {}, isText ? text : make("span", {}, kindOf(prompt)), weight, says,
    button("×", () => { rows = rows.filter((other) => other !== row); row.element.remove(); $("add-prompt").focus(); }, { "aria-label": t("wishes.without") }));
  tell();
  rows.push(row);
  $("rows").append(row.element);
  $("more-prompts").open = true;
  return row;
}

function kindOf(prompt) {
  for (const kind of ["image", "embedding", "noise", "average", "label"])
    if (kind in prompt) return t(`wishes.${kind}`, { name: prompt[kind]?.name ?? prompt[kind] });
  return "?";
}

/** A scene: what is painted after the one before. The first is the prompt itself. */
function addScene(text) {
  const id = `scene-${number += 1}`;
  const input = make("input", { id, type: "text", maxLength: 4096, value: text, placeholder: t("wishes.then"), "aria-label": t("wishes.then") });
  const scene = { input };
  const move = (by) => {
    const at = scenes.indexOf(scene);
    const to = at + by;
    if (to < 0 || to >= scenes.length) return;
    scenes.splice(at, 1);
    scenes.splice(to, 0, scene);
    $("scenes").replaceChildren(...scenes.map((one) => one.element));
    input.focus();
  };
  scene.element = make("li", {}, input,
    button("↑", () => move(-1), { "aria-label": t("wishes.earlier") }), button("↓", () => move(1), { "aria-label": t("wishes.later") }),
    button("×", () => { scenes = scenes.filter((other) => other !== scene); scene.element.remove(); $("add-scene").focus(); }, { "aria-label": t("wishes.without.scene") }));
  scenes.push(scene);
  $("scenes").append(scene.element);
  $("more-prompts").open = true;
  return scene;
}

/** What of a request these say: its prompt with its scenes, the prompts beside it, and what is not wanted. */
export function readWishes(prompt) {
  const request = { prompt };
  const method = chosenMethod();
  if (takes(method, "negativePrompt") && $("not").value.trim()) request.negativePrompt = $("not").value.trim();
  if (!takes(method, "prompts")) return request;
  const later = scenes.map((scene) => scene.input.value.trim()).filter(Boolean);
  if (later.length) request.prompt = [prompt, ...later].join(" ^ ");
  const prompts = rows.filter((row) => !row.isText || row.text.value.trim()).map((row) => {
    const wish = { ...row.prompt };
    if (row.isText) wish.text = row.text.value.trim();
    if (row.isTouched) wish.weight = Number(row.weight.value);
    return wish;
  });
  if (prompts.length) request.prompts = prompts;
  return request;
}

/** Fills all of them from a request. Gives what stands in the prompt's own field. */
export function fillWishes(request) {
  rows = [];
  scenes = [];
  $("rows").replaceChildren();
  $("scenes").replaceChildren();
  $("more-prompts").open = false;
  $("not").value = request.negativePrompt ?? "";
  for (const prompt of request.prompts ?? []) addRow(prompt);
  const [first, ...others] = (request.prompt ?? "").split("^").map((part) => part.trim());
  for (const scene of others) addScene(scene);
  return first;
}
