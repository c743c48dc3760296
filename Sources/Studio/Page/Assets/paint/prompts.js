// Prompts that were painted before, and one by chance.
import { $, make, button, later, trying } from "../lib/view.js";
import { get } from "../lib/api.js";
import { t } from "../lib/text.js";
import { askFor } from "../lib/dialog.js";
import { anyStyle, chooseStyles } from "./styles.js";

let examples = [];

export function startPrompts(all) {
  examples = all;
  $("examples").append(...examples.slice(0, 4).map((example) => button(example, () => use(example), { lang: "en" })));
  $("surprise").addEventListener("click", surprise);
  $("earlier").addEventListener("click", () => trying(earlier));
}

function use(prompt) {
  $("prompt").value = prompt;
  $("prompt").focus();
  $("prompt").dispatchEvent(new Event("input", { bubbles: true }));
}

/** Another thing to paint, in another look. */
function surprise() {
  const others = examples.filter((example) => example !== $("prompt").value);
  use(others[Math.floor(Math.random() * others.length)]);
  chooseStyles(Math.random() < 0.7 ? [anyStyle()] : []);
}

/** Lists what was painted before, the newest first, each once. */
async function earlier() {
  const list = make("ul", { className: "prompts" });
  const words = make("input", { id: "find-prompt", type: "search", autocomplete: "off" });
  const none = make("p", { className: "empty" }, t("prompts.none"));
  const look = async () => {
    const query = words.value.trim();
    const page = await get(`/api/v1/pictures?limit=200${query ? `&q=${encodeURIComponent(query)}` : ""}`);
    const prompts = [...new Set(page.pictures.map((picture) => picture.prompt))].slice(0, 60);
    none.hidden = prompts.length > 0;
    list.replaceChildren(...prompts.map((prompt) => make("li", {}, button(prompt, () => { $("chooser").close(); use(prompt); }))));
  };
  words.addEventListener("input", later(200, () => trying(look)));
  await look();
  askFor(t("prompts.title"), [make("div", { className: "field" }, make("label", { htmlFor: words.id }, t("search")), words), list, none], null);
}
