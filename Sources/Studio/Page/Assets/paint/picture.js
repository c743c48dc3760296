// The picture that was added: to begin from, to be like, or to be painted in its style.
import { $, make, toast, trying } from "../lib/view.js";
import { handIn } from "../lib/api.js";
import { t } from "../lib/text.js";
import { takes, declarations } from "./declared.js";
import { chosenMethod, followMethod } from "./settings.js";
import { offerSize } from "./size.js";

let added = null;
let useSettings = null;

/** @param takeSettings fills the form with a request */
export function startPicture(takeSettings) {
  useSettings = takeSettings;
  $("begin-file").addEventListener("change", (event) => { if (event.target.files[0]) addPicture(event.target.files[0]); event.target.value = ""; });
  $("begin-remove").addEventListener("click", () => { removePicture(); $("begin-file").focus(); });
  $("begin-settings").addEventListener("click", () => useSettings(added.settings));
  $("begin-use").addEventListener("change", suit);
  $("amount").addEventListener("input", tell);
  followMethod(suit);
}

/** A picture that was dropped, chosen or pasted. */
export async function addPicture(file) {
  location.hash = "#/paint";
  await trying(async () => {
    const found = await handIn(file);
    await begin(found.file, URL.createObjectURL(file), found.settings);
    if (found.settings) toast(t("picture.tells"), t("picture.settings"), () => useSettings(found.settings));
  });
}

/** Takes a picture that the studio has. */
export async function begin(file, address, settings, use = "init") {
  const picture = $("begin-picture");
  picture.src = address;
  added = { file, settings };
  $("begin-settings").hidden = !settings;
  $("begin-empty").hidden = true;
  $("begin-full").hidden = false;
  $("begin-use").value = use;
  $("amount").value = 0.7;
  suit();
  await picture.decode().catch(() => {});
  if (picture.naturalWidth) offerSize({ width: picture.naturalWidth, height: picture.naturalHeight });
}

export function removePicture() {
  added = null;
  offerSize(null);
  $("begin-empty").hidden = false;
  $("begin-full").hidden = true;
}

/** What the slider means depends on what the picture is for. */
function suit() {
  const method = chosenMethod();
  const needs = { init: "initImage", like: "prompts", style: "objectives" };
  for (const option of $("begin-use").options) option.disabled = !takes(method, needs[option.value]);
  const use = $("begin-use").value;
  $("amount-label").textContent = t(`picture.${use}.amount`);
  $("amount-hint").textContent = t(`picture.${use}.hint`);
  [$("amount").min, $("amount").max, $("amount").step] = use === "init" ? [0.05, 1, 0.05] : [0, 3, 0.05];
  if (use !== "init" && $("amount").dataset.use === "init") $("amount").value = 1;
  if (use === "init" && $("amount").dataset.use !== "init") $("amount").value = 0.7;
  $("amount").dataset.use = use;
  tell();
}

function tell() {
  const value = Number($("amount").value);
  $("amount-value").textContent = $("begin-use").value === "init" ? `${Math.round(value * 100)} %` : String(value);
}

/** What the picture adds to a job: to its request, and beside it. */
export async function readPicture(body) {
  if (!added) return;
  const { request } = body;
  const amount = Number($("amount").value);
  switch ($("begin-use").value) {
    case "init":
      request.initImage = added.file;
      body.strength = amount;
      break;
    case "like":
      request.prompts = [...(request.prompts ?? []), { image: added.file, ...(amount !== 1 && { weight: amount }) }];
      break;
    default: {
      const style = (await declarations()).objectives.find((objective) => objective.name === "style");
      const argument = style.arguments.find((one) => one.kind === "file");
      request.objectives = [...(request.objectives ?? []), { name: style.name, weight: amount, [argument.name]: added.file }];
    }
  }
}
