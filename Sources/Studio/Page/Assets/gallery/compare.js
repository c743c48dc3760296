// Two pictures side by side, and in what they differ.
import { fileOf } from "../lib/api.js";
import { $, make, button, fillDialog } from "../lib/view.js";
import { t } from "../lib/text.js";
import { titled, shown } from "../paint/declared.js";

export function pair(a, b) {
  const viewer = $("viewer");
  viewer.classList.add("pair");
  fillDialog(viewer,
    make("div", { className: "stage" }, ...[a, b].map((one) => make("img", { src: fileOf(one.id), alt: `${one.prompt}, ${t("seed")} ${one.seed}` }))),
    make("div", { className: "info" }, make("h2", { id: "viewer-title" }, t("compare.title")), differences(a, b),
      make("div", { className: "bar" }, button(t("dialog.close"), () => viewer.close(), { autofocus: true }))));
  if (!viewer.open) viewer.showModal();
}

function differences(a, b) {
  const names = [...new Set([...Object.keys(a.request), ...Object.keys(b.request)])].sort();
  const differing = names.filter((name) => JSON.stringify(a.request[name]) !== JSON.stringify(b.request[name]));
  const rows = differing.length ? differing.map((name) => [titled(name), `${shown(a.request[name]) || "–"} / ${shown(b.request[name]) || "–"}`]) : [[t("settings"), t("compare.same")]];
  return make("dl", {}, ...rows.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));
}
