"""Writes Fixtures/samplers.safetensors: times and steps of v-diffusion-pytorch's samplers, by the environment of
Tests/ModelsTests/Oracle.
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "ModelsTests" / "Oracle"))
from common import *  # noqa: E402

from diffusion import sampling, utils  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

out = {}


# A "network" whose velocity is a known function of x and t, so that only the steps are compared.
def field(x, t, **_):
    return torch.sin(3 * x) * t.reshape(-1, 1, 1, 1) - 0.5 * x


torch.manual_seed(3)
start = torch.randn(1, 3, 4, 4)
out["sampler.start"] = start
for name, times in (("spliced", utils.get_spliced_ddpm_cosine_schedule), ("ddpm", utils.get_ddpm_schedule),
                    ("log", utils.get_log_schedule)):
    out[f"times.{name}"] = times(torch.linspace(1, 0, 11, dtype=torch.float64)[:-1])
steps = utils.get_spliced_ddpm_cosine_schedule(torch.linspace(1, 0, 11)[:-1])
torch.cuda.amp.autocast = lambda *a, **k: torch.autocast("cpu", enabled=False)
sampling.trange = lambda n, **_: range(n)
out["sampler.ddim"] = sampling.sample(field, start.clone(), steps, 0.0, {})
out["sampler.iplms"] = sampling.iplms_sample(field, start.clone(), steps, {})
# DDIM with chance: the noise is drawn from the default generator, here replaced by ones.
plain, torch.randn_like = torch.randn_like, torch.ones_like
out["sampler.eta"] = sampling.sample(field, start.clone(), steps, 0.7, {})
torch.randn_like = plain
save_file(out, pathlib.Path(__file__).parents[1] / "Fixtures" / "samplers.safetensors")
