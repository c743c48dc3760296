"""Writes Tests/WeightsTests/Fixtures/containers/: the same few tensors in every container that people have, as
torch.save, torch.jit.save, safetensors and flax write them, and `expected.safetensors` with the values to be read.

    .oracle/env/bin/pip install flax==0.12.8    # beside what script/test --full installs
    .oracle/env/bin/python Tests/WeightsTests/Oracle/containers.py
"""
import argparse
import collections
import pathlib
import pickle
import sys
import types
import warnings

import flax.serialization
import jax.numpy as jnp
import numpy as np
import torch
from safetensors.torch import save_file

warnings.filterwarnings("ignore")
torch.manual_seed(1)
out = pathlib.Path(__file__).resolve().parents[1] / "Fixtures" / "containers"
out.mkdir(parents=True, exist_ok=True)

base = torch.randn(6, 4)
shared = torch.arange(12, dtype=torch.float32)
tensors = collections.OrderedDict(
    float32=torch.randn(2, 3),
    float64=torch.randn(3, dtype=torch.float64),
    half=torch.randn(2, 2).half(),
    bfloat16=torch.randn(5).bfloat16(),
    int64=torch.tensor([1, -2, 2**40]),
    int32=torch.tensor([[7, -7]], dtype=torch.int32),
    int16=torch.tensor([-300, 300], dtype=torch.int16),
    int8=torch.tensor([-1, 1], dtype=torch.int8),
    uint8=torch.tensor([0, 255], dtype=torch.uint8),
    bool=torch.tensor([True, False, True]),
    transposed=base.t(),  # strides (1, 4)
    row=base[2],  # an offset into the storage of `transposed`
    stepped=base[:, ::2],
    expanded=torch.randn(3, 1).expand(3, 4),  # a stride of zero
    first=shared[:6].view(2, 3),
    second=shared[6:],
    empty=torch.empty(0, 3),
    scalar=torch.tensor(2.5),
)
expected = {k: v.clone().contiguous() for k, v in tensors.items()}


class Sequence(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(2, 3, 1)
        self.layers = torch.nn.ModuleList([torch.nn.Linear(3, 2), torch.nn.Linear(2, 2, bias=False)])
        self.norm = torch.nn.BatchNorm1d(2)
        self.tied = torch.nn.Linear(2, 2, bias=False)
        self.tied.weight = self.layers[1].weight
        self.input_resolution = 224

    def forward(self, x):
        return self.norm(self.tied(self.layers[1](self.layers[0](self.conv(x).mean((2, 3))))))


def foreign(module, name):
    """A class of a package that is not there when the file is read."""
    for i, part in enumerate(module.split(".")):
        parent = ".".join(module.split(".")[: i + 1])
        sys.modules.setdefault(parent, types.ModuleType(parent))
    made = sys.modules[module]
    made.__dict__[name] = type(name, (), {"__module__": module})
    return made.__dict__[name]


torch.save(tensors, out / "zip.pt")
torch.save(dict(tensors), out / "legacy.pt", _use_new_zipfile_serialization=False)

checkpoint = foreign("pytorch_lightning.callbacks.model_checkpoint", "ModelCheckpoint")
lightning = {
    "epoch": 3,
    "global_step": 1000,
    "pytorch-lightning_version": "1.0.8",
    "state_dict": tensors,
    "callbacks": {checkpoint: {"best_model_score": torch.tensor(0.5), "dirpath": "/somewhere"}},
    "optimizer_states": [{"state": {0: {"step": 5, "exp_avg": torch.ones(2)}}, "param_groups": [{"lr": 4.5e-6}]}],
    "hyper_parameters": argparse.Namespace(lr=1e-4, data=[1, 2.5, None, "x"]),
    "scalar": np.float64(1.5),
}
torch.save(lightning, out / "lightning.ckpt")
torch.save(lightning, out / "lightning-legacy.ckpt", _use_new_zipfile_serialization=False)

module = Sequence().eval()
sys.modules["dall_e"] = sys.modules["__main__"]
Sequence.__module__ = "dall_e"
torch.save(module, out / "module.pkl")
# Old files carry the source of every class; that of torch's own has no place here.
torch.serialization.get_source_lines_and_file = lambda *_: ([""], 0, "elsewhere.py")
torch.save(module, out / "module-legacy.pkl", _use_new_zipfile_serialization=False)
torch.save({"model": module.state_dict(), "parameter": module.conv.weight}, out / "parameters.pth")
torch.jit.save(torch.jit.trace(module, torch.randn(1, 2, 4, 4)), out / "script.pt")
for key, value in module.state_dict().items():
    expected["module." + key] = value.clone()

save_file({k: v for k, v in expected.items() if not k.startswith("module.")}, out / "tensors.safetensors")
save_file({"a": expected["float32"]}, out / "part-1.safetensors")
torch.save({"b": expected["half"]}, out / "part-2.bin")
(out / "model.safetensors.index.json").write_text(
    '{"metadata": {"total_size": 32}, "weight_map": {"a": "part-1.safetensors", "b": "part-2.bin"}}\n')

tree = {
    "encoder": {"kernel": jnp.asarray(expected["float32"].numpy()), "half": jnp.asarray(expected["half"].numpy())},
    "bfloat16": jnp.asarray(expected["bfloat16"].float().numpy(), dtype=jnp.bfloat16),
    "int32": np.asarray(expected["int32"]),
    "empty": np.zeros((0, 3), np.float32),
    "step": 5,
    "deep": {"deeper": {"scalar": np.float32(2.5)}},
}
(out / "flax.msgpack").write_bytes(flax.serialization.to_bytes(tree))
flax.serialization.MAX_CHUNK_SIZE = 40
(out / "flax-chunked.msgpack").write_bytes(flax.serialization.to_bytes({"big": {"x": np.arange(24, dtype=np.float32).reshape(4, 6)}}))
expected["chunked"] = torch.arange(24, dtype=torch.float32).reshape(4, 6)

save_file(expected, out / "expected.safetensors")


# What a hostile pickle would do if anything in it were called, written by hand.
code = (b"\x80\x02}(X\x01\x00\x00\x00acposix\nsystem\nX\x1b\x00\x00\x00touch /tmp/reverie-was-here\x85R"
        b"X\x01\x00\x00\x00bc__builtin__\neval\nX\x05\x00\x00\x001 + 1\x85R"
        b"X\x01\x00\x00\x00cc__builtin__\ngetattr\ncposix\nsystem\nX\x08\x00\x00\x00__call__\x86R"
        b"X\x01\x00\x00\x00dc__builtin__\n__import__\nX\x02\x00\x00\x00os\x85Ru.")
magic = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2) + pickle.dumps({"little_endian": True}, 2)
(out / "hostile.pt").write_bytes(magic + code + pickle.dumps([], 2))
print(sorted((p.name, p.stat().st_size) for p in out.iterdir()))
