// How a picture came about, seen again.
import { fileOf } from "../lib/api.js";
import { $, make, button } from "../lib/view.js";
import { t } from "../lib/text.js";
import { askFor } from "../lib/dialog.js";

/** Plays the pictures on the way, and the picture itself at the end. */
export function replay(picture, frames) {
  const all = [...frames.slice(0, -1), fileOf(picture.id)];
  const image = make("img", { alt: t("replay.alt", { prompt: picture.prompt }), className: "replayed" });
  const slider = make("input", { type: "range", min: 0, max: all.length - 1, step: 1, value: 0, "aria-label": t("replay.step") });
  let timer = null;
  const show = () => { image.src = all[Number(slider.value)]; };
  const stop = () => { clearInterval(timer); timer = null; play.textContent = t("replay.play"); };
  const go = () => {
    if (Number(slider.value) === all.length - 1) slider.value = 0;
    play.textContent = t("replay.pause");
    show();
    timer = setInterval(() => {
      if (!image.isConnected || Number(slider.value) >= all.length - 1) return stop();
      slider.value = Number(slider.value) + 1;
      show();
    }, 400);
  };
  const play = button(t("replay.play"), () => (timer ? stop() : go()));
  slider.addEventListener("input", () => { stop(); show(); });
  show();
  askFor(t("replay.title"), [image, slider, make("div", { className: "actions" }, play)], null);
  $("chooser").addEventListener("close", stop, { once: true });
  if (!matchMedia("(prefers-reduced-motion: reduce)").matches) go();
}
