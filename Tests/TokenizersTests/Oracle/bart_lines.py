"""Writes .oracle/bart_lines.json: 10,000 lines with the ids that transformers' BartTokenizer gives them under the small
vocabulary of Fixtures/bart, which byte_tokens.py made. Names of special tokens are left out: there they are no text.
"""
import json
import pathlib
import random
import unicodedata

from transformers import BartTokenizer

HERE = pathlib.Path(__file__).resolve().parent
ORACLE = HERE.parents[2] / ".oracle"
WORDS = """a the of painting photo sailboat blue Background trending artstation unreal engine 4k 8K dall-e VQGAN+CLIP don't it's they'll
we've I'm he'd you're naïve Café Größe ΟΔΟΣ мир 東京 서울 שלום ไทย ½ x² Ⅷ ٣ 😀 👩‍🚀 🇯🇵 … — !!! ? , . (x) #1 100% C++ e\u0301 \u200d \ufe0f ' ''
's _ __x__ http://a.b/c?d=e&f=g @user $5 \x00 \x7f \ufeff rock'n'roll İstanbul ẞ 12,345.67""".split(" ")
SPACES = [" "] * 8 + ["", "  ", "   ", "\t", "\n", "\r\n", " \n", "\u00a0", "\u3000", "\u2028", "\x0b", "\x1c", "\u0085"]
BLOCKS = [(0x20, 0x7F), (0xA0, 0x600), (0x600, 0x1200), (0x1E00, 0x2C00), (0x3040, 0x9FFF), (0xAC00, 0xD7A4), (0xF900, 0xFFF0),
          (0x10000, 0x10500), (0x1D400, 0x1D800), (0x1F300, 0x1FAFF)]
rng = random.Random(11)


def characters():
    """Characters that every version of Unicode knows by the same class."""
    text = "".join(chr(rng.randrange(*rng.choice(BLOCKS))) for _ in range(rng.randint(1, 16)))
    return "".join(c for c in text if unicodedata.category(c) not in ("Cn", "Co", "Cs"))


def line():
    pieces = (rng.choice(WORDS) if rng.random() < 0.8 else characters() for _ in range(rng.randint(1, 14)))
    return rng.choice(["", "", " ", "\n"]) + "".join(piece + rng.choice(SPACES) for piece in pieces)


tokenizer = BartTokenizer.from_pretrained(str(HERE.parent / "Fixtures" / "bart"))
rows = [{"text": text, "ids": tokenizer(text, add_special_tokens=False)["input_ids"]} for text in (line() for _ in range(10_000))]
ORACLE.mkdir(exist_ok=True)
(ORACLE / "bart_lines.json").write_text(json.dumps(rows, ensure_ascii=False))
print(len(rows), "lines,", sum(len(row["ids"]) for row in rows), "ids")
