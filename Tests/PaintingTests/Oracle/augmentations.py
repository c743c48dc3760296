"""Writes Fixtures/augmentations.safetensors: kornia 0.5.4's augmentations of small views with the parameters that it drew.

    pip install --no-deps --target FOLDER kornia==0.5.4 packaging
    PYTHONPATH=FOLDER .oracle/env/bin/python augmentations.py
"""
import pathlib
import warnings

import torch
from safetensors.torch import save_file

warnings.filterwarnings("ignore")
# Removed from torch since; the second result is not used.
torch.solve = lambda b, a: (torch.linalg.solve(a, b), a)
import kornia.augmentation as K  # noqa: E402

torch.manual_seed(1)
n, size = 3, 18
# Smooth views: neighbouring pixels that differ by up to 1 would only magnify the rounding of places.
views = torch.nn.functional.interpolate(torch.rand(n, 3, 6, 6), size=size, mode="bicubic").clamp(0, 1)
out = {"views": views}


def add(name, augmentation, *kept, **more):
    parameters = augmentation.generate_parameters(views.shape)
    parameters |= more
    # Only geometric augmentations have a transformation.
    transform = augmentation.compute_transformation(views, parameters) if name not in intensity else None
    # Thin plates in float64, for their equations are nearly singular.
    images = views.double() if name.startswith("plate") else views
    out[name] = augmentation.apply_transform(images, parameters, transform).float()
    for key in kept:
        out[f"{name}.{key}"] = parameters[key].float().contiguous().clone()


intensity = {"jitter", "jitter.reversed", "sharpness", "erasing", "grayscale"}
for padding in ("zeros", "border"):
    add(f"affine.{padding}", K.RandomAffine(15, 0.1, shear=5, p=1.0, padding_mode=padding), "angle", "translations", "sx")
add("affine.scaled", K.RandomAffine(0, (0.1, 0.2), scale=(0.7, 0.9), p=1.0), "translations", "scale")
add("perspective", K.RandomPerspective(0.7, p=1.0), "end_points")
add("rotation", K.RandomRotation(15, p=1.0, align_corners=True), "degrees")
add("resized", K.RandomResizedCrop((size, size), scale=(0.1, 1), ratio=(0.75, 1.333), cropping_mode="resample", p=1.0), "src")
add("flip", K.RandomHorizontalFlip(p=1.0))
for name, order in (("jitter", [2, 0, 3, 1]), ("jitter.reversed", [1, 3, 0, 2])):
    add(name, K.ColorJitter(0.1, 0.1, 0.1, 0.1, p=1.0), "brightness_factor", "contrast_factor", "saturation_factor",
        "hue_factor", order=torch.tensor(order))
add("sharpness", K.RandomSharpness(2.0, p=1.0), "sharpness_factor")
add("elastic", K.RandomElasticTransform(p=1.0), "noise")
add("plate", K.RandomThinPlateSpline(0.8, p=1.0), "src", "dst")
# The fourth corner is the third once more in kornia; with the one that was meant, nothing is degenerate.
src = out["plate.src"].clone()
src[:, 3] = torch.tensor([1.0, 1.0])
add("plate.meant", K.RandomThinPlateSpline(0.8, p=1.0), "src", "dst", src=src, dst=out["plate.dst"] + src - out["plate.src"])
add("erasing", K.RandomErasing((0.1, 0.4), (0.3, 1 / 0.3), p=1.0), "xs", "ys", "widths", "heights")
add("grayscale", K.RandomGrayscale(p=1.0))
path = pathlib.Path(__file__).resolve().parents[1] / "Fixtures" / "augmentations.safetensors"
path.parent.mkdir(exist_ok=True)
save_file({k: v.contiguous().clone() for k, v in out.items()}, path)
print({k: tuple(v.shape) for k, v in out.items()}, path.stat().st_size)
