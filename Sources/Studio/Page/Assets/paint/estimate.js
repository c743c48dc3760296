// What the studio makes of the form before it is painted: the method, and the time if it has measured one.
import { $ } from "../lib/view.js";
import { post } from "../lib/api.js";
import { t, bytes, duration, counted } from "../lib/text.js";
import { methodOf } from "./declared.js";

let turn = 0;

/** @param compose gives the job that the form asks for */
export async function estimate(compose) {
  const mine = turn += 1;
  let body = null;
  try { body = await compose(); } catch { /* The form tells when it is handed in. */ }
  if (mine !== turn) return;
  if (!body?.request.prompt) return tell("");
  try {
    const found = await post("/api/v1/estimates", body);
    if (mine !== turn) return;
    const method = methodOf(found.method)?.title ?? found.method;
    const what = t("estimate.what", { method, size: `${found.width} × ${found.height}` });
    const time = found.seconds === null ? t("estimate.unknown")
      : counted("estimate.time", found.measured, { time: duration(found.seconds) });
    tell([what, time, memory(found)].filter(Boolean).join(" "), found.remarks);
  } catch (error) {
    if (mine === turn) tell(error.message);
  }
}

/** What memory is needed, and what is free where that is less. */
function memory(found) {
  if (found.memory === null) return "";
  const values = { needed: bytes(found.memory), free: bytes(found.freeMemory ?? 0) };
  const isShort = found.freeMemory !== null && found.freeMemory < found.memory;
  return t(isShort ? "estimate.short" : "estimate.memory", values);
}

function tell(text, remarks = []) {
  $("estimate").textContent = text;
  $("remarks").textContent = remarks.join(" ");
}
