"""Writes Fixtures/{pictures,resampling,texts}.json for ImagingTests.

Files are encoded by Pillow, or here where Pillow cannot (bit depths, interlacing, keyed
transparency), and decoded and resized by Pillow. Needs: pip install pillow. Run in this folder's
parent: python3 Oracle/imaging.py
"""

import base64
import io
import json
import pathlib
import random
import struct
import zlib

from PIL import Image, ImageOps, PngImagePlugin

FIXTURES = pathlib.Path(__file__).resolve().parent.parent / "Fixtures"


def b64(data):
    return base64.b64encode(bytes(data)).decode()


# -- PNG of every colour type and depth ------------------------------------------------------

SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def chunk(kind, data):
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def packed(samples, depth):
    if depth == 16:
        return b"".join(struct.pack(">H", s) for s in samples)
    if depth == 8:
        return bytes(samples)
    bits = "".join(format(s, f"0{depth}b") for s in samples)
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))


def png(width, height, color, depth, pixels, interlaced, chunks):
    """`pixels[y][x]` is a tuple of samples; every line uses filter 0."""
    raw = b""
    passes = ADAM7 if interlaced else [(0, 0, 1, 1)]
    for x0, y0, dx, dy in passes:
        for y in range(y0, height, dy):
            line = [s for x in range(x0, width, dx) for s in pixels[y][x]]
            if line:
                raw += b"\0" + packed(line, depth)
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, int(interlaced))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(chunk(*c) for c in chunks)
        + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")
    )


def png_cases(rng):
    kinds = [(0, d) for d in (1, 2, 4, 8, 16)] + [(2, 8), (2, 16)]
    kinds += [(3, d) for d in (1, 2, 4, 8)] + [(4, 8), (4, 16), (6, 8), (6, 16)]
    width, height = 9, 6
    for color, depth in kinds:
        for interlaced in (False, True):
            for keyed in (False, True) if color in (0, 2, 3) else (False,):
                top = 2**depth - 1
                palette = [tuple(rng.randrange(256) for _ in range(3)) for _ in range(2**depth)]
                alphas = [rng.randrange(256) for _ in range(max(1, 2**depth - 1))]
                pixels = [
                    [tuple(rng.randint(0, top) for _ in range(SAMPLES[color])) for _ in range(width)]
                    for _ in range(height)
                ]
                key = pixels[2][3]
                pixels[0][0] = key
                chunks = []
                if color == 3:
                    chunks.append((b"PLTE", bytes(v for p in palette for v in p)))
                    if keyed:
                        chunks.append((b"tRNS", bytes(alphas)))
                elif keyed:
                    chunks.append((b"tRNS", b"".join(struct.pack(">H", s) for s in key)))

                def scaled(s):
                    return (s * 255 * 2 + top) // (2 * top)

                def expected(p):
                    if color == 3:
                        alpha = alphas[p[0]] if p[0] < len(alphas) else 255
                        return palette[p[0]] + ((alpha,) if keyed else ())
                    rgb = tuple(scaled(s) for s in (p[:1] * 3 if color in (0, 4) else p[:3]))
                    if color in (4, 6):
                        return rgb + (scaled(p[-1]),)
                    return rgb + ((0 if p == key else 255,) if keyed else ())

                name = f"png-{'grey - rgb palette grey+alpha - rgba'.split()[color]}-{depth}"
                name += ("-interlaced" if interlaced else "") + ("-keyed" if keyed else "")
                data = png(width, height, color, depth, pixels, interlaced, chunks)
                result = [v for row in pixels for p in row for v in expected(p)]
                Image.open(io.BytesIO(data)).load()  # Pillow must accept what is written here
                if depth == 8:
                    mode = "RGBA" if len(result) == width * height * 4 else "RGB"
                    assert list(Image.open(io.BytesIO(data)).convert(mode).tobytes()) == result, name
                yield {
                    "name": name, "width": width, "height": height,
                    "channels": len(result) // width // height, "file": b64(data),
                    "bytes": b64(result), "tolerance": 0,
                }


# -- JPEG and WebP ----------------------------------------------------------------------------


