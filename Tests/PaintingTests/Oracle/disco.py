"""Writes Fixtures/disco.safetensors: Dango's cutouts with their augmentations, one guided step, Perlin noise and the
camera of 2D films, by Disco Diffusion's own code (upstream.py) with given numbers in place of its chance.

    .oracle/env/bin/python Tests/PaintingTests/Oracle/disco.py

Needs torchvision, ResizeRight and OpenCV beside: see Tests/oracles.txt.
"""
import pathlib
from types import SimpleNamespace

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from PIL import ImageOps
from resize_right import resize
from safetensors.torch import save_file
from torch import nn

from upstream import definitions, statement

# PyPI's torchvision may be of another build than torch: its compiled operators, which are not used here, are then missing,
# and it asks for two of them when it is imported.
operators = torch.library.Library("torchvision", "FRAGMENT")
for name in ("nms", "qnms"):
    operators.define(name + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
import torchvision.transforms as T  # noqa: E402
import torchvision.transforms.functional as TF  # noqa: E402

DISCO = ("alembics/disco-diffusion", "disco.py")
torch.manual_seed(11)
torch.set_num_threads(1)
rand, randn = torch.rand, torch.randn
out = {}


def smooth(height, width, low, high):
    """Smooth, as pictures are, and beyond 0…1, as samples are."""
    return low + (high - low) * F.interpolate(rand(1, 3, 6, 8), size=(height, width), mode="bicubic")


out["wide"], out["tall"], out["small"] = smooth(40, 57, -0.2, 1.3), smooth(51, 30, -0.2, 1.3), smooth(9, 9, 0, 1)
out["uniform"] = torch.rand(60)


class Chance:
    def __init__(self, numbers=()):
        self.numbers = [float(number) for number in numbers]

    def next(self):
        return self.numbers.pop(0)


chance, noises, orders = Chance(), [], []
torch.rand = lambda *shape: torch.tensor(chance.next(), dtype=torch.float64)
torch.randint = lambda low, high, shape: torch.tensor(low + int(chance.next() * (high - low)))
torch.Tensor.uniform_ = lambda self, low=0.0, high=1.0: self.fill_(low + (high - low) * chance.next())
torch.randn_like = lambda x: noises.pop(0)
torch.randperm = lambda count: orders.pop(0)

# MARK: Dango's cutouts

SIZE = 12
args = SimpleNamespace(animation_mode="None")
names = dict(torch=torch, nn=nn, F=F, T=T, TF=TF, resize=resize, args=args, padargs={}, cutout_debug=False, skip_augs=True)
dango, spherical, tv_loss, range_loss = definitions(
    *DISCO, ["MakeCutoutsDango", "spherical_dist_loss", "tv_loss", "range_loss"], names)


def views(picture, overview, inner, power, gray):
    global chance
    chance = Chance(out["uniform"])
    return dango(SIZE, overview, inner, power, gray)(picture)


for name in ("wide", "tall", "small"):
    for overview in (0, 1, 2, 3, 4, 6):
        out[f"views.{name}.{overview}"] = views(out[name], overview, 5, 0.5, 0.2)
out["views.power"] = views(out["wide"], 0, 5, 3.0, 0.0)

out["noises"] = torch.randn(3, 4, 3, SIZE, SIZE)
batch = smooth(SIZE, SIZE, -0.2, 1.3).repeat(4, 1, 1, 1) + 0.1 * torch.randn(4, 3, SIZE, SIZE)
out["batch"] = batch
# Whether mirrored, angle, shifts, whether grey, then the four factors.
for name, numbers, order in (("all", (0.1, 0.9, 0.05, 0.8, 0.5, 0.2, 0.9, 0.7, 0.95), (3, 1, 0, 2)),
                             ("gray", (0.9, 0.2, 0.7, 0.4, 0.05, 0.8, 0.1, 0.3, 0.1), (2, 0, 3, 1))):
    out[f"augmented.{name}.numbers"], out[f"augmented.{name}.order"] = torch.tensor(numbers), torch.tensor(order)
    chance, noises, orders = Chance(numbers), list(out["noises"]), [torch.tensor(order)]
    out[f"augmented.{name}"] = dango(SIZE).augs(batch)
    assert not chance.numbers and not noises and not orders

# MARK: One guided step

CLIP_SCALE, TV, SAT, CLAMP = 5000.0, 800.0, 300.0, 0.05
x = smooth(20, 28, -2, 2) + 0.3 * torch.randn(1, 3, 20, 28)
kernel = torch.randn(3, 3, 3, 3) / 3
alpha, sigma = 0.8, 0.6
out["step.x"], out["step.kernel"] = x, kernel
out["step.targets"], out["step.weights"] = torch.randn(3, 6), torch.tensor([1.0, 1.6, -0.6])
critics = []
for index, size in enumerate((12, 10)):
    matrix = torch.randn(3 * size * size, 6) / 10
    out[f"step.tower.{index}"] = matrix
    weights = out["step.weights"] / out["step.weights"].sum().abs()
    critics.append(dict(
        clip_model=SimpleNamespace(visual=SimpleNamespace(input_resolution=size),
                                   encode_image=lambda views, matrix=matrix: views.flatten(1) @ matrix),
        target_embeds=out["step.targets"], weights=weights))
seen = []
around = dict(
    torch=torch, use_secondary_model=True, cur_t=0, device="cpu", model_stats=critics, MakeCutoutsDango=dango,
    diffusion=SimpleNamespace(sqrt_alphas_cumprod=[alpha], sqrt_one_minus_alphas_cumprod=[sigma]),
    alpha_sigma_to_t=lambda *_: torch.tensor(0.4), normalize=lambda views: views, spherical_dist_loss=spherical,
    secondary_model=lambda x, t: SimpleNamespace(pred=torch.tanh(F.conv2d(x, kernel, padding=1)) * 1.5),
    tv_loss=lambda x: seen.append(x.detach()) or tv_loss(x), range_loss=range_loss, loss_values=[],
    clip_guidance_scale=CLIP_SCALE, cutn_batches=2, tv_scale=TV, range_scale=150.0, sat_scale=SAT, init=None, init_scale=0,
    args=SimpleNamespace(cutn_batches=2, cut_overview=[2] * 1000, cut_innercut=[3] * 1000, cut_ic_pow=[0.7] * 1000,
                         cut_icgray_p=[0.4] * 1000, clamp_grad=False, clamp_max=CLAMP))
statement(*DISCO, "do_run", lambda head: head.startswith("def cond_fn("), around)
for name, clamps in (("step.gradient", False), ("step.clamped", True)):
    around["args"].clamp_grad = clamps
    chance = Chance(out["uniform"])
    out[name] = around["cond_fn"](x, torch.tensor([300]))
out["step.seen"], out["step.losses"] = seen[0], torch.tensor(around["loss_values"][:4])
# Where there is no number, nothing steers.
around["secondary_model"] = lambda x, t: SimpleNamespace(pred=x * float("nan"))
chance = Chance(out["uniform"])
assert not around["cond_fn"](x, torch.tensor([300])).any()

# MARK: Symmetry

symmetric = dict(torch=torch, args=SimpleNamespace(use_horizontal_symmetry=True, use_vertical_symmetry=False), print=print)
mirrored, = definitions(*DISCO, ["symmetry_transformation_fn"], symmetric)
out["mirrored.horizontal"] = mirrored(x)
symmetric["args"].use_vertical_symmetry = True
out["mirrored.both"] = mirrored(x)

# MARK: Perlin noise

gradients = []


def kept(*shape, device=None):
    gradients.append(randn(*shape))
    return gradients[-1]


torch.randn = kept
# Tensors were shrunk without a filter when the notebook was written.
nearest = SimpleNamespace(resize=lambda img, size: TF.resize(img, size, antialias=False), to_pil_image=TF.to_pil_image)
perlin = dict(torch=torch, TF=nearest, ImageOps=ImageOps, device="cpu", side_x=11, side_y=7)
create, = definitions(*DISCO, ["interp", "perlin", "perlin_ms", "create_perlin_noise"], perlin)[3:]
for name, octaves, cells in (("coarse", 5, 1), ("fine", 3, 4)):
    gradients.clear()
    picture = create([1.5**-i * 0.5 for i in range(octaves)], cells, cells, False)
    out[f"perlin.{name}"] = TF.to_tensor(picture)
    for index, values in enumerate(gradients):
        out[f"perlin.{name}.{index}"] = values[..., 0, 0]

# MARK: The camera

frame = (smooth(30, 44, 0, 1).clamp(0, 1)[0] * 255).round().byte().permute(1, 2, 0).contiguous().numpy()
out["camera.frame"] = torch.tensor(frame)
for name, angle, zoom, shift_x, shift_y in (("zoomed", 0, 1.1, 0, 0), ("all", 7, 1.05, 3, -4), ("smaller", -3, 0.8, 0, 5)):
    around = dict(cv2=cv2, np=np, img_0=frame, angle=angle, zoom=zoom, translation_x=shift_x, translation_y=shift_y)
    for head in ("center =", "trans_mat = np.float32(", "rot_mat = cv2", "trans_mat = np.vstack", "rot_mat = np.vstack",
                 "transformation_matrix =", "img_0 = cv2.warpPerspective("):
        statement(*DISCO, "do_run", lambda text: text.startswith(head), around)
    out[f"camera.{name}"] = torch.tensor(around["img_0"])

save_file({k: v.contiguous().clone() if v.dtype != torch.float64 else v.float().contiguous() for k, v in out.items()},
          pathlib.Path(__file__).resolve().parents[1] / "Fixtures" / "disco.safetensors")
print({k: tuple(v.shape) for k, v in out.items()})
