"""Writes Fixtures/clip_vit.safetensors and Fixtures/clip_vit_transformers.safetensors.

A reduced CLIP with random weights (half precision, as OpenAI's files), its activations layer by layer in
clip-anytorch, and the same weights under the keys of transformers' CLIPModel, which must agree here.
"""
from common import *

import clip.model
from safetensors.torch import save_file
from transformers import CLIPConfig, CLIPModel

torch.manual_seed(1)
EMBED, PX, PATCH, WIDTH, HEADS, LAYERS = 24, 32, 8, 32, 2, 2
CONTEXT, VOCAB, TEXT_WIDTH, TEXT_HEADS, TEXT_LAYERS = 12, 96, 32, 4, 2

model = clip.model.CLIP(EMBED, PX, LAYERS, 64, PATCH, CONTEXT, VOCAB, TEXT_WIDTH, TEXT_HEADS, TEXT_LAYERS)
model.visual = clip.model.VisionTransformer(PX, PATCH, WIDTH, LAYERS, HEADS, EMBED)
model = model.float().eval()
for name, p in model.named_parameters():
    if ".ln_" in name or name.startswith("ln_"):
        p.data = torch.randn_like(p) * 0.1 + (1 if name.endswith("weight") else 0)
    elif name != "logit_scale":
        p.data = torch.randn_like(p) * (0.2 if p.ndim > 1 else 0.1)
    p.data = p.data.half().float()

activations = {}


def record(name, module, batch_second=False):
    def hook(_, __, y):
        activations[name] = (y.transpose(0, 1) if batch_second else y).detach().clone().contiguous()
    module.register_forward_hook(hook)


record("image.embedded", model.visual.ln_pre)
for tower, path in ((model.visual.transformer, "image"), (model.transformer, "text")):
    for i, block in enumerate(tower.resblocks):
        record(f"{path}.block.{i}", block, batch_second=True)

pixels = torch.randn(2, 3, PX, PX)
# The end token is the largest id; one text fills the context, one holds an end token twice.
tokens = torch.zeros(3, CONTEXT, dtype=torch.long)
tokens[0, :5] = torch.tensor([94, 7, 40, 3, 95])
tokens[1, :8] = torch.tensor([94, 1, 95, 2, 95, 11, 12, 13])
tokens[2] = torch.tensor([94] + list(range(20, 30)) + [95])
pixels.requires_grad_(True)
image, text = model.encode_image(pixels), model.encode_text(tokens)
logits, _ = model(pixels, tokens)
similarity = torch.nn.functional.cosine_similarity(image, text[:2]).sum()
gradient, = torch.autograd.grad(similarity, pixels)
activations |= {
    "image.pixels": pixels, "text.tokens": tokens, "image.output": image, "text.output": text, "logits": logits,
    "image.gradient": gradient,
    "text.embedded": model.token_embedding(tokens) + model.positional_embedding,
}
weights = {k: v.half() if v.ndim and ".ln_" not in k else v for k, v in model.state_dict().items()}
weights |= {"input_resolution": torch.tensor(PX), "context_length": torch.tensor(CONTEXT), "vocab_size": torch.tensor(VOCAB)}
save_file({f"weights.{k}": v.contiguous() for k, v in weights.items()}
          | {k: v.detach().contiguous() for k, v in activations.items()}, FIXTURES / "clip_vit.safetensors")

# The same in transformers.
hf = CLIPModel(CLIPConfig(
    text_config=dict(hidden_size=TEXT_WIDTH, intermediate_size=4 * TEXT_WIDTH, num_hidden_layers=TEXT_LAYERS,
                     num_attention_heads=TEXT_HEADS, vocab_size=VOCAB, max_position_embeddings=CONTEXT,
                     hidden_act="quick_gelu", layer_norm_eps=1e-5, eos_token_id=2, bos_token_id=0, projection_dim=EMBED),
    vision_config=dict(hidden_size=WIDTH, intermediate_size=4 * WIDTH, num_hidden_layers=LAYERS,
                       num_attention_heads=HEADS, image_size=PX, patch_size=PATCH, hidden_act="quick_gelu",
                       layer_norm_eps=1e-5, projection_dim=EMBED),
    projection_dim=EMBED)).eval()
sd, renamed = model.state_dict(), {}


def block(src, dst):
    for s in ("weight", "bias"):
        for q, w in zip("qkv", sd[f"{src}.attn.in_proj_{s}"].chunk(3)):
            renamed[f"{dst}.self_attn.{q}_proj.{s}"] = w
        for a, b in (("attn.out_proj", "self_attn.out_proj"), ("ln_1", "layer_norm1"), ("ln_2", "layer_norm2"),
                     ("mlp.c_fc", "mlp.fc1"), ("mlp.c_proj", "mlp.fc2")):
            renamed[f"{dst}.{b}.{s}"] = sd[f"{src}.{a}.{s}"]


for i in range(LAYERS):
    block(f"visual.transformer.resblocks.{i}", f"vision_model.encoder.layers.{i}")
for i in range(TEXT_LAYERS):
    block(f"transformer.resblocks.{i}", f"text_model.encoder.layers.{i}")
renamed |= {
    "logit_scale": sd["logit_scale"],
    "text_model.embeddings.token_embedding.weight": sd["token_embedding.weight"],
    "text_model.embeddings.position_embedding.weight": sd["positional_embedding"],
    "text_projection.weight": sd["text_projection"].T,
    "vision_model.embeddings.class_embedding": sd["visual.class_embedding"],
    "vision_model.embeddings.patch_embedding.weight": sd["visual.conv1.weight"],
    "vision_model.embeddings.position_embedding.weight": sd["visual.positional_embedding"],
    "visual_projection.weight": sd["visual.proj"].T}
for s in ("weight", "bias"):
    renamed[f"text_model.final_layer_norm.{s}"] = sd[f"ln_final.{s}"]
    renamed[f"vision_model.pre_layrnorm.{s}"] = sd[f"visual.ln_pre.{s}"]
    renamed[f"vision_model.post_layernorm.{s}"] = sd[f"visual.ln_post.{s}"]
print(hf.load_state_dict(renamed))
with torch.no_grad():
    a, b = hf.get_image_features(pixel_values=pixels), hf.get_text_features(input_ids=tokens)
a, b = (v if torch.is_tensor(v) else v.pooler_output for v in (a, b))
print("transformers: image", maxdiff(a, image), "text", maxdiff(b, text), "scale", image.abs().max().item())
assert maxdiff(a, image) < 1e-5 and maxdiff(b, text) < 1e-5
positions = {  # as files written by transformers 4 hold them
    "text_model.embeddings.position_ids": torch.arange(CONTEXT)[None],
    "vision_model.embeddings.position_ids": torch.arange((PX // PATCH) ** 2 + 1)[None]}
save_file({k: v.half().contiguous() if v.is_floating_point() else v for k, v in (hf.state_dict() | positions).items()},
          FIXTURES / "clip_vit_transformers.safetensors", metadata={"format": "pt"})
