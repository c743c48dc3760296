// People by what is chosen of them, in the words that the pack was taught; and the same person once more.
import { get, post, thumbnailOf } from "../lib/api.js";
import { $, make, button, field, toast, trying } from "../lib/view.js";
import { t } from "../lib/text.js";
import { kept, keep } from "../lib/kept.js";
import { dice } from "../paint/seed.js";
import { inputOf } from "../paint/paint.js";
import { queued } from "../paint/queue.js";

// As captions of the pack's corpus say it, which is English.
const skins = ["light", "medium-light", "medium", "medium-dark", "dark"];
const professions = ["astronaut", "construction worker", "cook", "detective", "doctor", "elf", "factory worker", "fairy", "farmer", "firefighter", "genie", "guard", "judge", "mechanic", "office worker", "painter", "pilot", "police officer", "programmer", "rock singer", "scientist", "student", "superhero", "supervillain", "teacher", "vampire", "wizard", "zombie"];
const looks = ["bald", "blond hair", "curly hair", "red hair", "white hair", "a beard", "a headscarf", "a turban", "a veil", "a tuxedo"];
const acts = ["frowning", "pouting", "shrugging", "facepalming", "bowing", "raising hand", "tipping hand", "dancing", "running", "walking", "swimming", "climbing", "surfing", "juggling", "in lotus position"];
const ages = ["baby", "child", "old man", "old woman"];
const places = ["at sunset", "at night", "on the beach", "in a meadow", "in the forest", "in the desert", "in the snow", "in the city", "in a room", "in space", "in the mountains", "underwater", "on a light blue background", "on a white background", "on a yellow background"];
const styles = ["watercolour", "oil-painting", "pencil-sketch", "pixel-art", "mosaic", "stained-glass", "woodcut", "neon", "poster"];

const chosen = {};

export function startPortraits() {
  const choice = (name, groups) => {
    chosen[name] = make("select", { id: `person-${name}`, onchange: tell }, make("option", { value: "" }, t("person.any")),
      ...groups.map(([label, words]) => (label ? make("optgroup", { label }, ...words.map((word) => make("option", { lang: "en" }, word))) : words.map((word) => make("option", { lang: "en" }, word)))));
    return field(t(`person.${name}`), chosen[name]);
  };
  const count = make("select", { id: "person-count" }, ...[1, 2, 4].map((value) => make("option", { selected: value === 4 }, value)));
  const form = make("form", { id: "person" },
    make("p", { className: "hint" }, t("person.help")),
    make("div", { className: "many" },
      choice("gender", [["", ["man", "woman"]]]),
      choice("skin", [["", skins]]),
      choice("what", [[t("person.profession"), professions], [t("person.look"), looks], [t("person.act"), acts], [t("person.age"), ages]]),
      choice("place", [["", places]]),
      choice("style", [["", styles]]),
      field(t("count"), count)),
    make("p", {}, t("person.says"), " ", make("strong", { id: "person-says", lang: "en" })),
    make("div", { className: "actions" }, make("button", { className: "primary" }, t("paint")), button(t("person.chance"), () => {
      for (const select of Object.values(chosen)) select.selectedIndex = Math.floor(Math.random() * select.options.length);
      tell();
    })));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    trying(async () => {
      const job = await post("/api/v1/jobs", { request: { prompt: describe(), seed: dice() }, count: Number(count.value), presets: [chosen.style.value].filter(Boolean) });
      keep("people", [{ job: job.id, ...Object.fromEntries(Object.entries(chosen).map(([name, select]) => [name, select.value])) }, ...(kept("people") ?? [])].slice(0, 12));
      await queued();
    });
  });
  $("portraits-view").append(form, make("h2", {}, t("person.again")), make("p", { className: "hint" }, t("person.again.help")), again(),
    make("div", { id: "people", className: "grid" }), make("p", { id: "people-none", className: "empty" }, t("person.none")));
  tell();
}

const tell = () => { $("person-says").textContent = describe(); };

/** A person in words; another place may be said. */
function describe(from = Object.fromEntries(Object.entries(chosen).map(([name, select]) => [name, select.value])), place = from.place) {
  const { gender, skin, what } = from;
  const who = gender || "person";
  let text;
  if (ages.includes(what)) text = what;
  else if (what === "bald") text = `bald ${who}`;
  else if (looks.includes(what)) text = what === "a tuxedo" ? `${who} in a tuxedo` : what === "a turban" ? `${who} wearing a turban` : `${who} with ${what}`;
  else if (acts.includes(what)) text = `${who} ${what}`;
  else text = [gender, what].filter(Boolean).join(" ") || "person";
  const article = /^[aeio]/.test(text) ? "an" : "a";
  return [article, text, skin && `with ${skin} skin`, place].filter(Boolean).join(" ");
}

/** Where and how a person is to be seen once more. */
function again() {
  const select = (id, words, label) => field(label, make("select", { id }, make("option", { value: "" }, t("person.same")), ...words.map((word) => make("option", { lang: "en" }, word))));
  return make("div", { className: "many" }, select("again-place", places, t("person.place")), select("again-style", styles, t("person.style")),
    field(t("picture.init.amount"), make("input", { id: "again-amount", type: "range", min: 0.1, max: 1, step: 0.05, value: 0.6 })));
}

/** Shows the people that were painted here. */
export async function showPortraits() {
  const people = kept("people") ?? [];
  const found = await Promise.all(people.map(async (person) => ({ person, job: await get(`/api/v1/jobs/${person.job}`).catch(() => null) })));
  const all = found.flatMap(({ person, job }) => (job?.pictures ?? []).map((picture) => ({ person, picture, job })));
  $("people-none").hidden = all.length > 0;
  $("people").replaceChildren(...all.map(({ person, picture, job }) => make("div", { className: "someone" },
    make("a", { className: "tile", href: `#/picture/${picture}` }, make("img", { src: thumbnailOf(picture), alt: job.prompt, loading: "lazy" })),
    button(t("person.once.more"), () => trying(() => paintAgain(person, picture)), { "aria-label": `${t("person.once.more")}: ${job.prompt}` }))));
}

async function paintAgain(person, id) {
  const picture = await get(`/api/v1/pictures/${id}`);
  const prompt = describe(person, $("again-place").value || person.place);
  const job = await post("/api/v1/jobs", {
    request: { prompt, initImage: await inputOf(picture), seed: picture.seed }, strength: Number($("again-amount").value),
    count: 1, presets: [$("again-style").value || person.style].filter(Boolean), parent: id,
  });
  keep("people", [{ ...person, job: job.id }, ...(kept("people") ?? [])].slice(0, 12));
  toast(prompt);
  await queued();
}
