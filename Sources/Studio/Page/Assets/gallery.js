// The gallery: all pictures, and one of them seen closely.
import { cameAbout } from "./trace.js";
import { ask, get, post, fileOf, filmOf, thumbnailOf } from "./api.js";
import { $, make, toast, trying, announce } from "./view.js";
import { useSettings, evolve, again, between, enlarge } from "./paint.js";
import { fill } from "./mask.js";
import { makeFilm } from "./film.js";

let pictures = new Map();
let next = null;
let isLoading = false;
let wanted = 0;
/** What is to be done with the next picture that is opened, beside the one that it was asked of. */
let second = null;

export function startGallery() {
  let timer;
  $("search").addEventListener("submit", (event) => event.preventDefault());
  $("q").addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(show, 200); });
  $("shelf").addEventListener("change", show);
  new IntersectionObserver((entries) => { if (entries[0].isIntersecting && next) load(); }, { rootMargin: "800px" }).observe($("more"));
  $("viewer").addEventListener("close", () => { if (location.hash.startsWith("#/picture/")) history.length > 1 ? history.back() : (location.hash = "#/gallery"); });
  $("viewer").addEventListener("click", (event) => { if (event.target === $("viewer")) $("viewer").close(); });
  $("viewer").addEventListener("keydown", (event) => {
    if (event.key === "ArrowRight") step(1);
    if (event.key === "ArrowLeft") step(-1);
  });
}

/** Shows the gallery from its beginning. */
export async function show() {
  wanted += 1;
  next = null;
  isLoading = false;
  pictures = new Map();
  $("pictures").replaceChildren();
  await Promise.all([shelves(), load()]);
}

async function shelves() {
  const { collections } = await get("/api/v1/collections");
  const chosen = $("shelf").value;
  for (const option of [...$("shelf").options].slice(3)) option.remove();
  $("shelf").append(...collections.map((one) => make("option", { value: `in:${one.id}` }, `${one.name} (${one.pictures})`)));
  $("shelf").value = chosen;
  return collections;
}

async function load() {
  if (isLoading) return;
  isLoading = true;
  const turn = wanted;
  const query = new URLSearchParams();
  if ($("q").value.trim()) query.set("q", $("q").value.trim());
  const shelf = $("shelf").value;
  if (shelf.startsWith("in:")) query.set("collection", shelf.slice(3));
  else if (shelf) query.set(shelf, "true");
  if (next) query.set("after", next);
  if (!pictures.size) $("gallery-state").textContent = "Looking…";
  try {
    const page = await get(`/api/v1/pictures?${query}`);
    if (turn !== wanted) return;
    next = page.next;
    for (const picture of page.pictures) {
      pictures.set(picture.id, picture);
      $("pictures").append(tile(picture));
    }
    $("gallery-state").textContent = pictures.size ? "" : empty();
  } catch (error) {
    if (turn === wanted) $("gallery-state").textContent = error.message;
  } finally { if (turn === wanted) isLoading = false; }
}

function empty() {
  if ($("q").value.trim()) return "No picture's prompt has these words. Try fewer of them.";
  if ($("shelf").value === "favourites") return "There are no favourites yet. Open a picture and press the star.";
  if ($("shelf").value === "deleted") return "Nothing was thrown away in the last month.";
  if ($("shelf").value) return "Nothing is in this collection yet.";
  return "There are no pictures yet. Go to Paint and say what you would like to see.";
}

const tile = (picture) => make("a", { className: "tile", href: `#/picture/${picture.id}`, id: `tile-${picture.id}` },
  make("img", { src: thumbnailOf(picture.id), alt: picture.prompt, loading: "lazy", decoding: "async" }),
  picture.links.film && make("span", { className: "moves", role: "img", "aria-label": "film" }, "▶"),
  picture.favourite && make("span", { className: "star", role: "img", "aria-label": "favourite" }, "★"));

/** What is seen of a picture: itself, or the film whose last frame it is. */
const stage = (picture) => make("div", { className: "stage" }, picture.links.film
  ? make("video", { src: filmOf(picture.id), poster: fileOf(picture.id), controls: true, loop: true, muted: true, autoplay: true, playsInline: true, "aria-label": `Film: ${picture.prompt}` })
  : make("img", { src: fileOf(picture.id), alt: picture.prompt, width: picture.width, height: picture.height }));

