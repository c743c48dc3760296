// The view that paints: what is wanted, and what is being painted.
import { get, post, handIn, thumbnailOf } from "./api.js";
import { $, make, toast, trying, announce, duration, plural } from "./view.js";
import { buildForm, readForm, fillForm, emptyForm, clearErrors, showError } from "./form.js";

const sizes = [["", "as the style wants"], ["256x256", "square, 256"], ["512x512", "square, 512"], ["320x240", "wide, 320 × 240"], ["512x288", "wider, 512 × 288"], ["240x320", "tall, 240 × 320"], ["288x512", "taller, 288 × 512"]];
let added = null;
let parent = null;
const jobs = new Map();

export async function startPaint() {
  $("size").append(...sizes.map(([value, name]) => make("option", { value }, name)));
  $("composer").addEventListener("submit", (event) => { event.preventDefault(); submit(); });
  $("prompt").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); submit(); }
  });
  $("reset").addEventListener("click", () => { emptyForm(); $("recipe").value = ""; parent = null; });
  $("begin-file").addEventListener("change", (event) => { if (event.target.files[0]) addPicture(event.target.files[0]); event.target.value = ""; });
  $("begin-remove").addEventListener("click", removePicture);
  $("begin-settings").addEventListener("click", () => useSettings(added.settings));
  const [status, presets] = await Promise.all([get("/api/v1/status"), get("/api/v1/presets"), buildForm()]);
  $("examples").append(...status.pack.examples.slice(0, 4).map((example) =>
    make("button", { type: "button", onclick: () => { $("prompt").value = example; $("prompt").focus(); } }, example)));
  $("quality").append(make("option", { value: "" }, "usual"), ...presets.presets.filter((preset) => preset.kind === "quality").map((preset) =>
    make("option", { value: preset.name, title: preset.help }, preset.name)));
  $("recipe").append(make("option", { value: "" }, "none"), ...presets.presets.filter((preset) => preset.kind === "recipe").map((preset) =>
    make("option", { value: preset.name }, `${preset.name.replaceAll("-", " ")}: ${preset.help.toLowerCase()}`)));
  // Those that only change the words are painted as fast as without; they come first.
  chips(presets.presets.filter((preset) => preset.kind === "style" && !preset.wantsLargeCLIP)
    .sort((a, b) => Boolean(a.fields.method) - Boolean(b.fields.method)));
  await reload();
}

function chips(styles) {
  const chip = (name, label, help, address) => {
    const picture = address ? make("img", { src: address, alt: "", loading: "lazy", width: 84, height: 84 }) : label.slice(0, 1);
    return make("label", { title: help }, make("input", { type: "radio", name: "style", value: name, checked: !name }),
      make("span", { className: "swatch", "aria-hidden": "true" }, picture), label);
  };
  $("styles").append(chip("", "plain", "No style", "/styles/none.webp"), ...styles.map((style) => chip(style.name, style.name.replaceAll("-", " "), style.help, style.picture)));
}

// What is wanted

