"""The peers of reverie-bench, each printing the same JSON object. Run in .oracle/env with kornia==0.8.2 besides.

    peers.py load FOLDER        safetensors.torch.load_file of ViT-L/14, cast to bfloat16
    peers.py clip FOLDER        32 pictures through ViT-B/32 by OpenAI's code, float32
    peers.py vqgan FOLDER       a picture of 256 x 256 through taming's VQGAN and back, float32
    peers.py esrgan FOLDER      Real-ESRGAN x4 of 256 x 256 by spandrel, float32
    peers.py iteration FOLDER   the loop of the VQGAN+CLIP notebook with its own libraries, float32
    peers.py iteration-bfloat16 FOLDER   the same with models cast to bfloat16 and the decoder channels-last
    peers.py dalle FOLDER           the 256 codes of a picture by min-dalle's loop, float32
    peers.py dalle-bfloat16 FOLDER  the same with models and their states cast to bfloat16
    peers.py guided FOLDER          a guided step of Disco Diffusion's own code at 256 pixels, with the secondary model, ViT-B/32
                                    and 16 cutouts, float32; needs what Tests/PaintingTests/Oracle/disco.py does
    peers.py big-sleep FOLDER       a step of big-sleep's loop: BigGAN-deep at 512 pixels under 128 cutouts, float32; writes the
                                    network's files into FOLDER/biggan-deep-512
    peers.py attngan FOLDER         a bird by the original's own code, text read and 256 pixels drawn, float32; writes its
                                    files into FOLDER/attngan; needs what Tests/ModelsTests/Oracle/attngan.py does
"""
import json
import os
import pathlib
import resource
import sys
import time

import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "Tests" / "ModelsTests" / "Oracle"))
THREADS = int(os.environ.get("OMP_NUM_THREADS", "2"))


def start():
    """The time, with as many threads as were asked for: what oracles import sets one."""
    torch.set_num_threads(THREADS)
    return time.perf_counter()


def report(seconds, **others):
    assert torch.get_num_threads() == THREADS
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(dict(seconds=seconds, peakMB=peak, **others)))


def load(folder):
    from safetensors.torch import load_file, save_file
    path = folder / "ViT-L-14.safetensors"
    if not path.exists():
        state = torch.jit.load(str(folder / "ViT-L-14.pt")).state_dict()
        save_file({k: v.contiguous().clone() for k, v in state.items() if v.ndim}, path)
    begun = start()
    weights = {k: v.to(torch.bfloat16) for k, v in load_file(path).items()}
    report(time.perf_counter() - begun, tensors=len(weights))


