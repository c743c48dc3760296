// Many pictures of one wish side by side: seeds in one direction, the values of a setting in the other.
import { $, make, button, toast, trying } from "../lib/view.js";
import { get, post, save, fileOf, thumbnailOf } from "../lib/api.js";
import { t, counted } from "../lib/text.js";
import { askFor } from "../lib/dialog.js";
import { kept, keep } from "../lib/kept.js";
import { declarations, titled } from "./declared.js";
import { dice, readSeed } from "./seed.js";
import { reload } from "./queue.js";

/** Most pictures of a grid. */
const most = 64;

/** @param compose gives the job that the form asks for */
export async function askGrid(compose) {
  const body = await compose();
  const { parameters, methods } = await declarations();
  const method = body.request.method;
  const own = methods.find((one) => one.name === method)?.arguments ?? [];
  const able = [...parameters.filter((one) => (method ? one.methods.includes(method) : one.methods.length === methods.length - 1)), ...own]
    .filter((one) => ["integer", "number", "choice", "flag", "method"].includes(one.kind) && !["seed", "width", "height", "method"].includes(one.name));
  const seeds = make("input", { id: "grid-seeds", type: "number", min: 1, max: 16, value: 3, inputMode: "numeric" });
  const axis = make("select", { id: "grid-axis" }, make("option", { value: "" }, t("none")),
    make("option", { value: "method" }, t("method")), ...able.map((one) => make("option", { value: one.name }, titled(one.name))));
  const values = make("input", { id: "grid-values", type: "text", maxLength: 400, autocomplete: "off" });
  const hint = make("p", { className: "hint" });
  const row = make("div", { className: "field", hidden: true }, make("label", { htmlFor: values.id }, t("grid.values")), values, hint);
  axis.addEventListener("change", () => {
    row.hidden = !axis.value;
    const found = able.find((one) => one.name === axis.value);
    const words = axis.value === "method" ? methods.filter((one) => one.available && one.name !== "auto").map((one) => one.name) : found?.schema.enum;
    values.value = words ? words.slice(0, 4).join(", ") : "";
    hint.textContent = words ? words.join(", ") : found?.note ?? "";
  });
  askFor(t("grid.title"), [make("p", { className: "hint" }, t("grid.help")),
    make("div", { className: "field" }, make("label", { htmlFor: seeds.id }, t("grid.seeds")), seeds),
    make("div", { className: "field" }, make("label", { htmlFor: axis.id }, t("grid.axis")), axis), row], t("grid.paint"), async () => {
    const found = able.find((one) => one.name === axis.value);
    const texts = axis.value ? values.value.split(",").map((text) => text.trim()).filter(Boolean) : [];
    if (axis.value && !texts.length) throw new Error(t("grid.empty"));
    const count = Math.max(1, Math.min(16, Number(seeds.value) || 1));
    if (count * Math.max(1, texts.length) > most) throw new Error(t("grid.many", { most }));
    const first = typeof readSeed() === "number" ? readSeed() : dice() % 1e9;
    const grid = { title: body.request.prompt, axis: axis.value, columns: Array.from({ length: count }, (_, index) => first + index), rows: texts.length ? texts : [null], cells: [] };
    for (const text of grid.rows) {
      const line = [];
      for (const seed of grid.columns) {
        const request = { ...body.request, seed };
        if (text !== null) request[axis.value] = valueOf(found?.kind, text);
        line.push((await post("/api/v1/jobs", { ...body, request, count: 1 })).id);
      }
      grid.cells.push(line);
    }
    keep("grids", [grid, ...(kept("grids") ?? [])].slice(0, 12));
    listGrids();
    toast(counted("grid.queued", count * grid.rows.length), t("show"), () => trying(() => showGrid(grid)));
    await reload();
  });
}

const valueOf = (kind, text) => (["integer", "number"].includes(kind) ? Number(text) : kind === "flag" ? ["yes", "true", t("yes")].includes(text) : text);

/** Lists the grids that this browser asked for. */
export function listGrids() {
  const grids = kept("grids") ?? [];
  $("grids-box").hidden = !grids.length;
  $("grids").replaceChildren(...grids.map((grid) => make("li", {},
    button(`${grid.title} (${grid.columns.length} × ${grid.rows.length})`, () => trying(() => showGrid(grid)), { className: "link" }))));
}

/** Shows a grid, as far as it is painted. */
async function showGrid(grid) {
  const cells = await Promise.all(grid.cells.map((line) => Promise.all(line.map(async (id) => {
    const job = await get(`/api/v1/jobs/${id}`).catch(() => null);
    return { picture: job?.pictures[0], state: job?.state ?? "gone" };
  }))));
  const head = make("tr", {}, make("td", {}), ...grid.columns.map((seed) => make("th", { scope: "col" }, String(seed))));
  const lines = cells.map((line, row) => make("tr", {}, make("th", { scope: "row" }, grid.rows[row] ?? ""),
    ...line.map(({ picture, state }) => make("td", {}, picture
      ? make("a", { href: `#/picture/${picture}`, onclick: () => $("chooser").close() }, make("img", { src: thumbnailOf(picture), alt: grid.title, width: 132, height: 132 }))
      : t(`state.${state}`)))));
  askFor(grid.title, [make("p", { className: "hint" }, grid.axis ? t("grid.axes", { axis: titled(grid.axis) }) : t("grid.one")),
    make("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": t("grid.title") }, make("table", { className: "sheet" }, make("thead", {}, head), make("tbody", {}, ...lines))),
    make("div", { className: "actions" },
      button(t("grid.again"), () => trying(() => showGrid(grid))),
      button(t("grid.save"), () => trying(() => saveSheet(grid, cells))),
      button(t("grid.forget"), () => { keep("grids", (kept("grids") ?? []).filter((other) => other.cells[0][0] !== grid.cells[0][0])); listGrids(); $("chooser").close(); }))],
  null, null, { wide: true });
}

/** Draws a grid as one picture and saves it. */
async function saveSheet(grid, cells) {
  const side = 256, margin = 90, top = 40;
  const canvas = make("canvas", { width: margin + side * grid.columns.length, height: top + side * grid.rows.length });
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.fillStyle = "#1e1b24";
  pen.font = "18px system-ui, sans-serif";
  grid.columns.forEach((seed, column) => pen.fillText(String(seed), margin + column * side + 8, 26, side - 16));
  for (const [row, line] of cells.entries()) {
    pen.fillText(grid.rows[row] ?? "", 8, top + row * side + side / 2, margin - 16);
    for (const [column, { picture }] of line.entries()) {
      if (!picture) continue;
      const image = new Image();
      image.src = fileOf(picture);
      await image.decode();
      const scale = (side - 4) / Math.max(image.width, image.height);
      pen.drawImage(image, margin + column * side, top + row * side, image.width * scale, image.height * scale);
    }
  }
  const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
  save(blob, "reverie-grid.png");
}
