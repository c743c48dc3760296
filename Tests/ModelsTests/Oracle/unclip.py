"""Writes Fixtures/unclip.safetensors: what reduced networks of kakaobrain/karlo (prior, decoder, super-resolution), of
diffusers (the same three), of dalle2-pytorch (the prior) and of GLIDE (its four U-Nets, its noised CLIP) make of embeddings,
texts and pictures, with the gradients at them, and weights by common.weight; and Fixtures/unclip.json and
Fixtures/unclip-pipeline.json: keys and shapes of diffusers' prior, and of its decoder and super-resolution.

Is run with the folder of checkouts that Tests/DiffusionTests/Oracle/references.py tells, and with what Tests/oracles.txt
names.
"""
from common import *

import ast
import importlib.util
import json
import math
import sys

import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

for name in ("karlo", "glide-text2im"):
    sys.path.insert(0, str(pathlib.Path(sys.argv[1]) / name))

from diffusers import PriorTransformer as DiffusersPrior  # noqa: E402

np.bool = bool  # GLIDE asks for it, and numpy has it no longer
from glide_text2im.clip.encoders import ImageEncoder, TextEncoder  # noqa: E402
from karlo.modules.xf import PriorTransformer  # noqa: E402

out = {}
torch.manual_seed(11)


def filled(model, prefix=""):
    with torch.no_grad():
        for key, p in model.named_parameters():
            p.copy_(weight(prefix + key, tuple(p.shape)))
    return model.eval()


def record(name, y, at):
    probe = torch.randn_like(y)
    out[f"{name}.probe"], out[f"{name}.y"] = probe, y
    out[f"{name}.gradient"] = torch.autograd.grad((y * probe).sum(), at)[0]
    print(name, "scale", y.abs().max().item(), out[f"{name}.gradient"].abs().max().item())


# Karlo's prior, and diffusers' own with weights of its own keys.
T, E = 6, 24
prior = filled(PriorTransformer(text_ctx=T, xf_width=128, xf_layers=2, xf_heads=2, xf_final_ln=True, clip_dim=E))
x, t = torch.randn(2, E, requires_grad=True), torch.tensor([7, 901])
emb, enc = torch.randn(2, E), torch.randn(2, T, E)
mask = torch.tensor([[1, 1, 1, 0, 0, 0], [1, 1, 1, 1, 1, 1]], dtype=torch.bool)
causal = torch.full((1, T + 4, T + 4), float("-inf")).triu_(1)
record("karlo", prior(x, t, text_emb=emb, text_enc=enc, mask=mask, causal_mask=causal), x)
out.update({"karlo.x": x, "karlo.t": t, "karlo.embedding": emb, "karlo.encoding": enc, "karlo.mask": mask.float()})

twin = filled(DiffusersPrior(num_attention_heads=2, attention_head_dim=64, num_layers=2, embedding_dim=E, num_embeddings=T))
record("diffusers", twin(x, t, proj_embedding=emb, encoder_hidden_states=enc, attention_mask=mask).predicted_image_embedding, x)
shapes = {key: list(p.shape) for key, p in twin.named_parameters()}
(FIXTURES / "unclip.json").write_text(json.dumps(shapes, indent=0, sort_keys=True) + "\n")

# The prior of dalle2-pytorch: of its file only what the prior is made of, for the rest asks for much.
spec = importlib.util.find_spec("dalle2_pytorch")
tree = ast.parse((pathlib.Path(spec.submodule_search_locations[0]) / "dalle2_pytorch.py").read_text())
wanted = {"exists", "default", "l2norm", "prob_mask_like", "LayerNorm", "RelPosBias", "SwiGLU", "FeedForward", "Attention",
          "CausalTransformer", "DiffusionPriorNetwork"}
from einops import rearrange, repeat  # noqa: E402
from einops.layers.torch import Rearrange  # noqa: E402
from rotary_embedding_torch import RotaryEmbedding  # noqa: E402
around = dict(torch=torch, nn=nn, F=F, math=math, rearrange=rearrange, repeat=repeat, Rearrange=Rearrange, einsum=torch.einsum,
              RotaryEmbedding=RotaryEmbedding)
