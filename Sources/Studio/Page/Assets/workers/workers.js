// Who paints what, here and on other machines: looked at again every two seconds while it is seen.
import { get } from "../lib/api.js";
import { $, make, trying } from "../lib/view.js";
import { t, counted, duration, number } from "../lib/text.js";

let timer = null;

/** Shows the workers as they are now. */
export async function showWorkers() {
  clearTimeout(timer);
  draw(await get("/api/v1/workers"));
  timer = setTimeout(() => { if (!$("workers").hidden) trying(showWorkers); }, 2000);
}

function draw({ workers, hour, queued, broker }) {
  const busy = workers.filter((worker) => worker.isPresent && worker.job).length;
  const there = workers.filter((worker) => worker.isPresent).length;
  const figures = [
    [t("workers.waiting"), queued], [t("workers.painting"), t("workers.of", { count: busy, all: there })],
    [t("workers.finished"), hour.finished], [t("workers.failed"), hour.failed],
    broker && [t("workers.lost"), broker.lost], broker && [t("workers.refused"), broker.refused],
  ].filter(Boolean);
  $("workers-view").replaceChildren(
    ...(broker && !broker.isReached ? [make("p", { className: "error", role: "alert" }, t("workers.away"), " ", make("span", { lang: "en" }, broker.reason ?? ""))] : []),
    make("dl", { className: "figures" }, figures.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, typeof value === "number" ? number(value) : value)))),
    workers.length ? make("ul", { className: "workers" }, workers.map(one)) : make("p", { className: "empty" }, t("workers.none")));
}

function one(worker) {
  const { job } = worker;
  const progress = job?.progress;
  const state = !worker.isPresent ? t("workers.gone", { time: duration(Date.now() / 1000 - worker.seen) })
    : job ? job.prompt : t("workers.idle");
  return make("li", { className: worker.isPresent ? "" : "gone" },
    make("strong", {}, worker.isHere ? t("workers.here", { device: worker.device }) : worker.name),
    make("p", {}, state),
    worker.isPresent && job && make("progress", { max: 1, value: progress?.total ? progress.step / progress.total : null, "aria-label": t("workers.progress", { name: worker.name }) }),
    make("p", { className: "hint" }, [
      worker.processor, counted("workers.done", worker.finished),
      worker.failed > 0 && counted("workers.bad", worker.failed),
      job?.started && worker.isPresent && t("workers.since", { time: duration(Date.now() / 1000 - job.started) }),
    ].filter(Boolean).join(" · ")));
}
