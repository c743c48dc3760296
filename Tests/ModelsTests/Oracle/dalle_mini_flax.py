"""Writes Fixtures/dalle-mini, Fixtures/dalle-mini-sharded, Fixtures/dalle-mini-scanned and
Fixtures/dalle_mini_flax.safetensors: a reduced DALL·E mini as flax saves it, in float16 with a tensor for each layer,
whole and in parts, and in bfloat16 with scanned layers; its logits, its codes with the likeliest always chosen, and
pictures of a reduced VQGAN, in JAX.

The transformer's weights are those of common.weight under Reverie's keys, rounded to numbers that float16 and bfloat16
have. The VQGAN's are not rounded and not written; the metadata lists flax's keys for them, with their shapes.

Runs in an environment of its own, with Python 3.11 (dalle-mini 0.1.5 knows neither later ones nor later flax):
jax==0.4.13 jaxlib==0.4.13 flax==0.7.2 transformers==4.33.3 numpy==1.24.4 scipy==1.10.1 ml-dtypes==0.2.0
orbax-checkpoint==0.3.2 optax==0.2.1 chex==0.1.7 tensorstore==0.1.45 einops==0.8.2 torch==2.13.0 safetensors, and
without their dependences dalle-mini==0.1.5 and vqgan-jax from https://github.com/patil-suraj/vqgan-jax
"""
from common import *

import importlib.util
import json
import re
import sys
import types

import jax
import jax.numpy as jnp
from flax.serialization import to_bytes
from flax.traverse_util import flatten_dict, unflatten_dict
from safetensors.numpy import save_file
from transformers.generation import FlaxLogitsProcessorList, FlaxTopKLogitsWarper

jnp.DeviceArray = jax.Array  # dalle-mini 0.1.5 was written before jax took it away
jax.config.update("jax_default_matmul_precision", "float32")


