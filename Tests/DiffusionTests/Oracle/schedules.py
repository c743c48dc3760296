"""Writes Fixtures/schedules.safetensors: levels and timesteps of the reference packages. See references.py."""
import numpy as np
import torch
from safetensors.torch import save_file

from references import FIXTURES, gaussian, respace, v_utils

from glide_text2im import respace as glide_respace  # noqa: E402

out = {}

# t, alpha and sigma of ten steps, [3, 10].
places = torch.linspace(1, 0, 11, dtype=torch.float64)[:-1]
for name, times in (("spliced", v_utils.get_spliced_ddpm_cosine_schedule(places)), ("cosine", places),
                    ("ddpm", v_utils.get_ddpm_schedule(places)), ("log", v_utils.get_log_schedule(places))):
    out[f"continuous.{name}"] = torch.stack([times, *v_utils.t_to_alpha_sigma(times)])

# alphas_cumprod of every ninth timestep, and of the last.
for name, schedule, count in (("linear.1000", "linear", 1000), ("linear.900", "linear", 900),
                              ("squaredCosine.1000", "cosine", 1000)):
    left = gaussian(schedule, count, None).alphas_cumprod
    out[f"discrete.{name}"] = torch.from_numpy(np.append(left[::9], left[-1]))

for count, text in ((1000, "ddim25"), (1000, "ddim250"), (900, "ddim150"), (1000, "250"), (1000, "100"), (1000, "25"),
                    (1000, "7"), (1000, "1"), (300, "10,15,20"), (1001, "10,0,3"), (1000, "10,10,3,2,2")):
    out[f"timesteps.{count}.{text}"] = torch.tensor(sorted(respace.space_timesteps(count, text)))
out["timesteps.1000.fast27"] = torch.tensor(sorted(glide_respace.space_timesteps(1000, "fast27")))

# What the network is told, alpha and sigma of a respaced and rescaled process, from noise to picture, [3, 10].
spaced = gaussian("linear", 900, "ddim10", rescale_timesteps=True)
indices = torch.arange(9, -1, -1)
told = spaced._wrap_model(lambda x, t: t.double())(None, indices)
out["respaced"] = torch.stack([told, torch.from_numpy(spaced.sqrt_alphas_cumprod)[indices],
                               torch.from_numpy(spaced.sqrt_one_minus_alphas_cumprod)[indices]])
save_file({name: tensor.contiguous() for name, tensor in out.items()}, FIXTURES / "schedules.safetensors")
