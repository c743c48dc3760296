// The studio's page: which view is seen, what is dropped on it, and what the studio tells.
import { listen } from "./api.js";
import { $, trying } from "./view.js";
import { startPaint, hear, reload, addPicture } from "./paint.js";
import { startGallery, show, open } from "./gallery.js";

let seen = null;

function route() {
  const [, view = "paint", id] = location.hash.split("/");
  const name = view === "picture" ? seen ?? "gallery" : view === "gallery" ? "gallery" : "paint";
  if (view !== "picture" && $("viewer").open) $("viewer").close();
  if (name !== seen) {
    for (const other of ["paint", "gallery"]) {
      $(other).hidden = other !== name;
      const tab = $(`tab-${other}`);
      if (other === name) tab.setAttribute("aria-current", "page"); else tab.removeAttribute("aria-current");
    }
    document.title = name === "paint" ? "Paint – Reverie" : "Gallery – Reverie";
    if (name === "gallery") trying(show);
    if (seen !== null) $("main").focus({ preventScroll: true });
    seen = name;
  }
  if (view === "picture" && /^[0-9a-z-]{1,32}$/.test(id ?? "")) open(id);
}

function dropping() {
  let depth = 0;
  const carries = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  addEventListener("dragenter", (event) => { if (carries(event)) { depth += 1; document.body.classList.add("dropping"); } });
  addEventListener("dragleave", (event) => { if (carries(event) && --depth <= 0) document.body.classList.remove("dropping"); });
  addEventListener("dragover", (event) => { if (carries(event)) event.preventDefault(); });
  addEventListener("drop", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    depth = 0;
    document.body.classList.remove("dropping");
    const file = [...event.dataTransfer.files].find((one) => one.type.startsWith("image/"));
    if (file) addPicture(file);
  });
  addEventListener("paste", (event) => {
    const file = [...(event.clipboardData?.files ?? [])].find((one) => one.type.startsWith("image/"));
    if (file) { event.preventDefault(); addPicture(file); }
  });
}

startGallery();
dropping();
addEventListener("hashchange", route);
route();
await trying(startPaint);
let isThere = true;
listen(hear, (answers) => {
  $("offline").hidden = answers;
  if (answers && !isThere) trying(reload);
  isThere = answers;
});
if ("serviceWorker" in navigator && isSecureContext) navigator.serviceWorker.register("/sw.js").catch(() => {});
