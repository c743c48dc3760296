// How a picture came about, as it was recorded while it was painted.

import { get, attentionOf } from "../lib/api.js";
import { make, button } from "../lib/view.js";
import { t } from "../lib/text.js";
import { replay } from "./replay.js";

const SVG = "http://www.w3.org/2000/svg";

/** What opens to tell how a picture came about; null where there is nothing to tell. */
export function cameAbout(picture) {
  const { trace, attention } = picture.links;
  if (!trace && !attention) return null;
  const place = make("div", { className: "trace" });
  let isAsked = false;
  const ask = async () => {
    if (isAsked) return;
    isAsked = true;
    if (attention) place.append(make("img", { src: attentionOf(picture.id), alt: t("attention.alt"), className: "attention" }));
    if (!trace) return;
    try {
      const { panels } = await get(trace);
      place.append(...panels.map((one) => panel(one, picture)));
    } catch (error) {
      isAsked = false;
      place.append(make("p", {}, error.message));
    }
  };
  return make("details", { ontoggle: ask }, make("summary", {}, t("attention")), place);
}

const source = ({ webp }) => `data:image/webp;base64,${webp}`;

function panel({ title, text, isSequence, looks, curve }, picture) {
  return make("section", {},
    make("h3", {}, title), make("p", {}, text),
    looks.length > 0 && make("div", { className: "looks" },
      ...looks.map((look) => make("figure", {},
        make("img", { src: source(look), alt: look.caption ? `${title}, ${look.caption}` : title }),
        look.caption && make("figcaption", {}, look.caption)))),
    isSequence && make("div", { className: "actions" },
      button(t("replay"), () => replay(picture, looks.map(source)))),
    curve && drawn(curve));
}

/** A curve with its first and its last number. */
function drawn({ first, last, values }) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const span = high - low || 1;
  const points = values.map((value, i) =>
    `${(i / Math.max(1, values.length - 1) * 240).toFixed(1)},${(78 - (value - low) / span * 76).toFixed(1)}`);
  const number = (value) => Number(value.toPrecision(3)).toString();
  const picture = document.createElementNS(SVG, "svg");
  const ends = t("trace.curve", { from: number(values[0]), first, to: number(values[values.length - 1]), last });
  for (const [name, value] of Object.entries({ viewBox: "0 0 240 80", role: "img", "aria-label": ends, class: "curve" })) {
    picture.setAttribute(name, value);
  }
  const line = document.createElementNS(SVG, "polyline");
  line.setAttribute("points", points.join(" "));
  picture.append(line);
  return make("figure", {}, picture, make("figcaption", {}, ends));
}
