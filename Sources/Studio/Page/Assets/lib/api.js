// The studio's API, as the page uses it.
import { t } from "./text.js";

/** What the studio says no to: a sentence for people, and the field that is to blame. */
export class Problem extends Error {
  constructor(message, status, field) {
    super(message);
    this.status = status;
    this.field = field;
  }
}

/** Asks the studio; gives its JSON, or null where there is none. */
export async function ask(method, path, body, type = "application/json") {
  let response;
  try {
    const plain = body === undefined || body instanceof Blob;
    response = await fetch(path, {
      method, headers: body === undefined ? {} : { "Content-Type": type },
      body: plain ? body : JSON.stringify(body),
    });
  } catch {
    throw new Problem(t("api.silent"), 0);
  }
  const text = await response.text();
  let value = null;
  try { value = text ? JSON.parse(text) : null; } catch { /* told below */ }
  if (response.ok) return value;
  throw new Problem(value?.detail ?? t("api.status", { status: response.status }), response.status, value?.field);
}

export const get = (path) => ask("GET", path);
export const post = (path, body = {}) => ask("POST", path, body);

/** Hands a picture or a video in: gives what requests call it, and its settings where it has any. */
export const handIn = (file) =>
  ask("POST", `/api/v1/files?name=${encodeURIComponent(file.name || "picture")}`, file, file.type || "image/png");

/** Saves something that was made here. */
export function save(blob, name) {
  const address = URL.createObjectURL(blob);
  Object.assign(document.createElement("a"), { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
}

/** Does the same with each of many, a few at once. */
export async function each(items, body, atOnce = 6) {
  const left = [...items];
  await Promise.all(Array.from({ length: atOnce }, async () => { while (left.length) await body(left.shift()); }));
}

export const fileOf = (id) => `/api/v1/pictures/${id}/file`;
export const attentionOf = (id) => `/api/v1/pictures/${id}/attention`;
export const filmOf = (id) => `/api/v1/pictures/${id}/film`;
export const filmAs = (id, format) => `/api/v1/pictures/${id}/film?format=${format}`;
export const thumbnailOf = (id) => `/api/v1/pictures/${id}/thumbnail`;

/**
 * Listens to all that happens; the browser comes back by itself with the last number that it saw.
 * @param hear is called with the kind and what there is to tell
 * @param isThere is called with whether the studio answers
 */
export function listen(hear, isThere) {
  const kinds = ["queued", "started", "progress", "picture", "retried", "finished", "failed", "cancelled", "moved", "preview"];
  let source;
  const open = () => {
    source = new EventSource("/api/v1/events");
    source.addEventListener("hello", () => isThere(true));
    for (const kind of kinds) source.addEventListener(kind, (event) => hear(kind, JSON.parse(event.data)));
    source.onerror = () => {
      isThere(false);
      // A stream that the studio refused is not opened again by the browser.
      if (source.readyState === EventSource.CLOSED) setTimeout(open, 3000);
    };
  };
  open();
}
