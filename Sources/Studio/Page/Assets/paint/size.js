// The picture's size: a usual one, one's own, or the added picture's proportions.
import { $, make } from "../lib/view.js";
import { t } from "../lib/text.js";

const usual = [["", "size.usual"], ["256x256", "size.square"], ["512x512", "size.square"], ["320x240", "size.wide"], ["512x288", "size.wider"], ["240x320", "size.tall"], ["288x512", "size.taller"]];
const limits = { least: 16, most: 4096 };
let proportions = null;

const name = (key, value) => (value ? t(key, { size: value.replace("x", " × ") }) : t(key));

export function startSize() {
  $("size").append(...usual.map(([value, key]) => make("option", { value }, name(key, value))),
    make("option", { value: "picture", id: "size-picture", hidden: true, disabled: true }, ""), make("option", { value: "own" }, t("size.own")));
  $("size").addEventListener("change", () => {
    if ($("size").value === "own" && !$("width").value) [$("width").value, $("height").value] = [256, 256];
    suit();
    if ($("size").value === "own") $("width").focus();
  });
  for (const [one, other, turn] of [["width", "height", 1], ["height", "width", -1]])
    $(one).addEventListener("input", () => {
      if ($("proportions").checked && proportions && Number($(one).value))
        $(other).value = clamp(Number($(one).value) / proportions ** turn);
    });
  $("proportions").addEventListener("change", () => {
    if ($("proportions").checked && Number($("width").value)) $("height").value = clamp(Number($("width").value) / (proportions ?? 1));
  });
}

const clamp = (side) => Math.round(Math.min(limits.most, Math.max(limits.least, side)));

function suit() { $("own-size").hidden = $("size").value !== "own"; }

/** The added picture's size, whose proportions are offered; null where there is none any more. */
export function offerSize(size) {
  const option = $("size-picture");
  option.hidden = option.disabled = !size;
  proportions = size ? size.width / size.height : null;
  $("proportions-field").hidden = !size;
  if (!size) {
    if ($("size").value === "picture") $("size").value = "";
    return;
  }
  // As many pixels as 384 × 384, in multiples of 16, so that it is painted in a time that one waits.
  const scale = Math.min(1, 384 / Math.sqrt(size.width * size.height));
  const side = (pixels) => Math.max(16, Math.round((pixels * scale) / 16) * 16);
  option.dataset.size = `${side(size.width)}x${side(size.height)}`;
  option.textContent = t("size.picture", { size: option.dataset.size.replace("x", " × ") });
}

/** Width and height, or nothing. Throws where they cannot be used. */
export function readSize() {
  const value = $("size").value;
  if (value === "own") {
    for (const side of ["width", "height"])
      if (!$(side).value || !$(side).checkValidity()) throw Object.assign(new Error(t("size.bad", limits)), { field: side });
    return { width: Number($("width").value), height: Number($("height").value) };
  }
  const [width, height] = (value === "picture" ? $("size-picture").dataset.size : value).split("x").map(Number);
  return height ? { width, height } : {};
}

export function fillSize({ width, height }) {
  const value = width && height ? `${width}x${height}` : "";
  if (usual.some(([one]) => one === value)) $("size").value = value;
  else {
    $("size").value = "own";
    [$("width").value, $("height").value] = [width, height];
  }
  suit();
}
