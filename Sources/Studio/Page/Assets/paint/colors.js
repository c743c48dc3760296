// Controls for a colour and for a palette.
import { make, button } from "../lib/view.js";
import { t } from "../lib/text.js";

/** `#rrggbb` of a colour as requests write it; null where it is none that a picker can show. */
function plain(word) {
  const pen = make("canvas").getContext("2d");
  pen.fillStyle = "#010203";
  pen.fillStyle = word.trim();
  const found = pen.fillStyle;
  return /^#[0-9a-f]{6}$/.test(found) && (found !== "#010203" || word.trim() === "#010203") ? found : null;
}

/** One colour; it is the usual one until one is chosen. */
export function color(id) {
  let value;
  const input = make("input", { id, type: "color", value: "#ffffff" });
  const name = make("span", { className: "hint" });
  const set = (chosen) => {
    value = chosen;
    const seen = chosen && plain(chosen);
    if (seen) input.value = seen;
    name.textContent = chosen ?? t("usual");
    input.classList.toggle("idle", !chosen);
  };
  input.addEventListener("input", () => set(input.value));
  set(undefined);
  return { element: make("div", { className: "color" }, input, name), input, read: () => value, write: set };
}

/** Several colours, as `[red,#0044ff]`. What is written in another way stays as it was written. */
export function palette(id) {
  const home = make("div", { className: "palette", role: "group" });
  let colors = [];
  let written = null;
  const tell = () => home.dispatchEvent(new Event("change", { bubbles: true }));
  const more = button("+", () => { colors.push(colors.at(-1) ?? "#6a35c9"); draw(); tell(); }, { id, title: t("palette.more"), "aria-label": t("palette.more") });
  const draw = () => {
    home.replaceChildren(
      ...(written !== null ? [make("code", {}, written), button("×", () => { written = null; draw(); tell(); }, { "aria-label": t("palette.without", { color: written }) })]
        : colors.map((one, index) => make("span", { className: "pot" },
          make("input", { type: "color", value: one, "aria-label": t("palette.color", { number: index + 1 }), oninput: (event) => { colors[index] = event.target.value; tell(); } }),
          button("×", () => { colors.splice(index, 1); draw(); tell(); more.focus(); }, { "aria-label": t("palette.without", { color: one }) })))),
      more);
    more.hidden = written !== null;
  };
  draw();
  return {
    element: home, input: more,
    read: () => written ?? (colors.length ? `[${colors.join(",")}]` : undefined),
    write(value) {
      const words = (value ?? "").replace(/^\s*\[|\]\s*$/g, "").split(",").filter((word) => word.trim());
      const found = words.map(plain);
      written = value !== undefined && found.includes(null) ? value : null;
      colors = written === null ? found : [];
      draw();
    },
  };
}
