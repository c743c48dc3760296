"""Writes Fixtures/trajectories.safetensors: where the reference packages' samplers arrive from one start, with networks
that are functions which both sides can evaluate. See references.py.
"""
import ast
import functools
import types

import torch
from diffusers import DDPMScheduler
from safetensors.torch import save_file

from references import CHECKOUTS, FIXTURES, gaussian, gd, k_external, k_sampling, v_sampling, v_utils

from karlo.models.decoder_model import Text2ImProgressiveModel  # noqa: E402
from karlo.models.prior_model import PriorDiffusionModel  # noqa: E402

out = {}


# MARK: The networks. TrajectoryTests.swift has the same.

def planes(t, x):
    return t.to(x.dtype).reshape(-1, *[1] * (x.ndim - 1))


def velocity(x, t, c=0.0):
    return torch.sin(3 * x) * planes(t, x) - 0.5 * x + c * torch.cos(x)


def noise_in(x, t, c=0.0):
    u = planes(t, x) / 1000
    return torch.sin(3 * x) * (1 - u) * 0.2 + x * torch.sqrt(u) + c * (1 - u) * torch.cos(x)


def noise_and_variance_in(x, t, c=0.0):
    return torch.cat([noise_in(x, t, c), torch.tanh(x + planes(t, x) / 1000 - 0.5)], dim=1)


def picture_in(x, t, c=0.0):
    return torch.tanh(x * (2 - planes(t, x) / 1000)) + 0.1 * c


def loss(picture):
    return (picture - 0.3).square().sum()


# MARK: Chance. A step's noise is always the same.

torch.manual_seed(3)
start = torch.randn(2, 3, 2, 2, dtype=torch.float64)
noises = torch.randn(10, 2, 3, 2, 2, dtype=torch.float64)
picture = torch.rand(2, 3, 2, 2, dtype=torch.float64) * 2 - 1
out |= {"start": start, "noises": noises, "picture": picture}


