"""Writes Fixtures/gpt2/ and Fixtures/bart/, small vocabularies trained by Hugging Face's tokenizers, and
Fixtures/byte_tokens.json: lines with their ids by GLIDE's Encoder, transformers' BartTokenizer and min-dalle's TextTokenizer.
Copies GPT-2's whole vocabulary to .oracle/, where its test looks for it.

    git clone https://github.com/openai/glide-text2im    # at 69b5307
    .oracle/env/bin/python Tests/TokenizersTests/Oracle/byte_tokens.py glide-text2im
"""
import importlib.metadata
import importlib.util
import json
import pathlib
import random
import shutil
import sys
import unicodedata

from tokenizers import ByteLevelBPETokenizer
from transformers import BartTokenizer

glide = pathlib.Path(sys.argv[1])
sys.path.insert(0, str(glide))
from glide_text2im.tokenizer import bpe  # noqa: E402

# The package min_dalle itself imports torch.
spec = importlib.util.spec_from_file_location(
    "text_tokenizer", importlib.metadata.distribution("min-dalle").locate_file("min_dalle/text_tokenizer.py"))
min_dalle = importlib.util.module_from_spec(spec)
spec.loader.exec_module(min_dalle)

FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "Fixtures"
ORACLE = pathlib.Path(__file__).resolve().parents[3] / ".oracle"
SPECIALS = ["<s>", "<pad>", "</s>", "<unk>"]

LINES = [
    "", " ", "  ", "\n", "\t\t", "a", " a", "a ", "  a", "a  b", "a \t b", "a\t\tb", "a \n\n b", "\n\na\n", "a\r\nb", "\u3000a\u3000\u3000b",
    "a\u00a0b\u2003\u2003c\u0085d\u2028e\x1cf\x0bg", "I'm you're we've they'll he'd don't IT'S I'M WE'LL", "''s 's's s' 't're ' s '", "rock'n'roll 'tis",
    "it\u2019s \u201cquoted\u201d", "'\u017f don'\u017f", "½ ٣ x² Ⅷ ①②③ 12,345.67 ٣٤ 3d 8k 1st", " ½", "½½", "a½b", "x 1 2  3",
    "!", " !", "a!!! ?", "!!a", "$12 (50% off) @user #tag", "http://a.b/c?d=e&f=g", "foo_bar __init__", "<|endoftext|>", "a<|endoftext|>b",
    "e\u0301 A\u030a \u0301 a\u0301\u0302b", "İstanbul DİYARBAKIR ışık", "ΟΔΥΣΣΕΥΣ Σ ΣΑΣ. ΑΣ' ΑΣ΄Β", "STRASSE straße ẞ", "\u212a\u212b \u2126",
    "👩‍👩‍👧‍👦 🇩🇪 👍🏽 ☃️ ❤️‍🔥 #️⃣", "😀😀 😀  😀", "日本語のテキスト、それと漢字。", "한국어 텍스트", "Привет, МИР!", "שלום עולם", "مرحبا بالعالم", "हिन्दी में पाठ", "ไทย",
    "\x00nul\x07bell\x7f", "a\u200bb\ufeffc", "\u0345 a\u0345b", "\U0001d518\U0001d52b ℌ 𝕏", "a" * 300, "ab" * 150, " " * 40 + "x", "!" * 50,
    "a painting of a red fox", "An Oil Painting, of the blue whale; highly detailed!", "the cat sat on the mat", "banana mississippi",
]
WORDS = """a the of painting photo sailboat blue Background trending artstation unreal engine 4k 8K dall-e VQGAN+CLIP don't it's they'll
we've I'm he'd you're naïve Café Größe ΟΔΟΣ мир 東京 서울 שלום ไทย ½ x² Ⅷ ٣ 😀 👩‍🚀 🇯🇵 … — !!! ? , . (x) #1 100% C++ e\u0301 \u200d \ufe0f ' '' 's""".split()
SPACES = [" "] * 6 + ["", "  ", "   ", "\t", "\n", "\r\n", " \n", "\u00a0", "\u3000", "\u2028"]
BLOCKS = [(0x20, 0x7F), (0xA0, 0x600), (0x900, 0x1200), (0x2000, 0x2C00), (0x3040, 0x9FFF), (0x1F300, 0x1FAFF)]
rng = random.Random(3)


def characters():
    """Characters that every version of Unicode knows by the same class."""
    text = "".join(chr(rng.randrange(*rng.choice(BLOCKS))) for _ in range(12))
    return "".join(c for c in text if unicodedata.category(c) not in ("Cn", "Co", "Cs"))


