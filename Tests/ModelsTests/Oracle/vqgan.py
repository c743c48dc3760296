"""Writes Fixtures/vqgan.safetensors: activations of a reduced VQGAN, stage by stage, in diffusers' VQModel.

The weights come from common.weight under taming's keys, so the file holds none; its metadata maps diffusers' keys to
taming's, from which the test makes a file in diffusers' layout. taming's own modules must agree here.
"""
from common import *

import json

from diffusers import VQModel
from safetensors.torch import save_file
from taming.modules.diffusionmodules.model import Decoder, Encoder

CH, MULT, BLOCKS, Z, CODES = 32, (1, 2, 2), 1, 16, 40
LEVELS = len(MULT)
PX = 16


def diffusers_keys(levels, blocks, attention_level):
    """{diffusers module: taming module}; the mapping of CompVis's keys that diffusers' conversion script does."""
    keys = {"quant_conv": "quant_conv", "post_quant_conv": "post_quant_conv", "quantize.embedding": "quantize.embedding"}

    def res(a, b):
        for x, y in (("norm1",) * 2, ("conv1",) * 2, ("norm2",) * 2, ("conv2",) * 2, ("nin_shortcut", "conv_shortcut")):
            keys[f"{b}.{y}"] = f"{a}.{x}"

    def att(a, b):
        for x, y in (("norm", "group_norm"), ("q", "to_q"), ("k", "to_k"), ("v", "to_v"), ("proj_out", "to_out.0")):
            keys[f"{b}.{y}"] = f"{a}.{x}"

    for e in ("encoder", "decoder"):
        for x, y in (("conv_in", "conv_in"), ("conv_out", "conv_out"), ("norm_out", "conv_norm_out")):
            keys[f"{e}.{y}"] = f"{e}.{x}"
        res(f"{e}.mid.block_1", f"{e}.mid_block.resnets.0")
        res(f"{e}.mid.block_2", f"{e}.mid_block.resnets.1")
        att(f"{e}.mid.attn_1", f"{e}.mid_block.attentions.0")
    for i in range(levels):
        down, up = (f"encoder.down.{i}", f"encoder.down_blocks.{i}"), (f"decoder.up.{i}", f"decoder.up_blocks.{levels - 1 - i}")
        for (a, b), count in ((down, blocks), (up, blocks + 1)):
            for j in range(count):
                res(f"{a}.block.{j}", f"{b}.resnets.{j}")
                if i == attention_level:
                    att(f"{a}.attn.{j}", f"{b}.attentions.{j}")
        if i < levels - 1:
            keys[f"{down[1]}.downsamplers.0.conv"] = f"{down[0]}.downsample.conv"
        if i > 0:
            keys[f"{up[1]}.upsamplers.0.conv"] = f"{up[0]}.upsample.conv"
    return keys


def taming_key(key, modules):
    module, kind = key.rsplit(".", 1)
    return f"{modules[module]}.{kind}"


def main():
    model = VQModel(
        in_channels=3, out_channels=3,
        down_block_types=("DownEncoderBlock2D",) * (LEVELS - 1) + ("AttnDownEncoderBlock2D",),
        up_block_types=("AttnUpDecoderBlock2D",) + ("UpDecoderBlock2D",) * (LEVELS - 1),
        block_out_channels=tuple(CH * m for m in MULT), layers_per_block=BLOCKS, latent_channels=Z, sample_size=PX,
        num_vq_embeddings=CODES, vq_embed_dim=Z, norm_num_groups=32).eval()
    modules = diffusers_keys(LEVELS, BLOCKS, LEVELS - 1)
    keys, taming, state = {}, {}, {}
    for key, value in model.state_dict().items():
        ours = taming_key(key, modules)
        is_attention = any(f".{x}.weight" in ours for x in ("q", "k", "v", "proj_out"))
        shape = tuple(value.shape) + ((1, 1) if is_attention else ())  # taming has 1x1 convolutions
        taming[ours] = weight(ours, shape)
        state[key] = taming[ours].reshape(value.shape)
        keys[key] = [ours, list(value.shape), list(shape)]
    model.load_state_dict(state)

    activations = {}

    def record(name, module):
        module.register_forward_hook(lambda _, __, y: activations.update({name: y.detach().clone()}))

    for side in (model.encoder, model.decoder):
        name = "encoder" if side is model.encoder else "decoder"
        record(f"{name}.conv_in", side.conv_in)
        record(f"{name}.mid", side.mid_block)
        for i, block in enumerate(side.down_blocks if name == "encoder" else side.up_blocks):
            record(f"{name}.{'down' if name == 'encoder' else 'up'}.{i if name == 'encoder' else LEVELS - 1 - i}", block)
        record(f"{name}.conv_out", side.conv_out)

    generator = torch.Generator().manual_seed(3)
    x = torch.rand(1, 3, PX, PX, generator=generator) * 2 - 1
    with torch.no_grad():
        latents = model.encode(x).latents
        quantized, _, (_, _, indices) = model.quantize(latents)
        image = model.decode(latents).sample
    # Loss and gradient at a latent, as VQGAN+CLIP needs it.
    z = quantized.clone().requires_grad_(True)
    probe = torch.randn(image.shape, generator=generator)
    gradient, = torch.autograd.grad((model.decoder(model.post_quant_conv(z)) * probe).sum(), z)

    # taming itself on the same weights.
    common = dict(ch=CH, out_ch=3, ch_mult=MULT, num_res_blocks=BLOCKS, attn_resolutions=[PX >> (LEVELS - 1)],
                  in_channels=3, resolution=PX, z_channels=Z, double_z=False)
    encoder, decoder = Encoder(**common).eval(), Decoder(**common).eval()
    for module, prefix in ((encoder, "encoder."), (decoder, "decoder.")):
        module.load_state_dict({k[len(prefix):]: v for k, v in taming.items() if k.startswith(prefix)})
    with torch.no_grad():
        h = torch.nn.functional.conv2d(encoder(x), taming["quant_conv.weight"], taming["quant_conv.bias"])
        o = decoder(torch.nn.functional.conv2d(
            quantized, taming["post_quant_conv.weight"], taming["post_quant_conv.bias"]))
    print("taming: encode", maxdiff(h, latents), "decode", maxdiff(o, image), "scale", image.abs().max().item(),
          "codes in use", len(indices.unique()))
    assert maxdiff(h, latents) < 1e-5 and maxdiff(o, image) < 1e-5

    activations |= {"x": x, "latents": latents, "quantized": quantized, "image": image, "probe": probe,
                    "gradient": gradient, "indices": indices.reshape(latents.shape[2:])}
    save_file({k: v.detach().contiguous() for k, v in activations.items()}, FIXTURES / "vqgan.safetensors",
              metadata={"keys": json.dumps(keys)})


if __name__ == "__main__":
    main()
