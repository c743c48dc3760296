"""Writes Fixtures/biggan.safetensors: a reduced generator of pytorch-pretrained-biggan with random weights, and what it
draws: pictures of one latent each ("pictures"), and, with a latent of its own for every block as Big Sleep has it, what
comes out of every layer ("layer.N", every other pixel of the large ones) and the gradient at the latents.

Fixtures/biggan.json is its config.json.
"""
from common import *

from pytorch_pretrained_biggan import BigGAN, BigGANConfig
from pytorch_pretrained_biggan.model import GenBlock
from safetensors.torch import save_file

CONFIG = BigGANConfig(
    output_dim=32, z_dim=8, class_embed_dim=8, channel_width=4, num_classes=5, attention_layer_position=2, n_stats=6,
    layers=[(False, 16, 8), (True, 8, 8), (False, 8, 4), (True, 4, 2), (False, 2, 2), (True, 2, 1)])

torch.manual_seed(11)
model = BigGAN(CONFIG)
generator = model.generator
with torch.no_grad():
    for key, value in model.state_dict().items():
        if key.endswith("running_means"):
            value.normal_(std=0.3)
        elif key.endswith("running_vars"):
            value.uniform_(0.3, 1.5)
        elif key.endswith(("gamma", "bn.weight")):
            value.uniform_(0.5, 1.5)
        elif key.endswith("bias"):
            value.normal_(std=0.2)
    for _ in range(3):  # each pass moves the vectors of the spectral norms on, as training does
        model.train()(torch.randn(1, 8), torch.rand(1, 5), 0.4)
model.eval()


def per_block(latents, classes, truncation):
    """One condition for each block, as lucidrains' Big Sleep gives them; every layer's result."""
    conditions = torch.cat([latents, model.embeddings(classes)], dim=1).split(1)
    x = generator.gen_z(conditions[0]).view(-1, 4, 4, 16 * CONFIG.channel_width).permute(0, 3, 1, 2)
    found, rest = [x], list(conditions[1:])
    for layer in generator.layers:
        x = layer(x, rest.pop(0), truncation) if isinstance(layer, GenBlock) else layer(x)
        found.append(x)
    x = generator.conv_to_rgb(torch.relu(generator.bn(x, truncation)))
    return found + [torch.tanh(x[:, :3])]


latents, classes = torch.randn(2, 8), torch.eye(5)[[1, 3]]
blocks = len(CONFIG.layers) + 1
block_latents = torch.randn(blocks, 8, requires_grad=True)
block_classes = torch.rand(blocks, 5)
probe = torch.randn(1, 3, 32, 32)
out = dict(latents=latents, classes=classes, pictures=model(latents, classes, 0.4), block_latents=block_latents,
           block_classes=block_classes, probe=probe)
# The package exchanges the weights of the two statistics between which it interpolates: at 2.85 steps it does what is
# meant at 2.15 steps.
layers = per_block(block_latents, block_classes, 2.85 * 0.2)
out["gradient"], = torch.autograd.grad((layers[-1] * probe).sum(), block_latents)
for index, x in enumerate(layers):
    out[f"layer.{index}"] = x[..., ::2, ::2] if x.shape[-1] > 16 else x
print("scale", [round(x.abs().max().item(), 3) for x in layers], out["gradient"].abs().max().item())
weights = {"model." + key: value for key, value in model.state_dict().items()}
save_file({k: v.detach().contiguous().clone() for k, v in (out | weights).items()}, FIXTURES / "biggan.safetensors")
(FIXTURES / "biggan.json").write_text(CONFIG.to_json_string())
