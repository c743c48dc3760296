"""Writes Fixtures/dalle_text.json: texts as dalle-mini's TextNormalizer leaves them, with words for its hashtags.

    .oracle/env/bin/python Tests/TokenizersTests/Oracle/dalle_text.py [COUNT]    # of texts, 400 if left out

Left out is what Reverie does otherwise: scripts beyond Latin, Greek and Cyrillic, <person>, mojibake, and emoji for which
Python's emoji has other names.
"""
import importlib.metadata
import importlib.util
import json
import os
import pathlib
import random
import sys
import warnings

import emoji

warnings.filterwarnings("ignore")
FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "Fixtures"
spec = importlib.util.spec_from_file_location(
    "text", importlib.metadata.distribution("dalle-mini").locate_file("dalle_mini/model/text.py"))
text = importlib.util.module_from_spec(spec)
spec.loader.exec_module(text)

words = """the of a in and cat dog sunset over sea mountain blue red green light photo art digital painting by night
city no filter love nature landscape beautiful day summer winter water color colour avocado chair arm armchair fox
house old new york paris 2022 20 22 best of life style cats dogs moon star stars river forest""".split()
frequencies = pathlib.Path("words.txt")
frequencies.write_text("".join(f"{word} {1000 - i}\n" for i, word in enumerate(dict.fromkeys(words))))
text.hf_hub_download = lambda *_, **__: str(frequencies)
normalize = text.TextNormalizer()
frequencies.unlink()

rng = random.Random(7)
ROOT = pathlib.Path(os.environ.get("REVERIE_ROOT", pathlib.Path(__file__).resolve().parents[3]))
table = [line.split("\t") for line in (ROOT / "Sources/Painting/Requests/emoji.tsv").read_text().splitlines()]
pictures = {e: n for e, n in table 
            # A tone of skin by itself is a mark of what stands before it.
            if emoji.demojize(e) == ":" + n.replace(" ", "_") + ":" and not "🏻" <= e <= "🏿"}
print(len(pictures), "of", len(table), "emoji have the same name")
subjects = [
    "an armchair in the shape of an avocado", "a fox", "Café del Mar", "Ångström's garden", "Señor Niño piñata",
    "naïve façade", "ŁÓDŹ at night", "Straße in Köln", "Ελλάδα, θάλασσα", "Москва ночью", "щука и ёж", "Київ", "crème brûlée",
    "œuvre d'art", "Æthelred", "don't stop", "it's the cat's 'dream'", 'the "big" one', "“curly” ‘quotes’", "rock'n'roll",
    "a 1,000,000 dollar house", "12,345 cats", "version 2.0.1", "a.b.c", "10/12/2021", "1/2 and/or", "50% off & more",
    "well-known mother-in-law", "e-mail@example.com", "C++ / C#", "sooooo coooool!!!!", "VIII", "wow....", "1111111",
    "<b>bold</b> move", "a < b > c", "<>x>", "[12] a caption [3]", "half ½ and ¼", "90° × 2 ± 1", "€20 or £5",
    "© 2020 Company™", "snake_case words", "back\\slash", "tab\tand\nnewline", "&lt;i&gt;entity&amp;amp;", "…and so on –— yes",
    "caf\u0065\u0301", "ｆｕｌｌ ｗｉｄｔｈ", "ﬁne ligature", "¿Qué? ¡Sí!", "«quoted»", "a, b, , c,", ",lead", "trail,", "(brackets) {x}",
    "no,space,after", "* star * $5", "~tilde~ `tick`", "'", "\"\"", "#", "##double", "$", "x" * 5 + "y",
]
hashtags = ["#catsofnewyork", "#nofilter", "#sunset2022", "#landscape_art", "#qwxz", "#LoveNature", "#20", "#bestoflife", "#don't"]
addresses = ["https://example.com/a?b=c", "http://x.y", "http", "httpx www.example.com", "see https://t.co/abc,"]


def line():
    parts = [rng.choice(subjects) for _ in range(rng.randint(1, 2))]
    for chance, pool in ((0.4, hashtags), (0.25, addresses), (0.5, list(pictures))):
        if rng.random() < chance:
            parts.insert(rng.randint(0, len(parts)), rng.choice(pool))
    return rng.choice([" ", "  ", ", ", " - ", ""]).join(parts)


count = int(sys.argv[1]) if len(sys.argv) > 1 else 400
lines = dict.fromkeys(subjects + hashtags + addresses)
while len(lines) < count:
    lines[line()] = None
(FIXTURES / "dalle_text.json").write_text(json.dumps(
    {"words": list(dict.fromkeys(words)), "emoji": {e: pictures[e] for e in sorted(pictures) if any(e in t for t in lines)},
     "texts": [[t, normalize(t)] for t in lines]}, ensure_ascii=False, indent=0) + "\n")
