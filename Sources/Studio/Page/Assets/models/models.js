// The models: what is installed, what can be fetched by name, what each is for.
import { ask, get, post } from "../lib/api.js";
import { $, make, button, field, toast, trying, announce } from "../lib/view.js";
import { t, bytes, hasText, counted } from "../lib/text.js";
import { askFor } from "../lib/dialog.js";
import { methodOf } from "../paint/declared.js";

let timer = null;
let changed = null;
/** How much of a file has been handed in, while one is. */
let sending = null;

/** @param tell is called when models have come or gone */
export function startModels(tell) {
  changed = tell;
  $("models-view").append(
    make("p", { className: "hint" }, t("models.hint")),
    make("div", { id: "models-now" }),
    make("h2", {}, t("models.here")), make("ul", { id: "models-here", className: "models" }),
    make("h2", {}, t("models.add")), adding(),
    make("h2", {}, t("models.known")), make("p", { className: "hint" }, t("models.known.hint")),
    make("div", { className: "row" }, field(t("search"), make("input", { id: "find-model", type: "search", autocomplete: "off", oninput: filter })),
      field(t("models.kind"), make("select", { id: "model-kind", onchange: filter }))),
    make("ul", { id: "models-known", className: "models" }), make("p", { id: "models-none", className: "empty", role: "status", hidden: true }, t("models.none")));
}

/** Shows the models as they are now. */
export async function showModels() {
  draw(await get("/api/v1/models"));
}

/** What a kind of model is for. */
const purpose = (kind) => (hasText(`kind.${kind}`) ? t(`kind.${kind}`) : kind);

function draw({ models, known, fetches }) {
  $("models-now").replaceChildren(...fetches.map((fetch) => make("div", { className: "fetch" },
    make("strong", {}, fetch.id),
    fetch.state === "running" ? [
      make("progress", { max: 1, value: fetch.total ? fetch.done / fetch.total : null, "aria-label": t("models.fetching", { name: fetch.id }) }),
      make("span", { className: "hint" }, fetch.total ? t("models.so.far", { done: bytes(fetch.done), total: bytes(fetch.total) }) : bytes(fetch.done))]
      : make("span", { className: fetch.problem ? "error" : "hint" }, fetch.problem ?? t("models.stopped")),
    make("span", { className: "actions" },
      fetch.state !== "running" && button(t("models.again"), () => begin(fetch.id)),
      button(t(fetch.state === "running" ? "models.stop" : "models.forget"), () => act(() => ask("DELETE", `/api/v1/models/${fetch.id}/fetch`)), { "aria-label": t(fetch.state === "running" ? "models.stop.one" : "models.forget.one", { name: fetch.id }) })))));
  $("models-here").replaceChildren(...(models.length ? models.map(installed) : [make("li", { className: "empty" }, t("models.empty"))]));
  const kinds = [...new Set(known.map((model) => model.kind))];
  const chosen = $("model-kind").value;
  $("model-kind").replaceChildren(make("option", { value: "" }, t("all")), ...kinds.map((kind) => make("option", { value: kind }, purpose(kind))));
  $("model-kind").value = chosen;
  const busy = new Set(fetches.filter((fetch) => fetch.state === "running").map((fetch) => fetch.id));
  $("models-known").replaceChildren(...known.filter((model) => !model.isInstalled).map((model) => make("li", { id: `known-${model.id}` },
    make("div", {}, make("strong", {}, model.id), make("p", { lang: "en" }, model.title),
      make("p", { className: "hint" }, [purpose(model.kind), model.bytes && bytes(model.bytes), model.licence].filter(Boolean).join(" · "))),
    button(t("models.fetch"), () => begin(model.id), { disabled: busy.has(model.id), "aria-label": t("models.fetch.one", { name: model.id }) }))));
  for (const [index, model] of known.filter((one) => !one.isInstalled).entries()) $("models-known").children[index].dataset.kind = model.kind;
  filter();
  clearTimeout(timer);
  if (busy.size) timer = setTimeout(() => trying(watch), 1000);
}

