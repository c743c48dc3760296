// What is being painted, and what was painted last.
import { get, post, thumbnailOf } from "../lib/api.js";
import { $, make, button, toast, trying, announce } from "../lib/view.js";
import { t, counted, duration } from "../lib/text.js";

const jobs = new Map();
let reloading = null;
let isStale = false;

/** Tells that something waits, and shows it. */
export async function queued() {
  toast(t("queue.in"), t("show"), () => { location.hash = "#/paint"; });
  await reload();
}

/** Looks at the queue again; what happens meanwhile is looked at, too. */
export function reload() {
  isStale = true;
  reloading ??= (async () => {
    try {
      while (isStale) {
        isStale = false;
        await look();
      }
    } finally { reloading = null; }
  })();
  return reloading;
}

async function look() {
  const page = await get("/api/v1/jobs?state=queued,painting&limit=100");
  const here = new Set(page.jobs.map((job) => job.id));
  for (const [id, known] of jobs) if (!here.has(id)) { known.card.remove(); jobs.delete(id); }
  page.jobs.forEach((job, index) => show(job, index, page.jobs));
  $("queue-empty").hidden = page.jobs.length > 0;
  await recent();
}

async function recent() {
  const page = await get("/api/v1/pictures?limit=12");
  $("recent-title").hidden = !page.pictures.length;
  $("recent").replaceChildren(...page.pictures.map((picture) =>
    make("a", { href: `#/picture/${picture.id}`, className: "tile" }, make("img", { src: thumbnailOf(picture.id), alt: picture.prompt, loading: "lazy" }))));
}

function show(job, index, all) {
  let known = jobs.get(job.id);
  if (!known) {
    known = { card: make("li", { className: "job" }) };
    known.view = make("div", { className: "view" });
    known.bar = make("progress", { max: 1, "aria-label": t("queue.progress", { prompt: job.prompt }) });
    known.state = make("p", { className: "hint" });
    known.buttons = make("div", { className: "buttons" });
    known.card.append(known.view, make("div", {}, make("p", {}, make("strong", {}, job.prompt)), known.state, known.bar, known.buttons));
    jobs.set(job.id, known);
  }
  known.job = job;
  const isPainting = job.state === "painting";
  known.card.classList.toggle("painting", isPainting);
  known.bar.hidden = !isPainting;
  const named = (key) => ({ "aria-label": `${t(key)}: ${job.prompt}` });
  known.buttons.replaceChildren(...[
    isPainting && button(t("queue.keep"), () => end(job, true)),
    button(t("queue.cancel"), () => end(job, false), named("queue.cancel")),
    !isPainting && index > 0 && all[index - 1].state === "queued" &&
      button(t("queue.earlier"), () => move(job, all[index - 1].id), named("queue.earlier")),
    !isPainting && index < all.length - 1 &&
      button(t("queue.later"), () => move(job, all[index + 2]?.id ?? null), named("queue.later"))].filter(Boolean));
  if (!isPainting) {
    known.view.replaceChildren(t("queue.waits"));
    known.state.textContent = index === 0 ? t("queue.next") : counted("queue.before", index);
  } else {
    if (!known.view.querySelector("img")) known.view.replaceChildren(t("queue.begins"));
    progress(known, job.progress);
  }
  if ($("queue").children[index] !== known.card) $("queue").insertBefore(known.card, $("queue").children[index] ?? null);
}

function progress(known, told) {
  if (!told?.total) {
    known.bar.removeAttribute("value");
    known.state.textContent = t("queue.begins");
    return;
  }
  known.bar.value = told.step / told.total;
  const which = known.job.count > 1 && told.picture ? t("queue.which", { number: told.picture, count: known.job.count }) : "";
  const left = told.eta ? t("queue.left", { time: duration(told.eta) }) : "";
  known.state.textContent = `${which}${t("queue.step", { unit: t(`unit.${told.unit}`), step: told.step, total: told.total })}${left}`;
}

const end = (job, keep) => trying(async () => {
  await post(`/api/v1/jobs/${job.id}/cancel`, { keep });
  announce(t(keep ? "queue.kept" : "queue.cancelled"));
  await reload();
});

const move = (job, before) => trying(async () => {
  await post(`/api/v1/jobs/${job.id}/move`, { before });
  announce(t("queue.moved"));
  await reload();
});

/** What the studio tells. */
export function hear(kind, told) {
  const known = jobs.get(told.job);
  if (kind === "progress" && known) return progress(known, told);
  if (kind === "preview" && known) {
    let picture = known.view.querySelector("img");
    if (!picture) {
      picture = make("img", { alt: t("queue.preview", { prompt: known.job.prompt }) });
      known.view.replaceChildren(picture);
    }
    picture.src = told.image;
    return;
  }
  if (kind === "failed") toast(told.reason ?? t("queue.failed"));
  if (kind === "picture") announce(t("queue.painted", { prompt: known?.job.prompt ?? "" }));
  if (kind !== "progress" && kind !== "preview") reload().catch(() => {});
}
