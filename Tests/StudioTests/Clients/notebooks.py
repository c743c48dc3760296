"""Every notebook of Notebooks, executed from top to bottom against the built studio, with what ships: each has
pictures in its outputs, and a CLIP that guided none of them finds that the last one shows what it should.

notebooks.py [--write] [NAME …]   --write keeps the outputs in the notebooks, with their pictures made small."""
import base64
import io
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from PIL import Image

from common import PROGRAM, ROOT, Studio, check, done

# What the judge chooses among; a thousand things would be too many for so small a one.
THINGS = ["red apple", "rooster", "cactus", "strawberry", "red fox", "butterfly", "lighthouse", "rocket", "bicycle",
          "umbrella", "guitar", "cat", "ice cream", "house", "tree", "car", "airplane", "whale", "owl", "snail",
          "mushroom", "crown", "key", "hamburger"]
LARGEST, LIMIT = 640, 3_000_000
REVERIE = PROGRAM.with_name("reverie")

write = "--write" in sys.argv
names = [name for name in sys.argv[1:] if not name.startswith("-")]
files = sorted(path for path in (ROOT / "Notebooks").glob("*.ipynb") if not names or path.stem in names)
check(files, f"there is no notebook {names}")
check(REVERIE.exists(), f"there is no {REVERIE}; ./reverie help builds it")


def pictures(notebook):
    """Bundles of outputs with a picture, in their order."""
    return [output["data"] for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs
            if any(kind.startswith("image/") for kind in output.get("data", {}))]


def decoded(bundle):
    data = next(data for kind, data in bundle.items() if kind.startswith("image/"))
    return Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")


def seen(picture, folder):
    """What the judge finds nearest."""
    picture.save(folder / "last.png")
    told = subprocess.run(
        [REVERIE, "describe", folder / "last.png", "--clip", "judge", "--phrases", folder / "things.txt", "--json"],
        check=True, capture_output=True, text=True).stdout
    return json.loads(told)["things"][0]["phrase"]


def kept(notebook):
    """The notebook as it is committed: small pictures, no times, nothing of this machine."""
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type != "code":
            continue
        cell.outputs = [output for output in cell.outputs
                        if "application/vnd.jupyter.widget-view+json" not in output.get("data", {})
                        and output.get("data", {"text/plain": "shown"}) != {"text/plain": ""}]
        for output in cell.outputs:
            if "text" in output:
                output["text"] = output["text"].replace(os.getcwd(), ".").replace(str(ROOT), "Reverie")
            data = output.get("data", {})
            if "image/png" in data and len(data["image/png"]) > 40_000:
                small = decoded(data)
                small.thumbnail((LARGEST, LARGEST), Image.Resampling.LANCZOS)
                file = io.BytesIO()
                small.save(file, "JPEG", quality=86, optimize=True)
                del data["image/png"]
                data["image/jpeg"] = base64.b64encode(file.getvalue()).decode()
    notebook.metadata.pop("widgets", None)
    return notebook


begun = time.time()
told = []
(ROOT / "outputs").mkdir(exist_ok=True)
with tempfile.TemporaryDirectory(dir=ROOT / "outputs") as name, Studio() as studio:
    folder = pathlib.Path(name)
    os.chdir(folder)
    os.environ |= {"REVERIE_STUDIO_URL": studio.address, "XDG_DATA_HOME": name,
                   "PATH": f"{PROGRAM.parent}:{os.environ['PATH']}"}
    (folder / "things.txt").write_text("\n".join(THINGS))
    subprocess.run([REVERIE, "models", "add", ROOT / "Sources/EmbeddedPack/Judge", "--id", "judge", "--link"],
                   check=True, capture_output=True)
    first = {}
    for path in files:
        notebook = nbformat.read(path, as_version=4)
        wanted = notebook.metadata.get("reverie", {}).get("shows")
        first[next(cell.source for cell in notebook.cells if cell.cell_type == "code")] = path.name
        check(len(first) == 1, f"the first cells of {list(first.values())} differ")
        since = time.time()
        try:
            NotebookClient(notebook, timeout=600, kernel_name="python3").execute()
        except CellExecutionError as error:
            check(False, f"{path.name}: {error}")
        shown = pictures(notebook)
        check(shown, f"{path.name} shows no picture")
        check(len(decoded(shown[-1]).getcolors(1 << 24) or []) > 16, f"the last picture of {path.name} is empty")
        found = seen(decoded(shown[-1]), folder) if wanted else None
        check(found == wanted, f"the judge takes the {wanted} of {path.name} for a {found}")
        told.append(f"{path.stem} {time.time() - since:.0f} s, {len(shown)} pictures" + (f", {found}" if found else ""))
        print(told[-1], flush=True)
        if write:
            nbformat.write(kept(notebook), path)
size = sum(path.stat().st_size for path in (ROOT / "Notebooks").glob("*.ipynb"))
check(size <= LIMIT, f"the notebooks have {size} bytes, more than {LIMIT}")
done(f"{len(files)} notebooks in {time.time() - begun:.0f} s: " + "; ".join(told))
