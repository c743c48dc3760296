// Small things that all views need.

export const $ = (id) => document.getElementById(id);

/** Makes an element: properties, listeners by on…, attributes by their names, children. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && name !== "list" && !name.startsWith("aria")) element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** A button that does something. */
export const button = (label, act, more = {}) => make("button", { type: "button", onclick: act, ...more }, label);

/** A label with its control below, and what it is for. */
export const field = (label, input, hint) => make("div", { className: "field" },
  make("label", { htmlFor: input.id }, label), input, hint && make("p", { className: "hint" }, hint));

const notices = $("notices");

/** Says something to screen readers. */
export function announce(text) { $("news").textContent = text; }

/** Shows a sentence for a while, with something to do about it. */
export function toast(text, action, act) {
  const note = make("div", { className: "toast" }, make("span", {}, text), action && button(action, () => { note.remove(); act(); }));
  // While a dialog is open, only what lies in it can be seen and pressed.
  const home = [...document.querySelectorAll("dialog[open]")].at(-1) ?? document.body;
  if (notices.parentNode !== home) home.append(notices);
  // What is said again is not said twice.
  for (const other of [...$("toasts").children]) if (other.firstChild.textContent === text) other.remove();
  $("toasts").append(note);
  while ($("toasts").children.length > 3) $("toasts").firstChild.remove();
  setTimeout(() => note.remove(), action ? 10000 : 5000);
}

/** Gives a dialog its content; what was told stays to be seen. */
export function fillDialog(dialog, ...children) {
  const isHome = dialog.contains(notices);
  dialog.replaceChildren(...children);
  if (isHome) dialog.append(notices);
}

for (const dialog of document.querySelectorAll("dialog"))
  dialog.addEventListener("close", () => { if (dialog.contains(notices)) document.body.append(notices); });

/** Does something, and tells what went wrong. */
export async function trying(body) {
  try { return await body(); } catch (error) { toast(error.message); }
}

/** Waits until nothing has happened for a while before it does something. */
export function later(milliseconds, body) {
  let timer;
  return (...values) => { clearTimeout(timer); timer = setTimeout(() => body(...values), milliseconds); };
}
