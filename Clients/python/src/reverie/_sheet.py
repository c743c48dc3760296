"""Several pictures on one sheet, each with its label."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

#: Widest sheet, in pixels.
WIDEST = 1200
GAP = 8


def sheet(pictures: Sequence[tuple[Image.Image | None, str]], columns: int | None = None) -> Image.Image:
    """A sheet of labelled pictures; None is one that is not there yet."""
    if columns is None:
        columns = len(pictures) if len(pictures) < 5 else math.ceil(math.sqrt(len(pictures)))
    rows = math.ceil(len(pictures) / columns)
    known = [picture.size for picture, _ in pictures if picture] or [(256, 256)]
    cell = min(max(max(size) for size in known), (WIDEST - GAP) // columns - GAP)
    font = ImageFont.load_default(size=max(11, min(18, cell // 12)))
    band = round(font.getbbox("Ág")[3] * 1.5) if any(label for _, label in pictures) else 0
    size = (GAP + columns * (cell + GAP), GAP + rows * (cell + band + GAP))
    paper = Image.new("RGB", size, "white")
    ink = ImageDraw.Draw(paper)
    for place, (picture, label) in enumerate(pictures):
        x = GAP + place % columns * (cell + GAP)
        y = GAP + place // columns * (cell + band + GAP)
        if picture:
            shown = fitted(picture.convert("RGB"), cell)
            paper.paste(shown, (x + (cell - shown.width) // 2, y + (cell - shown.height) // 2))
        else:
            ink.rectangle((x, y, x + cell - 1, y + cell - 1), fill="#eeeeee")
        ink.text((x + cell / 2, y + cell + band / 2), shortened(label, font, cell), "#222222", font, "mm")
    return paper


def fitted(picture: Image.Image, side: int) -> Image.Image:
    """A picture no larger than a square."""
    if max(picture.size) <= side:
        return picture
    scale = side / max(picture.size)
    return picture.resize(
        (max(1, round(picture.width * scale)), max(1, round(picture.height * scale))), Image.Resampling.LANCZOS
    )


def shortened(label: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> str:
    """A label that fits."""
    if font.getlength(label) <= width:
        return label
    while label and font.getlength(label + "…") > width:
        label = label[:-1]
    return label + "…"


def png(picture: Image.Image) -> bytes:
    """A picture's file."""
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()
