"""Writes Fixtures/objectives.safetensors: values and gradients of the objectives on random input, by the functions of the
projects that they come from (upstream.py).

    .oracle/env/bin/python Tests/PaintingTests/Oracle/objectives.py

What these do that Reverie leaves out on purpose is worked around here, with the reason.
"""
import math
import numbers
import pathlib
from types import SimpleNamespace

import numpy as np
import torch
import torch.nn.functional as F
from einops import rearrange
from safetensors.torch import save_file
from torch import nn

from upstream import definitions, statement

torch.manual_seed(5)
torch.set_num_threads(1)
# pixray and STROTSS move tensors to the GPU, wherever they are.
torch.Tensor.cuda = lambda self: self
picture = torch.rand(1, 3, 12, 18)
wide = torch.randn(1, 3, 6, 7)  # in and out of -1…1
cutouts = torch.rand(3, 3, 9, 9)
colors = torch.rand(5, 3)
latents = torch.randn(2, 1, 4, 3, 5)  # now and at the start
target = torch.rand(1, 3, 12, 18)
wanted = (torch.rand(1, 1, 12, 18) > 0.5).float()
embeddings = torch.randn(4, 6)
texts = torch.randn(3, 6)
head = torch.randn(1, 6)
bias = torch.randn(1)
feature_x, feature_content, feature_style = torch.randn(7, 8), torch.randn(7, 8), torch.randn(9, 8)
big_latents, big_classes = torch.randn(3, 16) * 1.3, torch.rand(2, 1000)
out = dict(picture=picture, wide=wide, cutouts=cutouts, colors=colors, latents=latents, target=target,
           wanted=wanted, embeddings=embeddings, texts=texts, head=head, bias=bias, feature_x=feature_x,
           feature_content=feature_content, feature_style=feature_style, big_latents=big_latents,
           big_classes=big_classes)


def case(name, x, formula):
    leaf = x.clone().requires_grad_(True)
    value = formula(leaf)
    value.backward()
    out[name + ".value"], out[name + ".gradient"] = value.detach().reshape(1), leaf.grad


def names(**more):
    return dict(torch=torch, nn=nn, F=F, math=math, numbers=numbers, rearrange=rearrange) | more


# MARK: guided diffusion, in Disco Diffusion's file and EleutherAI's

tv_loss, range_loss = definitions("alembics/disco-diffusion", "disco.py", ["tv_loss", "range_loss"], names())
isotropic, one_sided = definitions(
    "EleutherAI/vqgan-clip", "vqgan_clip/helpers.py", ["TVLoss", "one_sided_clip_loss"], names())


def sat_loss(x):
    around = names(x_in=x)
    statement("alembics/disco-diffusion", "disco.py", "cond_fn", lambda head: head.startswith("sat_losses ="), around)
    return around["sat_losses"]


# A quarter, as the notebook of codebook sampling weighs it.
case("tv", picture, lambda x: tv_loss(x).mean() / 4)
case("tv.isotropic", picture, isotropic())
# These look at pictures in -1…1.
case("range", wide, lambda x: range_loss(2 * x - 1).mean())
case("sat", wide, lambda x: sat_loss(2 * x - 1))
case("contrastive", embeddings, lambda e: one_sided(e, texts, torch.ones(4, dtype=torch.long)))

# MARK: Crowson's prompts and nerdyrodent's start

replace_grad_class, replace_grad, prompt = definitions(
    "nerdyrodent/VQGAN-CLIP", "generate.py", ["ReplaceGrad", "replace_grad", "Prompt"], names())
case("prompt", embeddings, prompt(texts))
case("prompt.negative", embeddings, prompt(texts[:1], -0.7))
# Some of the distances are on each side of it.
case("prompt.stop", embeddings, prompt(texts, 0.5, 1.3))
case("prompt.negative.stop", embeddings, prompt(texts, -0.5, -1.3))


def init_weight(z, start, i):
    around = names(z=z, z_orig=start, i=i, args=SimpleNamespace(init_weight=1.0), result=[])
    statement("nerdyrodent/VQGAN-CLIP", "generate.py", "ascend_txt",
               lambda head: head == "if args.init_weight:", around)
    return around["result"][0]


now, start = latents
case("start.zero", now, lambda z: init_weight(z, start, 0))
case("start.zero.decayed", now, lambda z: init_weight(z, start, 4))

# MARK: pixray

PIXRAY = "pixray/pixray"
spherical, = definitions(PIXRAY, "pixray.py", ["spherical_dist_loss"], names())
map_number, = definitions(PIXRAY, "util.py", ["map_number"], names())


