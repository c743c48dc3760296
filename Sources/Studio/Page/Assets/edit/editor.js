// The view in which a picture is edited: a part painted over and filled anew, more around it, less of it.
import { fileOf, handIn, post, save } from "../lib/api.js";
import { $, make, button, field, trying, fillDialog } from "../lib/view.js";
import { t } from "../lib/text.js";
import { declarations } from "../paint/declared.js";
import { begin } from "../paint/picture.js";
import { queued } from "../paint/queue.js";
import { Mask } from "./mask.js";
import { Surface } from "./surface.js";

const tools = ["brush", "erase", "move", "frame"];
const most = 4096;

/** Opens a picture to be edited. */
export const edit = (picture) => trying(async () => {
  const image = new Image();
  image.src = fileOf(picture.id);
  await image.decode();
  const { methods, parameters } = await declarations();
  const takers = (name) => parameters.find((one) => one.name === name).methods;
  const able = methods.filter((one) => one.available && takers("filters").includes(one.name) && takers("initImage").includes(one.name));
  const mask = new Mask(image.naturalWidth, image.naturalHeight);
  const surface = new Surface(t("edit.surface"), mask, () => tell());
  surface.image = image;
  const dialog = $("editor");

  const tool = (name) => {
    const input = make("input", { type: "radio", name: "tool", value: name, id: `tool-${name}`, checked: name === surface.tool, className: "unseen", onchange: () => { surface.tool = name; surface.draw(); tell(); } });
    return [input, make("label", { htmlFor: input.id, className: "button" }, t(`edit.${name}`))];
  };
  const brush = make("input", { id: "edit-size", type: "range", min: 1, max: 50, value: surface.size * 100, oninput: () => { surface.size = Number(brush.value) / 100; surface.draw(); } });
  const act = (kind) => () => { mask.act({ kind }); surface.draw(); tell(); };
  const undo = button(t("undo"), () => { mask.undo(); refit(); });
  const redo = button(t("redo"), () => { mask.redo(); refit(); });
  const refit = () => { surface.fit(); tell(); };

  // How far each side reaches beyond the picture; less than nothing cuts it off.
  const sides = Object.fromEntries(["left", "top", "right", "bottom"].map((name) => [name, make("input", {
    id: `edit-${name}`, type: "number", step: 1, inputMode: "numeric", onchange: () => frame() })]));
  const frame = (reach = Object.fromEntries(Object.entries(sides).map(([name, input]) => [name, Math.round(Number(input.value) || 0)]))) => {
    const { width, height } = mask.picture;
    const wide = width + reach.left + reach.right;
    const high = height + reach.top + reach.bottom;
    if (wide < 16 || high < 16 || wide > most || high > most) return fail(t("edit.bad", { most }));
    mask.act({ kind: "frame", frame: { x: -reach.left || 0, y: -reach.top || 0, width: wide, height: high } });
    refit();
  };
  const around = (share) => {
    const by = Math.round((share * Math.max(mask.picture.width, mask.picture.height)) / 16) * 16;
    frame({ left: by, top: by, right: by, bottom: by });
  };

  const wish = make("input", { id: "edit-prompt", type: "text", maxLength: 4096, autocomplete: "off", placeholder: picture.prompt });
  const not = make("input", { id: "edit-not", type: "text", maxLength: 4096, autocomplete: "off" });
  const method = make("select", { id: "edit-method" }, make("option", { value: "" }, t("method.auto")), ...able.map((one) => make("option", { value: one.name }, one.title)));
  const count = make("select", { id: "edit-count" }, ...[1, 2, 3, 4].map((value) => make("option", {}, value)));
  const error = make("p", { className: "error", id: "edit-error", role: "alert", hidden: true });
  const size = make("p", { className: "hint", role: "status" });
  const fail = (text) => { error.textContent = text; error.hidden = false; };
  const go = make("button", { className: "primary" }, t("edit.fill"));
  const keep = button(t("edit.save"), () => trying(async () => save(await mask.framed(image), `reverie-${picture.id}.png`)));
  const use = button(t("edit.begin"), () => trying(async () => {
    const { file } = await handIn(await framed());
    dialog.close();
    $("viewer").close();
    setTimeout(() => { location.hash = "#/paint"; }, 50);
    $("prompt").value = picture.prompt;
    await begin(file, URL.createObjectURL(await mask.framed(image)), null);
  }));
  const framed = async () => new File([await mask.framed(image)], "picture.png", { type: "image/png" });

  function tell() {
    error.hidden = true;
    const { x, y, width, height } = mask.frame;
    const reach = { left: -x, top: -y, right: x + width - mask.picture.width, bottom: y + height - mask.picture.height };
    for (const [name, input] of Object.entries(sides)) if (input !== document.activeElement) input.value = reach[name] || 0;
    size.textContent = t("edit.size", { size: `${width} × ${height}` });
    undo.disabled = !mask.done.length;
    redo.disabled = !mask.undone.length;
    // What is only cut smaller needs no painting.
    keep.hidden = use.hidden = !mask.isFramed || mask.reachesOut;
    wish.placeholder = mask.reachesOut ? picture.prompt : "";
  }

  const form = make("form", { method: "dialog", noValidate: true, className: "edit" },
    make("div", { className: "bar" }, make("h2", { id: "editor-title" }, t("edit.title")), button(t("dialog.close"), () => dialog.close())),
    surface.element,
    make("div", { className: "panel" },
      make("fieldset", {}, make("legend", {}, t("edit.tools")), make("div", { className: "actions tools" }, ...tools.flatMap(tool))),
      field(t("edit.brush.size"), brush),
      make("div", { className: "actions" }, undo, redo, button(t("edit.all"), act("all")), button(t("edit.invert"), act("invert")), button(t("edit.none"), act("none"))),
      make("div", { className: "actions" }, button("−", () => surface.zoom(0.8), { "aria-label": t("edit.far") }), button("+", () => surface.zoom(1.25), { "aria-label": t("edit.near") }), button(t("edit.fit"), () => surface.fit())),
      make("details", { open: false, id: "edit-frame" }, make("summary", {}, t("edit.frame.title")),
        make("p", { className: "hint" }, t("edit.frame.hint")),
        make("div", { className: "sides" }, ...Object.entries(sides).map(([name, input]) => field(t(`edit.${name}`), input))),
        make("div", { className: "actions" }, button(t("edit.around"), () => around(0.25)), button(t("edit.whole"), () => frame({ left: 0, top: 0, right: 0, bottom: 0 })))),
      size,
      field(t("edit.prompt"), wish),
      make("details", {}, make("summary", {}, t("edit.more")), field(t("not"), not), field(t("method"), method), field(t("count"), count)),
      error,
      make("div", { className: "bar" }, go, use, keep)));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!mask.isPainted && !mask.reachesOut) {
      fail(t("edit.nothing"));
      return surface.element.focus();
    }
    const prompt = wish.value.trim() || (mask.reachesOut ? picture.prompt : "");
    if (!prompt) {
      fail(t("edit.empty"));
      return wish.focus();
    }
    go.disabled = true;
    trying(async () => {
      const [start, open] = await Promise.all([
        handIn(await framed()), handIn(new File([await mask.file()], "mask.png", { type: "image/png" }))]);
      const { width, height } = mask.frame;
      const request = { prompt, width, height, initImage: start.file, filters: [{ name: "inpaint", mask: open.file }] };
      if (method.value) request.method = method.value;
      if (not.value.trim()) request.negativePrompt = not.value.trim();
      await post("/api/v1/jobs", { request, count: Number(count.value), parent: picture.id });
      dialog.close();
      await queued();
    }).finally(() => { go.disabled = false; });
  });
  fillDialog(dialog, form);
  dialog.showModal();
  surface.fit();
  tell();
  surface.element.focus();
});
