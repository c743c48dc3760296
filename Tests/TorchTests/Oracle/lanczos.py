"""Writes Fixtures/lanczos.safetensors: pictures resampled by a Lanczos prefilter and bicubic interpolation with aligned
corners, and the gradient of a weighted sum, in PyTorch.

    .oracle/env/bin/python Tests/TorchTests/Oracle/lanczos.py
"""
import math
import pathlib

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

torch.manual_seed(1)


def taps(src, dst, lobes):
    ratio = dst / src
    n = math.ceil(lobes / ratio + 1)
    x = torch.arange(-(n - 2), n - 1, dtype=torch.float64) * ratio
    window = torch.where(x.abs() < lobes, torch.sinc(x) * torch.sinc(x / lobes), torch.zeros_like(x))
    return (window / window.sum()).float()


def resample(x, height, width, lobes):
    b, c, h, w = x.shape
    x = x.reshape(b * c, 1, h, w)
    if height < h:
        k = taps(h, height, lobes)
        x = F.conv2d(F.pad(x, (0, 0, len(k) // 2, len(k) // 2), "reflect"), k.view(1, 1, -1, 1))
    if width < w:
        k = taps(w, width, lobes)
        x = F.conv2d(F.pad(x, (len(k) // 2, len(k) // 2, 0, 0), "reflect"), k.view(1, 1, 1, -1))
    return F.interpolate(x.reshape(b, c, h, w), (height, width), mode="bicubic", align_corners=True)


x = torch.randn(2, 3, 20, 28)
out = dict(x=x)
for height, width, lobes in ((8, 11, 2), (8, 11, 3), (30, 9, 2), (6, 40, 2), (25, 33, 2)):
    key = f"{height}.{width}.{lobes}"
    leaf = x.clone().requires_grad_(True)
    y = resample(leaf, height, width, lobes)
    weight = torch.randn_like(y)
    (y * weight).sum().backward()
    out |= {f"{key}.y": y.detach(), f"{key}.weight": weight, f"{key}.gradient": leaf.grad}
save_file(out, pathlib.Path(__file__).resolve().parents[1] / "Fixtures" / "lanczos.safetensors")
