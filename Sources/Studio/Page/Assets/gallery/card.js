// A card: the picture and its prompt, to be sent on.
import { fileOf, save } from "../lib/api.js";
import { make, toast } from "../lib/view.js";
import { t } from "../lib/text.js";

export async function card(picture) {
  const image = new Image();
  image.src = fileOf(picture.id);
  await image.decode();
  const side = 1080, margin = 60;
  const canvas = make("canvas", { width: side, height: 1350 });
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#16151a";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  const scale = Math.min((side - 2 * margin) / image.width, 960 / image.height);
  pen.imageSmoothingQuality = "high";
  pen.drawImage(image, (side - image.width * scale) / 2, margin, image.width * scale, image.height * scale);
  pen.fillStyle = "#efedf3";
  pen.font = "600 44px system-ui, sans-serif";
  let line = "", y = 1100;
  for (const word of picture.prompt.split(/\s+/)) {
    if (line && pen.measureText(`${line} ${word}`).width > side - 2 * margin) { pen.fillText(line, margin, y); line = word; y += 56; } else line = line ? `${line} ${word}` : word;
    if (y > 1240) break;
  }
  pen.fillText(line, margin, y);
  pen.fillStyle = "#b3adc0";
  pen.font = "32px system-ui, sans-serif";
  pen.fillText(t("card.by"), margin, 1310);
  const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
  const file = new File([blob], "reverie-card.png", { type: "image/png" });
  if (navigator.canShare?.({ files: [file] })) return navigator.share({ files: [file], title: picture.prompt }).catch(() => {});
  save(blob, file.name);
  toast(t("card.saved"));
}
