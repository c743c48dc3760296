"""Writes Fixtures/lstm.safetensors: what torch's nn.LSTM makes of packed sequences of 4, 1, 6 and 3 steps in both
directions and in one, and the gradients of a sum of it at input and weights.

Runs in the environment of Tests/ModelsTests/Oracle.
"""
import pathlib

import torch
from safetensors.torch import save_file
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

torch.manual_seed(7)
out = {"x": torch.randn(4, 6, 5), "lengths": torch.tensor([4, 1, 6, 3])}
for name, both in (("both", True), ("one", False)):
    network = torch.nn.LSTM(5, 3, batch_first=True, bidirectional=both)
    x = out["x"].clone().requires_grad_(True)
    packed, (last, _) = network(pack_padded_sequence(x, out["lengths"], batch_first=True, enforce_sorted=False))
    outputs = pad_packed_sequence(packed, batch_first=True)[0]
    probes = torch.randn_like(outputs), torch.randn_like(last)
    loss = (outputs * probes[0]).sum() + (last * probes[1]).sum()
    keys = [key for key, _ in network.named_parameters()]
    slopes = torch.autograd.grad(loss, [x, *network.parameters()])
    out |= {f"{name}.{key}": value for key, value in network.state_dict().items()}
    out |= {f"{name}.slope.{key}": slope for key, slope in zip(["x", *keys], slopes)}
    out |= {f"{name}.outputs": outputs, f"{name}.last": last, f"{name}.probe.outputs": probes[0],
            f"{name}.probe.last": probes[1]}
out = {key: value.detach().contiguous().clone() for key, value in out.items()}
save_file(out, pathlib.Path(__file__).resolve().parents[1] / "Fixtures" / "lstm.safetensors")
