// The view that paints: puts together what is wanted, and hands it in.
import { get, post, fileOf } from "../lib/api.js";
import { $, toast, trying, announce, later } from "../lib/view.js";
import { t } from "../lib/text.js";
import { buildSettings, startSettings, readSettings, fillSettings, emptySettings, clearErrors, showError } from "./settings.js";
import { startWishes, readWishes, fillWishes } from "./wishes.js";
import { startStyles, buildStyles, readPresets, emptyPresets } from "./styles.js";
import { startSize, readSize, fillSize } from "./size.js";
import { startSeed, readSeed, fillSeed } from "./seed.js";
import { startPicture, readPicture, begin, removePicture } from "./picture.js";
import { startPrompts } from "./prompts.js";
import { askGrid, listGrids } from "./grid.js";
import { estimate } from "./estimate.js";
import { queued, reload } from "./queue.js";
import { filmOfForm } from "../gallery/film.js";

/** The picture that this one comes of. */
let parent = null;

export async function startPaint() {
  $("composer").addEventListener("submit", (event) => { event.preventDefault(); submit(); });
  $("prompt").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); submit(); }
  });
  $("reset").addEventListener("click", () => { emptyPresets(); parent = null; });
  $("grid").addEventListener("click", () => trying(async () => { if (check()) await askGrid(compose); }));
  $("film").addEventListener("click", () => { if (check()) filmOfForm(compose); });
  startSettings();
  startWishes();
  startStyles();
  startSize();
  startSeed();
  startPicture(useSettings);
  const [status] = await Promise.all([get("/api/v1/status"), buildSettings(), buildStyles()]);
  startPrompts(status.pack.examples);
  listGrids();
  const look = later(600, () => estimate(compose));
  for (const kind of ["input", "change", "click"]) $("composer").addEventListener(kind, look);
  await reload();
}

/** Learns what there is to choose from anew, after models have come or gone. */
export const refreshPaint = () => Promise.all([buildSettings(), buildStyles()]);

/** The job that the form asks for. */
async function compose() {
  const chosen = readPresets();
  const seed = readSeed();
  const request = { ...readSettings(), ...readWishes($("prompt").value.trim()), ...readSize(), ...(seed !== undefined && { seed }) };
  if (chosen.clip) request.clip ??= chosen.clip;
  const body = { request, count: Number($("count").value), presets: chosen.presets };
  await readPicture(body);
  if (parent) body.parent = parent;
  return body;
}

function check() {
  clearErrors();
  $("prompt-error").hidden = $("form-error").hidden = true;
  $("prompt").removeAttribute("aria-invalid");
  if ($("prompt").value.trim()) return true;
  fail({ message: t("prompt.empty"), field: "prompt" });
  return false;
}

async function submit() {
  if (!check()) return;
  $("go").disabled = true;
  try {
    const job = await post("/api/v1/jobs", await compose());
    announce(t("queue.in"));
    if (job.remarks) toast(job.remarks.join(" "));
    await reload();
    if (matchMedia("(max-width: 60rem)").matches) toast(t("queue.in"), t("show"), () => $("queue-title").scrollIntoView());
  } catch (error) { fail(error); } finally { $("go").disabled = false; }
}

function fail(error) {
  if (error.field === "prompt") {
    $("prompt-error").textContent = error.message;
    $("prompt-error").hidden = false;
    $("prompt").setAttribute("aria-invalid", "true");
    $("prompt").focus();
  } else if (!showError(error.field, error.message)) {
    $("form-error").textContent = error.message;
    $("form-error").hidden = false;
  }
}

/** Fills everything with a request. */
export function useSettings(request) {
  $("prompt").value = fillWishes(request);
  fillSettings(request);
  fillSize(request);
  fillSeed(request.seed);
  emptyPresets();
  removePicture();
  parent = null;
  if (request.initImage?.sha256) trying(() => begin(request.initImage, `/api/v1/files/${request.initImage.sha256}`, null));
  location.hash = "#/paint";
  $("all").open = true;
  $("prompt").focus();
}

/** Begins from a picture of the gallery. */
export async function evolve(picture) {
  await trying(async () => {
    const file = await inputOf(picture);
    $("prompt").value = picture.prompt;
    await begin(file, fileOf(picture.id), picture.request);
    parent = picture.id;
    location.hash = "#/paint";
    $("prompt").focus();
  });
}

/** A picture of the gallery as requests name it. */
export const inputOf = (picture) => post(`/api/v1/pictures/${picture.id}/input`);

/** Paints what one picture of the gallery shows, or what lies between several. */
export const between = (pictures) => trying(async () => {
  const prompts = await Promise.all(pictures.map(async (one) => ({ image: await inputOf(one) })));
  await post("/api/v1/jobs", { request: { prompt: "", prompts }, count: 1, parent: pictures[0].id });
  await queued();
});

/** Has a network make a picture of the gallery larger. */
export const enlarge = (picture, scale) => trying(async () => {
  await post(`/api/v1/pictures/${picture.id}/enlarge`, { scale });
  await queued();
});

/** Paints a picture's request again with other values. */
export async function again(picture, changes) {
  await trying(async () => {
    const request = { ...picture.request, ...changes };
    for (const [name, value] of Object.entries(request)) if (value === null) delete request[name];
    await post("/api/v1/jobs", { request, count: 1, parent: picture.id });
    await queued();
  });
}
