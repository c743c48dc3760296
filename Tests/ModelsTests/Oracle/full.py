"""Writes .oracle/full/: ViT-B/32 and VQGAN f16-16384 with random weights, and what clip-anytorch and diffusers make
of them in float32: outputs, and the gradients that guidance needs. Copies OpenAI's vocabulary to .oracle/.
About 1 GB; for `script/test --full`.
"""
from common import *

import shutil

import clip.model
from clip.simple_tokenizer import default_bpe
from diffusers import VQModel
from safetensors.torch import save_file

import token_corpus
from vqgan import diffusers_keys, taming_key

torch.set_num_threads(2)
FULL.mkdir(parents=True, exist_ok=True)


def vit():
    torch.manual_seed(5)
    model = clip.model.CLIP(512, 224, 12, 768, 32, 77, 49408, 512, 8, 12)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if ".ln_" in name or name.startswith("ln_"):
                p.copy_(torch.randn_like(p) * 0.1 + (1 if name.endswith("weight") else 0))
            elif name.endswith("bias"):
                p.normal_(std=0.02)
    clip.model.convert_weights(model)  # the mixture of half and single precision of OpenAI's files
    state = {k: v.clone() for k, v in model.state_dict().items()}
    save_file(state, FULL / "ViT-B-32.safetensors")
    model = model.float().eval()
    model.dtype  # float32 now
    pixels = torch.randn(2, 3, 224, 224).requires_grad_(True)
    tokens = torch.zeros(3, 77, dtype=torch.long)
    tokens[0, :8] = torch.tensor([49406, 320, 1125, 539, 320, 2368, 995, 49407])
    tokens[1, :3] = torch.tensor([49406, 2368, 49407])
    tokens[2] = torch.cat([torch.tensor([49406]), torch.randint(0, 49406, (75,)), torch.tensor([49407])])
    image, text = model.encode_image(pixels), model.encode_text(tokens)
    gradient, = torch.autograd.grad(torch.nn.functional.cosine_similarity(image, text[:2]).sum(), pixels)
    save_file({k: v.detach().contiguous() for k, v in dict(
        pixels=pixels, tokens=tokens, image=image, text=text, gradient=gradient).items()},
        FULL / "ViT-B-32.oracle.safetensors")
    print("ViT-B/32: scale", image.abs().max().item(), text.abs().max().item(), gradient.abs().max().item())


def vqgan():
    torch.manual_seed(6)
    model = VQModel(
        in_channels=3, out_channels=3, down_block_types=("DownEncoderBlock2D",) * 4 + ("AttnDownEncoderBlock2D",),
        up_block_types=("AttnUpDecoderBlock2D",) + ("UpDecoderBlock2D",) * 4, block_out_channels=(128, 128, 256, 256, 512),
        layers_per_block=2, latent_channels=256, sample_size=256, num_vq_embeddings=16384, vq_embed_dim=256,
        norm_num_groups=32).eval()
    with torch.no_grad():
        model.quantize.embedding.weight.normal_(std=0.5)
    modules = diffusers_keys(5, 2, 4)
    state = {}
    for key, value in model.state_dict().items():
        ours = taming_key(key, modules)
        is_attention = any(f".{x}.weight" in ours for x in ("q", "k", "v", "proj_out"))
        state[ours] = (value[:, :, None, None] if is_attention else value).contiguous()
    save_file(state, FULL / "vqgan-f16-16384.safetensors")
    save_file(model.state_dict(), FULL / "vqgan-f16-16384.diffusers.safetensors")
    x = torch.rand(1, 3, 256, 256) * 2 - 1
    with torch.no_grad():
        latents = model.encode(x).latents
        quantized, _, (_, _, indices) = model.quantize(latents)
    z = quantized.clone().requires_grad_(True)
    image = model.decoder(model.post_quant_conv(z))
    probe = torch.randn(image.shape)
    smooth_probe = torch.randn(1, 3, 32, 32)

    def gradients(image, z):
        image = image.float()
        pooled = torch.nn.functional.avg_pool2d(image, 8)
        return (torch.autograd.grad((image * probe).mean(), z, retain_graph=True)[0],
                torch.autograd.grad((pooled * smooth_probe).mean(), z)[0])

    gradient, smooth_gradient = gradients(image, z)
    # What PyTorch itself keeps of the directions in bfloat16.
    model.to(torch.bfloat16)
    reduced_z = quantized.clone().requires_grad_(True)
    reduced_image = model.decoder(model.post_quant_conv(reduced_z.bfloat16()))
    reduced_gradient, reduced_smooth = gradients(reduced_image, reduced_z)
    bfloat16 = {f"bfloat16.{k}": cosine(a, b) for k, a, b in (
        ("image", image, reduced_image), ("gradient", gradient, reduced_gradient),
        ("smooth_gradient", smooth_gradient, reduced_smooth))}
    save_file({k: v.detach().contiguous() for k, v in (dict(
        x=x, latents=latents, indices=indices.reshape(16, 16), z=z, image=image, probe=probe, gradient=gradient,
        smooth_probe=smooth_probe, smooth_gradient=smooth_gradient) | bfloat16).items()},
        FULL / "vqgan-f16-16384.oracle.safetensors")
    print("VQGAN: scale", latents.abs().max().item(), image.abs().max().item(), gradient.abs().max().item(),
          {k: v.item() for k, v in bfloat16.items()})


def cosine(a, b):
    return torch.nn.functional.cosine_similarity(a.detach().double().flatten(), b.detach().double().flatten(), dim=0)


def vocabulary():
    """OpenAI's vocabulary, where the test of the whole one looks for it."""
    shutil.copy(default_bpe(), ROOT / ".oracle" / "bpe_simple_vocab_16e6.txt.gz")


vocabulary()
token_corpus.main()
vit()
vqgan()
