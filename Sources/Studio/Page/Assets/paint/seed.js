// The seed: thrown anew for each picture, unless it is held.
import { $ } from "../lib/view.js";
import { t } from "../lib/text.js";

/** A seed by chance. */
export const dice = () => crypto.getRandomValues(new Uint32Array(1))[0];

export function startSeed() {
  $("dice").addEventListener("click", () => { $("seed").value = dice(); hold(true); });
  $("lock").addEventListener("click", () => hold($("lock").getAttribute("aria-pressed") !== "true"));
  $("seed").addEventListener("input", () => hold($("seed").value.trim() !== ""));
}

function hold(isHeld) {
  if (isHeld && !$("seed").value.trim()) $("seed").value = dice();
  if (!isHeld) $("seed").value = "";
  $("lock").setAttribute("aria-pressed", String(isHeld));
  $("lock").textContent = t(isHeld ? "seed.held" : "seed.free");
}

/** The seed that is held, a number or a word; nothing where chance decides. */
export function readSeed() {
  const text = $("seed").value.trim();
  if (!text) return undefined;
  return /^\d+$/.test(text) ? Number(text) : text;
}

export function fillSeed(seed) {
  $("seed").value = seed ?? "";
  hold(seed !== undefined && seed !== null);
}
