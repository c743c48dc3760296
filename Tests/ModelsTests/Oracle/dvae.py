"""Writes Fixtures/dvae.safetensors: what reduced networks of the package DALL-E make of pictures and codes, with weights
by common.weight (encoder's keys below "encoder.", the decoder's below "decoder.").
"""
from common import *

from dall_e import Decoder, Encoder, map_pixels, unmap_pixels
from safetensors.torch import save_file

SIZES = dict(n_hid=8, n_blk_per_group=2, vocab_size=24, requires_grad=False, use_mixed_precision=False)


def fill(module, prefix):
    for key, value in module.named_parameters():
        value.data = weight(prefix + key, tuple(value.shape))
    return module.eval()


torch.manual_seed(3)
encoder, decoder = fill(Encoder(**SIZES), "encoder."), fill(Decoder(n_init=16, **SIZES), "decoder.")
images = torch.rand(2, 3, 16, 24)
logits = encoder(map_pixels(images))
codes = torch.nn.functional.one_hot(torch.randint(24, (2, 2, 3)), 24).permute(0, 3, 1, 2).float()
statistics = decoder(codes)
pictures = unmap_pixels(torch.sigmoid(statistics[:, :3]))
print("scale", logits.abs().max().item(), statistics.abs().max().item())
save_file({k: v.detach().contiguous() for k, v in dict(
    images=images, logits=logits, codes=codes, statistics=statistics, pictures=pictures).items()},
    FIXTURES / "dvae.safetensors")
