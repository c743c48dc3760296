"""Writes Fixtures/min-dalle and Fixtures/min_dalle.safetensors: a reduced DALL·E mini in the two files in which
min-dalle keeps it, its logits and its codes with the likeliest always chosen, and a picture of min-dalle's detokenizer.

The transformer's weights are those of common.weight under Reverie's keys, rounded to numbers that float16 has; as in
the files that are published, the gains that dalle-mini does not have are left out. The detokenizer has its published
size; its weights are not written.
"""
from common import *

import json
import re

from min_dalle.models import dalle_bart_decoder
from min_dalle.models.dalle_bart_encoder import DalleBartEncoder
from min_dalle.models.vqgan_detokenizer import VQGanDetokenizer
from safetensors.torch import save_file

# One head: min-dalle's files do not tell the number, and published heads are 64 wide.
EMBED, HEADS, GLU, LAYERS = 16, 1, 24, 2
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

folder = FIXTURES / "min-dalle"
folder.mkdir(exist_ok=True)
for name, model in (("encoder", encoder), ("decoder", decoder)):
    state = {key: (weight(f"{name}.{key}", value.shape) * 64).round() / 64
             for key, value in model.state_dict().items() if not GAINLESS.search(key)}
    if name == "decoder":
        state["lm_head.weight"][START:] = 0  # what training leads to: the start token is never the likeliest
    assert not model.load_state_dict(state, strict=False).unexpected_keys
    torch.save({key: value.half() for key, value in state.items()}, folder / f"{name}.pt")

generator = torch.Generator().manual_seed(4)
# min-dalle's rows: the empty text, then the text.
tokens = torch.full((2, TEXT_LENGTH), PAD)
tokens[0, :2] = torch.tensor([0, 2])
tokens[1, :7] = torch.randint(3, TEXT_VOCAB, (7,), generator=generator)
codes = torch.randint(0, IMAGE_VOCAB, (1, IMAGE_LENGTH), generator=generator)
inputs = torch.cat([torch.full((1, 1), START), codes[:, :-1]], 1)

with torch.no_grad():
    encoded = encoder(tokens)
    mask = tokens.not_equal(PAD)[:, None, None, :]

    def state():
        return torch.zeros(LAYERS, 4, IMAGE_LENGTH, EMBED)

    logits, _ = decoder.forward(
        attention_mask=mask, encoder_state=encoded, attention_state=state(), prev_tokens=inputs,
        token_index=torch.arange(IMAGE_LENGTH))
    out = {"tokens": tokens, "codes": codes, "logits": logits}
    for factor in (1, 16):
        picture, seen = torch.full((1, IMAGE_LENGTH + 1), START), state()
        for i in range(IMAGE_LENGTH):
            picture[:, i + 1], seen = decoder.sample_tokens(
                settings=torch.tensor([1, 1, factor], dtype=torch.float32), attention_mask=mask, encoder_state=encoded,
                attention_state=seen, prev_tokens=picture[:, [i]], token_index=torch.tensor([i]))
        out[f"greedy.{factor}"] = picture[:, 1:]
        assert (picture[:, 1:] < START).all()

    detokenizer = VQGanDetokenizer().eval()
    detokenizer.load_state_dict({key: weight(key, value.shape) for key, value in detokenizer.state_dict().items()})
    grid = torch.randint(0, detokenizer.vocab_count, (1, 4, 4), generator=generator)

    def decoded():  # its forward takes 16 x 16 codes and gives whole numbers to 255
        z = detokenizer.embedding(grid).permute(0, 3, 1, 2).contiguous()
        return detokenizer.decoder(detokenizer.post_quant_conv(z))  # [1, 3, 64, 64]

    whole = decoded()
    for module in detokenizer.modules():
        if isinstance(module, torch.nn.GroupNorm):
            module.eps = 1e-6  # taming's, with which the weights were trained; min-dalle takes PyTorch's 1e-5
    out |= {"grid": grid, "picture": decoded()}
    print("the other epsilon changes", maxdiff(whole, out["picture"]), "of", whole.abs().max().item())

save_file({k: v.contiguous() for k, v in out.items()}, FIXTURES / "min_dalle.safetensors", metadata={
    "detokenizer": json.dumps({k: list(v.shape) for k, v in detokenizer.state_dict().items()})})
print({k: tuple(v.shape) for k, v in out.items()}, logits.abs().max().item())
