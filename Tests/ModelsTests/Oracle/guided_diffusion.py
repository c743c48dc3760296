"""Writes Fixtures/guided_diffusion.safetensors: what reduced networks of openai/guided-diffusion, of Disco Diffusion and of
lpips make of pictures, and the gradients at them, with weights by common.weight; and Fixtures/guided_diffusion.json: for
each kind of file that people have the number of its parameters and a hash of all keys and shapes.

Is run with the folder of checkouts that Tests/DiffusionTests/Oracle/references.py tells, and with what Tests/oracles.txt
names; Disco Diffusion's code comes by Tests/PaintingTests/Oracle/upstream.py.
"""
from common import *

import functools
import hashlib
import json
import math
import sys

import lpips
from dataclasses import dataclass
from safetensors.torch import save_file
from torch import nn

sys.path.insert(0, str(pathlib.Path(sys.argv[1]) / "openai-guided-diffusion"))
from guided_diffusion import script_util, unet  # noqa: E402

sys.path.insert(0, str(HERE.parents[1] / "PaintingTests" / "Oracle"))
from upstream import definitions  # noqa: E402

out = {}
torch.manual_seed(7)


def filled(model):
    with torch.no_grad():
        for key, p in model.named_parameters():
            p.copy_(weight(key, tuple(p.shape)))
    return model.eval()


def record(name, model, x, told, probe_of=lambda y: y):
    x = x.half().float().requires_grad_()
    y = model(x, **told)
    probe = torch.randn_like(y).half().float()
    gradient, = torch.autograd.grad((y * probe).sum() / 1000, x)
    print(name, "scale", y.abs().max().item(), gradient.abs().max().item())
    # Of pictures every second row and column is kept.
    y, gradient = (v[..., ::2, ::2] if v.ndim == 4 else v for v in (y, gradient))
    found = dict(x=x, y=y, probe=probe, gradient=gradient, **told)
    out.update({f"{name}.{k}": v.detach().contiguous() for k, v in found.items()})


# MARK: guided-diffusion. Each kind of its networks, on pictures of 16 x 24.

base = dict(image_size=16, in_channels=3, out_channels=6, use_scale_shift_norm=True, resblock_updown=True)
kinds = {
    "legacy": (unet.UNetModel, base | dict(
        model_channels=32, num_res_blocks=2, attention_resolutions=(2, 4), channel_mult=(1, 1, 2), num_head_channels=16)),
    "new": (unet.UNetModel, base | dict(
        model_channels=32, num_res_blocks=3, attention_resolutions=(2,), channel_mult=(1, 2), num_head_channels=16,
        use_new_attention_order=True, num_classes=10)),
    "heads": (unet.UNetModel, base | dict(
        model_channels=64, num_res_blocks=1, attention_resolutions=(2, 4), channel_mult=(.5, 1, 1), num_heads=4,
        num_classes=10)),
    "plain": (unet.UNetModel, base | dict(
        model_channels=32, num_res_blocks=2, attention_resolutions=(4,), channel_mult=(1, 1, 2), num_heads=1,
        use_scale_shift_norm=False, resblock_updown=False)),
    "upsampler": (unet.SuperResModel, base | dict(
        model_channels=32, num_res_blocks=1, attention_resolutions=(2,), channel_mult=(1, 2), num_heads=4, num_classes=10)),
}
for name, (kind, sizes) in kinds.items():
    told = dict(timesteps=torch.tensor([3.0, 801.5]))
    if "num_classes" in sizes:
        told["y"] = torch.tensor([7, 2])
    if name == "upsampler":
        told["low_res"] = torch.randn(2, 3, 4, 6).half().float()
    # The label is called y as the output is.
    model = filled(kind(**sizes))
    record(name, lambda x, label=None, **more: model(x, **more | ({"y": label} if label is not None else {})),
           torch.randn(2, 3, 16, 24), {"label" if k == "y" else k: v for k, v in told.items()})

classifier = filled(unet.EncoderUNetModel(
    image_size=16, in_channels=3, model_channels=32, out_channels=10, num_res_blocks=2, attention_resolutions=(2, 4),
    channel_mult=(1, 1, 2), num_head_channels=16, use_scale_shift_norm=True, resblock_updown=True, pool="attention"))
record("classifier", classifier, torch.randn(2, 3, 16, 16), dict(timesteps=torch.tensor([3.0, 801.5])))
x, label = out["classifier.x"].clone().requires_grad_(), torch.tensor([7, 2])
logs = torch.log_softmax(classifier(x, out["classifier.timesteps"]), dim=-1)
out["classifier.label"] = label
out["classifier.toward"] = torch.autograd.grad(logs[range(2), label].sum(), x)[0][..., ::2, ::2].contiguous()

