// Keeps the page's own files, so that it opens at once and says what is the matter when the studio is
// not running. Everything else goes to the studio.
const shell = "shell-5";
const files = [
  "/", "/manifest.webmanifest", "/icon.svg", "/app.js", "/edit/editor.js", "/edit/mask.js",
  "/edit/surface.js", "/gallery/card.js", "/gallery/collections.js", "/gallery/compare.js", "/gallery/film.js", "/gallery/gallery.js",
  "/gallery/relatives.js", "/gallery/replay.js", "/gallery/selection.js", "/gallery/trace.js", "/gallery/viewer.js", "/lib/api.js", "/lib/dialog.js",
  "/lib/kept.js", "/lib/text.js", "/lib/view.js", "/models/models.js", "/paint/colors.js", "/paint/controls.js",
  "/paint/declared.js", "/paint/estimate.js", "/paint/grid.js", "/paint/paint.js", "/paint/parts.js", "/paint/picture.js",
  "/paint/prompts.js", "/paint/queue.js", "/paint/seed.js", "/paint/settings.js", "/paint/size.js", "/paint/styles.js",
  "/paint/wishes.js", "/portraits/portraits.js", "/style/base.css", "/style/edit.css", "/style/gallery.css", "/style/learn.css", "/style/models.css", "/style/paint.css", "/style/portraits.css", "/style/workers.css",
  "/texts/de.js", "/texts/en.js", "/texts/es.js", "/workers/workers.js",
];
self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(shell).then((cache) => cache.addAll(files)).then(() => self.skipWaiting()));
});
self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches.keys().then((keys) => Promise.all(keys.filter((key) => key !== shell).map((key) => caches.delete(key))))
      .then(() => self.clients.claim()));
});
self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin || !files.includes(url.pathname) || url.search) return;
  event.respondWith(
    fetch(event.request).then((response) => {
      if (response.ok) {
        const copy = response.clone();
        event.waitUntil(caches.open(shell).then((cache) => cache.put(event.request, copy)));
      }
      return response;
    }).catch(() => caches.match(event.request, { ignoreSearch: true }).then((kept) => kept ?? Response.error())));
});
