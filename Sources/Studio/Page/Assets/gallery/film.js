// The dialog that makes a film: of a picture of the gallery, or of what the form asks for.
import { post, handIn } from "../lib/api.js";
import { $, make, field, toast, trying } from "../lib/view.js";
import { t } from "../lib/text.js";
import { askFor } from "../lib/dialog.js";
import { declarations, titled, helped } from "../paint/declared.js";
import { control } from "../paint/controls.js";
import { inputOf } from "../paint/paint.js";
import { queued } from "../paint/queue.js";

/** What is reckoned from seconds, or asked in words. */
const reckoned = new Set(["frames", "every", "rate", "seeds"]);

/**
 * Asks which film of a picture, and has it made.
 * @param chooseSecond calls back with the picture and another one
 */
export const makeFilm = (picture, chooseSecond) => trying(async () => {
  const kinds = ["zoom", "morph", "seeds", "ring", "progress"];
  await ask(kinds, async (kind) => {
    if (kind === "morph") return null;
    const request = await filmable(picture.request, picture.method, kind === "seeds" ? "morph" : kind);
    if (kind === "zoom" || kind === "ring") {
      request.initImage = await inputOf(picture);
      delete request.initNoise;
    }
    return { request, parent: picture.id };
  }, (film) => chooseSecond((first, other) => trying(async () => {
    location.hash = "#/gallery";
    const prompts = await Promise.all([first, other].map(async (one, scene) => ({ image: await inputOf(one), scene })));
    await post("/api/v1/jobs", { request: { prompt: "", prompts }, film, parent: first.id });
    await queued();
  })));
});

/** Asks which film of what the form asks for, and has it made. */
export const filmOfForm = (compose) => trying(async () => {
  const body = await compose();
  const isStory = body.request.prompt.includes("^");
  const kinds = [isStory && "story", isStory && "scenes", "zoom", "seeds", "ring", !isStory && "progress", "restyle"].filter(Boolean);
  await ask(kinds, async (kind) => {
    const { request, ...others } = body;
    const shot = { seeds: "morph", scenes: "morph", story: "progress" }[kind] ?? kind;
    return { ...others, request: await filmable(request, request.method, shot), count: 1 };
  });
});

async function ask(kinds, order, second) {
  const { films } = await declarations();
  const shot = (kind) => ({ seeds: "morph", scenes: "morph", story: "progress" }[kind] ?? kind);
  const of = (kind) => films.find((film) => film.name === shot(kind));
  const kind = make("select", { id: "film-kind" }, ...kinds.map((name) => make("option", { value: name }, t(`film.${name}`))));
  const seconds = make("input", { id: "film-seconds", type: "number", min: 1, max: 60, value: 4, inputMode: "numeric" });
  const rate = make("input", { id: "film-rate", type: "number", min: 1, max: 60, value: 15, inputMode: "numeric" });
  const seeds = make("input", { id: "film-seeds", type: "text", value: "1, 2, 3", autocomplete: "off" });
  const video = make("input", { id: "film-video", type: "file", accept: "video/mp4,video/webm,video/quicktime,image/gif" });
  const length = field(t("film.seconds"), seconds, t("film.seconds.hint"));
  const betweenSeeds = field(t("film.between"), seeds, t("film.between.hint"));
  const source = field(t("film.video"), video, t("film.video.hint"));
  const more = make("div", { className: "many" });
  let fields = [];
  const suit = () => {
    length.hidden = ["restyle", "ring"].includes(kind.value);
    betweenSeeds.hidden = kind.value !== "seeds";
    source.hidden = kind.value !== "restyle";
    const film = of(kind.value);
    rate.value = film.arguments.find((one) => one.name === "rate")?.default ?? 15;
    if (kind.value === "ring") rate.value = 8;
    fields = film.arguments.filter((one) => !reckoned.has(one.name)).map((one) => ({ one, made: control(one, `film-${one.name}`) }));
    more.replaceChildren(...fields.map(({ one, made }) => {
      if ("placeholder" in made.input && one.default !== null) made.input.placeholder = String(one.default);
      return make("div", { className: "field" }, make("label", { htmlFor: made.input.id }, titled(one.name)), made.element, helped(one));
    }));
  };
  kind.addEventListener("change", suit);
  suit();
  askFor(t("film.title"), [field(t("film.what"), kind), length, betweenSeeds, source, field(t("film.rate"), rate),
    make("details", {}, make("summary", {}, t("film.more")), more)], t("film.do"), async () => {
    const film = { kind: shot(kind.value), rate: Number(rate.value) || 15 };
    for (const { one, made } of fields) if (made.read() !== undefined) film[one.name] = made.read();
    const frames = Math.max(2, Math.round(Math.min(60, Math.max(1, Number(seconds.value) || 4)) * film.rate));
    const job = await order(kind.value);
    switch (kind.value) {
      case "zoom": film.frames = frames; film.every ??= 3; break;
      case "morph": case "scenes": film.frames = frames; break;
      case "seeds":
        film.seeds = seeds.value.split(/[,;\s]+/).filter(Boolean).map((word) => (Number.isNaN(Number(word)) ? word : Number(word)));
        film.frames = Math.max(2, Math.round(frames / Math.max(1, film.seeds.length - 1)));
        break;
      case "ring": film.frames = 8; job.request.iterations = 60; break;
      case "restyle":
        if (!video.files[0]) throw new Error(t("film.video.missing"));
        film.source = [(await handIn(video.files[0])).file];
        break;
      default:
        // As many frames as that, whatever it takes to paint it.
        film.every = Math.max(1, Math.floor((job.request.iterations ?? 200) / frames));
    }
    if (kind.value === "morph") return void second(film);
    await post("/api/v1/jobs", { ...job, film });
    $("chooser").close();
    await queued();
  });
}

/** A request with a method that shoots films of this kind: its own, else the first that does. */
async function filmable(request, method, kind) {
  const { methods } = await declarations();
  if (methods.find((one) => one.name === method)?.films.includes(kind)) return { ...request, method };
  const found = methods.find((one) => one.available && one.films.includes(kind));
  if (!found) throw new Error(t("film.nobody"));
  const { prompt, prompts, seed, width, height, negativePrompt, initImage } = request;
  toast(t("film.by", { method: found.title }));
  return Object.fromEntries(Object.entries({ prompt, prompts, seed, width, height, negativePrompt, initImage, method: found.name }).filter(([, value]) => value !== undefined));
}