lines = list(LINES)
while len(lines) < 180:
    line = "".join(rng.choice(WORDS) + rng.choice(SPACES) for _ in range(rng.randint(1, 9)))
    lines.append(rng.choice(SPACES) + line + (characters() if rng.random() < 0.3 else ""))

corpus = [
    "a painting of a red fox", "an oil painting of the blue whale", "the cat sat on the mat", "it's a sailboat, isn't it?",
    "they're trending on artstation 12 34 56 789 2021 1999", "highly detailed unreal engine render, 4k, 8k, octane", "banana mississippi",
    "naïve café Größe мир привет 東京 日本 서울 שלום 😀😀 👩‍🚀 ½ ² …", "  two  blanks\n\nlines\t\ttabs    four", "ab abab ababab aaaa aaaaaaaa",
    "I'm sure we'll say you're here; he'd don't they've it's", "!!! ?? ... --- (x) \"quoted\" <|endoftext|> http://", "İstanbul ΟΔΥΣΣΕΥΣ οδος",
    "portrait of an astronaut riding a horse in the style of vincent van gogh, starry night, impressionism, thick brush strokes",
    "a photograph of a small wooden house beside a mountain lake at sunset, soft light, fog, reflections on the water",
    "Two Pizzas On A Table, ISOMETRIC view, low poly, by candlelight, with snow outside and one tree"] + [
    f"a {a} {b} on a {c} background" for a in ("red", "green", "Blue") for b in ("whale", "pizza", "fox") for c in ("white", "yellow")]


def trained(specials):
    tokenizer = ByteLevelBPETokenizer()
    tokenizer.train_from_iterator(corpus * 5, vocab_size=256 + 300 + len(specials), min_frequency=1, special_tokens=specials,
                                  show_progress=False)
    return tokenizer


gpt2 = FIXTURES / "gpt2"
gpt2.mkdir(parents=True, exist_ok=True)
trained([]).save_model(str(gpt2))
ids = json.loads((gpt2 / "vocab.json").read_text())
(gpt2 / "encoder.json").write_text(json.dumps(ids | {"<|endoftext|>": len(ids)}))
(gpt2 / "vocab.json").unlink()
(gpt2 / "merges.txt").rename(gpt2 / "vocab.bpe")
text = (gpt2 / "vocab.bpe").read_text()
encoder = bpe.Encoder(json.loads((gpt2 / "encoder.json").read_text()), [tuple(m.split()) for m in text.split("\n")[1:-1]])
whole = bpe.get_encoder()

bart = FIXTURES / "bart"
bart.mkdir(parents=True, exist_ok=True)
trained(SPECIALS).save_model(str(bart))
trained(SPECIALS).save(str(bart / "tokenizer.json"), pretty=False)
vocab, merges = str(bart / "vocab.json"), str(bart / "merges.txt")
tokenizer = BartTokenizer.from_pretrained(str(bart))
mini = min_dalle.TextTokenizer(json.loads((bart / "vocab.json").read_text()), (bart / "merges.txt").read_text().split("\n")[1:-1])

rows = []
for line in lines:
    row = {"text": line, "glide": encoder.encode(line), "gpt2": whole.encode(line), "minDALLE": mini.tokenize(line),
           "bart": tokenizer(line, add_special_tokens=False)["input_ids"]}
    assert encoder.decode(row["glide"]) == line.lower()
    if len(rows) < 60:
        ids, mask = encoder.padded_tokens_and_mask(row["glide"], 12)
        row["glide12"] = {"ids": ids, "mask": mask}
        padded = tokenizer(line, padding="max_length", truncation=True, max_length=12)
        row["bart12"] = {"ids": padded["input_ids"], "mask": [bool(m) for m in padded["attention_mask"]]}
    rows.append(row)
(FIXTURES / "byte_tokens.json").write_text("[\n" + ",\n".join(json.dumps(row, separators=(",", ":"), ensure_ascii=False) for row in rows) + "\n]\n")
ORACLE.mkdir(exist_ok=True)
for name in ("encoder.json.gz", "vocab.bpe.gz"):
    shutil.copy(glide / "glide_text2im" / "tokenizer" / name, ORACLE / name)
made = [m.replace(" ", "") for m in (bart / "merges.txt").read_text().split("\n")[1:-1]]
print(len(lines), "lines,", len(made) - len(set(made)), "symbols made twice")
