"""Writes Fixtures/v_diffusion.safetensors: what reduced networks of v-diffusion-pytorch make of noised pictures, and the
gradients at them, with weights by common.weight; and Fixtures/v_diffusion.json: for each of the eight published networks
the number of its parameters and a hash of all keys and shapes.

The package has its sizes in its code: reduced networks are its own classes with other numbers put in.
"""
from common import *

import hashlib
import importlib.util
import json
import types

from diffusion.models import get_model, get_models
from safetensors.torch import save_file

package = pathlib.Path(importlib.util.find_spec("diffusion").origin).parent


def reduced(name, numbers):
    """The module `name` of the package with other numbers in its code."""
    source = (package / "models" / f"{name}.py").read_text()
    for old, new in numbers.items():
        assert old in source, old
        source = source.replace(old, new)
    module = types.ModuleType(f"diffusion.models.reduced_{name}")
    module.__package__ = "diffusion.models"
    exec(source, module.__dict__)
    model = next(v for k, v in vars(module).items() if k.endswith("Model"))()
    with torch.no_grad():
        for key, p in model.named_parameters():
            # Halved: at full size activations grow so much, for want of norms, that which side of a ReLU they
            # fall on depends on rounding.
            p.copy_(weight(key, tuple(p.shape)) / 2)
    return model.eval()


out = {}
torch.manual_seed(3)
reference = {
    "cc12m": reduced("cc12m_1", {"c = 128": "c = 16", "1024": "48", "512 + 128": "24 + 128"}),
    "yfcc": reduced("yfcc_1", {"c = 128": "c = 16"}),
    "imagenet": reduced("imagenet_128", {"c = 128": "c = 16", "// 128": "// 16"}),
    "wikiart": reduced("wikiart_128", {"c = 128": "c = 8"}),
}
for name, model in reference.items():
    shape = {"cc12m": (2, 64, 64), "yfcc": (1, 128, 128), "imagenet": (2, 32, 64), "wikiart": (1, 32, 32)}[name]
    x = torch.randn(shape[0], 3, *shape[1:]).half().float().requires_grad_()
    t = torch.tensor([0.3, 0.85])[:shape[0]]
    extra = {"clip_embed": torch.randn(2, 24)} if name == "cc12m" else {}
    v = model(x, t, **extra)
    probe = torch.randn_like(v).half().float()
    gradient, = torch.autograd.grad((v * probe).sum() / 1000, x)
    print(name, "scale", v.abs().max().item(), gradient.abs().max().item(), sum(p.numel() for p in model.parameters()))
    found = dict(x=x, t=t, v=v[..., ::4, ::4], probe=probe, gradient=gradient[..., ::4, ::4], **extra)
    out |= {f"{name}.{k}": v.detach().contiguous() for k, v in found.items()}
out = {k: v.half() if k.endswith((".probe", ".x")) else v for k, v in out.items()}

save_file(out, FIXTURES / "v_diffusion.safetensors")

published = {}
torch.Tensor.item = lambda self: 0.0  # models that will never be run ask for times
for name in get_models():
    with torch.device("meta"):
        model = get_model(name)()
    shapes = {k: list(v.shape) for k, v in model.state_dict().items()}
    lines = "\n".join(f"{k} {shapes[k]}" for k in sorted(shapes))
    published[name] = {"parameters": sum(p.numel() for p in model.parameters()), "tensors": len(shapes),
                       "sha256": hashlib.sha256(lines.encode()).hexdigest()}
(FIXTURES / "v_diffusion.json").write_text(json.dumps(published, indent=1) + "\n")
