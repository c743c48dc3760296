// Objectives and filters: a list of those that are wanted, each with its weight and arguments, made from
// what the studio declares of them.
import { make, button, announce } from "../lib/view.js";
import { t } from "../lib/text.js";
import { control } from "./controls.js";
import { helped, titled } from "./declared.js";

/** A control for a list of parts. */
export function parts(kinds, id, { weighs }) {
  const home = make("ul", { className: "parts" });
  const add = make("select", { id }, make("option", { value: "" }, t("parts.add")),
    ...kinds.map((kind) => make("option", { value: kind.name, title: kind.help }, titled(kind.name))));
  let rows = [];
  let number = 0;
  const tell = () => add.dispatchEvent(new CustomEvent("change", { bubbles: true, detail: "set" }));
  add.addEventListener("change", (event) => {
    if (event.detail === "set" || !add.value) return;
    const row = insert({ name: add.value });
    add.value = "";
    announce(t("parts.added", { name: titled(row.kind.name) }));
    tell();
    row.element.querySelector("input, select, button")?.focus();
  });

  function insert(value) {
    const kind = kinds.find((one) => one.name === value.name) ?? { name: value.name, help: "", arguments: [] };
    const own = `${id}-${number += 1}`;
    const weight = control({ kind: "number", schema: { minimum: -1000, maximum: 1000 } }, `${own}-weight`);
    weight.input.placeholder = "1";
    weight.write(value.weight);
    const fields = kind.arguments.map((argument) => {
      const made = control(argument, `${own}-${argument.name}`);
      made.write(value[argument.name]);
      if ("placeholder" in made.input && argument.default !== null) made.input.placeholder = String(argument.default);
      return { argument, made };
    });
    const row = { kind, weight, fields, value };
    row.element = make("li", {},
      make("div", { className: "bar" }, make("strong", {}, titled(kind.name)),
        button("×", () => { rows = rows.filter((other) => other !== row); row.element.remove(); tell(); add.focus(); }, { "aria-label": t("parts.without", { name: titled(kind.name) }) })),
      make("p", { className: "hint", lang: "en" }, kind.help),
      make("div", { className: "many" },
        weighs && make("div", { className: "field" }, make("label", { htmlFor: weight.input.id }, t("weight")), weight.element),
        ...fields.map(({ argument, made }) => make("div", { className: "field" },
          make("label", { htmlFor: made.input.id }, titled(argument.name)), made.element, helped(argument)))));
    rows.push(row);
    home.append(row.element);
    return row;
  }

  return {
    element: make("div", {}, home, add), input: add,
    read() {
      if (!rows.length) return undefined;
      return rows.map(({ kind, weight, fields, value }) => {
        const read = kind.arguments.length ? {} : { ...value };
        read.name = kind.name;
        if (weight.read() !== undefined) read.weight = weight.read();
        for (const { argument, made } of fields) {
          try {
            if (made.read() !== undefined) read[argument.name] = made.read();
          } catch (error) { throw new Error(`${titled(kind.name)}, ${titled(argument.name)}: ${error.message}`); }
        }
        return read;
      });
    },
    write(values) {
      rows = [];
      home.replaceChildren();
      for (const value of values ?? []) insert(value);
    },
  };
}
