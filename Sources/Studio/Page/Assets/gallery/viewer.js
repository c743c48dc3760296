// One picture seen closely, and what can be done with it.
import { ask, get, post, fileOf, filmOf, filmAs } from "../lib/api.js";
import { $, make, button, toast, trying, announce, fillDialog } from "../lib/view.js";
import { t, moment, number } from "../lib/text.js";
import { useSettings, evolve, again, between, enlarge } from "../paint/paint.js";
import { methodOf } from "../paint/declared.js";
import { edit } from "../edit/editor.js";
import { pictures, replace, stage, show, shelves } from "./gallery.js";
import { askCollection } from "./collections.js";
import { makeFilm } from "./film.js";
import { relatives } from "./relatives.js";
import { cameAbout } from "./trace.js";
import { pair } from "./compare.js";
import { card } from "./card.js";

/** What is to be done with the next picture that is opened, beside the one that it was asked of. */
let second = null;

export function startViewer() {
  const viewer = $("viewer");
  viewer.addEventListener("close", () => { if (location.hash.startsWith("#/picture/")) history.length > 1 ? history.back() : (location.hash = "#/gallery"); });
  viewer.addEventListener("click", (event) => { if (event.target === viewer) viewer.close(); });
  viewer.addEventListener("keydown", (event) => {
    if (["INPUT", "SELECT", "VIDEO"].includes(event.target.tagName)) return;
    if (event.key === "ArrowRight") step(1);
    if (event.key === "ArrowLeft") step(-1);
  });
}

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

/** Buttons under a heading. */
const tools = (name, ...children) => make("div", { className: "tools-of" }, make("h3", {}, t(name)), make("div", { className: "actions" }, ...children));

function draw(picture) {
  const viewer = $("viewer");
  const leave = () => viewer.close();
  const moves = picture.links.film;
  viewer.classList.remove("pair");
  fillDialog(viewer,
    stage(picture),
    make("div", { className: "info" },
      make("div", { className: "bar" },
        button(picture.favourite ? t("favourite.is") : t("favourite.make"), () => like(picture), { "aria-pressed": String(picture.favourite) }),
        button(t("dialog.close"), leave, { autofocus: true })),
      make("h2", { id: "viewer-title" }, picture.prompt),
      tools("tools.on",
        button(t("use"), () => { leave(); setTimeout(() => useSettings({ ...picture.request, prompt: picture.prompt }), 50); }),
        button(t("another"), () => again(picture, { seed: null, rank: null }), { title: t("another.help") }),
        button(t("vary"), () => between([picture]), { title: t("vary.help") }),
        button(t("evolve"), () => { leave(); setTimeout(() => evolve(picture), 50); }, { title: t("evolve.help") }),
        button(t("blend"), () => chooseSecond(picture, t("blend.choose"), blend), { title: t("blend.help") })),
      tools("tools.change",
        !moves && button(t("edit"), () => edit(picture), { title: t("edit.help") }),
        larger(picture),
        button(t("film.make"), () => makeFilm(picture, (act) => chooseSecond(picture, t("film.choose"), act)))),
      tools("tools.keep",
        button(t("collect"), () => trying(() => collect(picture))),
        make("a", { className: "button", href: `${moves ? filmOf(picture.id) : fileOf(picture.id)}?download=true`, download: "" }, t("download")),
        moves && ["gif", "webm"].map((format) => make("a", { className: "button", href: `${filmAs(picture.id, format)}&download=true`, download: "" }, t("download.as", { format: format.toUpperCase() }))),
        button(t("link"), () => trying(async () => { await navigator.clipboard.writeText(`${location.origin}/#/picture/${picture.id}`); toast(t("link.copied")); })),
        button(t("card"), () => trying(() => card(picture))),
        picture.deleted ? button(t("restore"), () => bring(picture, true)) : button(t("delete"), () => discard(picture))),
      tools("tools.know",
        button(t("describe"), (event) => describe(picture, event.target)),
        button(t("compare"), () => chooseSecond(picture, t("compare.choose"), pair))),
      make("p", { id: "described", role: "status", hidden: true }),
      relatives(picture),
      cameAbout(picture),
      facts(picture)));
}

function facts(picture) {
  const all = [
    ["method", methodOf(picture.method)?.title ?? picture.method], ["seed", picture.seed],
    ["size", `${picture.width} × ${picture.height}`], ["painted", moment(picture.created)],
    picture.score !== null && ["score", number(picture.score)],
    picture.place > 1 && ["place", picture.place], picture.stopped && ["note", t("stopped")],
  ].filter(Boolean);
  return make("dl", {}, ...all.flatMap(([name, value]) => [make("dt", {}, t(name)), make("dd", {}, String(value))]));
}

/** Enlarging by 2, 3 or 4. */
function larger(picture) {
  const scale = make("select", { id: "larger", "aria-label": t("enlarge.by") }, ...[2, 3, 4].map((value) => make("option", { value }, `× ${value}`)));
  return make("span", { className: "joined" }, button(t("enlarge"), () => enlarge(picture, Number(scale.value))), scale);
}

const describe = (picture, asker) => trying(async () => {
  asker.disabled = true;
  $("described").hidden = false;
  $("described").textContent = t("describe.looking");
  try {
    const { caption } = await post(`/api/v1/pictures/${picture.id}/describe`);
    $("described").textContent = t("describe.found", { caption });
  } catch (error) {
    $("described").hidden = true;
    throw error;
  } finally { asker.disabled = false; }
});

function chooseSecond(first, text, act) {
  second = { first, act };
  $("viewer").close();
  location.hash = "#/gallery";
  toast(text, t("never"), () => { second = null; });
}

function blend(a, b) {
  location.hash = "#/gallery";
  return between([a, b]);
}

function step(by) {
  const ids = [...pictures.keys()];
  const here = ids.indexOf(location.hash.split("/")[2]);
  const there = ids[here + by];
  if (here >= 0 && there) history.replaceState(null, "", `#/picture/${there}`), open(there);
}

const like = (picture) => trying(async () => {
  const changed = await ask("PATCH", `/api/v1/pictures/${picture.id}`, { favourite: !picture.favourite });
  replace(picture.id, changed);
  draw(changed);
  announce(t(changed.favourite ? "favourite.yes" : "favourite.no"));
});

const discard = (picture) => trying(async () => {
  await ask("DELETE", `/api/v1/pictures/${picture.id}`);
  $("viewer").close();
  replace(picture.id);
  toast(t("deleted"), t("undo"), () => bring(picture, false));
});

const bring = (picture, isOpen) => trying(async () => {
  await post(`/api/v1/pictures/${picture.id}/restore`);
  if (isOpen) $("viewer").close();
  toast(t("restored"));
  if (location.hash === "#/gallery") await show();
});

async function collect(picture) {
  await askCollection(await shelves(), async (one) => {
    await ask("PUT", `/api/v1/collections/${one.id}/pictures/${picture.id}`);
    toast(t("collected", { name: one.name }));
    await shelves();
  });
}
