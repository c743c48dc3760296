"""Writes .oracle/full/tokens.json: 12,000 lines of everything people and programs type, with the ids that clip-anytorch's
SimpleTokenizer gives them. For `script/test --full`, by full.py of Tests/ModelsTests/Oracle.
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "ModelsTests" / "Oracle"))
from common import *

import html.entities
import json
import random
import unicodedata

import emoji
from clip.simple_tokenizer import SimpleTokenizer

WORDS = """a the of painting photo sailboat blue Background trending artstation unreal engine 4k 8K dall-e VQGAN+CLIP don't
it's they'll we've I'm he'd you're rock'n'roll naïve Café Größe STRASSE ΟΔΥΣΣΕΥΣ мир ПРИВЕТ 東京 夢のカメラ 서울 שלום مرحبا हिन्दी ไทย
ﬁne oﬃce Ｗｉｄｅ ｶﾀｶﾅ １２３ ½ x² Ⅷ ① İstanbul ẞ \u212a ŉ Ǆ <|startoftext|> <|endoftext|> <b> __x__ C++ e=mc² (50%) @user #tag
http://a.b/c?d=e&f=g \u2018q\u2019 \u201cq\u201d … — e\u0301 A\u030a o\u0308\u0304 ṩ s\u0323\u0307 s\u0307\u0323""".split()
SPACES = [" "] * 6 + ["", "  ", "\t", "\n", "\r\n", "\u00a0", "\u2003", "\u3000", "\u0085", "\u2028", "\u200b"]
CONTROLS = [chr(c) for c in list(range(0x20)) + list(range(0x7F, 0xA0)) + [0xFEFF, 0x200D, 0x200E, 0x202E, 0x206A, 0xFFF9, 0xAD]]
BLOCKS = [(0x20, 0x7F), (0xA0, 0x250), (0x250, 0x600), (0x600, 0x1200), (0x1E00, 0x2000), (0x2000, 0x2C00), (0x3040, 0x3400),
          (0x4E00, 0x9FFF), (0xAC00, 0xD7A4), (0xF900, 0xFB00), (0xFB00, 0x10000), (0x10000, 0x10500), (0x1D400, 0x1D800),
          (0x1F300, 0x1FB00), (0x20000, 0x20100)]
MARKS = [chr(c) for c in range(0x300, 0x370)] + ["\u20dd", "\u3099", "\u0651", "\ufe0f"]
EMOJI = sorted(emoji.EMOJI_DATA)
NAMES = sorted(html.entities.html5)
rng = random.Random(7)


def character():
    while True:
        low, high = rng.choice(BLOCKS)
        c = chr(rng.randrange(low, high))
        if unicodedata.category(c) not in ("Cn", "Cs", "Co"):
            return c


def entity():
    kind = rng.random()
    if kind < 0.5:
        return "&" + rng.choice(NAMES)
    if kind < 0.6:
        return "&" + rng.choice(NAMES).upper()
    if kind < 0.7:
        return "&amp;" + rng.choice(NAMES)
    number = rng.choice([rng.randrange(0x100), rng.randrange(0x3000), rng.randrange(0x120000)])
    # What later versions of Unicode assign, one library knows and another does not.
    if number < 0x110000 and unicodedata.category(chr(number)) == "Cn":
        number = 0x2665
    return rng.choice(["&#%d;", "&#x%x;", "&#X%X;", "&#%d", "&#x%x"]) % number


def piece():
    kind = rng.random()
    if kind < 0.55:
        word = rng.choice(WORDS)
        return rng.choice([word, word, word, word.upper(), word.title()])
    if kind < 0.67:
        return rng.choice(EMOJI) * rng.choice([1, 1, 2])
    if kind < 0.79:
        return "".join(character() for _ in range(rng.randint(1, 6)))
    if kind < 0.86:
        return "".join(character() + "".join(rng.choice(MARKS) for _ in range(rng.randint(0, 3))) for _ in range(3))
    if kind < 0.96:
        return entity()
    return rng.choice(CONTROLS) + rng.choice(["", "[31m", "x"])


def main():
    tokenizer, rows = SimpleTokenizer(), []
    while len(rows) < 12000:
        text = "".join(piece() + rng.choice(SPACES) for _ in range(rng.randint(1, 16)))
        rows.append({"text": text, "ids": tokenizer.encode(text)})
    FULL.mkdir(parents=True, exist_ok=True)
    (FULL / "tokens.json").write_text(json.dumps(rows, separators=(",", ":")))
    print(len(rows), "lines")


if __name__ == "__main__":
    main()
