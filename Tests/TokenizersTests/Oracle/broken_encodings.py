"""Writes Fixtures/broken_encodings.json: texts that were decoded by a wrong encoding, whole and in parts, once and
more, with bytes lost on the way, and random ones of the same characters; each with what CLIP's `basic_clean`
makes of it (ftfy.fix_text, html.unescape twice) before it is stripped. Texts that it leaves alone are among them.

    .oracle/env/bin/python Tests/TokenizersTests/Oracle/broken_encodings.py [COUNT [FILE [SEED]]]
"""
import html
import json
import pathlib
import random
import sys

import ftfy
import ftfy.bad_codecs  # noqa: F401
from ftfy.badness import MOJIBAKE_CATEGORIES
from ftfy.chardata import CHARMAP_ENCODINGS

FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "Fixtures"
count = int(sys.argv[1]) if len(sys.argv) > 1 else 600
path = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else FIXTURES / "broken_encodings.json"
rng = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 5)

SENTENCES = [
    "a café in Orléans at dusk", "“a quoted fox” — it’s red…", "Größe, Straße, Übermut", "à la mode, às vezes àquela hora", "El Niño: ¡qué día! ¿no?",
    "Čapek, Dvořák, Łódź, żółw, ősz", "Привет, мир! Картина маслом", "Ελληνικά: μια κόκκινη αλεπού", "İstanbul'da ışık, gümüş", "Ģirts, Šķēle, ķīļš",
    "日本の狐、赤い", "北京 故宫 绘画", "한국의 여우", "ثعلب أحمر", "שועל אדום", "हिन्दी में लोमड़ी", "ภาพวาด", "😀 a fox 🦊 🏴‍☠️", "½ × ²³ ± 5° €20 £3 ¥9", "© 2021 • ™ ®",
    "Åland Å Ð þ ø æ", "fàcil, Ã la", "œuvre, cœur, Œdipe", "naïve résumé", "–—―‘’‚“”„•…", "√±∂ ≠ ≤≥", "\u00a0x\u00a0y\u00ad", "│┌┐═╬ █▓", "a fox", "the sea & the sky",
]
TAILS = ["", "", "", " in oil", ", 4k", " ÁÉ", " — über", " <b>", " &eacute;", " мир", "\n", " été"]
SIGNS = [c for kind in MOJIBAKE_CATEGORIES.values() for c in kind if c != "-"] + [chr(n) for n in range(0x80, 0x100)] + list("АБВГДЕРСТагдежўЂ") + list("ΑΒΓΔΞΟβγδξο")
PLAIN = list("abcdeXYZ  .,?!1") + ["ﬁ", "ŉ", "ﾀ", "Ａ", "\r", "\r\n", "\x1a", "&amp;", "&Atilde;", "&copy;", "&#195;", "&#xA9;", "\x1b[0m", "<"]


def wrong(text):
    """The text read by a wrong encoding, with some bytes lost."""
    encoding = rng.choice(CHARMAP_ENCODINGS)
    data = text.encode("utf-8")
    if rng.random() < 0.06:
        data = b"".join(cesu(c) for c in text)
    read = data.decode(encoding, "replace")
    chance = rng.random()
    if chance < 0.15:
        read = read.replace("\u00a0", " ")
    elif chance < 0.25:
        read = "".join("\ufffd" if 0x80 <= ord(c) < 0xA0 else c for c in read)
    elif chance < 0.3:
        read = "".join("?" if 0x80 <= ord(c) < 0xA0 and rng.random() < 0.5 else c for c in read)
    elif chance < 0.35:
        read = "".join(c for c in read if rng.random() < 0.97)
    elif chance < 0.4:
        read = html.escape(read) if rng.random() < 0.5 else "".join(f"&#{ord(c)};" if ord(c) > 0x7F else c for c in read)
    elif chance < 0.45:
        read = read.lower() if rng.random() < 0.5 else read.upper()
    return read


def cesu(c):
    """CESU-8, and Java's two bytes for nothing."""
    if c == " ":
        return b"\xc0\x80 "
    if ord(c) < 0x10000:
        return c.encode("utf-8")
    pair = c.encode("utf-16-be")
    return b"".join(pair[i:i + 2].decode("utf-16-be", "surrogatepass").encode("utf-8", "surrogatepass") for i in (0, 2))


def line():
    chance = rng.random()
    if chance < 0.3:
        return "".join(rng.choice(SIGNS if rng.random() < 0.6 else PLAIN) for _ in range(rng.randint(2, 9)))
    text = rng.choice(SENTENCES)
    if rng.random() < 0.4:
        text = " ".join(rng.choice(text.split(" ")) for _ in range(rng.randint(1, 4)))
    for _ in range(rng.choice([0, 1, 1, 1, 1, 2, 2, 3])):
        text = wrong(text)
    if chance > 0.65:
        text = rng.choice(SENTENCES) + rng.choice([" ", "", ": ", "\n"]) + text
    if chance > 0.9 and len(text) > 4:
        text = text[rng.randint(0, 3):rng.randint(4, len(text))]
    return text[:160] + rng.choice(TAILS)


lines = []
while len(lines) < count:
    text = line()
    if text not in lines and not any(0xD800 <= ord(c) < 0xE000 for c in text):
        lines.append(text)
rows = [[text, html.unescape(html.unescape(ftfy.fix_text(text)))] for text in lines]
path.write_text("[\n" + ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows) + "\n]\n")
print(len(rows), "lines,", sum(a != b for a, b in rows), "changed, ftfy", ftfy.__version__)