class Interface:
    device = "cpu"


def loss(name, more=(), **around):
    found = definitions(PIXRAY, f"Losses/{name}.py", [*more, name], names(LossInterface=Interface, **around))
    return found[-1]


def pixray_start(option, z, picture=None):
    """The term of ascend_txt under an option, of weight 1."""
    args = SimpleNamespace(init_weight=0, init_weight_dist=0, init_weight_pix=0, init_weight_cos=0)
    setattr(args, option, 1.0)
    around = names(args=args, drawer=SimpleNamespace(get_z=lambda: z), z_orig=start, out=picture,
                   init_image_tensor=target, spherical_dist_loss=spherical, result=[])
    statement(PIXRAY, "pixray.py", "ascend_txt", lambda head: head == f"if args.{option}:", around)
    return around["result"][0]


case("start.latent", now, lambda z: pixray_start("init_weight_dist", z))
case("start.spherical", now, lambda z: pixray_start("init_weight", z))
case("start.cosine", now, lambda z: pixray_start("init_weight_cos", z))
case("start.pixels", picture, lambda x: pixray_start("init_weight_pix", None, x))

symmetry = loss("SymmetryLoss")()
case("symmetry.horizontal", picture, lambda x: symmetry.get_loss({}, x, SimpleNamespace(symmetry_weight=1)))
# pixray knows no other axis: the picture is turned.
case("symmetry.vertical", picture,
     lambda x: symmetry.get_loss({}, x.transpose(2, 3), SimpleNamespace(symmetry_weight=1)))
palette = loss("PaletteLoss")()
case("palette", cutouts, lambda x: palette.get_loss(
    {9: x}, None, SimpleNamespace(palette=colors.tolist(), palette_weight=1))[0])
saturation = loss("SaturationLoss")()
case("saturation", cutouts, lambda x: saturation.get_loss({9: x}, None, SimpleNamespace(saturation_weight=1))[0])

smoothness = loss("SmoothnessLoss", ["GaussianSmoothing"])()


def smooth(kind="default", kernel=0, std=1.0, spacing=1, order=1):
    # pixray's kernel is √2 times as wide as its option says; ours is as wide as it says.
    args = SimpleNamespace(
        smoothness_type=kind, smoothness_gaussian_kernel=kernel, smoothness_gaussian_std=std / math.sqrt(2),
        smoothness_spacing=spacing, smoothness_edge_order=order, smoothness_weight=1)
    # It stacks all cutouts, so that the seams between them count. Taken one by one there are none.
    return lambda x: sum(smoothness.get_loss({9: one[None]}, None, args)[0] for one in x) / len(x)


case("smoothness.default", cutouts, smooth())
case("smoothness.clipped", cutouts, smooth("clipped"))
case("smoothness.log", cutouts, smooth("log", spacing=0.7, order=2))
case("smoothness.blurred", cutouts, smooth(kernel=4, std=1.3, spacing=2))

edge_loss = loss("EdgeLoss", map_number=map_number)


class Truth:
    """pixray asks whether there is a picture; a tensor cannot be asked."""


def edge_case(name, margins, image=None, mask=None, overall=0.05):
    made = edge_loss()
    made.image, made.mask = None if image is None else Truth(), None if mask is None else Truth()
    # As large as the picture already, so that nothing is resized. Ours says where the target is wanted, pixray's where not.
    made.resized, made.resized_mask = image, None if mask is None else (1 - mask).expand(1, 3, -1, -1)
    args = SimpleNamespace(edge_margins=margins, edge_color=(1.0, 0, 0), edge_color_weight=0.1,
                           global_color_weight=overall)
    case(name, picture, lambda x: made.get_loss({}, x, args))


edge_case("edge.color", (12, 0, 30, 25))
edge_case("edge.picture", (20, 20, 20, 20), image=target, overall=0.5)
edge_case("edge.mask", (5, 5, 5, 5), image=target, mask=wanted)

gaussian = loss("GaussianLoss", ["gaussian_fn", "gkern"])()
case("gaussian", picture, lambda x: gaussian.get_loss(
    {}, x, SimpleNamespace(gaussian_std=(3, 3), gaussian_color=(255, 255, 255), gaussian_weight=1)))

# Without __init__, which wants the weights that are made here.
aesthetic = object.__new__(loss("AestheticLoss"))
aesthetic.device, aesthetic.ae_reg, aesthetic.target_rating = "cpu", lambda e: F.linear(e, head, bias), torch.ones(4, 1) * 10
case("aesthetic", embeddings, lambda e: aesthetic.get_loss({}, None, None, globals=dict(embeds=e)))


