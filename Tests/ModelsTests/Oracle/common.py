"""What the oracle scripts share. Import it before anything that imports torchvision."""
import pathlib
import warnings

import numpy as np
import torch

warnings.filterwarnings("ignore")

# torchvision built against CUDA torch cannot register its operators beside a CPU-only torch and dies
# with "operator torchvision::nms does not exist". Declaring the names first is enough.
_library = torch.library.Library("torchvision", "FRAGMENT")
for _name in ("nms", "qnms"):
    try:
        _library.define(_name + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    except RuntimeError:
        pass

torch.backends.mha.set_fastpath_enabled(False)
torch.set_num_threads(1)

HERE = pathlib.Path(__file__).resolve().parent
FIXTURES = HERE.parent / "Fixtures"
ROOT = HERE.parents[2]
FULL = ROOT / ".oracle" / "full"


def weight(key, shape):
    """Numbers that depend on nothing but the key: SplitMix64 counted from FNV-1a of the key.

    Tests/ModelsTests/SyntheticWeights.swift makes the same ones, so that fixtures need not hold
    weights. Matrices and kernels are uniform with variance 1 / fan-in, gains around 1, biases around 0.
    """
    seed = 0xCBF29CE484222325
    for byte in key.encode():
        seed = (seed ^ byte) * 0x100000001B3 % 2**64
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(1, int(np.prod(shape)) + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    u = (z >> np.uint64(40)).astype(np.float64) / 2**23 - 1
    if len(shape) > 1:
        u = u * np.sqrt(3 / np.prod(shape[1:]))
    elif key.endswith(("weight", "running_var")):
        u = 1 + 0.2 * u
    else:
        u = 0.1 * u
    return torch.from_numpy(u.astype(np.float32).reshape(shape))


def maxdiff(a, b):
    return (a - b).abs().max().item()
