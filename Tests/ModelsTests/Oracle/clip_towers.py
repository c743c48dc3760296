"""Writes Fixtures/clip_towers.safetensors: outputs of reduced image towers, OpenAI's residual network in clip-anytorch
and in open_clip, and SLIP's vision transformer in timm (as models.py of facebookresearch/SLIP uses it), with weights by
common.weight.
"""
from common import *

import clip.model
import open_clip.modified_resnet
from safetensors.torch import save_file
from timm.models.vision_transformer import VisionTransformer

out = {}


def fill(module, prefix=""):
    state = module.state_dict()
    module.load_state_dict({k: weight(prefix + k, tuple(v.shape)) if v.is_floating_point() else v for k, v in state.items()})
    return module.eval()


torch.manual_seed(2)
PX, WIDTH, STAGES, EMBED = 64, 8, (1, 2, 1, 1), 24
out["resnet.pixels"] = torch.randn(2, 3, PX, PX)
model = fill(clip.model.ModifiedResNet(STAGES, EMBED, WIDTH * 32 // 64, PX, WIDTH), "visual.")
other = fill(open_clip.modified_resnet.ModifiedResNet(STAGES, EMBED, WIDTH * 32 // 64, PX, WIDTH), "visual.")
x = out["resnet.pixels"].clone().requires_grad_(True)
with torch.no_grad():
    h = x
    for i in (1, 2, 3):
        h = torch.relu(getattr(model, f"bn{i}")(getattr(model, f"conv{i}")(h)))
    h = model.avgpool(h)
    for i in (1, 2, 3, 4):
        h = getattr(model, f"layer{i}")(h)
    out["resnet.features"] = h
y = model(x)
out["resnet.output"] = y
out["resnet.gradient"], = torch.autograd.grad(y.square().sum(), x)
print("open_clip against clip:", maxdiff(other(x), y), "scale", y.abs().max().item())
assert maxdiff(other(x), y) < 1e-5

PX, WIDTH, DEPTH, HEADS = 32, 32, 2, 4
out["slip.pixels"] = torch.randn(2, 3, PX, PX)
model = fill(VisionTransformer(img_size=PX, patch_size=8, embed_dim=WIDTH, depth=DEPTH, num_heads=HEADS, num_classes=0), "visual.")
out["slip.output"] = model(out["slip.pixels"]) @ weight("image_projection", (WIDTH, EMBED))
print("slip: scale", out["slip.output"].abs().max().item())
save_file({k: v.detach().contiguous() for k, v in out.items()}, FIXTURES / "clip_towers.safetensors")
