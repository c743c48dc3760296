"""Functions and classes of other projects, at fixed commits: fetched when an oracle runs, kept in .oracle/upstream, and
never part of this repository. Most of these projects cannot be imported whole: they ask for a GPU, for models and for
packages that have moved on. So single definitions are taken out of their files and run as they stand.
"""
import ast
import hashlib
import os
import pathlib
import urllib.request

REPOSITORIES = {
    "pixray/pixray": "37b03cfc03903d13f19226e6e3732ecca79f0c9d",
    "nerdyrodent/VQGAN-CLIP": "592d555a68f882a75f96453d94ccba1e070577b3",
    "nkolkin13/STROTSS": "9a1543a36901cf744d3afbba6d8576a64de73f17",
    "lucidrains/big-sleep": "49b20f9c8169667395b68d1bbe169d28137fea8e",
    "lucidrains/deep-daze": "c3c471e63c30ccabfd8dfc09ced3028a8979ebe4",
    "alembics/disco-diffusion": "37eb39bfe0e7310c86c244859b789a5346754251",
    "EleutherAI/vqgan-clip": "e4c78e72e9743182fc0584a318842a5011738727",
}
SHA256 = {
    ("pixray/pixray", "pixray.py"): "2c0a3f3c419804a50a590f67cb0c94ea317ae79e5906641988c11d0ce9c3032d",
    ("pixray/pixray", "util.py"): "82d7c74a9f1955bdc1d129f347c1a00d187867a42590ea0cc0fef72d517c33c2",
    ("pixray/pixray", "filters/colorlookup.py"): "adf26ef099bbb372d2834653231f49a96c0ab3e11b7ab82b1019d68d786023b4",
    ("pixray/pixray", "Losses/EdgeLoss.py"): "6c33e8b254a54eb48ca2258cb4c0037f2e01c9f6f5e19a76fda9dfc36fdcebe6",
    ("pixray/pixray", "Losses/GaussianLoss.py"): "c5d5ab3eaef91e4d8ac9d486f9ef71f59d4b2a4a958f3cf9f028520efdd249b6",
    ("pixray/pixray", "Losses/PaletteLoss.py"): "e7ba48d52d04a9a7e9c8834235671f21dd20d89e7759e849f68f3f3e45aa6966",
    ("pixray/pixray", "Losses/SaturationLoss.py"): "d66b322e014ff23eb56b33245105f53e4e502437f879817d51e24eb8fd6d5ec9",
    ("pixray/pixray", "Losses/SmoothnessLoss.py"): "e7fbfd15daaec4e3ae1c64a86ff17cbd0b636fb6b439fdc64c796b202035ce20",
    ("pixray/pixray", "Losses/StyleLoss.py"): "4cd8a8cb72ba7c2315dc53b0e149867fc0ce5649b8673e4a153e1b456646b626",
    ("pixray/pixray", "Losses/SymmetryLoss.py"): "5b53be5e135fec6d08550b5db1c3986822831494f6b0f3315f18e5c78b14d8ed",
    ("pixray/pixray", "Losses/AestheticLoss.py"): "d27585b640a5dacd0b66cf7b449c142609beff550281def8ee161ae7aa2bf81d",
    ("nerdyrodent/VQGAN-CLIP", "generate.py"): "7ae664b54456f7dcc6cd789336ec9c68aadaac829a4e12e58b824058e08993ec",
    ("nkolkin13/STROTSS", "contextual_loss.py"): "9127307bc5f8effbfa28ea1a4a7c1bf3e7dd2d7cafd0ed320b7bbe5192e93bc4",
    ("nkolkin13/STROTSS", "utils.py"): "9544ce90d2de20120a727ab948b9220a48be44fa12b42b42206ad27a02f81f1e",
    ("lucidrains/big-sleep", "big_sleep/big_sleep.py"):
        "f6474308c355b1b5db81b3758072885e1a02edd68459ac40133c3708af886583",
    ("lucidrains/deep-daze", "deep_daze/deep_daze.py"):
        "9ff09b3c73a838d73ad9330659eb49665ed9d553a18ad3ff1e1161fa1daee86f",
    ("alembics/disco-diffusion", "disco.py"): "aac22bfa432dbb04891af7396b3d8256d93e1914b06cef943f8114918672db02",
    ("EleutherAI/vqgan-clip", "vqgan_clip/helpers.py"):
        "ea349466f18146adcb26ad00f8f0c849cc542f821fcb0b8dee9b0726f01ec211",
}
ROOT = pathlib.Path(os.environ.get("REVERIE_ROOT") or pathlib.Path(__file__).resolve().parents[3])
FOLDER = ROOT / ".oracle" / "upstream"


def text(repository, path):
    """The text of a file, downloaded once."""
    commit = REPOSITORIES[repository]
    file = FOLDER / repository.replace("/", "+") / commit[:8] / path
    if not file.exists():
        address = f"https://raw.githubusercontent.com/{repository}/{commit}/{path}"
        with urllib.request.urlopen(address, timeout=60) as answer:
            data = answer.read()
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    data = file.read_bytes()
    if hashlib.sha256(data).hexdigest() != SHA256[repository, path]:
        raise SystemExit(f"{file} is not the file of commit {commit}. Remove it, and run this again.")
    return data.decode()


def definitions(repository, path, names, around, change=lambda text: text):
    """Runs the definitions called `names` of a file.

    around: the names that they use, to which the definitions are added.
    change: what is done to the text before; say why.
    """
    tree = ast.parse(change(text(repository, path)))
    found = [node for node in tree.body if _names(node) & set(names)]
    missing = set(names) - set().union(*map(_names, found))
    if missing:
        raise SystemExit(f"{repository} {path} has no {', '.join(sorted(missing))}")
    exec(compile(ast.Module(found, []), f"{repository}/{path}", "exec"), around)
    return [around[name] for name in names]


def statement(repository, path, function, wanted, around):
    """Runs the one statement of the functions called `function`, however deep, whose first line is as wanted."""
    tree = ast.parse(text(repository, path))
    bodies = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == function]
    found = [node for body in bodies for node in ast.walk(body)
             if isinstance(node, ast.stmt) and wanted(ast.unparse(node).split("\n")[0])]
    if len(found) != 1:
        raise SystemExit(f"{repository} {path}: {len(found)} statements of {function} are as wanted, not one")
    exec(compile(ast.Module(found, []), f"{repository}/{path}", "exec"), around)


def _names(node):
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return {node.name}
    if isinstance(node, ast.Assign):
        return {target.id for target in node.targets if isinstance(target, ast.Name)}
    return set()