class Filter(nn.Module):
    def __init__(self, settings, device=None):
        super().__init__()


lookup_class, = definitions(PIXRAY, "filters/colorlookup.py", ["ColorLookup"], names(FilterInterface=Filter))
lookup = lookup_class(SimpleNamespace(lookup_beta=10.0, palette=colors.tolist()), "cpu")
out["lookup.picture"] = lookup(picture)[0].detach()
case("lookup", picture, lambda x: lookup(x)[1])

# MARK: STROTSS, as pixray has it and as its authors do

STYLE = ["pairwise_distances_cos", "pairwise_distances_sq_l2", "distmat", "content_loss", "rgb_to_yuv", "style_loss",
         "moment_loss", "calculate_loss"]
style = names()
definitions(PIXRAY, "Losses/StyleLoss.py", STYLE, style)
to_yuv, = definitions("nkolkin13/STROTSS", "utils.py", ["C", "match_device", "rgb_to_yuv_pc"], names(np=np))[2:]
strotss = names(Variable=lambda x: x, utils=SimpleNamespace(to_device=lambda x: x, rgb_to_yuv_pc=to_yuv))
definitions("nkolkin13/STROTSS", "contextual_loss.py",
            ["pairwise_distances_cos", "pairwise_distances_sq_l2", "get_DMat", "remd_loss", "moment_loss", "dp_loss"], strotss)


def features(x, places=False):
    """`[1, D, N, 1]`, as both have them; with two rows for the places, which the loss of the content leaves out."""
    if places:
        x = F.pad(x, (0, 2))
    return x.T[None, :, :, None]


def width(x):
    """As many features as pixray's VGG has, of which the loss knows the number; the rest are zeros."""
    return F.pad(x, (0, 2179 - x.shape[1]))


def whole(x):
    style["spatial_feature_extract"] = lambda result, content, *_: (features(result, True), features(content, True))
    return style["calculate_loss"](width(x), width(feature_content), features(width(feature_style)), [[], []], 8)


case("style.content", feature_x, lambda x: style["content_loss"](features(x, True), features(feature_content, True)))
case("style.remd", feature_x, lambda x: style["style_loss"](features(x), features(feature_style)))
case("style.moments", feature_x, lambda x: style["moment_loss"](features(x), features(feature_style)))
case("style.palette", feature_x[:, :3], lambda x: style["style_loss"](features(x), features(feature_style[:, :3])))
case("style.all", feature_x, whole)


def close(a, b):
    assert abs(a - b) < 1e-5 * max(1, abs(b)), (a, b)


# pixray's are those of STROTSS's authors, but for two things: these divide the covariance by N, not N - 1, and scale
# every column of the tables of self-similarity to a sum of 1. Ours go with pixray.
close(strotss["remd_loss"](features(feature_x), features(feature_style), splits=[8])[0].item(), out["style.remd.value"].item())
close(strotss["remd_loss"](features(feature_x[:, :3]), features(feature_style[:, :3]), splits=[3])[0].item(),
      out["style.palette.value"].item())
close(strotss["moment_loss"](features(feature_x), features(feature_style), moments=[1]).item(),
      style["moment_loss"](features(feature_x), features(feature_style), moments=[1]).item())

# MARK: Big Sleep

latent_names = names(latents=None, latent_thres=torch.tensor(1), num_latents=3)


def big_sleep_latents(z):
    around = latent_names | dict(latents=z)
    for head in ("lat_loss = torch.abs(", "for array in latents:"):
        statement("lucidrains/big-sleep", "big_sleep/big_sleep.py", "forward", lambda text: text.startswith(head), around)
    return around["lat_loss"]


def big_sleep_classes(weights):
    around = names(soft_one_hot_classes=weights)
    statement("lucidrains/big-sleep", "big_sleep/big_sleep.py", "forward",
               lambda text: text.startswith("cls_loss ="), around)
    return around["cls_loss"]


case("bigsleep.latents", big_latents, big_sleep_latents)
# Below a mean square of 1, what is held at 1 has no gradient.
case("bigsleep.latents.small", big_latents * 0.3, big_sleep_latents)
case("bigsleep.classes", big_classes, big_sleep_classes)

save_file({k: v.contiguous() for k, v in out.items()},
          pathlib.Path(__file__).resolve().parents[1] / "Fixtures" / "objectives.safetensors")
