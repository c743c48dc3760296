// The dialog that makes a film of a picture.
import { post } from "./api.js";
import { $, make, trying } from "./view.js";
import { inputOf, queued } from "./paint.js";
import { filmable } from "./form.js";

const kinds = [
  ["zoom", "The camera moves into the picture while painting goes on"],
  ["ring", "It flickers in a loop, like a burning candle"],
  ["progress", "How it is painted, from the first stroke to the last"],
];

/** Asks which film, and has it made. */
export function makeFilm(picture) {
  const kind = make("select", { id: "film-kind" }, ...kinds.map(([value, name]) => make("option", { value }, name)));
  const seconds = make("input", { id: "film-seconds", type: "number", min: 1, max: 60, value: 4, inputMode: "numeric" });
  const length = make("div", { className: "field" }, make("label", { htmlFor: "film-seconds" }, "Seconds"), seconds,
    make("p", { className: "hint" }, "A second takes about as long to paint as one or two pictures."));
  kind.addEventListener("change", () => { length.hidden = kind.value === "ring"; });
  const form = make("form", { method: "dialog" }, make("h2", { id: "chooser-title" }, "Make a film"),
    make("div", { className: "field" }, make("label", { htmlFor: "film-kind" }, "What happens in it"), kind),
    length,
    make("div", { className: "bar" },
      make("button", { type: "button", onclick: () => $("chooser").close() }, "Not now"), make("button", { className: "primary" }, "Make it")));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    trying(async () => {
      const long = Math.min(60, Math.max(1, Number(seconds.value) || 4));
      await post("/api/v1/jobs", { ...(await order(picture, kind.value, long)), parent: picture.id });
      $("chooser").close();
      await queued();
    });
  });
  $("chooser").replaceChildren(form);
  $("chooser").showModal();
}

/** What the studio is asked for. */
async function order(picture, kind, seconds) {
  const frames = Math.round(seconds * 15);
  if (kind === "progress") {
    const request = filmable(picture, kind);
    // As many frames as that, whatever it takes to paint it.
    return { request, film: { kind, every: Math.max(1, Math.floor((request.iterations ?? 200) / frames)) } };
  }
  const initImage = await inputOf(picture);
  const request = { ...filmable(picture, kind), initImage };
  delete request.initNoise;
  if (kind === "ring") return { request: { ...request, iterations: 60 }, film: { kind, frames: 8, every: 10, rate: 8 } };
  return { request, film: { kind, frames, every: 3, zoom: 1.02 } };
}
