"""Writes Fixtures/words.json: lines with their ids by AttnGAN's gen_example, run from its own source.

    git clone https://github.com/taoxugit/AttnGAN    # at 0d000e6
    .oracle/env/bin/pip install nltk==3.9.2
    .oracle/env/bin/python Tests/TokenizersTests/Oracle/words.py AttnGAN
"""
import ast
import builtins
import io
import json
import pathlib
import sys
import types

import numpy as np

FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "Fixtures"
WORDS = "<end> this bird is red with white and has a very short beak blue nave 3 top_notch tis s caf k i stanbul x2 \u00e9t t".split()
LINES = [
    "this bird is red with white and has a very short beak", "This BIRD, has a very-short beak!", "a blue jay's beak isn't 3 cm",
    "naïve café", "top_notch top-notch", "\u2019tis 'tis", "red\ufffd\ufffdwhite \ufffdblue", "東京 bird", "a  a\ta\u00a0a",
    "purple zebra bird purple", "zebra", "bird😀red", "BIRD_", "...", "IS\u00adSHORT",
]

tree = ast.parse((pathlib.Path(sys.argv[1]) / "code" / "main.py").read_text())
tree.body = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "gen_example"]
place = {"cfg": types.SimpleNamespace(DATA_DIR="data"), "np": np}


def opened(name, _):
    """The file of names, or that of sentences; bytes, as Python 2 read them."""
    return io.BytesIO(("one" if "filenames" in name else place["sentence"]).encode())


place["open"] = opened
exec(compile(tree, "main.py", "exec"), place)


class Taker:
    def gen_example(self, data):
        self.ids = [int(i) for i in data["one"][0][0]]


rows = []
for line in LINES:
    place["sentence"], taker = line, Taker()
    try:
        place["gen_example"]({word: i for i, word in enumerate(WORDS)}, taker)
        ids = taker.ids
    except ValueError:  # not one word: there is no longest caption
        ids = []
    rows.append({"text": line, "ids": ids})
(FIXTURES / "words.json").write_text(json.dumps({"words": WORDS, "lines": rows}, indent=0) + "\n")