async function submit() {
  clearErrors();
  $("prompt-error").hidden = $("form-error").hidden = true;
  $("prompt").removeAttribute("aria-invalid");
  const prompt = $("prompt").value.trim();
  if (!prompt) return fail({ message: "Say what it shall be, for instance: a red fox.", field: "prompt" });
  $("go").disabled = true;
  try {
    const request = { ...readForm(), prompt };
    const size = $("size").value.split("x").map(Number);
    if (size.length === 2) [request.width, request.height] = size;
    if (added) {
      if ($("begin-use").value === "init") request.initImage = added.file;
      else request.prompts = [...(request.prompts ?? []), { image: added.file }];
    }
    const style = document.querySelector("input[name=style]:checked")?.value;
    const body = { request, count: Number($("count").value), presets: [$("recipe").value, style, $("quality").value].filter(Boolean) };
    if (parent) body.parent = parent;
    const job = await post("/api/v1/jobs", body);
    announce("It is in the queue.");
    if (job.remarks) toast(job.remarks.join(" "));
    await reload();
    $("queue-title").scrollIntoView({ block: "nearest" });
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

/** A picture that was dropped, chosen or pasted. */
export async function addPicture(file) {
  location.hash = "#/paint";
  await trying(async () => {
    const found = await handIn(file);
    begin(found.file, URL.createObjectURL(file), found.settings);
    if (found.settings) toast("The picture tells how it was painted.", "Use its settings", () => useSettings(found.settings));
  });
}

function begin(file, address, settings) {
  added = { file, settings };
  $("begin-picture").src = address;
  $("begin-settings").hidden = !settings;
  $("begin-empty").hidden = true;
  $("begin-full").hidden = false;
}

function removePicture() {
  added = null;
  $("begin-empty").hidden = false;
  $("begin-full").hidden = true;
  $("begin-file").focus();
}

/** Fills everything with a request. */
export function useSettings(request, more = {}) {
  const { prompt, width, height, schema, precision, ...rest } = { ...request, ...more };
  $("prompt").value = prompt ?? "";
  fillForm(rest);
  const size = width && height ? `${width}x${height}` : "";
  if (size && ![...$("size").options].some((option) => option.value === size))
    $("size").append(make("option", { value: size }, `${width} × ${height}`));
  $("size").value = size;
  document.querySelector("input[name=style][value='']").checked = true;
  $("quality").value = $("recipe").value = "";
  location.hash = "#/paint";
  $("all").open = true;
  $("prompt").focus();
}

/** Begins from a picture of the gallery. */
export async function evolve(picture) {
  await trying(async () => {
    const file = await inputOf(picture);
    $("prompt").value = picture.prompt;
    $("begin-use").value = "init";
    begin(file, thumbnailOf(picture.id), picture.request);
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
export const enlarge = (picture) => trying(async () => {
  await post(`/api/v1/pictures/${picture.id}/enlarge`, { scale: 2 });
  await queued();
});

/** Tells that something waits, and shows it. */
export async function queued() {
  toast("It is in the queue.", "Show", () => { location.hash = "#/paint"; });
  await reload();
}

/** Paints a picture's request again with other values. */
export async function again(picture, changes) {
  await trying(async () => {
    const request = { ...picture.request, ...changes };
    for (const [name, value] of Object.entries(request)) if (value === null) delete request[name];
    await post("/api/v1/jobs", { request, count: 1, parent: picture.id });
    await queued();
  });
}

// What is being painted

let reloading = null;
let isStale = false;

/** Looks at the queue again; what happens meanwhile is looked at, too. */
export function reload() {
  isStale = true;
  reloading ??= (async () => {
    try {
      while (isStale) {
        isStale = false;
        await look();
      }
    } finally { reloading = null; }
  })();
  return reloading;
}

async function look() {
  const page = await get("/api/v1/jobs?state=queued,painting&limit=100");
  const here = new Set(page.jobs.map((job) => job.id));
  for (const [id, known] of jobs) if (!here.has(id)) { known.card.remove(); jobs.delete(id); }
  page.jobs.forEach((job, index) => show(job, index, page.jobs));
  $("queue-empty").hidden = page.jobs.length > 0;
  await recent();
}

async function recent() {
  const page = await get("/api/v1/pictures?limit=12");
  $("recent-title").hidden = !page.pictures.length;
  $("recent").replaceChildren(...page.pictures.map((picture) =>
    make("a", { href: `#/picture/${picture.id}`, className: "tile" }, make("img", { src: thumbnailOf(picture.id), alt: picture.prompt, loading: "lazy" }))));
}

function show(job, index, all) {
  let known = jobs.get(job.id);
  if (!known) {
    known = { card: make("li", { className: "job" }) };
    known.view = make("div", { className: "view" });
    known.bar = make("progress", { max: 1, "aria-label": `Progress of ${job.prompt}` });
    known.state = make("p", { className: "hint" });
    known.buttons = make("div", { className: "buttons" });
    known.card.append(known.view, make("div", {}, make("p", {}, make("strong", {}, job.prompt)), known.state, known.bar, known.buttons));
    jobs.set(job.id, known);
  }
  known.job = job;
  const isPainting = job.state === "painting";
  known.card.classList.toggle("painting", isPainting);
  known.bar.hidden = !isPainting;
  known.buttons.replaceChildren(
    isPainting && make("button", { type: "button", onclick: () => end(job, true) }, "Stop and keep"),
    make("button", { type: "button", onclick: () => end(job, false), "aria-label": `Cancel ${job.prompt}` }, "Cancel"),
    !isPainting && index > 0 && all[index - 1].state === "queued" &&
      make("button", { type: "button", onclick: () => move(job, all[index - 1].id), "aria-label": `Earlier: ${job.prompt}` }, "Earlier"),
    !isPainting && index < all.length - 1 &&
      make("button", { type: "button", onclick: () => move(job, all[index + 2]?.id ?? null), "aria-label": `Later: ${job.prompt}` }, "Later"));
  for (const child of [...known.buttons.childNodes]) if (child.nodeType === 3) child.remove();
  if (!isPainting) {
    known.view.replaceChildren("waits");
    known.state.textContent = index === 0 ? "Next" : `${plural(index, "picture", "pictures")} before it`;
  } else {
    if (!known.view.querySelector("img")) known.view.replaceChildren("begins…");
    progress(known, job.progress);
  }
  if ($("queue").children[index] !== known.card) $("queue").insertBefore(known.card, $("queue").children[index] ?? null);
}

function progress(known, told) {
  if (!told?.total) {
    known.bar.removeAttribute("value");
    known.state.textContent = "Begins…";
    return;
  }
  known.bar.value = told.step / told.total;
  const which = known.job.count > 1 && told.picture ? `picture ${told.picture} of ${known.job.count}, ` : "";
  const left = told.eta ? `, ${duration(told.eta)} left` : "";
  known.state.textContent = `${which}${told.unit} ${told.step} of ${told.total}${left}`;
}

const end = (job, keep) => trying(async () => {
  await post(`/api/v1/jobs/${job.id}/cancel`, { keep });
  announce(keep ? "It stops, and what there is is kept." : "It is cancelled.");
  await reload();
});

const move = (job, before) => trying(async () => {
  await post(`/api/v1/jobs/${job.id}/move`, { before });
  announce("Moved.");
  await reload();
});

/** What the studio tells. */
export function hear(kind, told) {
  const known = jobs.get(told.job);
  if (kind === "progress" && known) return progress(known, told);
  if (kind === "preview" && known) {
    let picture = known.view.querySelector("img");
    if (!picture) {
      picture = make("img", { alt: `${known.job.prompt}, on the way` });
      known.view.replaceChildren(picture);
    }
    picture.src = told.image;
    return;
  }
  if (kind === "failed") toast(told.reason ?? "A picture could not be painted.");
  if (kind === "picture") announce(`Painted: ${known?.job.prompt ?? "a picture"}`);
  if (kind !== "progress" && kind !== "preview") reload().catch(() => {});
}
