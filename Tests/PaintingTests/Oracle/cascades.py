"""Writes Fixtures/cascades.safetensors: whole ways from noise to picture of reduced networks, by kakaobrain/karlo's own
classes (prior, decoder, super-resolution) and by what the notebooks of openai/glide-text2im run (text to picture, guided
by the noised CLIP, a hole filled), with weights by Tests/ModelsTests/Oracle/common.py and given noise.

Is run with the folder of checkouts that Tests/DiffusionTests/Oracle/references.py tells, and with what Tests/oracles.txt
names.
"""
import pathlib
import sys
from types import SimpleNamespace

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "ModelsTests" / "Oracle"))
from common import np, torch, weight  # noqa: E402

import torch.nn.functional as F  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

for name in ("karlo", "glide-text2im"):
    sys.path.insert(0, str(pathlib.Path(sys.argv[1]) / name))
np.bool = bool  # GLIDE asks for it, and numpy has it no longer
from glide_text2im.clip.encoders import ImageEncoder, TextEncoder  # noqa: E402
from glide_text2im.clip.model_creation import CLIPModel  # noqa: E402
from glide_text2im.model_creation import create_gaussian_diffusion  # noqa: E402
from glide_text2im.text2im_model import (  # noqa: E402
    InpaintText2ImUNet, SuperResInpaintText2ImUnet, SuperResText2ImUNet, Text2ImUNet)
from karlo.models.decoder_model import Text2ImModel  # noqa: E402
from karlo.models.prior_model import PriorDiffusionModel  # noqa: E402
from karlo.models.sr_64_256 import ImprovedSupRes64to256ProgressiveModel  # noqa: E402

out = {}
torch.manual_seed(5)


def filled(model, prefix=""):
    with torch.no_grad():
        for key, p in model.named_parameters():
            p.copy_(weight(prefix + key, tuple(p.shape)))
    return model.eval()


class Noise:
    """Notes what is drawn, or the first `most` of it: of the two halves of a guided batch the first, for the other's is
    thrown away."""

    def __init__(self, name, most=1000):
        self.name, self.most, self.count = name, most, 0

    def __enter__(self):
        self.saved = torch.randn, torch.randn_like
        draw = torch.randn

        def randn(*shape, **_):
            shape = shape[0] if isinstance(shape[0], (tuple, list)) else shape
            x = draw(*shape)
            if self.count < self.most:
                out[f"{self.name}.noise.{self.count}"] = x[:1].clone()
            self.count += 1
            return x

        torch.randn, torch.randn_like = randn, lambda x: randn(*x.shape)

    def __exit__(self, *_):
        torch.randn, torch.randn_like = self.saved


# Karlo.
T, E = 6, 24
tokenizer = SimpleNamespace(
    padded_tokens_and_mask=lambda texts, n: (torch.zeros(len(texts), n).long(), torch.ones(len(texts), n).bool()))


def config(diffusion, **hparams):
    common = dict(steps=1000, noise_schedule="squaredcos_cap_v2", use_kl=False, rescale_learned_sigmas=False, timestep_respacing="")
    return SimpleNamespace(model=SimpleNamespace(hparams=SimpleNamespace(**hparams)),
                           diffusion=SimpleNamespace(**(common | diffusion)))


emb, enc = torch.randn(2, E), torch.randn(2, T, E)
mask = torch.tensor([[1, 1, 1, 1, 0, 0], [1, 1, 0, 0, 0, 0]]).bool()  # the text, the empty one
mean, std = torch.randn(E), torch.rand(E) + 0.5
out.update({"karlo.embedding": emb, "karlo.encoding": enc, "karlo.mask": mask.float(), "karlo.mean": mean, "karlo.std": std})
with torch.no_grad():
    prior = filled(PriorDiffusionModel(
        config(dict(learn_sigma=False, sigma_small=True, predict_xstart=True), text_ctx=T, xf_width=128, xf_layers=2, xf_heads=2,
               xf_final_ln=True, clip_dim=E), tokenizer, mean, std).model, "")
    whole = PriorDiffusionModel(
        config(dict(learn_sigma=False, sigma_small=True, predict_xstart=True), text_ctx=T, xf_width=128, xf_layers=2, xf_heads=2,
               xf_final_ln=True, clip_dim=E), tokenizer, mean, std).eval()
    whole.model = prior
    with Noise("karlo.prior"):
        image = whole(emb, enc, mask, torch.tensor([4.0, 4.0][:1]), timestep_respacing="5")
    out["karlo.prior"] = image
    decoder = Text2ImModel(
        config(dict(learn_sigma=True, sigma_small=False, predict_xstart=False), image_size=16, channel_mult="1,2",
               attention_resolutions="8", text_ctx=T, xf_width=48, num_channels=32, learn_sigma=True, num_res_blocks=1, dropout=0,
               num_heads=1, num_head_channels=64, num_heads_upsample=-1, use_scale_shift_norm=True, resblock_updown=True,
               clip_dim=E, clip_emb_mult=4, clip_emb_type="image", clip_emb_drop=0.1), tokenizer).eval()
    filled(decoder.model)
    with Noise("karlo.decoder"):
        small = decoder(emb, enc, None, mask, image, torch.tensor([8.0]), timestep_respacing="5")
    out["karlo.decoder"] = small
    sr = ImprovedSupRes64to256ProgressiveModel(config(
        dict(learn_sigma=False, sigma_small=True, predict_xstart=False), channels=32, depth=1, dropout=0, channels_multiple=[1, 2]))
    filled(sr.eval())
    # What torchvision's resize does to tensors.
    large = F.interpolate(small.clamp(-1, 1), (64, 64), mode="bicubic", antialias=True)
    with Noise("karlo.upsampler"):
        for picture in sr(large):
            pass
    out["karlo.upsampler"] = picture

