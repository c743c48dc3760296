"""Writes Fixtures/pictures.safetensors: reduced networks about pictures with random weights, and what the references make
of them: siren-pytorch's, torchvision's VGG-16, spandrel's ESRGAN (weights by common.weight), and aesthetic heads as their
repositories write them. Keys with a point behind the network's name are its weights.
"""
from common import *

import spandrel
import torchvision
from safetensors.torch import save_file
from siren_pytorch import SirenNet, SirenWrapper

out = {}
torch.manual_seed(12)

siren = SirenWrapper(SirenNet(dim_in=2, dim_hidden=16, num_layers=3, dim_out=3, w0=20., w0_initial=35.),
                     image_width=7, image_height=5)
target = torch.rand(1, 3, 5, 7)
loss = siren(target)
out |= {"siren." + k: v for k, v in siren.state_dict().items()}
out |= {"siren-picture": siren(), "siren-target": target, "siren-loss": loss,
        "siren-gradient": torch.autograd.grad(loss, siren.net.layers[0].weight)[0]}

WIDTHS = (4, 6, 8, 8, 8)
cfg = [v for width, count in zip(WIDTHS, (2, 2, 3, 3, 3)) for v in [width] * count + ["M"]]
vgg = torchvision.models.vgg.make_layers(cfg)
with torch.no_grad():
    for p in vgg.parameters():
        if p.dim() == 1:
            p.normal_(std=0.1)
        else:
            torch.nn.init.kaiming_normal_(p)
pictures = torch.rand(2, 3, 40, 48)
mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
x = (pictures - mean[:, None, None]) / std[:, None, None]
out |= {"vgg.features." + k: v for k, v in vgg.state_dict().items()}
out["vgg-pictures"] = pictures
for index, layer in enumerate(vgg):
    x = layer(x)
    if index in (3, 8, 13, 22, 29, 30):
        out[f"vgg-{index}"] = x[:, :, ::2, ::2] if index == 3 else x
        print("vgg", index, x.abs().max().item())


def rrdb(inputs, width=8, growth=32, blocks=2):
    """Random weights by the names of Real-ESRGAN."""
    sd = {}

    def conv(name, i, o):
        sd[name + ".weight"], sd[name + ".bias"] = weight(name + ".weight", (o, i, 3, 3)), weight(name + ".bias", (o,))

    conv("conv_first", inputs, width)
    for b in range(blocks):
        for r in (1, 2, 3):
            for c in range(1, 6):
                conv(f"body.{b}.rdb{r}.conv{c}", width + (c - 1) * growth, growth if c < 5 else width)
    for name in ("conv_body", "conv_up1", "conv_up2", "conv_hr"):
        conv(name, width, width)
    conv("conv_last", width, 3)
    return sd


for name, inputs in (("x4", 3), ("x2", 12)):
    found = spandrel.ModelLoader().load_from_state_dict(rrdb(inputs))
    small = torch.rand(1, 3, 6, 8)
    out |= {f"{name}-small": small, f"{name}-large": found.model.eval()(small)}
    print(name, found.scale, out[f"{name}-large"].abs().max().item())

embeddings = torch.nn.functional.normalize(torch.randn(3, 12), dim=1)
linear = torch.nn.Sequential(
    torch.nn.Linear(12, 8), torch.nn.Dropout(0.2), torch.nn.Linear(8, 6), torch.nn.Dropout(0.2), torch.nn.Linear(6, 4),
    torch.nn.Dropout(0.1), torch.nn.Linear(4, 3), torch.nn.Linear(3, 1)).eval()
relu = torch.nn.Sequential(
    torch.nn.Linear(12, 8), torch.nn.ReLU(), torch.nn.Dropout(0.2), torch.nn.Linear(8, 6), torch.nn.ReLU(),
    torch.nn.Dropout(0.2), torch.nn.Linear(6, 4), torch.nn.ReLU(), torch.nn.Dropout(0.1), torch.nn.Linear(4, 3),
    torch.nn.ReLU(), torch.nn.Linear(3, 1)).eval()
single = torch.nn.Linear(12, 1)
out["embeddings"] = embeddings
for name, head, prefix in (("head", single, ""), ("linear", linear, "layers."), ("relu", relu, "layers.")):
    out |= {f"{name}.{prefix}{k}": v for k, v in head.state_dict().items()}
    out[f"{name}-scores"] = head(embeddings)[:, 0]

save_file({k: v.detach().contiguous().clone() for k, v in out.items()}, FIXTURES / "pictures.safetensors")
