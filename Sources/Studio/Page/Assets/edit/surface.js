// The canvas on which a picture is painted over: by mouse, finger, pencil or keys; near and far.
import { make } from "../lib/view.js";

const accent = "#8a4fff";

export class Surface {
  /**
   * @param label says how it is used
   * @param mask what is painted over
   * @param changed is called after something was done
   */
  constructor(label, mask, changed) {
    this.mask = mask;
    this.changed = changed;
    this.tool = "brush";
    /** Of the brush, as a share of the longer side. */
    this.size = 0.12;
    this.image = null;
    this.at = { x: mask.picture.width / 2, y: mask.picture.height / 2 };
    this.view = null;
    this.fingers = new Map();
    this.hasPencil = false;
    this.element = make("canvas", { tabIndex: 0, className: "surface", role: "application", "aria-label": label });
    for (const [kind, hear] of Object.entries({ pointerdown: this.press, pointermove: this.move, pointerup: this.lift, pointercancel: this.lift, wheel: this.roll, keydown: this.key }))
      this.element.addEventListener(kind, hear.bind(this));
    this.element.addEventListener("contextmenu", (event) => event.preventDefault());
    new ResizeObserver(() => { this.fit(); }).observe(this.element);
  }

  get diameter() { return this.size * Math.max(this.mask.picture.width, this.mask.picture.height); }

  // Where things are: `view` takes the picture's pixels to the canvas's.

  /** Shows the whole frame. */
  fit() {
    const { clientWidth, clientHeight } = this.element;
    if (!clientWidth) return;
    const ratio = devicePixelRatio || 1;
    Object.assign(this.element, { width: Math.round(clientWidth * ratio), height: Math.round(clientHeight * ratio) });
    const { x, y, width, height } = this.mask.frame;
    const margin = 24 * ratio;
    const scale = Math.min((this.element.width - 2 * margin) / width, (this.element.height - 2 * margin) / height);
    this.view = { scale, x: this.element.width / 2 - (x + width / 2) * scale, y: this.element.height / 2 - (y + height / 2) * scale };
    this.draw();
  }

  /** Comes nearer, or goes away, about a point of the canvas. */
  zoom(factor, at = { x: this.element.width / 2, y: this.element.height / 2 }) {
    const scale = Math.min(64, Math.max(0.05, this.view.scale * factor));
    const by = scale / this.view.scale;
    this.view = { scale, x: at.x - (at.x - this.view.x) * by, y: at.y - (at.y - this.view.y) * by };
    this.draw();
  }

  on(event) {
    const box = this.element.getBoundingClientRect();
    return { x: ((event.clientX - box.left) * this.element.width) / box.width, y: ((event.clientY - box.top) * this.element.height) / box.height };
  }

  inside({ x, y }) { return { x: (x - this.view.x) / this.view.scale, y: (y - this.view.y) / this.view.scale }; }

  // What the hand does

  press(event) {
    this.element.focus({ preventScroll: true });
    this.element.setPointerCapture(event.pointerId);
    if (event.pointerType === "pen") this.hasPencil = true;
    const place = this.on(event);
    this.fingers.set(event.pointerId, place);
    if (this.fingers.size === 2) return this.pinch();
    this.at = this.inside(place);
    // Who has a pencil rests the hand: fingers only move the picture then.
    const pans = this.tool === "move" || event.button === 1 || (this.hasPencil && event.pointerType === "touch");
    if (pans) this.doing = { kind: "pan", from: place };
    else if (this.tool === "frame") this.grip();
    else {
      this.doing = { kind: "stroke" };
      this.mask.act({ kind: "stroke", erases: this.tool === "erase", points: [this.point(event)] });
    }
    this.draw();
  }

  point(event) {
    const weight = event.pointerType === "pen" && event.pressure ? 0.3 + 0.9 * event.pressure : 1;
    return [this.at.x, this.at.y, this.diameter * weight];
  }

  move(event) {
    const place = this.on(event);
    if (this.fingers.has(event.pointerId)) this.fingers.set(event.pointerId, place);
    if (this.doing?.kind === "pinch") return this.spread();
    this.at = this.inside(place);
    switch (this.doing?.kind) {
      case "pan":
        this.view = { ...this.view, x: this.view.x + place.x - this.doing.from.x, y: this.view.y + place.y - this.doing.from.y };
        this.doing.from = place;
        break;
      case "stroke":
        for (const one of event.getCoalescedEvents?.() ?? [event]) {
          this.at = this.inside(this.on(one));
          this.mask.extend(this.point(one));
        }
        break;
      case "frame": this.pull(); break;
    }
    this.draw();
  }

  lift(event) {
    this.fingers.delete(event.pointerId);
    if (this.doing?.kind === "pinch" && this.fingers.size) return;
    const was = this.doing;
    this.doing = null;
    if (was?.kind === "frame") this.fit();
    if (was) this.changed();
    this.draw();
  }

