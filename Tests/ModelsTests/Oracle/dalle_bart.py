"""Writes Fixtures/dalle_bart.safetensors: activations of a reduced DALL·E mini, layer by layer, in min-dalle.

The weights come from common.weight under min-dalle's keys, those of the encoder after `encoder.` and of the decoder
after `decoder.`; the file holds none. Its metadata lists all keys with their shapes, and those that are all ones: the
gains that PyTorch's layer norms have and dalle-mini's, trained with use_scale=False, have not.
"""
from common import *

import json
import re

from min_dalle.models import dalle_bart_decoder
from min_dalle.models.dalle_bart_encoder import DalleBartEncoder
from safetensors.torch import save_file

EMBED, HEADS, GLU, LAYERS = 64, 2, 96, 2
TEXT_VOCAB, TEXT_LENGTH, IMAGE_VOCAB, IMAGE_LENGTH = 50, 12, 40, 16
START, PAD = IMAGE_VOCAB, 1
GAINLESS = re.compile(r"(pre_\w+_layer_norm|glu\.ln[01]|final_ln)\.weight$")

dalle_bart_decoder.IMAGE_TOKEN_COUNT = IMAGE_LENGTH  # a constant there, 256
encoder = DalleBartEncoder(
    layer_count=LAYERS, embed_count=EMBED, attention_head_count=HEADS, text_vocab_count=TEXT_VOCAB,
    text_token_count=TEXT_LENGTH, glu_embed_count=GLU, device="cpu").eval()
decoder = dalle_bart_decoder.DalleBartDecoder(
    image_vocab_count=IMAGE_VOCAB, embed_count=EMBED, attention_head_count=HEADS, glu_embed_count=GLU,
    layer_count=LAYERS, device="cpu").eval()

shapes, ones = {}, []
for prefix, model in (("encoder.", encoder), ("decoder.", decoder)):
    state = {}
    for key, value in model.state_dict().items():
        shapes[prefix + key] = list(value.shape)
        if GAINLESS.search(key):
            ones.append(prefix + key)
            assert bool((value == 1).all())
            state[key] = value
        else:
            state[key] = weight(prefix + key, value.shape)
    model.load_state_dict(state)

activations = {}


def record(name, layer):
    """Notes what a layer gives; min-dalle calls `forward` itself, which hooks do not see."""
    forward = layer.forward

    def noted(*args, **kwargs):
        y = forward(*args, **kwargs)
        state = y[0] if isinstance(y, tuple) else y
        activations.setdefault(name, []).append(state.detach().clone())
        return y
    layer.forward = noted


for i, layer in enumerate(encoder.layers):
    record(f"encoder.layer.{i}", layer)
for i, layer in enumerate(decoder.layers):
    record(f"decoder.layer.{i}", layer)
record("encoder.embedded", encoder.layernorm_embedding)

generator = torch.Generator().manual_seed(4)
# min-dalle's encoder reads two texts at a time: one that fills the length and one that is padded.
tokens = torch.randint(2, TEXT_VOCAB, (2, TEXT_LENGTH), generator=generator)
tokens[1, 5:] = PAD
codes = torch.randint(0, IMAGE_VOCAB, (2, IMAGE_LENGTH), generator=generator)
inputs = torch.cat([torch.full((2, 1), START), codes[:, :-1]], 1)
rows = [0, 0, 1, 1]  # both pictures for the first text, then both for the second


def decode(pieces):
    """Logits [4, IMAGE_LENGTH, IMAGE_VOCAB + 1] of the pieces of the positions, one after the other."""
    state = torch.zeros(LAYERS, 2 * len(rows), IMAGE_LENGTH, EMBED)
    logits = []
    for piece in pieces:
        y, state = decoder.forward(
            attention_mask=tokens[rows].not_equal(PAD)[:, None, None, :], encoder_state=encoded[rows],
            attention_state=state, prev_tokens=inputs[:, piece], token_index=torch.tensor(piece))
        logits.append(y)
    return torch.cat(logits, 1)


with torch.no_grad():
    encoded = encoder(tokens)
    logits = decode([[i] for i in range(IMAGE_LENGTH)])
    outputs = {k: torch.cat(v, 1) for k, v in activations.items()}
    whole = decode([list(range(IMAGE_LENGTH))])
print("steps against the whole:", maxdiff(logits, whole), "scale", encoded.abs().max().item(), logits.abs().max().item())
assert maxdiff(logits, whole) < 1e-5
outputs |= {"tokens": tokens, "codes": codes, "encoded": encoded, "logits": logits}
save_file({k: v.contiguous() for k, v in outputs.items()}, FIXTURES / "dalle_bart.safetensors",
          metadata={"shapes": json.dumps(shapes), "ones": json.dumps(ones)})
