// What a picture came of and what came of it, as a small tree.
import { get, thumbnailOf } from "../lib/api.js";
import { make, trying } from "../lib/view.js";
import { t } from "../lib/text.js";

/** A box that holds the tree once it is opened. */
export function relatives(picture) {
  const home = make("div", {});
  const box = make("details", { className: "family" }, make("summary", {}, t("relatives")), home);
  box.addEventListener("toggle", () => { if (box.open && !home.firstChild) trying(() => grow(picture, home)); });
  return box;
}

async function grow(picture, home) {
  const { pictures } = await get(`/api/v1/pictures/${picture.id}/relatives`);
  const here = new Set(pictures.map((one) => one.id));
  const branch = (parent) => pictures.filter((one) => (parent === null ? !here.has(one.parent) : one.parent === parent));
  const grown = (list) => list.length > 0 && make("ul", {}, ...list.map((one) => make("li", {},
    make("a", { href: `#/picture/${one.id}`, "aria-current": one.id === picture.id ? "true" : null },
      make("img", { src: thumbnailOf(one.id), alt: one.prompt, width: 64, height: 64, loading: "lazy" })),
    grown(branch(one.id)))));
  home.replaceChildren(pictures.length > 1 ? grown(branch(null)) : make("p", { className: "hint" }, t("relatives.none")));
}