def like(noise, shape):
    """As much of the noise as is asked for, twice where there are rows for two conditions."""
    size = torch.Size(shape[1:]).numel()
    return noise.flatten(1)[:, :size].reshape(2, *shape[1:]).repeat(shape[0] // 2, *[1] * (len(shape) - 1))


def record(name, sample):
    order = iter(noises)
    torch.randn_like = lambda x: like(next(order), x.shape)
    torch.randn = lambda *shape, **_: like(start, shape)
    out[name] = sample()


# MARK: v-diffusion and k-diffusion

steps = v_utils.get_spliced_ddpm_cosine_schedule(torch.linspace(1, 0, 11, dtype=torch.float64)[:-1])
record("v.ddim", lambda: v_sampling.sample(velocity, start.clone(), steps, 0.0, {}))
record("v.eta", lambda: v_sampling.sample(velocity, start.clone(), steps, 0.7, {}))
for name in ("prk", "pie", "plms", "plms2", "iplms"):
    sample = getattr(v_sampling, f"{name}_sample")
    record(f"v.{name}", lambda: sample(velocity, start.clone(), steps, {}))
back = torch.cat([steps, torch.zeros(1)]).flip(0)
record("v.reverse", lambda: v_sampling.reverse_sample(velocity, picture.clone(), back, {}))


def toward(x, t, pred):
    return -torch.autograd.grad(loss(pred), x)[0] * 0.05


record("v.guided", lambda: v_sampling.cond_sample(velocity, start.clone(), steps, 0.7, {}, toward))

alpha, _ = v_utils.t_to_alpha_sigma(steps[0])
sigmas = torch.cat([torch.tan(steps * torch.pi / 2), torch.zeros(1)])
denoiser = k_external.VDenoiser(velocity)
record("v.heun", lambda: k_sampling.sample_heun(denoiser, start / alpha, sigmas))

# cfg_sample.py is a program; of it only the function that mixes what several prompts give.
tree = ast.parse((CHECKOUTS / "v-diffusion-pytorch" / "cfg_sample.py").read_text())
mixing = next(node for node in ast.walk(tree) if getattr(node, "name", None) == "cfg_model_fn")
place = {"torch": torch, "model": lambda x, t, c: velocity(x, t, planes(c, x)),
         "target_embeds": torch.tensor([[0.0], [0.3], [-0.2]]).double().split(1),
         "weights": torch.tensor([1 - 1.5, 3.0, -1.5]).double()}
exec(compile(ast.Module([mixing], []), "cfg_sample.py", "exec"), place)
record("v.composed", lambda: v_sampling.sample(place["cfg_model_fn"], start.clone(), steps, 0.0, {}))

# MARK: guided-diffusion

shape = start.shape
plain = dict(shape=shape, noise=start, device="cpu", clip_denoised=False, model_kwargs={})
learned = gaussian("linear", 1000, "10")
rescaled = gaussian("linear", 900, "ddim10", rescale_timesteps=True)
small = gaussian("linear", 1000, "10", var=gd.ModelVarType.FIXED_SMALL)
large = gaussian("linear", 1000, "10", var=gd.ModelVarType.FIXED_LARGE)
clipped = plain | dict(clip_denoised=True)
record("eps.ddpm", lambda: learned.p_sample_loop(noise_and_variance_in, **clipped))
record("eps.ddpm.small", lambda: small.p_sample_loop(noise_in, **plain))
record("eps.ddpm.large", lambda: large.p_sample_loop(noise_in, **plain))
record("eps.ddim", lambda: rescaled.ddim_sample_loop(noise_and_variance_in, eta=0.8, **clipped))
record("eps.begun", lambda: learned.ddim_sample_loop(noise_and_variance_in, init_image=picture, skip_timesteps=4, **plain))
whole = gaussian("linear", 1000, None)
left = torch.tensor(learned.alphas_cumprod).flip(0)
sigmas = torch.cat([((1 - left) / left).sqrt(), torch.zeros(1)])
denoiser = k_external.OpenAIDenoiser(noise_and_variance_in, whole)
record("eps.heun", lambda: k_sampling.sample_heun(denoiser, start / left[0].sqrt(), sigmas))


def through(x, t, found):
    return -torch.autograd.grad(loss(found["pred_xstart"]), x)[0] * 0.05


def direct(x, t):
    return (0.6 - 2 * x) * planes(t, x) / 1000


def secondary(x, t):
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        left = torch.tensor(whole.alphas_cumprod)[t]
        alpha, sigma = left.sqrt(), (1 - left).sqrt()
        found = k_external.VDenoiser(velocity)(x / planes(alpha, x), sigma / alpha)
        return -torch.autograd.grad(loss(found), x)[0] * 0.05


steered = plain | dict(cond_fn=through, cond_fn_with_grad=True)
record("guided.ddim", lambda: learned.ddim_sample_loop(noise_and_variance_in, eta=0.8, **steered))
record("guided.ddpm", lambda: learned.p_sample_loop(noise_and_variance_in, **steered))
record("guided.ddpm.small", lambda: small.p_sample_loop(noise_in, **steered))
record("guided.ddpm.large", lambda: large.p_sample_loop(noise_in, **steered))
for order in (2, 3, 4):
    record(f"guided.plms.{order}", lambda: learned.plms_sample_loop(noise_and_variance_in, order=order, **steered))
record("guided.direct", lambda: learned.p_sample_loop(noise_and_variance_in, cond_fn=direct, **plain))
record("guided.secondary", lambda: learned.ddim_sample_loop(noise_and_variance_in, cond_fn=secondary, **plain))

# MARK: Karlo. Its models' own sampling, with a function where the network was.

settings = dict(steps=1000, sigma_small=True, noise_schedule="squaredcos_cap_v2", use_kl=False,
                rescale_learned_sigmas=True, timestep_respacing="")


def karlo(kind, network, **more):
    network.cf_param = torch.zeros(1, dtype=torch.float64)
    model = types.SimpleNamespace(model=network, **more)
    model.get_sample_fn = functools.partial(kind.get_sample_fn, model)
    return functools.partial(kind.forward, model)


decode = karlo(
    Text2ImProgressiveModel, lambda x, t, y, **_: noise_and_variance_in(x, t, planes(y, x)),
    _model_conf=types.SimpleNamespace(image_size=2),
    _diffusion_kwargs=settings | dict(learn_sigma=True, predict_xstart=False))
embeddings = torch.tensor([[0.3], [0.7]]).double()
record("karlo.decoder", lambda: list(decode(
    torch.zeros(4, 1), None, None, None, img_feat=embeddings, cf_guidance_scales=torch.tensor([3.0, 3.0]),
    timestep_respacing="10"))[-1])


def prior_network(x, t, text_emb, **_):
    return picture_in(x, t, text_emb)


prior_network.clip_dim = 6
guess = karlo(PriorDiffusionModel, prior_network, causal_mask=None, clip_mean=0.0, clip_std=1.0,
              _diffusion_kwargs=settings | dict(learn_sigma=False, predict_xstart=True))
record("karlo.prior", lambda: guess(
    torch.cat([embeddings, torch.zeros(2, 1)]), None, None, cf_guidance_scales=torch.tensor([4.0, 4.0]),
    timestep_respacing="10"))

# MARK: Dynamic thresholding, as diffusers has it. One of the two pictures lies within bounds.

scheduler = DDPMScheduler(thresholding=True, dynamic_thresholding_ratio=0.9, sample_max_value=1e6)
wide = torch.stack([start[0] * 3, start[1] * 0.1])
out["threshold.of"] = wide
out["threshold.dynamic"] = scheduler._threshold_sample(wide)

save_file({name: tensor.detach().double().contiguous() for name, tensor in out.items()},
          FIXTURES / "trajectories.safetensors")
for name, tensor in out.items():
    print(f"{name:20} {tensor.abs().max().item():.4f}")