def modules(package, folder, *names):
    """Modules of a package without its __init__, which asks for what logs and downloads."""
    root = list(importlib.util.find_spec(package).submodule_search_locations)[0] + folder
    alias = types.ModuleType("bare_" + package)
    alias.__path__ = [root]
    sys.modules[alias.__name__] = alias
    for name in names:
        spec = importlib.util.spec_from_file_location(f"{alias.__name__}.{name}", f"{root}/{name}.py")
        sys.modules[spec.name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module


utils = types.ModuleType("bare_dalle_mini.utils")
utils.PretrainedFromWandbMixin = type("PretrainedFromWandbMixin", (), {})
sys.modules["bare_dalle_mini.utils"] = utils
configuration, modeling = modules("dalle_mini", "/model", "configuration", "modeling")
vqgan_configuration, vqgan_modeling = modules("vqgan_jax", "", "configuration_vqgan", "modeling_flax_vqgan")

# As mega's, the decoder has rows beyond the codes and the start token.
TEXTS, ROWS, START, LAYERS, WIDTH, LENGTH = 50, 40, 32, 2, 16, 16


def config(scanned):
    return configuration.DalleBartConfig(
        encoder_vocab_size=TEXTS, image_vocab_size=ROWS, max_text_length=12, image_length=LENGTH, d_model=WIDTH,
        encoder_layers=LAYERS, decoder_layers=LAYERS, encoder_ffn_dim=24, decoder_ffn_dim=24, encoder_attention_heads=2,
        decoder_attention_heads=2, dropout=0.0, use_scan=scanned, gradient_checkpointing=False, ln_positions="normformer",
        decoder_start_token_id=START, bos_token_id=ROWS + 1, pad_token_id=ROWS + 1, eos_token_id=ROWS + 1)


LEAVES = {"kernel": "weight", "scale": "weight", "embedding": "weight", "bias": "bias"}


def ours(key):
    """Reverie's key of a leaf of flax's transformer."""
    key = re.sub(r"\.(kernel|scale|embedding|bias)$", lambda m: "." + LEAVES[m[1]], key)
    if key.startswith("lm_head"):
        return "decoder." + key
    key = re.sub(r"layers\.FlaxBart\w+Layer_(\d+)", r"layers.\1", key.removeprefix("model."))
    # Reverie's name of each of a layer's norms, by its number; the decoder's third and fourth are its cross-attention's.
    norms = ["pre_self_attn_layer_norm", "self_attn_layer_norm", "pre_encoder_attn_layer_norm",
             "encoder_attn_layer_norm"]
    key = re.sub(r"GLU_0\.LayerNorm_(\d)", r"glu.ln\1", key)
    key = re.sub(r"GLU_0\.Dense_(\d)", r"glu.fc\1", key)
    key = re.sub(r"LayerNorm_(\d)", lambda m: norms[int(m[1])], key)
    return key.replace("FlaxBartAttention_0", "self_attn").replace("FlaxBartAttention_1", "encoder_attn")


def value(key, shape, name):
    """The weight of Reverie's key `name` as flax keeps it under `key`."""
    if not key.endswith("kernel"):
        return weight(name, shape).numpy()
    turned = weight(name, (shape[-1], shape[-2], *shape[:-2])).numpy()
    return np.ascontiguousarray(np.moveaxis(turned, (0, 1), (-1, -2)))


def rounded(key, shape, name):
    x = np.round(value(key, shape, name) * 64) / 64
    assert np.abs(x).max() < 4  # eight bits
    if key == "lm_head.kernel":
        x[:, START:] = 0  # what training leads to: the start token and what follows it are never the likeliest
    return x


def leaves(model):
    return {".".join(k): v.shape for k, v in flatten_dict(model.params_shape_tree).items()}


def tree(values, dtype=jnp.float32):
    return unflatten_dict({tuple(k.split(".")): jnp.asarray(v, dtype) for k, v in values.items()})


def saved(name, model, values, dtype):
    folder = FIXTURES / name
    folder.mkdir(exist_ok=True)
    (folder / "flax_model.msgpack").write_bytes(to_bytes(tree(values, dtype)))
    (folder / "config.json").write_text(model.config.to_json_string())


plain = modeling.DalleBart(config(False), seed=1, dtype=jnp.float32, _do_init=False)
values = {k: rounded(k, shape, ours(k)) for k, shape in leaves(plain).items()}
saved("dalle-mini", plain, values, jnp.float16)
plain.save_pretrained(FIXTURES / "dalle-mini-sharded", params=tree(values, jnp.float16), max_shard_size="16KB")
(FIXTURES / "dalle-mini-sharded" / "generation_config.json").unlink()
scanned = modeling.DalleBart(config(True), seed=1, dtype=jnp.float32, _do_init=False)
stacked = {}
for key, shape in leaves(scanned).items():
    one = re.sub(r"(FlaxBart\w+Layer)s\.", r"\1_0.", key)
    stacked[key] = values[key] if one == key else np.stack([values[one.replace("Layer_0", f"Layer_{i}")]
                                                            for i in range(LAYERS)])
    assert stacked[key].shape == shape
saved("dalle-mini-scanned", scanned, stacked, jnp.bfloat16)

rng = np.random.default_rng(4)
tokens = rng.integers(2, TEXTS, (2, 12)).astype(np.int32)
tokens[1, 5:] = 1
empty = np.full((2, 12), 1, np.int32)
empty[:, :2] = [0, 2]
codes = rng.integers(0, START, (2, LENGTH)).astype(np.int32)
inputs = np.concatenate([np.full((2, 1), START, np.int32), codes[:, :-1]], 1)


def mask(tokens):
    return jnp.asarray((tokens != 1).astype(np.int32))


def logits(model, values):
    return np.asarray(model(jnp.asarray(tokens), attention_mask=mask(tokens), decoder_input_ids=jnp.asarray(inputs),
                            params=tree(values)).logits)


# These have other arguments in the transformers that goes with that jax.
plain._get_logits_processor = lambda *_: FlaxLogitsProcessorList()
plain._get_logits_warper = lambda top_k, **_: FlaxLogitsProcessorList([FlaxTopKLogitsWarper(top_k)])

out = {"logits": logits(plain, values)}
assert np.abs(logits(scanned, stacked) - out["logits"]).max() < 1e-5
for scale in (1, 10):
    # top_k 1 leaves chance nothing to choose; super-conditioning asks for do_sample. trace=False: no loop to compile.
    picture = plain.generate(
        jnp.asarray(tokens), attention_mask=mask(tokens), max_length=LENGTH + 1, do_sample=True, num_beams=1, top_k=1,
        trace=False, params=tree(values), condition_scale=float(scale), input_ids_uncond=jnp.asarray(empty),
        attention_mask_uncond=mask(empty)).sequences
    out[f"greedy.{scale}"] = np.asarray(picture)[:, 1:].astype(np.int64)
    assert (out[f"greedy.{scale}"] < START).all()

vqgan = vqgan_modeling.VQModule(vqgan_configuration.VQGANConfig(
    ch=32, ch_mult=(1, 2), num_res_blocks=1, attn_resolutions=(8,), resolution=16, z_channels=16, n_embed=START,
    embed_dim=8))
pixels = rng.uniform(size=(1, 16, 16, 3)).astype(np.float32)
shapes = {".".join(k): v.shape for k, v in flatten_dict(
    jax.eval_shape(lambda: vqgan.init(jax.random.PRNGKey(0), jnp.asarray(pixels)))["params"]).items()}


def taming(key):
    key = re.sub(r"\.(kernel|scale|embedding|bias)$", lambda m: "." + LEAVES[m[1]], key)
    return re.sub(r"\b(down|up|block|attn)_(\d)(?=\.)(?<!mid\.block_\d)(?<!mid\.attn_\d)", r"\1.\2", key)


weights = {"params": tree({k: value(k, shape, taming(k)) for k, shape in shapes.items()})}
out["pictures"] = np.asarray(vqgan.apply(weights, jnp.asarray(codes), method=vqgan.decode_code))  # [2, 8, 8, 3]
out["pixels"] = pixels
out["latent"] = np.asarray(vqgan.apply(
    weights, jnp.asarray(pixels), method=lambda module, x: module.quant_conv(module.encoder(x))))  # [1, 8, 8, 8]
out |= {"tokens": tokens.astype(np.int64), "empty": empty[:1].astype(np.int64), "codes": codes.astype(np.int64)}
save_file({k: np.ascontiguousarray(v) for k, v in out.items()}, FIXTURES / "dalle_mini_flax.safetensors",
          metadata={"vqgan": json.dumps({k: list(v) for k, v in shapes.items()})})
print({k: v.shape for k, v in out.items()}, np.abs(out["logits"]).max())