# GLIDE.
GLIDE = dict(
    text_ctx=5, xf_width=32, xf_layers=1, xf_heads=1, xf_final_ln=True, tokenizer=SimpleNamespace(n_vocab=30), xf_padding=True,
    in_channels=3, model_channels=32, out_channels=6, num_res_blocks=1, num_head_channels=64, use_scale_shift_norm=True,
    resblock_updown=True)
tokens, mask = torch.randint(30, (2, 5)), torch.tensor([[1, 1, 1, 0, 0], [0, 0, 0, 0, 0]]).bool()
picture, known = torch.rand(1, 3, 64, 64) * 2 - 1, (torch.rand(1, 1, 16, 16) > 0.5).float()
small = F.interpolate(picture, (16, 16), mode="bicubic", antialias=True).clamp(-1, 1)
out.update({"glide.tokens": tokens, "glide.mask": mask.float(), "glide.picture": picture, "glide.known": known})


def process(schedule, respacing):
    return create_gaussian_diffusion(steps=1000, noise_schedule=schedule, timestep_respacing=respacing)


def base(net, name, scale, more, cond_fn=None, denoised_fn=None):
    def guided(x, t, **kwargs):
        half = x[: len(x) // 2]
        eps, rest = net(torch.cat([half, half]), t, **kwargs).split(3, dim=1)
        cond, uncond = eps.chunk(2)
        eps = uncond + scale * (cond - uncond)
        return torch.cat([torch.cat([eps, eps]), rest], dim=1)

    count = 1 if cond_fn else 2
    kwargs = {"tokens": tokens[:count], "mask": mask[:count]} | {k: v.repeat(count, 1, 1, 1) for k, v in more.items()}
    with Noise(name):
        y = process("squaredcos_cap_v2", "5").p_sample_loop(
            net if cond_fn else guided, (count, 3, 16, 16), device="cpu", clip_denoised=True, model_kwargs=kwargs,
            cond_fn=cond_fn, denoised_fn=denoised_fn)[:1]
    out[name] = y
    return ((y + 1) * 127.5).round() / 127.5 - 1


def enlarged(net, name, low, more, hole=None):
    with Noise(name, 1000 if hole else 1):  # DDIM draws noise and multiplies it by zero
        loop = process("linear", "2,1" if hole else "fast27")
        loop = loop.p_sample_loop if hole else loop.ddim_sample_loop
        out[name] = loop(
            net, (1, 3, 64, 64), noise=torch.randn(1, 3, 64, 64) * 0.997, device="cpu", clip_denoised=True,
            model_kwargs={"tokens": tokens[:1], "mask": mask[:1], "low_res": low} | more, denoised_fn=hole)


def around(hole, known):
    return lambda x0: x0 * (1 - known) + hole * known


small_levels = dict(attention_resolutions=(2,), channel_mult=(1, 2))
large_levels = dict(attention_resolutions=(8,), channel_mult=(1, 1, 1, 2))
text = filled(TextEncoder(n_bpe_vocab=30, max_text_len=9, n_embd=10, n_head=2, n_xf_blocks=1, device=torch.device("cpu")), "text.")
critic = filled(ImageEncoder(image_size=16, patch_size=4, n_embd=10, n_head=2, n_xf_blocks=1, n_timestep=1000,
                             device=torch.device("cpu")), "image.")
wanted = torch.randn(1, 10)
wanted = wanted / wanted.norm()
clip = CLIPModel(config={}, text_encoder=text, image_encoder=critic, logit_scale=torch.tensor(100.0).log(), device="cpu",
                 tokenizer=None)
clip.text_embeddings = lambda prompts: wanted
out["glide.wanted"] = wanted
with torch.no_grad():
    net = filled(Text2ImUNet(**GLIDE, **small_levels))
    low = base(net, "glide.base", 3.0, {})
    enlarged(filled(SuperResText2ImUNet(**GLIDE, **large_levels)), "glide.upsampler", low, {})
    base(net, "glide.steered", 1.0, {}, cond_fn=clip.cond_fn([""], 3.0))
    low = base(filled(InpaintText2ImUNet(**GLIDE, **small_levels)), "glide.hole", 5.0,
               dict(inpaint_image=small * known, inpaint_mask=known), denoised_fn=around(small * known, known))
    wide = F.interpolate(known, (64, 64), mode="nearest")
    enlarged(filled(SuperResInpaintText2ImUnet(**GLIDE, **large_levels)), "glide.upsampler.hole", low,
             dict(inpaint_image=picture * wide, inpaint_mask=wide), hole=around(picture * wide, wide))

save_file({k: v.detach().contiguous() for k, v in out.items()},
          HERE.parent / "Fixtures" / "cascades.safetensors")
for name in ("karlo.prior", "karlo.decoder", "karlo.upsampler", "glide.base", "glide.upsampler", "glide.steered", "glide.hole",
             "glide.upsampler.hole"):
    print(name, tuple(out[name].shape), out[name].abs().max().item(), out[name].std().item())
