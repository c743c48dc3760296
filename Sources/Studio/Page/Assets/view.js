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
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Says something to screen readers. */
export function announce(text) { $("news").textContent = text; }

/** Shows a sentence for a while, with something to do about it. */
export function toast(text, action, act) {
  const note = make("div", { className: "toast" }, make("span", {}, text),
    action && make("button", { type: "button", onclick: () => { note.remove(); act(); } }, action));
  $("toasts").append(note);
  while ($("toasts").children.length > 3) $("toasts").firstChild.remove();
  setTimeout(() => note.remove(), action ? 10000 : 5000);
}

/** Does something, and tells what went wrong. */
export async function trying(body) {
  try { return await body(); } catch (error) { toast(error.message); }
}

/** Seconds as people say them. */
export function duration(seconds) {
  const s = Math.max(1, Math.round(seconds));
  if (s < 90) return `${s} s`;
  return s < 5400 ? `${Math.round(s / 60)} min` : `${(s / 3600).toFixed(1)} h`;
}

export const plural = (count, one, many) => `${count} ${count === 1 ? one : many}`;