// One picture

/** Opens a picture. */
export async function open(id) {
  await trying(async () => {
    const picture = pictures.get(id) ?? await get(`/api/v1/pictures/${id}`);
    if (second && second.first.id !== id) {
      const { first, act } = second;
      second = null;
      return act(first, picture);
    }
    draw(picture);
    if (!$("viewer").open) $("viewer").showModal();
  });
}

function draw(picture) {
  const act = (name, label, body, more = {}) => make("button", { type: "button", onclick: body, ...more }, label);
  const facts = { Method: picture.method, Seed: picture.seed, Size: `${picture.width} × ${picture.height}`, Painted: new Date(picture.created * 1000).toLocaleString() };
  if (picture.score !== null) facts["CLIP finds it fits"] = picture.score.toFixed(3);
  if (picture.stopped) facts.Note = "stopped before its end";
  const leave = () => { $("viewer").close(); };
  $("viewer").classList.remove("pair");
  $("viewer").replaceChildren(
    stage(picture),
    make("div", { className: "info" },
      make("div", { className: "bar" },
        make("button", { type: "button", onclick: () => like(picture), "aria-pressed": String(picture.favourite) }, picture.favourite ? "★ Favourite" : "☆ Favourite"),
        make("button", { type: "button", onclick: leave, autofocus: true }, "Close")),
      make("h2", { id: "viewer-title" }, picture.prompt),
      make("div", { className: "actions" },
        act("use", "Use these settings", () => { leave(); setTimeout(() => useSettings({ ...picture.request, prompt: picture.prompt }), 50); }),
        act("another", "Another", () => again(picture, { seed: null, rank: null }), { title: "The same again with another seed" }),
        act("vary", "Vary", () => between([picture]), { title: "Pictures that show the same" }),
        act("blend", "Blend…", () => chooseSecond(picture, "Choose the picture to blend it with.", blend), { title: "A picture between this one and another" }),
        !picture.links.film && act("fill", "Fill a part…", () => fill(picture), { title: "Paint over a part what shall be filled anew" }),
        act("evolve", "Evolve", () => { leave(); setTimeout(() => evolve(picture), 50); }),
        act("larger", "Enlarge ×2", () => enlarge(picture)),
        !picture.links.film && act("film", "Make a film…", () => makeFilm(picture)),
        act("collect", "Collect…", () => choose(picture)),
        act("compare", "Compare…", () => chooseSecond(picture, "Choose the picture to compare it with.", pair)),
        make("a", { className: "button", href: `${picture.links.film ? filmOf(picture.id) : fileOf(picture.id)}?download=true`, download: "" }, "Download"),
        act("copy", "Copy link", () => trying(async () => { await navigator.clipboard.writeText(`${location.origin}/#/picture/${picture.id}`); toast("The link is copied."); })),
        act("card", "Card to share", () => card(picture)),
        picture.deleted ? act("back", "Take it back", () => bring(picture, true)) : act("delete", "Throw away", () => discard(picture))),
      cameAbout(picture),
      make("dl", {}, ...Object.entries(facts).flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, String(value))]))));
}

function chooseSecond(first, text, act) {
  second = { first, act };
  $("viewer").close();
  location.hash = "#/gallery";
  toast(text, "Never mind", () => { second = null; });
}

function blend(a, b) {
  location.hash = "#/gallery";
  return between([a, b]);
}

function pair(a, b) {
  $("viewer").classList.add("pair");
  $("viewer").replaceChildren(
    make("div", { className: "stage" }, ...[a, b].map((one) => make("img", { src: fileOf(one.id), alt: `${one.prompt}, seed ${one.seed}` }))),
    make("div", { className: "info" }, make("h2", { id: "viewer-title" }, "Side by side"), differences(a, b),
      make("div", { className: "bar" }, make("button", { type: "button", onclick: () => $("viewer").close(), autofocus: true }, "Close"))));
  if (!$("viewer").open) $("viewer").showModal();
}

function differences(a, b) {
  const names = [...new Set([...Object.keys(a.request), ...Object.keys(b.request)])].sort();
  const differing = names.filter((name) => JSON.stringify(a.request[name]) !== JSON.stringify(b.request[name]));
  const text = (value) => (value === undefined ? "–" : typeof value === "object" ? JSON.stringify(value) : String(value));
  return make("dl", {}, ...(differing.length ? differing.flatMap((name) => [make("dt", {}, name), make("dd", {}, `${text(a.request[name])} / ${text(b.request[name])}`)]) : [make("dt", {}, "Settings"), make("dd", {}, "the same")]));
}

