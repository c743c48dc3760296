// What is painted over: strokes and the like, one after another, each of which can be undone; and the frame, which
// may reach beyond the picture or show a part of it.
import { make } from "../lib/view.js";

export class Mask {
  /** @param width of the picture, in pixels */
  constructor(width, height) {
    this.picture = { x: 0, y: 0, width, height };
    /** Opaque where it is painted over; as large as the frame. */
    this.canvas = make("canvas");
    this.done = [];
    this.undone = [];
    this.draw();
  }

  /** What is seen of the picture and around it, in the picture's pixels. */
  get frame() { return this.done.findLast((act) => act.kind === "frame")?.frame ?? this.picture; }

  /** Whether the frame reaches beyond the picture. */
  get reachesOut() {
    const { x, y, width, height } = this.frame;
    return x < 0 || y < 0 || x + width > this.picture.width || y + height > this.picture.height;
  }

  /** Whether something within the picture is painted over. */
  get isPainted() { return this.done.some((act) => act.kind !== "frame" && act.kind !== "none"); }

  /** Whether the frame shows another part than the whole. */
  get isFramed() { return JSON.stringify(this.frame) !== JSON.stringify(this.picture); }

  /** Does something that can be undone. */
  act(act) {
    this.done.push(act);
    this.undone = [];
    this.draw();
  }

  undo() {
    if (this.done.length) this.undone.push(this.done.pop());
    this.draw();
  }

  redo() {
    if (this.undone.length) this.done.push(this.undone.pop());
    this.draw();
  }

  /** Goes on with the last stroke. */
  extend(point) {
    const { points } = this.done.at(-1);
    points.push(point);
    this.stroke({ ...this.done.at(-1), points: points.slice(-2) });
    this.open();
  }

  draw() {
    const { x, y, width, height } = this.frame;
    Object.assign(this.canvas, { width, height });
    const pen = this.canvas.getContext("2d");
    for (const act of this.done) {
      pen.setTransform(1, 0, 0, 1, -x, -y);
      pen.fillStyle = "#fff";
      switch (act.kind) {
        case "stroke": this.stroke(act); break;
        case "all": pen.fillRect(x, y, width, height); break;
        case "none": pen.clearRect(x, y, width, height); break;
        case "invert":
          pen.globalCompositeOperation = "xor";
          pen.fillRect(x, y, width, height);
          pen.globalCompositeOperation = "source-over";
      }
    }
    this.open();
  }

  stroke({ erases, points }) {
    const pen = this.canvas.getContext("2d");
    pen.setTransform(1, 0, 0, 1, -this.frame.x, -this.frame.y);
    pen.globalCompositeOperation = erases ? "destination-out" : "source-over";
    pen.strokeStyle = "#fff";
    pen.lineCap = pen.lineJoin = "round";
    let [x, y] = points[0];
    for (const [toX, toY, size] of points) {
      pen.lineWidth = size;
      pen.beginPath();
      // A line of no length is drawn as a dot.
      pen.moveTo(x, y);
      pen.lineTo(toX, toY);
      pen.stroke();
      [x, y] = [toX, toY];
    }
    pen.globalCompositeOperation = "source-over";
  }

  /** Beyond the picture all is painted anew, whatever was erased. */
  open() {
    const { x, y, width, height } = this.frame;
    const pen = this.canvas.getContext("2d");
    pen.setTransform(1, 0, 0, 1, -x, -y);
    pen.fillStyle = "#fff";
    const right = this.picture.width, bottom = this.picture.height;
    if (x < 0) pen.fillRect(x, y, -x, height);
    if (y < 0) pen.fillRect(x, y, width, -y);
    if (x + width > right) pen.fillRect(right, y, x + width - right, height);
    if (y + height > bottom) pen.fillRect(x, bottom, width, y + height - bottom);
  }

  /** White where it is painted, else black: what the studio takes. */
  file() {
    const { width, height } = this.canvas;
    const whole = make("canvas", { width, height });
    const pen = whole.getContext("2d");
    pen.fillRect(0, 0, width, height);
    pen.drawImage(this.canvas, 0, 0);
    return blobOf(whole);
  }

  /** What the frame shows of the picture. Beyond it stands the picture itself, large and blurred, to begin from. */
  framed(image) {
    const { x, y, width, height } = this.frame;
    const whole = make("canvas", { width, height });
    const pen = whole.getContext("2d");
    if (this.reachesOut) {
      pen.filter = `blur(${Math.round(Math.max(width, height) / 24)}px)`;
      pen.drawImage(image, 0, 0, width, height);
      pen.filter = "none";
    }
    pen.drawImage(image, -x, -y, this.picture.width, this.picture.height);
    return blobOf(whole);
  }
}

const blobOf = (canvas) => new Promise((done) => canvas.toBlob(done, "image/png"));
