// The gallery: all pictures, looked through and put in order.
import { get, fileOf, filmOf, thumbnailOf } from "../lib/api.js";
import { $, make, later } from "../lib/view.js";
import { t } from "../lib/text.js";
import { methodOf } from "../paint/declared.js";
import { startSelecting, isSelecting, toggle, isSelected, shelfChanged } from "./selection.js";

/** The pictures that are shown, by their names, in their order. */
export let pictures = new Map();
let next = null;
let isLoading = false;
let turn = 0;

export function startGallery() {
  $("search").addEventListener("submit", (event) => event.preventDefault());
  $("q").addEventListener("input", later(200, show));
  for (const id of ["shelf", "order", "by-method", "since", "until"]) $(id).addEventListener("change", show);
  new IntersectionObserver((entries) => { if (entries[0].isIntersecting && next) load(); }, { rootMargin: "800px" }).observe($("more"));
  $("filters").open = matchMedia("(min-width: 60rem)").matches;
  startSelecting({ show, pictures: () => pictures });
}

/** Shows the gallery from its beginning. */
export async function show() {
  turn += 1;
  next = null;
  isLoading = false;
  pictures = new Map();
  $("pictures").replaceChildren();
  shelfChanged($("shelf").value);
  await Promise.all([shelves(), load()]);
}

/** Lists the collections among the shelves. Gives them. */
export async function shelves() {
  const { collections } = await get("/api/v1/collections");
  const chosen = $("shelf").value;
  for (const option of [...$("shelf").options].slice(3)) option.remove();
  $("shelf").append(...collections.map((one) => make("option", { value: `in:${one.id}` }, `${one.name} (${one.pictures})`)));
  $("shelf").value = chosen;
  return collections;
}

function query() {
  const words = new URLSearchParams();
  if ($("q").value.trim()) words.set("q", $("q").value.trim());
  const shelf = $("shelf").value;
  if (shelf.startsWith("in:")) words.set("collection", shelf.slice(3));
  else if (shelf) words.set(shelf, "true");
  if ($("order").value !== "newest") words.set("order", $("order").value);
  if ($("by-method").value) words.set("method", $("by-method").value);
  // Days begin and end where the person lives.
  const day = (id, more) => { const [year, month, date] = $(id).value.split("-").map(Number); return new Date(year, month - 1, date + more).getTime() / 1000; };
  if ($("since").value) words.set("since", String(day("since", 0)));
  if ($("until").value) words.set("until", String(day("until", 1)));
  if (next) words.set("after", next);
  return words;
}

async function load() {
  if (isLoading) return;
  isLoading = true;
  const mine = turn;
  if (!pictures.size) $("gallery-state").textContent = t("gallery.looking");
  try {
    const page = await get(`/api/v1/pictures?${query()}`);
    if (mine !== turn) return;
    next = page.next;
    methods(page.methods);
    for (const picture of page.pictures) {
      pictures.set(picture.id, picture);
      $("pictures").append(tile(picture));
    }
    $("gallery-state").textContent = pictures.size ? "" : empty();
  } catch (error) {
    if (mine === turn) $("gallery-state").textContent = error.message;
  } finally { if (mine === turn) isLoading = false; }
}

function methods(names) {
  const chosen = $("by-method").value;
  $("by-method").replaceChildren(make("option", { value: "" }, t("all")), ...names.map((name) => make("option", { value: name }, methodOf(name)?.title ?? name)));
  $("by-method").value = chosen;
}

function empty() {
  if ($("q").value.trim() || $("by-method").value || $("since").value || $("until").value) return t("gallery.unfound");
  if ($("shelf").value === "favourites") return t("gallery.no.favourites");
  if ($("shelf").value === "deleted") return t("gallery.no.deleted");
  if ($("shelf").value) return t("gallery.no.collected");
  return t("gallery.empty");
}

/** A picture among the others; while many are selected, it is pressed to be one of them. */
function tile(picture) {
  const link = make("a", { className: "tile", href: `#/picture/${picture.id}`, id: `tile-${picture.id}` },
    make("img", { src: thumbnailOf(picture.id), alt: picture.prompt, loading: "lazy", decoding: "async" }),
    picture.links.film && make("span", { className: "moves", role: "img", "aria-label": t("film") }, "▶"),
    picture.favourite && make("span", { className: "star", role: "img", "aria-label": t("favourite") }, "★"));
  link.addEventListener("click", (event) => {
    if (!isSelecting()) return;
    event.preventDefault();
    toggle(picture.id, event.shiftKey);
  });
  link.addEventListener("keydown", (event) => {
    if (!isSelecting() || event.key !== " ") return;
    event.preventDefault();
    toggle(picture.id, event.shiftKey);
  });
  mark(link, picture.id);
  return link;
}

function mark(link, id) {
  if (isSelecting()) {
    link.setAttribute("role", "checkbox");
    link.setAttribute("aria-checked", String(isSelected(id)));
  } else {
    link.removeAttribute("role");
    link.removeAttribute("aria-checked");
  }
}

/** Shows again which are selected. */
export function markAll() {
  for (const id of pictures.keys()) { const link = $(`tile-${id}`); if (link) mark(link, id); }
}

/** Puts a changed picture in the place of what it was; undefined takes it out. */
export function replace(id, picture) {
  if (!pictures.has(id)) return;
  if (picture) {
    pictures.set(id, picture);
    $(`tile-${id}`)?.replaceWith(tile(picture));
  } else {
    pictures.delete(id);
    $(`tile-${id}`)?.remove();
    if (!pictures.size) $("gallery-state").textContent = empty();
  }
}

/** What is seen of a picture: itself, or the film whose last frame it is. */
export const stage = (picture) => make("div", { className: "stage" }, picture.links.film
  ? make("video", { src: filmOf(picture.id), poster: fileOf(picture.id), controls: true, loop: true, muted: true, autoplay: true, playsInline: true, "aria-label": t("film.of", { prompt: picture.prompt }) })
  : make("img", { src: fileOf(picture.id), alt: picture.prompt, width: picture.width, height: picture.height }));