/** Looks again while something is being fetched; what has come is told to the form. */
async function watch() {
  const before = new Set([...$("models-here").children].map((item) => item.id));
  const now = await get("/api/v1/models");
  const come = now.models.filter((model) => !before.has(`model-${model.id}`));
  draw(now);
  if (!come.length) return;
  for (const model of come) announce(t("models.came", { name: model.id }));
  await changed();
}

function filter() {
  const words = $("find-model").value.trim().toLowerCase();
  const kind = $("model-kind").value;
  let seen = 0;
  for (const item of $("models-known").children) {
    item.hidden = Boolean(words && !item.textContent.toLowerCase().includes(words)) || Boolean(kind && item.dataset.kind !== kind);
    seen += item.hidden ? 0 : 1;
  }
  $("models-none").hidden = seen > 0;
}

function installed(model) {
  const verdict = make("p", { className: "hint", role: "status" });
  const methods = model.methods.map((name) => methodOf(name)?.title ?? name);
  return make("li", { id: `model-${model.id}` },
    make("div", {}, make("strong", {}, model.id), make("p", { lang: "en" }, model.title),
      make("p", { className: "hint" }, [purpose(model.kind), t("models.disk", { size: bytes(model.bytes) }), model.memory && t("models.memory", { size: bytes(model.memory) }), model.licence].filter(Boolean).join(" · ")),
      methods.length > 0 && make("p", { className: "hint" }, counted("models.methods", methods.length, { names: methods.join(", ") })), verdict),
    make("div", { className: "actions" },
      button(t("models.verify"), async (event) => {
        event.target.disabled = true;
        verdict.textContent = t("models.verifying");
        await trying(async () => {
          const { sound, problems } = await post(`/api/v1/models/${model.id}/verify`);
          verdict.textContent = sound ? t("models.sound") : problems.join(" ");
        });
        event.target.disabled = false;
      }, { "aria-label": t("models.verify.one", { name: model.id }) }),
      button(t("models.remove"), () => askFor(t("models.remove.one", { name: model.id }), make("p", {}, t("models.remove.sure")), t("models.remove"), async () => {
        await ask("DELETE", `/api/v1/models/${model.id}`);
        toast(t("models.removed", { name: model.id }));
        await showModels();
        await changed();
      }), { "aria-label": t("models.remove.one", { name: model.id }) })));
}

const begin = (id) => act(() => post(`/api/v1/models/${id}/fetch`));
const act = (body) => trying(async () => { await body(); await showModels(); });

function adding() {
  const file = make("input", { id: "model-file", type: "file", accept: ".safetensors,.pt,.pth,.ckpt,.bin,.pkl,.msgpack,.npz,.gz,.json" });
  const bar = make("progress", { max: 1, value: 0, hidden: true, "aria-label": t("models.sending") });
  const error = make("p", { className: "error", id: "model-error", role: "alert", hidden: true });
  file.setAttribute("aria-describedby", "model-error");
  file.addEventListener("change", async () => {
    const chosen = file.files[0];
    if (!chosen || sending) return;
    error.hidden = true;
    bar.hidden = false;
    try {
      await send(chosen, (share) => { bar.value = share; });
      toast(t("models.added", { name: chosen.name }));
      await showModels();
      await changed();
    } catch (problem) {
      error.textContent = problem.message;
      error.hidden = false;
    }
    bar.hidden = true;
    file.value = "";
  });
  return make("div", { className: "drop" }, field(t("models.file"), file, t("models.file.hint")), bar, error);
}

/** Sends a file, and tells how much has gone: what fetch cannot. */
function send(file, tell) {
  return new Promise((done, fail) => {
    sending = new XMLHttpRequest();
    sending.open("POST", `/api/v1/models?name=${encodeURIComponent(file.name)}`);
    sending.setRequestHeader("Content-Type", "application/octet-stream");
    sending.upload.addEventListener("progress", (event) => tell(event.loaded / event.total));
    sending.addEventListener("loadend", () => {
      const { status, responseText } = sending;
      sending = null;
      if (status === 201) return done();
      let value = null;
      try { value = JSON.parse(responseText); } catch { /* told below */ }
      fail(new Error(value?.detail ?? t("api.silent")));
    });
    sending.send(file);
  });
}
