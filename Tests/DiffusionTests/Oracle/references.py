"""What the oracle scripts of this folder run: the reference packages, from checkouts that lie side by side.

    mkdir checkouts && cd checkouts
    git clone https://github.com/crowsonkb/v-diffusion-pytorch && git -C v-diffusion-pytorch checkout 439ed4c
    git clone https://github.com/crowsonkb/k-diffusion && git -C k-diffusion checkout 4601bf0
    git clone https://github.com/crowsonkb/guided-diffusion && git -C guided-diffusion checkout fb47224
    git clone https://github.com/openai/guided-diffusion openai-guided-diffusion
    git -C openai-guided-diffusion checkout 22e0df8
    git clone https://github.com/openai/glide-text2im && git -C glide-text2im checkout 69b5307
    git clone https://github.com/kakaobrain/karlo && git -C karlo checkout 3c68a50
    git clone https://github.com/taoxugit/AttnGAN && git -C AttnGAN checkout 0d000e6

The environment is that of Tests/ModelsTests/Oracle. crowsonkb/guided-diffusion is openai/guided-diffusion with PLMS,
gradients through the network and pictures to begin from. Each script is run with the folder of checkouts.
"""
import pathlib
import sys
import types
import unittest.mock

import torch

CHECKOUTS = pathlib.Path(sys.argv[1])
FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "Fixtures"
for name in ("v-diffusion-pytorch", "k-diffusion", "guided-diffusion", "glide-text2im", "karlo"):
    sys.path.insert(0, str(CHECKOUTS / name))
# Imported by the packages, but by nothing that is run here.
for name in ("torchvision", "torchvision.transforms", "requests", "torchdiffeq", "torchsde"):
    sys.modules[name] = unittest.mock.MagicMock()
# These packages' own __init__ bring in their networks and trainers.
for name, path in (("k_diffusion", "k-diffusion/k_diffusion"), ("diffusion", "v-diffusion-pytorch/diffusion")):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [str(CHECKOUTS / path)]

from diffusion import sampling as v_sampling, utils as v_utils  # noqa: E402, F401
from guided_diffusion import gaussian_diffusion as gd, respace  # noqa: E402
from k_diffusion import external as k_external, sampling as k_sampling  # noqa: E402, F401

torch.cuda.amp.autocast = lambda *a, **k: torch.autocast("cpu", enabled=False)
# What is compared is float64; the package rounds its coefficients to float32, which the first steps multiply by 157.
gd._extract_into_tensor = lambda values, t, shape: torch.from_numpy(values)[t].reshape(
    -1, *[1] * (len(shape) - 1)).expand(shape)
v_sampling.trange = k_sampling.trange = lambda n, **_: range(n)


def gaussian(schedule, count, respacing, mean=gd.ModelMeanType.EPSILON, var=gd.ModelVarType.LEARNED_RANGE, **more):
    """A process of guided-diffusion, by its own functions."""
    return respace.SpacedDiffusion(
        use_timesteps=respace.space_timesteps(count, respacing or [count]),
        betas=gd.get_named_beta_schedule(schedule, count),
        model_mean_type=mean, model_var_type=var, loss_type=gd.LossType.MSE, **more)