function step(by) {
  const ids = [...pictures.keys()];
  const here = ids.indexOf(location.hash.split("/")[2]);
  const there = ids[here + by];
  if (here >= 0 && there) history.replaceState(null, "", `#/picture/${there}`), open(there);
}

const like = (picture) => trying(async () => {
  const changed = await ask("PATCH", `/api/v1/pictures/${picture.id}`, { favourite: !picture.favourite });
  pictures.has(picture.id) && pictures.set(picture.id, changed);
  $(`tile-${picture.id}`)?.replaceWith(tile(changed));
  draw(changed);
  announce(changed.favourite ? "It is a favourite." : "It is no favourite any more.");
});

const discard = (picture) => trying(async () => {
  await ask("DELETE", `/api/v1/pictures/${picture.id}`);
  $("viewer").close();
  $(`tile-${picture.id}`)?.remove();
  pictures.delete(picture.id);
  toast("Thrown away.", "Undo", () => bring(picture, false));
});

const bring = (picture, close) => trying(async () => {
  await post(`/api/v1/pictures/${picture.id}/restore`);
  if (close) $("viewer").close();
  toast("It is back.");
  if (location.hash === "#/gallery") await show();
});

async function choose(picture) {
  await trying(async () => {
    const collections = await shelves();
    const name = make("input", { type: "text", maxLength: 80, id: "collection-name", list: "collection-names", required: true });
    const form = make("form", { method: "dialog" }, make("h2", { id: "chooser-title" }, "Put it into a collection"),
      make("div", { className: "field" }, make("label", { htmlFor: "collection-name" }, "Name, an old or a new one"), name,
        make("datalist", { id: "collection-names" }, ...collections.map((one) => make("option", { value: one.name })))),
      make("div", { className: "bar" }, make("button", { type: "button", onclick: () => $("chooser").close() }, "Not now"), make("button", { className: "primary" }, "Put it in")));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      trying(async () => {
        const text = name.value.trim();
        const all = (await post("/api/v1/collections", { name: text })).collections;
        const one = all.find((known) => known.name.toLowerCase() === text.toLowerCase());
        await ask("PUT", `/api/v1/collections/${one.id}/pictures/${picture.id}`);
        $("chooser").close();
        toast(`It is in ${one.name}.`);
        await shelves();
      });
    });
    $("chooser").replaceChildren(form);
    $("chooser").showModal();
  });
}

/** A card: the picture and its prompt, to be sent on. */
async function card(picture) {
  await trying(async () => {
    const image = new Image();
    image.src = fileOf(picture.id);
    await image.decode();
    const side = 1080, margin = 60;
    const canvas = make("canvas", { width: side, height: 1350 });
    const pen = canvas.getContext("2d");
    pen.fillStyle = "#16151a";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    const scale = Math.min((side - 2 * margin) / image.width, 960 / image.height);
    pen.imageSmoothingQuality = "high";
    pen.drawImage(image, (side - image.width * scale) / 2, margin, image.width * scale, image.height * scale);
    pen.fillStyle = "#efedf3";
    pen.font = "600 44px system-ui, sans-serif";
    let line = "", y = 1100;
    for (const word of picture.prompt.split(/\s+/)) {
      if (line && pen.measureText(`${line} ${word}`).width > side - 2 * margin) { pen.fillText(line, margin, y); line = word; y += 56; } else line = line ? `${line} ${word}` : word;
      if (y > 1240) break;
    }
    pen.fillText(line, margin, y);
    pen.fillStyle = "#b3adc0";
    pen.font = "32px system-ui, sans-serif";
    pen.fillText("Painted with Reverie", margin, 1310);
    const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
    const file = new File([blob], "reverie-card.png", { type: "image/png" });
    if (navigator.canShare?.({ files: [file] })) return navigator.share({ files: [file], title: picture.prompt }).catch(() => {});
    const address = URL.createObjectURL(blob);
    make("a", { href: address, download: file.name }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10000);
    toast("The card is saved.");
  });
}
