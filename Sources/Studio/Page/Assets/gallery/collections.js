// Asks for a collection, an old one or a new one.
import { make, field } from "../lib/view.js";
import { post } from "../lib/api.js";
import { t } from "../lib/text.js";
import { askFor } from "../lib/dialog.js";

/**
 * @param known the collections that there are
 * @param act is called with the one that was chosen
 */
export async function askCollection(known, act) {
  const name = make("input", { type: "text", maxLength: 80, id: "collection-name", list: "collection-names", autocomplete: "off" });
  askFor(t("collect.title"), [field(t("collect.name"), name),
    make("datalist", { id: "collection-names" }, ...known.map((one) => make("option", { value: one.name })))], t("collect.do"), async () => {
    const text = name.value.trim();
    if (!text) throw new Error(t("collect.empty"));
    const { collections } = await post("/api/v1/collections", { name: text });
    await act(collections.find((one) => one.name.toLowerCase() === text.toLowerCase()));
  });
  name.focus();
}
