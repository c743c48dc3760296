"""Writes Fixtures/gumbel.safetensors: the logits and the codes that taming's GumbelQuantize gives the latent of a reduced
encoder, with weights by common.weight under GumbelVQ's keys.
"""
from common import *

from safetensors.torch import save_file
from taming.modules.diffusionmodules.model import Encoder
from taming.modules.vqvae.quantize import GumbelQuantize

torch.manual_seed(4)
Z, CODES = 16, 40
encoder = Encoder(ch=32, out_ch=3, ch_mult=(1, 2), num_res_blocks=1, attn_resolutions=[8], dropout=0.0, in_channels=3,
                  resolution=16, z_channels=Z, double_z=False)
quantize = GumbelQuantize(Z, Z, CODES, straight_through=True, kl_weight=0, temp_init=1)
quant_conv = torch.nn.Conv2d(Z, Z, 1)
for module, prefix in ((encoder, "encoder."), (quantize, "quantize."), (quant_conv, "quant_conv.")):
    for key, value in module.named_parameters():
        value.data = weight(prefix + key, tuple(value.shape))
x = torch.randn(1, 3, 16, 24)
logits = quantize.proj(quant_conv(encoder.eval()(x)))
indices = logits.argmax(1)
latents = quantize.embed(indices).permute(0, 3, 1, 2)
print("scale", logits.abs().max().item(), "codes", indices.unique().numel())
save_file({k: v.detach().contiguous() for k, v in dict(x=x, logits=logits, indices=indices, latents=latents).items()},
          FIXTURES / "gumbel.safetensors")
