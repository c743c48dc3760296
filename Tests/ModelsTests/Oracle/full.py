"""Writes .oracle/full/: the published architectures with random weights in the containers that they were published in,
and what their packages make of them in float32: outputs, and the gradients that guidance
needs. Copies OpenAI's vocabulary to .oracle/. About 3 GB; for `script/test --full`.
"""
from common import *

import shutil
import sys

import clip.model
import dall_e
import spandrel
from clip.simple_tokenizer import default_bpe
from diffusers import VQModel
from pytorch_pretrained_biggan import BigGAN, BigGANConfig
from safetensors.torch import save_file
from taming.modules.diffusionmodules.model import Decoder, Encoder
from taming.modules.vqvae.quantize import GumbelQuantize

sys.path.insert(0, str(ROOT / "Tests" / "TokenizersTests" / "Oracle"))
import token_corpus
from vqgan import diffusers_keys, taming_key

torch.set_num_threads(2)
FULL.mkdir(parents=True, exist_ok=True)


def clips():
    """OpenAI's archives as they published them: TorchScript, half precision where they have it."""
    for name, sizes in (("ViT-B-32", (512, 224, 12, 768, 32, 77, 49408, 512, 8, 12)),
                        ("ViT-L-14", (768, 224, 24, 1024, 14, 77, 49408, 768, 12, 12)),
                        ("RN50", (1024, 224, (3, 4, 6, 3), 64, None, 77, 49408, 512, 8, 12))):
        torch.manual_seed(5)
        model = clip.model.CLIP(*sizes)
        with torch.no_grad():
            for key, p in model.named_parameters():
                if ".ln_" in key or key.startswith("ln_") or ".bn" in key or ".downsample.1." in key:
                    p.copy_(torch.randn_like(p) * 0.1 + (1 if key.endswith("weight") else 0))
                    if key.endswith("bn3.weight"):
                        p.mul_(0.2)  # OpenAI's begin at zero; at one, rounding grows to noise in the gradient
                elif key.endswith("bias"):
                    p.normal_(std=0.02)
            if name.startswith("RN"):
                # Statistics as training leaves them; with others activations grow from block to block.
                for module in model.visual.modules():
                    if isinstance(module, torch.nn.BatchNorm2d):
                        module.momentum = None
                model.visual.train()(torch.randn(8, 3, 224, 224))
        clip.model.convert_weights(model)  # the mixture of half and single precision of OpenAI's files
        model.eval()
        if name == "ViT-B-32":
            save_file({k: v.clone() for k, v in model.state_dict().items()}, FULL / f"{name}.safetensors")
        for key, value in (("input_resolution", sizes[1]), ("context_length", 77), ("vocab_size", 49408)):
            if hasattr(model, key):
                delattr(model, key)
            model.register_buffer(key, torch.tensor(value))
        pixels = torch.randn(2, 3, 224, 224)
        tokens = torch.zeros(3, 77, dtype=torch.long)
        tokens[0, :8] = torch.tensor([49406, 320, 1125, 539, 320, 2368, 995, 49407])
        tokens[1, :3] = torch.tensor([49406, 2368, 49407])
        tokens[2] = torch.cat([torch.tensor([49406]), torch.randint(0, 49406, (75,)), torch.tensor([49407])])
        torch.jit.trace_module(model, {"encode_image": pixels, "encode_text": tokens}, check_trace=False).save(
            str(FULL / f"{name}.pt"))
        model = model.float().eval()
        model.dtype  # float32 now
        pixels.requires_grad_(True)
        image, text = model.encode_image(pixels), model.encode_text(tokens)
        gradient, = torch.autograd.grad((image * text[:2].detach()).sum(), pixels)
        save_file({k: v.detach().contiguous() for k, v in dict(
            pixels=pixels, tokens=tokens, image=image, text=text, gradient=gradient).items()},
            FULL / f"{name}.oracle.safetensors")
        print(f"{name}: scale", image.abs().max().item(), text.abs().max().item(), gradient.abs().max().item())