# MARK: Disco Diffusion's secondary models, whose sizes stand in their code: c is a quarter.

names = ["append_dims", "expand_to_planes", "t_to_alpha_sigma", "DiffusionOutput", "ConvBlock", "SkipBlock",
         "FourierFeatures", "SecondaryDiffusionImageNet", "SecondaryDiffusionImageNet2"]


def secondary(change=lambda text: text):
    around = dict(torch=torch, nn=nn, math=math, partial=functools.partial, dataclass=dataclass)
    return definitions("alembics/disco-diffusion", "disco.py", names, around, change)[-2:]


for name, model in zip(("first", "second"), secondary(lambda text: text.replace("c = 64  #", "c = 16  #"))):
    model = filled(model())
    record(f"secondary.{name}", lambda x, t: model(x, t).v, torch.randn(2, 3, 32, 64), dict(t=torch.tensor([0.3, 0.85])))

# MARK: LPIPS, with the trunk at its own size.

measure = lpips.LPIPS(net="vgg", pretrained=False, pnet_rand=True, verbose=False, use_dropout=True).eval()
with torch.no_grad():
    for part in (measure.net.slice1, measure.net.slice2, measure.net.slice3, measure.net.slice4, measure.net.slice5):
        for key, p in part.named_parameters():
            p.copy_(weight("features." + key, tuple(p.shape)))
    for index in range(5):
        key = f"lin{index}.model.1.weight"
        p = measure.get_parameter(key)
        p.copy_(weight(key, tuple(p.shape)))
other = (torch.rand(2, 3, 32, 40) * 2 - 1).half().float()
record("lpips", lambda x, other: measure(x, other)[:, 0, 0, 0], torch.rand(2, 3, 32, 40) * 2 - 1, dict(other=other))

out = {k: v.half() if k.endswith((".x", ".probe", ".other", ".low_res")) else v for k, v in out.items()}
save_file(out, FIXTURES / "guided_diffusion.safetensors")

# MARK: What the published files hold.

flags = dict(learn_sigma=True, use_scale_shift_norm=True, resblock_updown=True, num_res_blocks=2, num_channels=256,
             num_head_channels=64, attention_resolutions="32,16,8")
small = dict(num_head_channels=-1, num_channels=128)
networks = {
    "64x64_diffusion": flags | dict(
        image_size=64, num_channels=192, num_res_blocks=3, class_cond=True, use_new_attention_order=True),
    "128x128_diffusion": flags | dict(image_size=128, num_head_channels=-1, num_heads=4, class_cond=True),
    "256x256_diffusion": flags | dict(image_size=256, class_cond=True),
    "256x256_diffusion_uncond": flags | dict(image_size=256),
    "512x512_diffusion": flags | dict(image_size=512, class_cond=True),
    "512x512_diffusion_uncond_finetune_008100": flags | dict(image_size=512),
    "lsun_bedroom": flags | dict(image_size=256, dropout=0.1),
    "pixelartdiffusion4k": flags | small | dict(
        image_size=256, num_heads=1, attention_resolutions="16", use_scale_shift_norm=False, resblock_updown=False),
    "portrait_generator_v001": flags | small | dict(image_size=512, num_heads=4),
}
upsamplers = {
    "64_256_upsampler": flags | dict(large_size=256, small_size=64, num_channels=192, num_head_channels=-1, num_heads=4),
    "128_512_upsampler": flags | dict(large_size=512, small_size=128, num_channels=192, attention_resolutions="32,16"),
}
with torch.device("meta"):
    models = {name: script_util.create_model(**sizes) for name, sizes in networks.items()}
    for name, sizes in upsamplers.items():
        rest = dict(num_heads=1, num_heads_upsample=-1, dropout=0.0, use_checkpoint=False, use_fp16=False, class_cond=True)
        models[name] = script_util.sr_create_model(**rest | sizes)
    for size in (64, 128, 256, 512):
        sizes = script_util.classifier_defaults() | dict(image_size=size, classifier_depth=4 if size == 64 else 2)
        models[f"{size}x{size}_classifier"] = script_util.create_classifier(**sizes)
    for name, model in zip(("secondary_model_imagenet", "secondary_model_imagenet_2"), secondary()):
        models[name] = model()
published = {}
for name, model in models.items():
    shapes = {k: list(v.shape) for k, v in model.state_dict().items()}
    lines = "\n".join(f"{k} {shapes[k]}" for k in sorted(shapes))
    published[name] = {"parameters": sum(p.numel() for p in model.parameters()), "tensors": len(shapes),
                       "sha256": hashlib.sha256(lines.encode()).hexdigest()}
    print(name, published[name]["parameters"], len(shapes))
(FIXTURES / "guided_diffusion.json").write_text(json.dumps(published, indent=1) + "\n")
