// The studio's page: which view is seen, what is dropped on it, and what the studio tells.
import { listen } from "./lib/api.js";
import { $, make, trying } from "./lib/view.js";
import { t, translate, languages, language, speak } from "./lib/text.js";
import { startPaint, refreshPaint } from "./paint/paint.js";
import { addPicture } from "./paint/picture.js";
import { hear, reload } from "./paint/queue.js";
import { startGallery, show } from "./gallery/gallery.js";
import { startViewer, open } from "./gallery/viewer.js";
import { startPortraits, showPortraits } from "./portraits/portraits.js";
import { startModels, showModels } from "./models/models.js";
import { showWorkers } from "./workers/workers.js";

const views = { paint: null, gallery: show, models: showModels, portraits: showPortraits, workers: showWorkers };
let seen = null;

function route() {
  const [, view = "paint", id] = location.hash.split("/");
  const name = view === "picture" ? seen ?? "gallery" : view in views ? view : "paint";
  if (view !== "picture" && $("viewer").open) $("viewer").close();
  if (name !== seen) {
    for (const other of Object.keys(views)) {
      $(other).hidden = other !== name;
      if (other === name) $(`tab-${other}`)?.setAttribute("aria-current", "page");
      else $(`tab-${other}`)?.removeAttribute("aria-current");
    }
    document.title = t("page.title", { view: t(`page.${name}`) });
    if (views[name]) trying(views[name]);
    if (seen !== null) $("main").focus({ preventScroll: true });
    scrollTo(0, 0);
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

translate();
const isNarrow = matchMedia("(max-width: 40rem)").matches;
$("language").append(...Object.entries(languages).map(([code, name]) => make("option", { value: code, lang: code, title: name }, isNarrow ? code.toUpperCase() : name)));
$("language").value = language;
$("language").addEventListener("change", () => speak($("language").value));
startGallery();
startViewer();
startModels(refreshPaint);
startPortraits();
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
