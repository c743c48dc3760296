// What the studio declares of requests: methods, parameters, objectives, filters.
import { make } from "../lib/view.js";
import { get } from "../lib/api.js";
import { t, hasText } from "../lib/text.js";

let declared = null;

/** All that is declared; asked for once, and again after models have come or gone. */
export async function declarations(isFresh = false) {
  if (!declared || isFresh) declared = await get("/api/v1/parameters");
  return declared;
}

/** The declaration of a method that is there; undefined before they are. */
export const methodOf = (name) => declared?.methods.find((method) => method.name === name);

/** The parameter of a name. */
export const parameterOf = (name) => declared?.parameters.find((parameter) => parameter.name === name);

/** Whether a method takes a parameter; the automatic choice finds one that does. */
export const takes = (method, name) => !method || method === "auto" || Boolean(parameterOf(name)?.methods.includes(method));

/** `cutPower` as people read it. */
export const titled = (name) => (hasText(`name.${name}`) ? t(`name.${name}`)
  : name.replace(/-/g, " ").replace(/[A-Z]/g, (letter) => " " + letter.toLowerCase()).replace(/^./, (letter) => letter.toUpperCase()));

/** What a declaration is for; the studio tells it in English. */
export const helped = (declaration, id) => make("p", { className: "hint", id, lang: "en" }, declaration.help);

/** A value as people read it. */
export function shown(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "boolean") return value ? t("yes") : t("no");
  if (Array.isArray(value)) return value.length ? value.map((one) => (typeof one === "object" ? one.name ?? one.text ?? "" : one)).join(", ") : t("none");
  return typeof value === "object" ? value.name ?? "" : String(value);
}