def scene(width, height, alpha=False):
    image = Image.new("RGBA" if alpha else "RGB", (width, height))
    for y in range(height):
        for x in range(width):
            rgb = (x * 255 // width, y * 255 // height, 200 if x * height > y * width else 40)
            image.putpixel((x, y), rgb + ((255 * (x + y) // (width + height),) if alpha else ()))
    return image


def saved(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def coded(name, data, mode, tolerance):
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert(mode)
    return {
        "name": name, "width": image.width, "height": image.height, "channels": len(mode),
        "file": b64(data), "bytes": b64(image.tobytes()), "tolerance": tolerance,
    }


def coded_cases():
    rgb, rgba = scene(21, 14), scene(21, 14, alpha=True)
    yield coded("jpeg-rgb", saved(rgb, "JPEG", quality=90), "RGB", 2)
    yield coded("jpeg-progressive", saved(rgb, "JPEG", quality=80, progressive=True), "RGB", 2)
    yield coded("jpeg-grey", saved(rgb.convert("L"), "JPEG"), "RGB", 1)
    yield coded("jpeg-cmyk", saved(rgb.convert("CMYK"), "JPEG", quality=95), "RGB", 2)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        data = saved(rgb, "JPEG", quality=90, exif=exif)
        yield coded(f"jpeg-orientation-{orientation}", data, "RGB", 2)
    yield coded("webp-rgb", saved(rgb, "WEBP", quality=80), "RGB", 1)
    yield coded("webp-rgba", saved(rgba, "WEBP", quality=80), "RGBA", 1)
    yield coded("webp-lossless", saved(rgba, "WEBP", lossless=True, exact=True), "RGBA", 0)


# -- Resampling -------------------------------------------------------------------------------

FILTERS = {
    "lanczos3": Image.Resampling.LANCZOS, "bicubic": Image.Resampling.BICUBIC,
    "area": Image.Resampling.BOX, "nearest": Image.Resampling.NEAREST,
}


def resampling_cases(rng):
    sources, cases = {}, []
    for alpha in (False, True):
        source = scene(23, 17, alpha)
        for _ in range(60):  # isolated pixels make the filters ring
            pixel = tuple(rng.choice((0, 255)) for _ in range(3)) + (rng.choice((0, 90, 255)),)
            at = (rng.randrange(23), rng.randrange(17))
            source.putpixel(at, pixel if alpha else pixel[:3])
        channels = 4 if alpha else 3
        sources[channels] = b64(source.tobytes())
        for name, which in FILTERS.items():
            for size in ((9, 31), (46, 34), (5, 4), (23, 8), (1, 1)):
                result = source.resize(size, which)
                cases.append({
                    "filter": name, "width": size[0], "height": size[1], "channels": channels,
                    "bytes": b64(result.tobytes()),
                })
    return {"width": 23, "height": 17, "rgb": sources[3], "rgba": sources[4], "cases": cases}


# -- Texts ------------------------------------------------------------------------------------


def text_cases():
    info = PngImagePlugin.PngInfo()
    info.add_text("parameters", "a whale\nSteps: 20, Seed: 1")
    info.add_text("Latin", "caf\u00e9 \u00bd")
    info.add_itxt("International", "\u00e9l\u00e9phant \u732b \U0001f433", lang="fr", tkey="cl\u00e9")
    info.add_text("Squeezed", "a " * 500, zip=True)
    info.add_itxt("Both", "\u732b" * 300, zip=True)
    info.add_text("parameters", "again")
    texts = [
        ["parameters", "a whale\nSteps: 20, Seed: 1"], ["Latin", "caf\u00e9 \u00bd"],
        ["International", "\u00e9l\u00e9phant \u732b \U0001f433"], ["Squeezed", "a " * 500],
        ["Both", "\u732b" * 300], ["parameters", "again"],
    ]
    return {"file": b64(saved(scene(4, 3), "PNG", pnginfo=info)), "texts": texts}


def write(name, value):
    (FIXTURES / name).write_text(json.dumps(value, indent=0, ensure_ascii=True) + "\n")


if __name__ == "__main__":
    rng = random.Random(20)
    write("pictures.json", list(png_cases(rng)) + list(coded_cases()))
    write("resampling.json", resampling_cases(rng))
    write("texts.json", text_cases())
