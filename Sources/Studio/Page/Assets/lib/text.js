// The page's words: one file for each language, of which the browser's is taken, or the one that was chosen.
import { kept, keep } from "./kept.js";

/** The languages that there are, as their own speakers call them. */
export const languages = { en: "English", de: "Deutsch", es: "Español" };

const wished = [kept("language"), ...navigator.languages].filter(Boolean).map((tag) => tag.slice(0, 2));
/** The language that is spoken. */
export const language = wished.find((code) => code in languages) ?? "en";
const words = (await import(`../texts/${language}.js`)).default;
const rules = new Intl.PluralRules(language);

/** The text of a name, with `{…}` filled in. */
export function t(name, values = {}) {
  return (words[name] ?? name).replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole);
}

/** Whether there is a text of a name. */
export const hasText = (name) => name in words;

/** A text that depends on a count: `name.one`, `name.other`. */
export const counted = (name, count, values = {}) => t(`${name}.${rules.select(count) === "one" ? "one" : "other"}`, { count, ...values });

/** A number as it is written here. */
export const number = (value, most = 3) => value.toLocaleString(language, { maximumFractionDigits: most });

/** Bytes as people say them. */
export function bytes(count) {
  const [unit, name] = [[1e9, "GB"], [1e6, "MB"], [1e3, "kB"]].find(([least]) => count >= least) ?? [1, "B"];
  return `${number(count / unit, 1)} ${name}`;
}

/** A moment, in seconds since 1970. */
export const moment = (seconds) => new Date(seconds * 1000).toLocaleString(language, { dateStyle: "medium", timeStyle: "short" });

/** Seconds as people say them. */
export function duration(seconds) {
  const s = Math.max(1, Math.round(seconds));
  if (s < 90) return t("time.seconds", { count: s });
  return s < 5400 ? t("time.minutes", { count: Math.round(s / 60) }) : t("time.hours", { count: number(s / 3600, 1) });
}

/** Takes another language, for which the page is made anew. */
export function speak(code) {
  keep("language", code);
  location.reload();
}

/** Fills in the page's fixed texts: `data-t` is the text, `data-t-…` an attribute. */
export function translate(root = document) {
  document.documentElement.lang = language;
  for (const element of root.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  for (const name of ["placeholder", "aria-label", "title", "alt"])
    for (const element of root.querySelectorAll(`[data-t-${name}]`)) element.setAttribute(name, t(element.getAttribute(`data-t-${name}`)));
}
