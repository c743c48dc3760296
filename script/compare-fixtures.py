"""Compares the fixtures that oracles made with those that are kept: compare-fixtures.py [--some] MADE KEPT

Whole numbers, texts and bytes must be equal. Other numbers may differ by the tolerance, for another processor rounds
otherwise. With --some, fixtures that were not made are no fault.
"""
import json
import pathlib
import re
import sys

import torch
from safetensors import safe_open

# Of the largest value of a tensor, or of the number.
TOLERANCE = 1e-5
# Two dozen steps of an optimiser, each of which turns on the signs of small gradients.
TOLERANCES = {"trajectories.safetensors": 1e-4}


def tensors(a, b, tolerance):
    with safe_open(a, "pt") as a, safe_open(b, "pt") as b:
        if set(a.keys()) != set(b.keys()):
            yield f"the names differ: {sorted(set(a.keys()) ^ set(b.keys()))}"
        if a.metadata() != b.metadata():
            yield "the metadata differ"
        for name in set(a.keys()) & set(b.keys()):
            x, y = a.get_tensor(name), b.get_tensor(name)
            if x.dtype != y.dtype or x.shape != y.shape:
                yield f"{name} was {y.dtype} {list(y.shape)}, is {x.dtype} {list(x.shape)}"
            elif not x.dtype.is_floating_point:
                if not torch.equal(x, y):
                    yield f"{name} differs"
            elif x.numel():
                x, y = x.double(), y.double()
                worst = ((x - y).abs() / y.abs().max().clamp(min=1)).max().item()
                if not worst <= tolerance:
                    yield f"{name} differs by {worst:.2g} of its largest value"


def values(a, b, tolerance, place="$"):
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        for key in a:
            yield from values(a[key], b[key], tolerance, f"{place}.{key}")
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for i, (x, y) in enumerate(zip(a, b)):
            yield from values(x, y, tolerance, f"{place}[{i}]")
    elif isinstance(a, float) and isinstance(b, (int, float)):
        if not abs(a - b) <= tolerance * max(1, abs(b)):
            yield f"{place} was {b}, is {a}"
    elif type(a) is not type(b) or a != b:
        yield f"{place} was {str(b)[:60]}, is {str(a)[:60]}"


def content(a, b, _):
    # Old files of torch's name storages by where they lay in memory.
    if re.sub(rb"\d{9,}", b"#", a.read_bytes()) != re.sub(rb"\d{9,}", b"#", b.read_bytes()):
        yield "the bytes differ"


def differences(a, b):
    tolerance = TOLERANCES.get(a.name, TOLERANCE)
    if a.suffix == ".safetensors":
        return tensors(a, b, tolerance)
    if a.suffix == ".json":
        return values(json.loads(a.read_text()), json.loads(b.read_text()), tolerance)
    return content(a, b, tolerance)


arguments = sys.argv[1:]
some = arguments[0] == "--some"
made, kept = map(pathlib.Path, arguments[-2:])
faults = equal = 0
for file in sorted(kept.glob("*/Fixtures/**/*")):
    name = file.relative_to(kept)
    if file.is_dir() or file.name == ".gitkeep":
        continue
    new = made / name
    if not new.exists():
        if not some:
            print(f"FAILED: nothing makes Tests/{name}")
            faults += 1
        continue
    found = list(differences(new, file))
    for text in found[:5]:
        print(f"FAILED: Tests/{name}: {text}")
    faults += bool(found)
    equal += not found
for file in sorted(made.glob("*/Fixtures/**/*")):
    if not file.is_dir() and not (kept / file.relative_to(made)).exists():
        print(f"FAILED: Tests/{file.relative_to(made)} is made and not kept")
        faults += 1
print(f"{equal} fixtures made anew are those that are kept, {faults} are not")
sys.exit(faults > 0)