def gumbel():
    """GumbelVQ f8 as a Lightning checkpoint."""
    torch.manual_seed(7)
    sizes = dict(ch=128, out_ch=3, ch_mult=(1, 1, 2, 4), num_res_blocks=2, attn_resolutions=[32], dropout=0.0,
                 in_channels=3, resolution=256, z_channels=256)
    model = torch.nn.Module()
    model.encoder, model.decoder = Encoder(double_z=False, **sizes), Decoder(**sizes)
    model.quantize = GumbelQuantize(256, 256, 8192, straight_through=True, kl_weight=0, temp_init=1)
    model.quant_conv, model.post_quant_conv = torch.nn.Conv2d(256, 256, 1), torch.nn.Conv2d(256, 256, 1)
    with torch.no_grad():
        for key, p in model.named_parameters():
            if "norm" in key:
                p.copy_(torch.randn_like(p) * 0.1 + (1 if key.endswith("weight") else 0))
    model.eval()
    torch.save({"epoch": 1, "state_dict": model.state_dict() | {"loss.perceptual_loss.lin0": torch.zeros(1)}},
               FULL / "gumbel-f8.ckpt")
    (FULL / "gumbel-f8.yaml").write_text("""model:
  target: taming.models.vqgan.GumbelVQ
  params:
    embed_dim: 256
    n_embed: 8192
    ddconfig: {double_z: false, z_channels: 256, resolution: 256, ch: 128, ch_mult: [1, 1, 2, 4], num_res_blocks: 2,
               attn_resolutions: [32]}
""")
    with torch.no_grad():
        x = torch.rand(1, 3, 128, 128) * 2 - 1
        logits = model.quantize.proj(model.quant_conv(model.encoder(x)))
        z = model.quantize.embed(torch.randint(8192, (1, 16, 16))).permute(0, 3, 1, 2)
        image = model.decoder(model.post_quant_conv(z))
    save_file({k: v.contiguous() for k, v in dict(x=x, logits=logits, z=z, image=image).items()},
              FULL / "gumbel-f8.oracle.safetensors")


def dvae():
    """DALL-E's dVAE as pickled modules, one in each container that torch has had."""
    torch.manual_seed(8)
    encoder, decoder = dall_e.Encoder(), dall_e.Decoder()
    for module in (encoder, decoder):
        for key, p in module.named_parameters():
            if key.endswith(".w"):
                p.data.normal_(std=(2 / p[0].numel()) ** 0.5)
            else:
                p.data.normal_(std=0.05)
    images = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        logits = encoder.float().eval()(dall_e.map_pixels(images))
        codes = torch.randint(8192, (1, 8, 12))
        onehot = torch.nn.functional.one_hot(codes, 8192).permute(0, 3, 1, 2).float()
        statistics = decoder.float().eval()(onehot)
    folder = FULL / "dvae"
    folder.mkdir(exist_ok=True)
    torch.save(encoder, folder / "encoder.pkl", _use_new_zipfile_serialization=False)
    torch.save(decoder, folder / "decoder.pkl")
    save_file(dict(images=images, logits=logits, codes=codes,
                   pictures=dall_e.unmap_pixels(torch.sigmoid(statistics[:, :3])).contiguous()), FULL / "dvae.oracle.safetensors")


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


def biggan():
    """BigGAN-deep 256 in the container and beside the configuration that it was published with."""
    torch.manual_seed(9)
    config = BigGANConfig(output_dim=256, layers=[(up, i, o) for up, i, o in (
        (False, 16, 16), (True, 16, 16), (False, 16, 16), (True, 16, 8), (False, 8, 8), (True, 8, 8), (False, 8, 8),
        (True, 8, 4), (False, 4, 4), (True, 4, 2), (False, 2, 2), (True, 2, 1))])
    model = BigGAN(config)
    with torch.no_grad():
        for key, value in model.state_dict().items():
            if key.endswith("running_means"):
                value.normal_(std=0.3)
            elif key.endswith("running_vars"):
                value.uniform_(0.3, 1.5)
            elif key.endswith(("gamma", "bn.weight")):
                value.uniform_(0.5, 1.5)
        model.train()(torch.randn(1, 128), torch.rand(1, 1000), 0.4)
    model.eval()
    torch.save(model.state_dict(), FULL / "biggan-deep-256-pytorch_model.bin", _use_new_zipfile_serialization=False)
    (FULL / "biggan-deep-256-config.json").write_text(config.to_json_string())
    latents = torch.randn(1, 128, requires_grad=True)
    classes = torch.nn.functional.one_hot(torch.tensor([207]), 1000).float()
    picture = model(latents, classes, 0.5)
    probe = torch.randn(1, 3, 32, 32)
    gradient, = torch.autograd.grad((torch.nn.functional.avg_pool2d(picture, 8) * probe).mean(), latents)
    save_file({k: v.detach().contiguous() for k, v in dict(
        latents=latents, classes=classes, picture=picture, probe=probe, gradient=gradient).items()},
        FULL / "biggan-deep-256.oracle.safetensors")
    print("BigGAN: scale", picture.abs().max().item(), gradient.abs().max().item())