def timed(body, count=5):
    """The median of a few, after one."""
    times = []
    with torch.inference_mode():
        for _ in range(count + 1):
            begun = start()
            body()
            times.append(time.perf_counter() - begun)
    report(sorted(times[1:])[count // 2])


def clip(folder):
    import common  # noqa: F401  (lets torchvision import beside the CPU build)
    import clip.model
    from safetensors.torch import load_file
    perceptor = clip.model.build_model(load_file(folder / "ViT-B-32.safetensors")).float().eval()
    pictures = torch.randn(32, 3, 224, 224)
    timed(lambda: perceptor.encode_image(pictures))


def vqgan(folder):
    from safetensors.torch import load_file
    from taming.modules.diffusionmodules.model import Decoder, Encoder
    state = load_file(folder / "vqgan-f16-16384.safetensors")
    sizes = dict(ch=128, out_ch=3, ch_mult=(1, 1, 2, 2, 4), num_res_blocks=2, attn_resolutions=[16], dropout=0.0,
                 in_channels=3, resolution=256, z_channels=256)
    encoder, decoder = Encoder(double_z=False, **sizes).eval(), Decoder(**sizes).eval()
    for module, name in ((encoder, "encoder."), (decoder, "decoder.")):
        module.load_state_dict({k[len(name):]: v for k, v in state.items() if k.startswith(name)})
    into, out = torch.nn.Conv2d(256, 256, 1), torch.nn.Conv2d(256, 256, 1)
    into.load_state_dict({k[11:]: v for k, v in state.items() if k.startswith("quant_conv.")})
    out.load_state_dict({k[16:]: v for k, v in state.items() if k.startswith("post_quant_conv.")})
    codebook = state["quantize.embedding.weight"]
    picture = torch.rand(1, 3, 256, 256) * 2 - 1

    def there_and_back():
        z = into(encoder(picture)).movedim(1, 3)
        distances = (z**2).sum(-1, keepdim=True) + (codebook**2).sum(1) - 2 * z @ codebook.T
        decoder(out(codebook[distances.argmin(-1)].movedim(3, 1)))

    timed(there_and_back)


def esrgan(folder):
    import common  # noqa: F401
    import spandrel
    network = spandrel.ModelLoader().load_from_file(folder / "RealESRGAN_x4plus.pth").model.eval()
    picture = torch.rand(1, 3, 256, 256)
    timed(lambda: network(picture), 1)


def iteration(folder, dtype):
    import common  # noqa: F401  (lets torchvision import beside the CPU build)
    import clip.model
    import kornia.augmentation as K
    from safetensors.torch import load_file
    from taming.modules.diffusionmodules.model import Decoder

    state = load_file(folder / "vqgan-f16-16384.safetensors")
    decoder = Decoder(ch=128, out_ch=3, ch_mult=(1, 1, 2, 2, 4), num_res_blocks=2, attn_resolutions=[16], dropout=0.0,
                      in_channels=3, resolution=256, z_channels=256)
    decoder.load_state_dict({k[8:]: v for k, v in state.items() if k.startswith("decoder.")})
    post = torch.nn.Conv2d(256, 256, 1)
    post.load_state_dict({k[16:]: v for k, v in state.items() if k.startswith("post_quant_conv.")})
    codebook = state["quantize.embedding.weight"]
    perceptor = clip.model.build_model(load_file(folder / "ViT-B-32.safetensors")).float().eval()
    for module in (decoder, post, perceptor):
        module.eval().requires_grad_(False).to(dtype)
    for module in perceptor.modules():
        if isinstance(module, torch.nn.LayerNorm):
            module.float()  # clip.model computes these in float32 always
    if dtype == torch.bfloat16:
        decoder.to(memory_format=torch.channels_last)
    augment = torch.nn.Sequential(
        K.RandomAffine(15, 0.1, shear=5, p=0.7, padding_mode="zeros", keepdim=True),
        K.RandomPerspective(0.7, p=0.7), K.ColorJitter(0.1, 0.1, 0.1, 0.1, p=0.7),
        K.RandomErasing((0.1, 0.4), (0.3, 1 / 0.3), same_on_batch=True, p=0.7))
    mean = torch.tensor([0.48145466, 0.4578275, 0.40821073])[:, None, None]
    std = torch.tensor([0.26862954, 0.26130258, 0.27577711])[:, None, None]
    target = torch.nn.functional.normalize(torch.randn(1, 512), dim=-1)
    pool_mean, pool_max = torch.nn.AdaptiveAvgPool2d(224), torch.nn.AdaptiveMaxPool2d(224)
    z = codebook[torch.randint(16384, (256,))].T.reshape(1, 256, 16, 16).clone().requires_grad_(True)
    low, high = codebook.amin(0)[None, :, None, None], codebook.amax(0)[None, :, None, None]
    optimizer = torch.optim.Adam([z], lr=0.1)
    times = []
    for _ in range(8):
        begun = start()
        x = z.movedim(1, 3)
        distances = (x**2).sum(-1, keepdim=True) + (codebook**2).sum(1) - 2 * x @ codebook.T
        quantized = torch.nn.functional.one_hot(distances.argmin(-1), 16384).float() @ codebook
        quantized = x + (quantized - x).detach()
        picture = (decoder(post(quantized.movedim(3, 1).to(dtype))).float() + 1) / 2
        cuts = torch.cat([(pool_mean(picture) + pool_max(picture)) / 2 for _ in range(32)])
        batch = augment(cuts)
        batch = batch + torch.rand(32, 1, 1, 1) * 0.1 * torch.randn_like(batch)
        embedding = torch.nn.functional.normalize(perceptor.encode_image(((batch - mean) / std).to(dtype)).float(), dim=-1)
        loss = (embedding - target).norm(dim=-1).div(2).arcsin().pow(2).mul(2).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            z.copy_(z.maximum(low).minimum(high))
        times.append(time.perf_counter() - begun)
    report(sorted(times[1:])[len(times[1:]) // 2])


def bigsleep(folder):
    """The loop of lucidrains/big-sleep, whose BigGAN is that of pytorch-pretrained-biggan with latents of each layer."""
    import common  # noqa: F401
    import clip.model
    from pytorch_pretrained_biggan import BigGAN, BigGANConfig
    from pytorch_pretrained_biggan.model import GenBlock
    from safetensors.torch import load_file

    home = folder / "biggan-deep-512"
    config = BigGANConfig(output_dim=512, layers=[(up, i, o) for up, i, o in (
        (False, 16, 16), (True, 16, 16), (False, 16, 16), (True, 16, 8), (False, 8, 8), (True, 8, 8), (False, 8, 8),
        (True, 8, 4), (False, 4, 4), (True, 4, 2), (False, 2, 2), (True, 2, 1), (False, 1, 1), (True, 1, 1))])
    model = BigGAN(config)
    if not home.exists():
        home.mkdir()
        with torch.no_grad():
            for key, value in model.state_dict().items():
                if key.endswith("running_vars"):
                    value.fill_(1)
            model.train()(torch.randn(1, 128), torch.rand(1, 1000), 1.0)
        torch.save(model.state_dict(), home / "pytorch_model.bin")
        (home / "config.json").write_text(config.to_json_string())
    model.load_state_dict(torch.load(home / "pytorch_model.bin"))
    model.eval()
    perceptor = clip.model.build_model(load_file(folder / "ViT-B-32.safetensors")).float().eval()
    # As in the original, nothing is frozen but by being in no optimizer.
    generator = model.generator
    rows = len(config.layers) + 1
    normal = torch.nn.Parameter(torch.randn(rows, 128))
    classes = torch.nn.Parameter(torch.randn(rows, 1000) * 0.3 - 3.9)
    optimizer = torch.optim.Adam([normal, classes], 0.07)
    target = torch.nn.functional.normalize(torch.randn(1, 512), dim=-1)
    mean = torch.tensor([0.48145466, 0.4578275, 0.40821073])[:, None, None]
    std = torch.tensor([0.26862954, 0.26130258, 0.27577711])[:, None, None]

    def picture():
        condition = torch.cat((normal, model.embeddings(torch.sigmoid(classes))), dim=1)
        x = generator.gen_z(condition[:1]).view(-1, 4, 4, 16 * config.channel_width).permute(0, 3, 1, 2).contiguous()
        row = 1
        for layer in generator.layers:
            if isinstance(layer, GenBlock):
                x, row = layer(x, condition[row:row + 1], 1.0), row + 1
            else:
                x = layer(x)
        x = generator.conv_to_rgb(generator.relu(generator.bn(x, 1.0)))
        return (torch.tanh(x[:, :3]) + 1) / 2

    times = []
    for _ in range(4):
        begun = start()
        drawn = picture()
        cuts = []
        for _ in range(128):
            size = int(512 * torch.zeros(1).normal_(0.8, 0.3).clip(0.5, 0.95))
            x, y = (int(torch.randint(512 - size, (1,))) for _ in range(2))
            cuts.append(torch.nn.functional.interpolate(drawn[:, :, y:y + size, x:x + size], (224, 224)))
        seen = perceptor.encode_image((torch.cat(cuts) - mean) / std)
        rest = 0
        for row in normal:
            deviation = row.std()
            diffs = (row - row.mean()) / row.std(unbiased=False)
            skew, kurtosis = diffs.pow(3).mean(), diffs.pow(4).mean() - 3
            rest = rest + (1 - deviation).abs() / rows + row.mean().abs() / rows + (skew.abs() + kurtosis.abs()) / rows
        rest = rest + 4 * normal.pow(2).mean().clamp(min=1)
        rest = rest + (50 * torch.sigmoid(classes).topk(999, largest=False, dim=1).values).pow(2).mean()
        loss = -100 * torch.cosine_similarity(target, seen, dim=-1).mean() + rest
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        times.append(time.perf_counter() - begun)
    report(sorted(times[1:])[len(times[1:]) // 2])


def dalle(folder, dtype):
    from min_dalle.models.dalle_bart_decoder import DalleBartDecoder
    from min_dalle.models.dalle_bart_encoder import DalleBartEncoder
    from safetensors.torch import save_file

    torch.manual_seed(3)
    sizes = dict(embed_count=1024, attention_head_count=16, glu_embed_count=2730, layer_count=12, device="cpu")
    encoder = DalleBartEncoder(text_vocab_count=50264, text_token_count=64, **sizes).eval()
    decoder = DalleBartDecoder(image_vocab_count=16384, **sizes).eval()
    path = folder / "dalle-mini.safetensors"
    if not path.exists():
        save_file({f"{name}.{key}": value for name, module in (("encoder", encoder), ("decoder", decoder))
                   for key, value in module.state_dict().items()}, path)
    encoder.to(dtype)
    decoder.to(dtype)
    text = torch.ones(2, 64, dtype=torch.long)
    text[0, :2] = torch.tensor([0, 2])
    text[1, :20] = torch.arange(2, 22)
    settings = torch.tensor([1, 256, 2], dtype=torch.float32)

    @torch.inference_mode()
    def draw(positions):
        state = encoder(text)
        mask = text.not_equal(1)[:, None, None, :]
        seen = torch.zeros(12, 4, 256, 1024, dtype=dtype)
        codes = torch.full((1, 257), 2**14 - 1)
        for i in range(positions):
            codes[:, i + 1], seen = decoder.sample_tokens(
                settings=settings, attention_mask=mask, encoder_state=state, attention_state=seen,
                prev_tokens=codes[:, [i]], token_index=torch.tensor([i]))

    draw(8)
    begun = start()
    draw(256)
    report(time.perf_counter() - begun)


def guided(folder):
    import common  # noqa: F401  (lets torchvision import beside the CPU build)
    sys.path.insert(0, str(common.ROOT / ".oracle" / "checkouts" / "openai-guided-diffusion"))
    sys.path.insert(0, str(common.ROOT / "Tests" / "PaintingTests" / "Oracle"))
    import math
    from dataclasses import dataclass
    from functools import partial
    from types import SimpleNamespace

    import clip.model
    import torch.nn.functional as F
    import torchvision.transforms as T
    import torchvision.transforms.functional as TF
    from guided_diffusion import script_util
    from resize_right import resize
    from safetensors.torch import load_file, save_file
    from torch import nn
    from upstream import definitions, statement

    disco = ("alembics/disco-diffusion", "disco.py")
    model = script_util.create_model(
        256, 256, 2, learn_sigma=True, attention_resolutions="32,16,8", num_head_channels=64, use_scale_shift_norm=True,
        resblock_updown=True)
    model.load_state_dict(torch.load(folder / "256x256_diffusion_uncond.pt"))
    model.float().eval().requires_grad_(False)
    args = SimpleNamespace(animation_mode="None", cutn_batches=1, cut_overview=[12] * 400 + [4] * 600,
                           cut_innercut=[4] * 400 + [12] * 600, cut_ic_pow=[1] * 1000, cut_icgray_p=[0.2] * 400 + [0] * 600,
                           clamp_grad=True, clamp_max=0.05)
    names = dict(torch=torch, nn=nn, F=F, T=T, TF=TF, resize=resize, args=args, padargs={}, cutout_debug=False, skip_augs=False,
                 math=math, dataclass=dataclass, partial=partial)
    dango, spherical, tv_loss, range_loss, *_, secondary, _, time_of = definitions(
        *disco, ["MakeCutoutsDango", "spherical_dist_loss", "tv_loss", "range_loss", "append_dims", "expand_to_planes",
                 "DiffusionOutput", "ConvBlock", "SkipBlock", "FourierFeatures",
                 "SecondaryDiffusionImageNet2", "t_to_alpha_sigma", "alpha_sigma_to_t"], names)
    torch.manual_seed(5)
    second = secondary().eval().requires_grad_(False)
    path = folder / "secondary_model_imagenet_2.safetensors"
    if not path.exists():
        save_file(second.state_dict(), path)
    second.load_state_dict(load_file(path))
    perceptor = clip.model.build_model(load_file(folder / "ViT-B-32.safetensors")).float().eval().requires_grad_(False)
    target = torch.nn.functional.normalize(torch.randn(1, 512), dim=-1)
    diffusion = script_util.create_gaussian_diffusion(
        steps=1000, learn_sigma=True, timestep_respacing="ddim250", rescale_timesteps=True)
    around = dict(names, use_secondary_model=True, cur_t=0, device="cpu", diffusion=diffusion, MakeCutoutsDango=dango,
                  model_stats=[dict(clip_model=perceptor, target_embeds=target, weights=torch.ones(1))],
                  alpha_sigma_to_t=time_of, spherical_dist_loss=spherical, secondary_model=second, tv_loss=tv_loss,
                  range_loss=range_loss, loss_values=[], cutn_batches=1, clip_guidance_scale=5000, tv_scale=0,
                  range_scale=150, sat_scale=0, init=None, init_scale=0, normalize=T.Normalize((0.48145466, 0.4578275, 0.40821073),
                                                                (0.26862954, 0.26130258, 0.27577711)))
    statement(*disco, "do_run", lambda head: head.startswith("def cond_fn("), around)
    steps = diffusion.ddim_sample_loop_progressive(
        model, (1, 3, 256, 256), clip_denoised=False, model_kwargs={}, cond_fn=around["cond_fn"], device="cpu", eta=0.8)
    times = []
    around["cur_t"] = diffusion.num_timesteps - 1
    for _ in range(7):
        begun = start()
        next(steps)
        around["cur_t"] -= 1
        times.append(time.perf_counter() - begun)
    report(sorted(times[1:])[len(times[1:]) // 2])


def attngan(folder):
    import common
    import pickle
    sys.path.insert(0, str(common.ROOT / ".oracle" / "checkouts" / "AttnGAN" / "code"))
    from miscc.config import cfg
    cfg.CUDA = False
    cfg.GAN.GF_DIM, cfg.GAN.R_NUM = 32, 2
    import model as original

    torch.manual_seed(7)
    text, network = original.RNN_ENCODER(5450, nhidden=256).eval(), original.G_NET().eval()
    place = folder / "attngan"
    place.mkdir(exist_ok=True)
    torch.save(text.state_dict(), place / "text_encoder200.pth")
    torch.save(network.state_dict(), place / "bird_AttnGAN2.pth")
    known = "<end> a small red bird with black beak".split()
    words = known + [f"word{i}" for i in range(5450 - len(known))]
    with open(place / "captions.pickle", "wb") as file:
        pickle.dump([[], [], dict(enumerate(words)), {word: i for i, word in enumerate(words)}], file, protocol=2)
    tokens = torch.tensor([[1, 2, 3, 4, 5, 1, 6, 7]])
    times = []
    with torch.no_grad():
        for _ in range(6):
            begun = start()
            read, sentence = text(tokens, torch.tensor([8]), text.init_hidden(1))
            network(torch.randn(1, 100), sentence, read, tokens == 0)
            times.append(time.perf_counter() - begun)
    report(sorted(times[1:])[2])


folder = pathlib.Path(sys.argv[2])
{"load": load, "clip": clip, "vqgan": vqgan, "esrgan": esrgan, "iteration": lambda f: iteration(f, torch.float32),
 "iteration-bfloat16": lambda f: iteration(f, torch.bfloat16), "dalle": lambda f: dalle(f, torch.float32),
 "dalle-bfloat16": lambda f: dalle(f, torch.bfloat16), "big-sleep": bigsleep, "guided": guided, "attngan": attngan}[sys.argv[1]](folder)
