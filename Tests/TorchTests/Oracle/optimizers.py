"""Writes Fixtures/optimizers.safetensors: a matrix and a vector after 1, 20 and 100 steps of every optimiser down the same
gradients, by torch.optim and torch_optimizer.

    .oracle/env/bin/pip install --no-deps torch_optimizer==0.3.0 pytorch_ranger==0.1.1    # beside script/test --full's
"""
import pathlib

import torch
import torch_optimizer
from safetensors.torch import save_file

torch.manual_seed(1)
start = {"matrix": torch.randn(3, 4), "vector": torch.randn(5)}
gradients = {k: torch.randn(100, *v.shape) for k, v in start.items()}
# AdamP acts where gradient and weight are nearly at right angles; half of the steps are made so.
for t in range(0, 100, 2):
    w, g = start["matrix"], gradients["matrix"][t]
    gradients["matrix"][t] = g - (g * w).sum(1, keepdim=True) / (w * w).sum(1, keepdim=True) * w
out = {f"start.{k}": v for k, v in start.items()} | {f"gradient.{k}": v for k, v in gradients.items()}
makers = dict(
    adam=lambda p: torch.optim.Adam(p, lr=0.01), adamw=lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.05),
    adagrad=lambda p: torch.optim.Adagrad(p, lr=0.01), adamax=lambda p: torch.optim.Adamax(p, lr=0.01),
    radam=lambda p: torch.optim.RAdam(p, lr=0.01), rmsprop=lambda p: torch.optim.RMSprop(p, lr=0.01),
    diffgrad=lambda p: torch_optimizer.DiffGrad(p, lr=0.01), adamp=lambda p: torch_optimizer.AdamP(p, lr=0.01))
for name, make in makers.items():
    parameters = {k: v.clone().requires_grad_(True) for k, v in start.items()}
    optimizer = make(list(parameters.values()))
    for t in range(100):
        for k, p in parameters.items():
            p.grad = gradients[k][t].clone()
        optimizer.step()
        if t + 1 in (1, 20, 100):
            out |= {f"{name}.{t + 1}.{k}": p.detach().clone() for k, p in parameters.items()}
save_file(out, pathlib.Path(__file__).resolve().parents[1] / "Fixtures" / "optimizers.safetensors")