exec(compile(ast.Module([n for n in tree.body if getattr(n, "name", None) in wanted], []), "dalle2_pytorch", "exec"), around)

for name, head in (("laion", 64), ("laion-narrow", 8)):
    net = filled(around["DiffusionPriorNetwork"](
        dim=E, depth=2, dim_head=head, heads=3, normformer=head == 64, num_timesteps=100, ff_mult=4, max_text_len=20))
    # The angles' frequencies must be such: random ones turn nothing far.
    freqs = 1 / 10000 ** (torch.arange(0, min(32, head), 2).float() / min(32, head))
    for layer in net.causal_transformer.layers:
        layer[0].rotary_emb.freqs.data.copy_(freqs)
    t = torch.tensor([3, 88])
    enc = torch.randn(2, T, E) * mask[..., None]
    record(name, net(x, t, text_embed=emb, text_encodings=enc), x)
    out[f"{name}.null"] = net(x, t, text_embed=emb, text_encodings=enc, text_cond_drop_prob=1.0, image_cond_drop_prob=1.0)
    out.update({f"{name}.t": t, f"{name}.encoding": enc, f"{name}.freqs": freqs})

# GLIDE's noised CLIP.
device = torch.device("cpu")
text = filled(TextEncoder(n_bpe_vocab=30, max_text_len=9, n_embd=10, n_head=2, n_xf_blocks=2, device=device), "text.")
image = filled(ImageEncoder(image_size=16, patch_size=4, n_embd=10, n_head=2, n_xf_blocks=2, n_timestep=50, device=device),
               "image.")
tokens, lengths = torch.randint(30, (2, 9)), torch.tensor([9, 4])
pictures, steps = torch.randn(2, 3, 16, 16, requires_grad=True), torch.tensor([0, 49])
z = text(tokens, lengths)
out.update({"text.tokens": tokens, "text.lengths": lengths, "text.y": z / z.norm(dim=-1, keepdim=True)})
z = image((pictures + 1) * 127.5, steps)
out.update({"image.x": pictures, "image.t": steps})
record("image", z / z.norm(dim=-1, keepdim=True), pictures)

# The U-Nets that are told texts: GLIDE's four, Karlo's decoder and the two of its super-resolution.
from types import SimpleNamespace  # noqa: E402
from glide_text2im.text2im_model import (  # noqa: E402
    InpaintText2ImUNet, SuperResInpaintText2ImUnet, SuperResText2ImUNet, Text2ImUNet)
from karlo.modules.unet import PLMImUNet, SuperResUNetModel  # noqa: E402

GLIDE = dict(
    text_ctx=5, xf_width=32, xf_layers=2, xf_heads=2, xf_final_ln=True, tokenizer=SimpleNamespace(n_vocab=30), xf_padding=True,
    in_channels=3, model_channels=32, out_channels=6, num_res_blocks=1, attention_resolutions=(2,), channel_mult=(1, 2),
    num_head_channels=32, use_scale_shift_norm=True, resblock_updown=True)
x, t = torch.randn(2, 3, 8, 16, requires_grad=True), torch.tensor([5.0, 700.25])
tokens = torch.randint(30, (2, 5))
mask = torch.tensor([[1, 1, 1, 0, 0], [0, 0, 0, 0, 0]], dtype=torch.bool)
small, hole = torch.randn(2, 3, 4, 8), torch.randn(2, 3, 8, 16)
known = (torch.rand(2, 1, 8, 16) > 0.5).float()
out.update({"unet.x": x, "unet.t": t, "unet.tokens": tokens, "unet.mask": mask.float(), "unet.small": small, "unet.hole": hole,
            "unet.known": known})