def esrgan():
    """RealESRGAN_x4plus in its wrapper."""
    torch.manual_seed(10)
    shapes = {}

    def conv(name, inputs, outputs):
        shapes[name + ".weight"], shapes[name + ".bias"] = (outputs, inputs, 3, 3), (outputs,)

    conv("conv_first", 3, 64)
    for block in range(23):
        for dense in (1, 2, 3):
            for index in range(1, 6):
                conv(f"body.{block}.rdb{dense}.conv{index}", 64 + (index - 1) * 32, 32 if index < 5 else 64)
    for name in ("conv_body", "conv_up1", "conv_up2", "conv_hr"):
        conv(name, 64, 64)
    conv("conv_last", 64, 3)
    state = {key: weight(key, shape) for key, shape in shapes.items()}
    torch.save({"params_ema": state}, FULL / "RealESRGAN_x4plus.pth")
    small = torch.rand(1, 3, 24, 32)
    with torch.no_grad():
        large = spandrel.ModelLoader().load_from_state_dict(state).model.eval()(small)
    save_file(dict(small=small, large=large.contiguous()), FULL / "RealESRGAN_x4plus.oracle.safetensors")
    print("ESRGAN: scale", large.abs().max().item())


def guided():
    """OpenAI's network of guided-diffusion for 256 pixels in half precision, and four steps of DDIM, where the checkout of
    Tests/DiffusionTests/Oracle/references.py lies in .oracle."""
    checkout = ROOT / ".oracle" / "checkouts" / "openai-guided-diffusion"
    if not checkout.exists():
        print("guided-diffusion: left out, for want of", checkout)
        return
    sys.path.insert(0, str(checkout))
    from guided_diffusion import script_util
    torch.manual_seed(11)
    model = script_util.create_model(
        256, 256, 2, learn_sigma=True, attention_resolutions="32,16,8", num_head_channels=64, use_scale_shift_norm=True,
        resblock_updown=True)
    with torch.no_grad():
        for key, p in model.named_parameters():
            if not p.any() and p.ndim > 1:  # what training begins at zero
                p.normal_(std=(0.3 / p[0].numel()) ** 0.5)
            p.copy_(p.half())
    torch.save({k: v.half() for k, v in model.state_dict().items()}, FULL / "256x256_diffusion_uncond.pt")
    diffusion = script_util.create_gaussian_diffusion(steps=1000, learn_sigma=True, timestep_respacing="ddim4")
    noise = torch.randn(1, 3, 256, 256)
    with torch.no_grad():
        picture = diffusion.ddim_sample_loop(
            model.eval(), noise.shape, noise=noise, clip_denoised=False, device="cpu", eta=0.0)
    save_file(dict(noise=noise, picture=picture.contiguous()), FULL / "256x256_diffusion_uncond.oracle.safetensors")
    print("guided-diffusion: scale", picture.abs().max().item())


def cosine(a, b):
    return torch.nn.functional.cosine_similarity(a.detach().double().flatten(), b.detach().double().flatten(), dim=0)


def vocabulary():
    """OpenAI's vocabulary, where the test of the whole one looks for it."""
    shutil.copy(default_bpe(), ROOT / ".oracle" / "bpe_simple_vocab_16e6.txt.gz")


if __name__ == "__main__":
    vocabulary()
    token_corpus.main()
    clips()
    vqgan()
    gumbel()
    dvae()
    biggan()
    esrgan()
    guided()
