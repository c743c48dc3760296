"""Writes Fixtures/bpe_reduced.txt (the first merges of OpenAI's vocabulary) and Fixtures/clip_tokens.json: lines, their
ids under the whole vocabulary and under the reduced one, by clip-anytorch's SimpleTokenizer.

Copies OpenAI's vocabulary to .oracle/, where the test of the whole one looks for it. By the environment of
Tests/ModelsTests/Oracle.
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "ModelsTests" / "Oracle"))
from common import *

import gzip
import html.entities
import json
import random
import shutil

from clip.simple_tokenizer import SimpleTokenizer, default_bpe

LINES = [
    "a photo of a cat!!!", "Hello,  WORLD it's 2021", "é", "naïve café", "数字", "😀 ok", "foo_bar", "", " ", "\n\t",
    "I'm you're we've they'll he'd don't IT'S", "''s 's's s' 't're", "it\u2019s \u201cquoted\u201d \u2018so\u2019",
    "<|startoftext|> in <|endoftext|> text", "<|ENDOFTEXT|>", "<|endoftext|x", "a&amp;b &lt;i&gt; &amp;amp;lt;",
    "&notit; &copy 2020 &copy; &hearts; &hearts &#65;&#x42;&#8364;&#128; &#0; &#xD800; &#1114112; &#38;amp;",
    "&amp;amp;amp;amp;gt; <b>&amp;eacute;</b>", "&; &# &#x; &#xg; & &&&amp", "&thetasym;&lang;&rang;&frasl;&apos;&apos",
    "ＦＵＬＬ　Ｗｉｄｔｈ １２３ ｶﾀｶﾅ", "ﬁne ﬂow oﬃce ﬀ ﬅ Ǆ ĳ ŉ", "ΟΔΥΣΣΕΥΣ Σ ΣΑΣ. ΑΣ' ΑΣ΄Β", "İstanbul DİYARBAKIR ışık",
    "STRASSE straße ẞ", "e\u0301 vs \u00e9, A\u030a", "\u212a\u212b \u2126", "'\u017f don'\u017f", "١٢٣ Ⅷ ½ ² ௧", "x²+y²=z²",
    "👩‍👩‍👧‍👦 🇩🇪 👍🏽 ☃️ ❤️‍🔥 #️⃣", "日本語のテキスト、それと漢字。", "한국어 텍스트", "Привет, МИР!", "שלום עולם", "مرحبا بالعالم",
    "हिन्दी में पाठ", "ไทย", "a\u00a0b\u2003c\u200bd\u3000e\u0085f\u2028g", "tab\tand\r\nline\rbreaks\fform\vvertical",
    "\x00nul\x07bell\x1b[31mred\x1b[0m \x1b[ \x7f\ufeff\u206a", "\x80\x93\x96 win", "a" * 300, "ab" * 200, "!" * 50 + "?" * 40,
    "$12,345.67 (50% off) @user #tag http://a.b/c?d=e&f=g", "ünïcödé ÀÉÎÕÜ çñ ŠŽ Łódź", "\U0001d518\U0001d52b ℌ 𝕏", "\u0378\ue000\U000f0000",
    "a sailboat on a blue background", "two pizzas, one fox & a whale", "__init__ snake_case camelCase", "—–-‐ …", "½ cup ¼ tsp",
]
WORDS = ["cat", "Dog", "SAILBOAT", "the", "of", "on", "a", "painting", "unreal", "engine", "trending", "artstation", "don't",
         "it's", "they'll", "2021", "3d", "8k", "naïve", "Café", "Größe", "Ωmega", "ΟΔΟΣ", "мир", "東京", "夢", "カメラ", "서울",
         "😀", "🎨🖌️", "👩‍🚀", "🇯🇵", "…", "—", "!!!", "?", ",", ".", "(x)", "#1", "100%", "C++", "e=mc²", "①", "&amp;", "&lt;b&gt;",
         "&hearts;", "&#9829;", "&eacute;t&eacute;", "ﬂower", "Ｗｉｄｅ", "\u2019tis", "\u201cq\u201d", "x\u0301", "İ", "\u200d", "\ufe0f"]
SPACES = [" ", " ", " ", "  ", "", "\t", "\u00a0", "\n", "\u3000"]


rng = random.Random(0)
lines = list(LINES)
while len(lines) < 400:
    line = "".join(rng.choice(WORDS) + rng.choice(SPACES) for _ in range(rng.randint(1, 14)))
    if rng.random() < 0.2:
        line += "".join(chr(rng.choice([rng.randrange(0x20, 0x7F), rng.randrange(0xA0, 0x600), rng.randrange(0x3040, 0x9FFF),
                                         rng.randrange(0x1F300, 0x1FAFF)])) for _ in range(8))
    lines.append(line)


FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "Fixtures"
full = SimpleTokenizer()
merges = gzip.open(default_bpe()).read().decode().split("\n")[:1501]
(FIXTURES / "bpe_reduced.txt").write_text("\n".join(merges))  # no newline at the end: it would become a token
with gzip.open(ROOT / ".oracle" / "bpe_reduced.txt.gz", "wb") as f:
    f.write("\n".join(merges).encode())
reduced = SimpleTokenizer(str(ROOT / ".oracle" / "bpe_reduced.txt.gz"))
rows = [{"text": line, "ids": full.encode(line), "reduced": reduced.encode(line)} for line in lines]
(FIXTURES / "clip_tokens.json").write_text(
    "[\n" + ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows) + "\n]\n")
shutil.copy(default_bpe(), ROOT / ".oracle" / "bpe_simple_vocab_16e6.txt.gz")
print(len(lines), "lines")
