// Many pictures at once: selected one by one or in a row, then thrown away, taken along, collected.
import { post, ask, each, save, Problem } from "../lib/api.js";
import { $, button, toast, trying, announce } from "../lib/view.js";
import { t, counted } from "../lib/text.js";
import { askFor } from "../lib/dialog.js";
import { markAll, replace, shelves } from "./gallery.js";
import { askCollection } from "./collections.js";

let chosen = new Set();
let isOn = false;
let last = null;
let home = null;

export const isSelecting = () => isOn;
export const isSelected = (id) => chosen.has(id);

/** @param gallery shows itself anew, and tells what it shows */
export function startSelecting(gallery) {
  home = gallery;
  $("select").addEventListener("click", () => turn(!isOn));
  $("select-tools").append(
    button(t("select.all"), () => { for (const id of home.pictures().keys()) chosen.add(id); tell(); }),
    button(t("select.favourite"), () => change("favourite")),
    button(t("collect"), () => trying(collect)),
    button(t("select.zip"), () => trying(archive)),
    button(t("delete"), () => change("delete"), { id: "select-delete" }),
    button(t("restore"), () => change("restore"), { id: "select-restore" }));
  $("empty-bin").addEventListener("click", emptyBin);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && isOn && !document.querySelector("dialog[open]")) turn(false); });
}

/** What can be done depends on what is shown. */
export function shelfChanged(shelf) {
  turn(false);
  const isBin = shelf === "deleted";
  $("select-delete").hidden = isBin;
  $("select-restore").hidden = $("empty-bin").hidden = !isBin;
}

function turn(on) {
  isOn = on;
  chosen = new Set();
  last = null;
  $("select").setAttribute("aria-pressed", String(on));
  $("select").textContent = t(on ? "select.done" : "select");
  $("select-tools").hidden = !on;
  $("pictures").classList.toggle("selecting", on);
  tell();
}

/** Selects a picture, or no longer; with all from the last one to this one where they go in a row. */
export function toggle(id, inRow) {
  const ids = [...home.pictures().keys()];
  if (inRow && last) {
    const [from, to] = [ids.indexOf(last), ids.indexOf(id)].sort((a, b) => a - b);
    for (const one of ids.slice(from, to + 1)) chosen.add(one);
  } else if (!chosen.delete(id)) chosen.add(id);
  last = id;
  tell();
}

function tell() {
  markAll();
  $("select-count").textContent = isOn ? counted("select.count", chosen.size) : "";
  for (const tool of [...$("select-tools").children].slice(1)) tool.disabled = !chosen.size;
}

const change = (what) => trying(async () => {
  const ids = [...chosen];
  await post("/api/v1/pictures/changes", { pictures: ids, change: what });
  if (what === "favourite") {
    announce(counted("select.liked", ids.length));
    turn(false);
    return home.show();
  }
  for (const id of ids) replace(id);
  turn(false);
  if (what === "delete") toast(counted("select.deleted", ids.length), t("undo"), () => trying(async () => {
    await post("/api/v1/pictures/changes", { pictures: ids, change: "restore" });
    await home.show();
  }));
  else toast(counted("select.restored", ids.length));
});

async function collect() {
  const ids = [...chosen];
  await askCollection(await shelves(), async (one) => {
    await each(ids, (id) => ask("PUT", `/api/v1/collections/${one.id}/pictures/${id}`));
    toast(counted("select.collected", ids.length, { name: one.name }));
    turn(false);
    await shelves();
  });
}

async function archive() {
  const response = await fetch("/api/v1/archives", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ pictures: [...chosen] }) });
  if (!response.ok) throw new Problem((await response.json()).detail, response.status);
  save(await response.blob(), "reverie.zip");
  toast(counted("select.saved", chosen.size));
}

function emptyBin() {
  askFor(t("bin.empty"), t("bin.sure"), t("bin.empty.do"), async () => {
    const { pictures } = await ask("DELETE", "/api/v1/bin");
    toast(counted("bin.emptied", pictures));
    await home.show();
  });
}
