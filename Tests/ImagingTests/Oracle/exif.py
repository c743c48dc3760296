"""Writes Fixtures/exif.json: PNG, JPEG and WebP files whose EXIF blocks Pillow wrote, turned every way and with a
user comment.

    python3 -m venv /tmp/pillow && /tmp/pillow/bin/pip install pillow==13.0.0 && /tmp/pillow/bin/python exif.py
"""
import base64
import io
import json
import pathlib

from PIL import Image

UPRIGHT = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # orientation -> the transpose that undoes the viewer's

cases = []
for kind in ("PNG", "JPEG", "WEBP"):
    for orientation in range(1, 9):
        image = Image.new("RGB", (32, 16), (0, 0, 255))
        image.paste((255, 0, 0), (0, 0, 16, 8))
        if orientation > 1:
            image = image.transpose(Image.Transpose(UPRIGHT[orientation]))
        exif = Image.Exif()
        exif[0x0112] = orientation
        comments = []
        if orientation in (1, 6):
            comments = ["a whale, 鯨"] if orientation == 1 else ["a plain whale"]
            body = (b"UNICODE\0" + comments[0].encode("utf-16-be") if orientation == 1
                    else b"ASCII\0\0\0" + comments[0].encode())
            exif.get_ifd(0x8769)[0x9286] = body  # in the byte order of the block
            if kind == "PNG":
                comments = []  # a PNG's texts are its text chunks
        out = io.BytesIO()
        image.save(out, kind, exif=exif, **({} if kind == "PNG" else {"quality": 95}))
        cases.append(dict(name=f"{kind.lower()}-{orientation}", width=32, height=16, comments=comments,
                          file=base64.b64encode(out.getvalue()).decode()))
path = pathlib.Path(__file__).resolve().parents[1] / "Fixtures" / "exif.json"
path.write_text(json.dumps(cases, indent=0, ensure_ascii=False))
