"""Writes Fixtures/cutouts.safetensors: views of a picture by the classes of nerdyrodent's VQGAN-CLIP, of Big Sleep and of
Deep Daze (upstream.py), with given numbers in place of their chance.

    .oracle/env/bin/python Tests/PaintingTests/Oracle/cutouts.py

Only squares, pooling and resampling: what augmentations do is in augmentations.py.
"""
import contextlib
import math
import pathlib
import random
from types import SimpleNamespace

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

from upstream import definitions

torch.manual_seed(10)
torch.set_num_threads(1)
COUNT, SIZE = 8, 12
# Smooth, as pictures are.
wide = F.interpolate(torch.rand(1, 3, 6, 9), size=(24, 41), mode="bicubic").clamp(0, 1)
square = F.interpolate(torch.rand(1, 3, 8, 8), size=40, mode="bicubic").clamp(0, 1)
uniform = torch.rand(COUNT, 9)
out = dict(wide=wide, square=square, uniform=uniform)


class Chance:
    """Uniform numbers that are handed out one after another."""

    def __init__(self, numbers=()):
        self.numbers = [float(number) for number in numbers]

    def next(self):
        return self.numbers.pop(0)

    def whole(self, low, high):
        """A whole number below `high`, as torch.randint draws them."""
        return low + int(self.next() * (high - low))

    def normal(self):
        u, v = self.next(), self.next()
        return math.sqrt(-2 * math.log(1 - u)) * math.cos(2 * math.pi * v)


chance = Chance()
torch.rand = lambda shape: torch.tensor(chance.next(), dtype=torch.float64)
torch.randint = lambda low, high, shape: torch.tensor(chance.whole(low, high)).reshape(shape or ()).expand(shape or ())
torch.Tensor.normal_ = lambda self, mean=0.0, std=1.0: self.fill_(mean + std * chance.normal())
torch.Tensor.uniform_ = lambda self, low=0.0, high=1.0: self.fill_(low + (high - low) * chance.next()) if len(self) else self


def check(condition):
    assert condition, "choose another seed: this one is no test"


# MARK: nerdyrodent

names = dict(torch=torch, nn=nn, F=F, math=math)
original, update, chosen, pooled, updated_pooled = definitions(
    "nerdyrodent/VQGAN-CLIP", "generate.py",
    ["sinc", "lanczos", "ramp", "resample", "ClampWithGrad", "clamp_with_grad", "MakeCutoutsOrig", "MakeCutoutsUpdate",
     "MakeCutoutsNRUpdate", "MakeCutouts", "MakeCutoutsPoolingUpdate"], names)[6:]


def made(kind, power=1.0):
    """One without its augmentations and its noise."""
    views = kind.__new__(kind)
    nn.Module.__init__(views)
    views.cut_size, views.cutn, views.cut_pow = SIZE, COUNT, power
    views.augs, views.noise_fac = nn.Identity(), 0
    # Those that pool show every view the whole.
    views.av_pool, views.max_pool = nn.AdaptiveAvgPool2d(SIZE), nn.AdaptiveMaxPool2d(SIZE)
    return views


def squares(kind, power):
    global chance
    # Size, then left, then top.
    chance = Chance(uniform[:, :3].flatten())
    return made(kind, power)(wide)


for power in (1.0, 0.5):
    out[f"original.{power}"], out[f"updated.{power}"] = squares(original, power), squares(update, power)
    assert torch.equal(squares(chosen, power), out[f"updated.{power}"])
check((out["original.1.0"] == 1).any() and not torch.equal(out["original.1.0"], out["updated.1.0"]))
out["pooled"] = made(pooled)(wide)[:1]
assert torch.equal(made(pooled)(wide), made(updated_pooled)(wide))

# MARK: lucidrains

DAZE, SLEEP = ("lucidrains/deep-daze", "deep_daze/deep_daze.py"), ("lucidrains/big-sleep", "big_sleep/big_sleep.py")
stubs = dict(autocast=lambda enabled: contextlib.nullcontext(), SirenNet=None, SirenWrapper=None)


