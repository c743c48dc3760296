// The dialog in which a part of a picture is painted over and filled anew.
import { fileOf, handIn, post } from "./api.js";
import { $, make, trying } from "./view.js";
import { inputOf, queued } from "./paint.js";

/** Asks which part and what shall stand there, and has it painted; all else keeps its pixels. */
export function fill(picture) {
  const { width, height } = picture;
  const canvas = make("canvas", {
    width, height, tabIndex: 0, className: "mask", role: "application",
    "aria-label": "The part to fill: drag over it, or move with the arrow keys and paint with the space bar",
  });
  const brush = make("input", { id: "mask-brush", type: "range", min: 2, max: 50, value: 15 });
  const wish = make("input", { id: "mask-prompt", type: "text", maxLength: 4096, required: true });
  const error = make("p", { className: "error", id: "mask-error", role: "alert", hidden: true });
  const mask = make("canvas", { width, height });
  const image = new Image();
  const strokes = [];
  const at = { x: width / 2, y: height / 2 };

  const draw = () => {
    const pen = mask.getContext("2d");
    pen.fillStyle = "#000";
    pen.fillRect(0, 0, width, height);
    pen.fillStyle = pen.strokeStyle = "#fff";
    pen.lineCap = pen.lineJoin = "round";
    for (const { size, points } of strokes) {
      pen.lineWidth = size;
      pen.beginPath();
      // A line of no length is drawn as a dot.
      pen.moveTo(...points[0]);
      for (const point of points) pen.lineTo(...point);
      pen.stroke();
    }
    const seen = canvas.getContext("2d");
    seen.globalCompositeOperation = "source-over";
    seen.drawImage(image, 0, 0, width, height);
    seen.globalCompositeOperation = "screen";
    seen.globalAlpha = 0.75;
    seen.drawImage(mask, 0, 0);
    seen.globalAlpha = 1;
    seen.globalCompositeOperation = "source-over";
    seen.strokeStyle = "#8a4fff";
    seen.lineWidth = Math.max(1, width / 256);
    seen.beginPath();
    seen.arc(at.x, at.y, size() / 2, 0, 2 * Math.PI);
    seen.stroke();
  };
  const size = () => (Number(brush.value) / 100) * Math.max(width, height);
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    at.x = ((event.clientX - box.left) * width) / box.width;
    at.y = ((event.clientY - box.top) * height) / box.height;
  };
  const begin = () => {
    error.hidden = true;
    strokes.push({ size: size(), points: [[at.x, at.y]] });
  };

  canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); place(event); begin(); draw(); });
  canvas.addEventListener("pointermove", (event) => {
    place(event);
    if (canvas.hasPointerCapture(event.pointerId)) strokes.at(-1).points.push([at.x, at.y]);
    draw();
  });
  canvas.addEventListener("keydown", (event) => {
    const [x, y] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [0, 0];
    if (!x && !y && event.key !== " ") return;
    event.preventDefault();
    at.x = Math.min(width, Math.max(0, at.x + (x * size()) / 4));
    at.y = Math.min(height, Math.max(0, at.y + (y * size()) / 4));
    if (event.key === " ") begin();
    draw();
  });
  brush.addEventListener("input", draw);
  const undo = () => { strokes.pop(); draw(); };

  const form = make("form", { method: "dialog" }, make("h2", { id: "chooser-title" }, "Fill a part"),
    make("p", { className: "hint" }, "Paint over the part. Everything else stays as it is."), canvas,
    make("div", { className: "field" }, make("label", { htmlFor: "mask-brush" }, "Brush"), brush),
    make("div", { className: "field" }, make("label", { htmlFor: "mask-prompt" }, "What shall stand there"), wish), error,
    make("div", { className: "bar" }, make("button", { type: "button", onclick: () => $("chooser").close() }, "Not now"),
      make("button", { type: "button", onclick: undo }, "Undo"), make("button", { className: "primary" }, "Fill it")));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!strokes.length) {
      error.textContent = "Paint over the part first.";
      error.hidden = false;
      return canvas.focus();
    }
    trying(async () => {
      const blob = await new Promise((done) => mask.toBlob(done, "image/png"));
      const [initImage, handed] = await Promise.all([inputOf(picture), handIn(new File([blob], "mask.png", { type: "image/png" }))]);
      const request = { prompt: wish.value.trim(), width, height, initImage, filters: [{ name: "inpaint", mask: handed.file }] };
      await post("/api/v1/jobs", { request, count: 1, parent: picture.id });
      $("chooser").close();
      await queued();
    });
  });
  $("chooser").replaceChildren(form);
  image.addEventListener("load", draw);
  image.src = fileOf(picture.id);
  $("chooser").showModal();
}