for name, kind, more in (
        ("glide-base", Text2ImUNet, {}), ("glide-upsampler", SuperResText2ImUNet, dict(low_res=small)),
        ("glide-hole", InpaintText2ImUNet, dict(inpaint_image=hole, inpaint_mask=known)),
        ("glide-upsampler-hole", SuperResInpaintText2ImUnet, dict(inpaint_image=hole, inpaint_mask=known, low_res=small))):
    net = filled(kind(**GLIDE))
    record(name, net(x, t, tokens=tokens, mask=mask, **more), x)

decoder = filled(PLMImUNet(
    text_ctx=6, xf_width=48, in_channels=3, model_channels=32, out_channels=6, num_res_blocks=1, attention_resolutions=(2,),
    channel_mult=(1, 2), num_head_channels=32, use_scale_shift_norm=True, resblock_updown=True, clip_dim=E, clip_emb_mult=4,
    clip_emb_drop=0.1))
words = out["karlo.mask"].bool()
picture = torch.randn(2, E)
record("decoder", decoder(x, t, txt_feat=emb, txt_feat_seq=out["karlo.encoding"], mask=words, y=picture), x)
out["decoder.picture"] = picture
y = decoder(x, t, txt_feat=emb, txt_feat_seq=out["karlo.encoding"], mask=words, y=decoder.cf_param[None].expand(2, -1))
out["decoder.null"] = y
upsampler = nn.Module()
for name in ("model_first_steps", "model_last_step"):
    setattr(upsampler, name, SuperResUNetModel(
        in_channels=3, model_channels=32, out_channels=3, num_res_blocks=1, attention_resolutions=(), channel_mult=[1, 2],
        resblock_updown=True, use_middle_attention=False))
filled(upsampler)
large = torch.randn(2, 3, 8, 16)
out["upsampler.large"] = large
record("upsampler", upsampler.model_first_steps(x, t, low_res=large), x)
out["upsampler.last"] = upsampler.model_last_step(x, t, low_res=large)

# The same three of diffusers, with weights of its own keys: those of the folders of its pipeline.
from diffusers import UNet2DConditionModel, UNet2DModel  # noqa: E402
from diffusers.pipelines.deprecated.unclip.text_proj import UnCLIPTextProjModel  # noqa: E402

pipeline = nn.ModuleDict({
    "text_proj": UnCLIPTextProjModel(clip_embeddings_dim=E, time_embed_dim=128, cross_attention_dim=48),
    "decoder": UNet2DConditionModel(
        sample_size=16, in_channels=3, out_channels=6, layers_per_block=2, norm_num_groups=32,
        down_block_types=("ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D"),
        up_block_types=("SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D"), mid_block_type="UNetMidBlock2DSimpleCrossAttn",
        block_out_channels=(32, 64), cross_attention_dim=48, class_embed_type="identity", attention_head_dim=64,
        resnet_time_scale_shift="scale_shift"),
    **{name: UNet2DModel(
        sample_size=64, in_channels=6, out_channels=3, layers_per_block=2, add_attention=False,
        down_block_types=("ResnetDownsampleBlock2D",) * 2, up_block_types=("ResnetUpsampleBlock2D",) * 2,
        block_out_channels=(32, 64), resnet_time_scale_shift="default") for name in ("super_res_first", "super_res_last")},
})
filled(pipeline)
encoding, told = pipeline["text_proj"](
    image_embeddings=picture, prompt_embeds=emb, text_encoder_hidden_states=out["karlo.encoding"],
    do_classifier_free_guidance=False)
y = pipeline["decoder"](x, t, encoder_hidden_states=encoding, class_labels=told,
                        attention_mask=F.pad(words, (4, 0), value=True)).sample
record("decoder.diffusers", y, x)
record("upsampler.diffusers", pipeline["super_res_first"](torch.cat([x, large], 1), t).sample, x)
out["upsampler.diffusers.last"] = pipeline["super_res_last"](torch.cat([x, large], 1), t).sample
shapes = {key: list(p.shape) for key, p in pipeline.named_parameters()}
(FIXTURES / "unclip-pipeline.json").write_text(json.dumps(shapes, indent=0, sort_keys=True) + "\n")

save_file({k: v.detach().contiguous() for k, v in out.items()}, FIXTURES / "unclip.safetensors")