  /** Two fingers: what one of them has begun was not meant. */
  pinch() {
    if (this.doing?.kind === "stroke") this.mask.undo();
    const [a, b] = [...this.fingers.values()];
    this.doing = { kind: "pinch", distance: Math.hypot(a.x - b.x, a.y - b.y), middle: { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 } };
  }

  spread() {
    if (this.fingers.size < 2) return;
    const [a, b] = [...this.fingers.values()];
    const distance = Math.hypot(a.x - b.x, a.y - b.y);
    const middle = { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
    this.view = { ...this.view, x: this.view.x + middle.x - this.doing.middle.x, y: this.view.y + middle.y - this.doing.middle.y };
    this.zoom(distance / this.doing.distance, middle);
    Object.assign(this.doing, { distance, middle });
  }

  roll(event) {
    event.preventDefault();
    this.zoom(Math.exp(-event.deltaY / 400), this.on(event));
  }

  key(event) {
    const [x, y] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [0, 0];
    const isCommand = event.ctrlKey || event.metaKey;
    if (isCommand && event.key.toLowerCase() === "z") event.shiftKey ? this.mask.redo() : this.mask.undo();
    else if (isCommand) return;
    else if (event.key === " ") this.mask.act({ kind: "stroke", erases: this.tool === "erase", points: [[this.at.x, this.at.y, this.diameter]] });
    else if (event.key === "+") this.zoom(1.25);
    else if (event.key === "-") this.zoom(0.8);
    else if (x || y) {
      const { frame } = this.mask;
      this.at.x = Math.min(frame.x + frame.width, Math.max(frame.x, this.at.x + (x * this.diameter) / 4));
      this.at.y = Math.min(frame.y + frame.height, Math.max(frame.y, this.at.y + (y * this.diameter) / 4));
    } else return;
    event.preventDefault();
    this.changed();
    this.draw();
  }

  // The frame's sides

  /** Takes hold of the sides that are near. */
  grip() {
    const { x, y, width, height } = this.mask.frame;
    const near = (28 * (devicePixelRatio || 1)) / this.view.scale;
    const sides = { left: Math.abs(this.at.x - x) < near, right: Math.abs(this.at.x - x - width) < near, top: Math.abs(this.at.y - y) < near, bottom: Math.abs(this.at.y - y - height) < near };
    if (!Object.values(sides).includes(true)) return;
    this.doing = { kind: "frame", sides };
    this.mask.act({ kind: "frame", frame: this.mask.frame });
  }

  pull() {
    const { sides } = this.doing;
    const { x, y, width, height } = this.mask.frame;
    let [left, top, right, bottom] = [x, y, x + width, y + height];
    if (sides.left) left = Math.min(this.at.x, right - 16);
    if (sides.right) right = Math.max(this.at.x, left + 16);
    if (sides.top) top = Math.min(this.at.y, bottom - 16);
    if (sides.bottom) bottom = Math.max(this.at.y, top + 16);
    [left, top, right, bottom] = [left, top, right, bottom].map(Math.round);
    this.mask.done.at(-1).frame = { x: left, y: top, width: right - left, height: bottom - top };
    this.mask.draw();
    this.changed();
  }

  // What is seen

  draw() {
    if (!this.view || !this.image) return;
    const pen = this.element.getContext("2d");
    const { scale, x: left, y: top } = this.view;
    const { frame, picture } = this.mask;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, this.element.width, this.element.height);
    pen.setTransform(scale, 0, 0, scale, left, top);
    pen.imageSmoothingEnabled = scale < 4;
    pen.globalAlpha = 0.35;
    pen.drawImage(this.image, 0, 0, picture.width, picture.height);
    pen.globalAlpha = 1;
    pen.save();
    pen.beginPath();
    pen.rect(frame.x, frame.y, frame.width, frame.height);
    pen.clip();
    pen.fillStyle = "#888";
    pen.fillRect(frame.x, frame.y, frame.width, frame.height);
    pen.drawImage(this.image, 0, 0, picture.width, picture.height);
    this.veil ??= make("canvas");
    Object.assign(this.veil, { width: this.mask.canvas.width, height: this.mask.canvas.height });
    const tint = this.veil.getContext("2d");
    tint.drawImage(this.mask.canvas, 0, 0);
    tint.globalCompositeOperation = "source-in";
    tint.fillStyle = accent;
    tint.fillRect(0, 0, this.veil.width, this.veil.height);
    pen.globalAlpha = 0.6;
    pen.drawImage(this.veil, frame.x, frame.y);
    pen.restore();
    pen.strokeStyle = this.tool === "frame" ? "#fff" : "rgb(255 255 255 / .5)";
    pen.lineWidth = (this.tool === "frame" ? 4 : 1.5) / scale;
    pen.strokeRect(frame.x, frame.y, frame.width, frame.height);
    if (this.tool === "frame" || this.tool === "move") return;
    for (const [color, width] of [["#000", 3], ["#fff", 1.5]]) {
      pen.strokeStyle = color;
      pen.lineWidth = width / scale;
      pen.beginPath();
      pen.arc(this.at.x, this.at.y, this.diameter / 2, 0, 2 * Math.PI);
      pen.stroke();
    }
  }
}