class Gauss:
    """Python's `random` for places: a Gaussian one and, where it lies outside, an even one."""

    def __init__(self, rows):
        self.rows, self.again = rows, []

    def gauss(self, mu, sigma):
        u = self.rows.pop(0)
        place = mu + sigma * Chance(u[:2]).normal()
        # The originals cut the number off first, so that -0.5 is inside; ours draw that again.
        check(not -1 < place < 0 and not 2 * mu < place < 2 * mu + 1)
        if int(place) < 0 or int(place) > 2 * mu:
            self.again.append(float(u[2]))
        return place

    def randint(self, low, high):
        u = self.again.pop(0) if self.again else float(self.rows.pop(0)[2])
        return low + int(u * (high - low + 1))


def places():
    # What they call x is the row.
    return Gauss([part for row in uniform for part in (row[6:9], row[3:6])])


class Stop(Exception):
    pass


def shown(*_):
    raise Stop


def daze(change=lambda text: text, progress=0.0, **options):
    """The views that Deep Daze shows CLIP, one at a time."""
    global chance
    module = names | stubs | dict(random=places())
    kind, = definitions(*DAZE, ["exists", "default", "interpolate", "rand_cutout", "norm_siren_output", "DeepDaze"], module,
                        change)[5:]
    found = []
    for row in uniform:
        views = kind.__new__(kind)
        nn.Module.__init__(views)
        views.__dict__.update(dict(
            model=lambda: square * 2 - 1, batch_size=1, saturate_bound="lowerAtEnd" in options, saturate_limit=0.75,
            lower_bound_cutout=0.1, upper_bound_cutout=1.0, gauss_mean=0.6, gauss_std=0.2, gauss_sampling=False,
            do_cutout=True, center_bias=False, center_focus=2.0, input_resolution=SIZE, num_batches_processed=progress,
            total_batches=1.0, normalize_image=lambda view: found.append(view) or view,
            perceptor=SimpleNamespace(encode_image=shown)) | options)
        chance = Chance(row[2:3] if not views.gauss_sampling else row[:3])
        with contextlib.suppress(Stop):
            views.forward(None)
    return torch.cat(found)


def mended(text):
    """Sizes above the upper bound and below it are all sizes: Gaussian ones are always drawn again, evenly. The lower bound
    is meant, and ours is."""
    assert "(gauss_samples < upper)" in text
    return text.replace("(gauss_samples < upper)", "(gauss_samples < lower)")


out["deep-daze"] = daze()
out["deep-daze.saturated"] = daze(progress=0.5, lowerAtEnd=True)
out["deep-daze.gaussian"] = daze(mended, gauss_sampling=True)
out["deep-daze.centered"] = daze(center_bias=True, center_focus=1.0, upper_bound_cutout=0.6)


def sleep(center):
    """Side, left and top of Big Sleep's squares. It takes the nearest pixel for each of CLIP's; ours filters."""
    global chance
    index = torch.arange(40 * 40).reshape(1, 1, 40, 40).expand(1, 3, 40, 40).float()
    chance = Chance(uniform[:, :2].flatten())
    found = []

    def interpolate(view, *_, **__):
        corner = int(view[0, 0, 0, 0])
        found.append([view.shape[2], corner % 40, corner // 40])
        assert view.shape[2] == view.shape[3]
        return view[..., :1, :1]

    module = dict(torch=torch, nn=nn, random=places(), F=SimpleNamespace(interpolate=interpolate), BigGAN=None, EMA=None,
                  load=None)
    kind, = definitions(*SLEEP, ["exists", "rand_cutout", "BigSleep"], module)[2:]
    views = kind.__new__(kind)
    nn.Module.__init__(views)
    views.__dict__.update(image_size=40, num_cutouts=COUNT, model=lambda: index, center_bias=center,
                          experimental_resample=False, interpolation_settings={}, normalize_image=shown)
    with contextlib.suppress(Stop):
        views.forward([])
    return torch.tensor(found)


out["big-sleep"], out["big-sleep.centered"] = sleep(False), sleep(True)
save_file({k: v.contiguous().clone() if v.dtype != torch.float64 else v.float().contiguous() for k, v in out.items()},
          pathlib.Path(__file__).resolve().parents[1] / "Fixtures" / "cutouts.safetensors")
print({k: tuple(v.shape) for k, v in out.items()})
