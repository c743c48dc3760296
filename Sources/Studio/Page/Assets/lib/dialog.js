// The dialog in which something is asked.
import { $, make, button, trying, fillDialog } from "./view.js";
import { t } from "./text.js";

/**
 * Asks something.
 * @param title stands above
 * @param content what is asked
 * @param done the word on the button that does it; null where there is nothing to do
 * @param act is called then; what it throws is told, and the dialog stays; `false` keeps it open, too
 */
export function askFor(title, content, done, act, { wide = false } = {}) {
  const dialog = $("chooser");
  const form = make("form", { method: "dialog", noValidate: true },
    make("h2", { id: "chooser-title" }, title), ...[content].flat(),
    make("div", { className: "bar" },
      button(done ? t("dialog.cancel") : t("dialog.close"), () => dialog.close()),
      done && make("button", { className: "primary" }, done)));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!done) return dialog.close();
    trying(async () => { if (await act() !== false) dialog.close(); });
  });
  dialog.classList.toggle("wide", wide);
  fillDialog(dialog, form);
  if (!dialog.open) dialog.showModal();
  return form;
}
