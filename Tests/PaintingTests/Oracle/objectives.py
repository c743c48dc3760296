"""Writes Fixtures/objectives.safetensors: values and gradients of the objectives' formulas by PyTorch, on random input.

    .oracle/env/bin/python Tests/PaintingTests/Oracle/objectives.py
"""
import pathlib

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

torch.manual_seed(5)
torch.set_num_threads(1)
picture = torch.rand(1, 3, 12, 18)
wide = torch.randn(1, 3, 6, 7)  # in and out of -1…1
cutouts = torch.rand(3, 3, 9, 9)
colors = torch.rand(5, 3)
latents = torch.randn(2, 1, 4, 3, 5)  # now and at the start
target = torch.rand(1, 3, 12, 18)
wanted = (torch.rand(1, 1, 12, 18) > 0.5).float()
embeddings = torch.randn(4, 6)
texts = torch.randn(3, 6)
head = torch.randn(1, 6)
bias = torch.randn(1)
feature_x, feature_content, feature_style = torch.randn(7, 8), torch.randn(7, 8), torch.randn(9, 8)
out = dict(picture=picture, wide=wide, cutouts=cutouts, colors=colors, latents=latents, target=target,
           wanted=wanted, embeddings=embeddings, texts=texts, head=head, bias=bias, feature_x=feature_x,
           feature_content=feature_content, feature_style=feature_style)


def case(name, x, formula):
    leaf = x.clone().requires_grad_(True)
    value = formula(leaf)
    value.backward()
    out[name + ".value"], out[name + ".gradient"] = value.detach().reshape(1), leaf.grad


def differences(x):
    x = F.pad(x, (0, 1, 0, 1), "replicate")
    return x[..., :-1, 1:] - x[..., :-1, :-1], x[..., 1:, :-1] - x[..., :-1, :-1]


def squared(x):
    dx, dy = differences(x)
    return (dx ** 2 + dy ** 2).mean([1, 2, 3])


def isotropic(x):
    dx, dy = differences(x)
    return (dx ** 2 + dy ** 2 + 1e-8).mean(1).sqrt().mean()


case("tv", picture, lambda x: squared(x).mean() / 4)
case("tv.isotropic", picture, isotropic)
case("range", wide, lambda x: ((2 * x - 1) - (2 * x - 1).clamp(-1, 1)).pow(2).mean())
case("sat", wide, lambda x: ((2 * x - 1) - (2 * x - 1).clamp(-1, 1)).abs().mean())
case("symmetry.horizontal", picture, lambda x: F.mse_loss(x, torch.flip(x, [3])))
case("symmetry.vertical", picture, lambda x: F.mse_loss(x, torch.flip(x, [2])))


def palette(x):
    pixels = x.permute(0, 2, 3, 1).reshape(-1, 3)
    nearest = torch.cdist(pixels, colors).argmin(1)
    return (pixels - colors[nearest]).norm(dim=1).mean() * x.shape[0] / 10


def saturation(x):
    pixels = x.permute(0, 2, 3, 1).reshape(-1, 3)
    rg, yb = pixels[:, 0] - pixels[:, 1], 0.5 * (pixels[:, 0] + pixels[:, 1]) - pixels[:, 2]
    (s1, m1), (s2, m2) = torch.std_mean(rg), torch.std_mean(yb)
    return -((s1 ** 2 + s2 ** 2).sqrt() + 0.3 * (m1 ** 2 + m2 ** 2).sqrt()) / 10


case("palette", cutouts, palette)
case("saturation", cutouts, saturation)


def smoothness(response, kernel=0, std=1.0, spacing=1.0, order=1):
    def formula(x):
        if kernel:
            t = torch.exp(-((torch.arange(kernel) - (kernel - 1) / 2) / std) ** 2 / 2)
            weight = torch.outer(t, t)
            x = F.conv2d(x, (weight / weight.sum()).repeat(3, 1, 1, 1), groups=3)
        dy, dx = torch.gradient(x, spacing=spacing, dim=(2, 3), edge_order=order)
        s = (dx ** 2 + dy ** 2).sum(1).sqrt()
        return dict(default=s, clipped=s.clamp(max=0.5), log=torch.log1p(s))[response].mean()
    return formula


case("smoothness.default", cutouts, smoothness("default"))
case("smoothness.clipped", cutouts, smoothness("clipped"))
case("smoothness.log", cutouts, smoothness("log", spacing=0.7, order=2))
case("smoothness.blurred", cutouts, smoothness("default", kernel=4, std=1.3, spacing=2))


def edge(x, goal, left, right, upper, lower, overall=0.05):
    (h, w), goal = x.shape[2:], goal.expand_as(x)
    loss = overall * F.mse_loss(x, goal)
    strips = [(slice(None), slice(0, left)), (slice(None), slice(w - right, w)),
              (slice(0, upper), slice(left, w - right)), (slice(h - lower, h), slice(left, w - right))]
    for rows, columns in strips:
        a, b = x[:, :, rows, columns], goal[:, :, rows, columns]
        if a.numel():
            loss = loss + F.mse_loss(a, b)
    return loss * 0.1


red = torch.tensor([1.0, 0, 0]).reshape(1, 3, 1, 1)
# Of 18 x 12: 12 %, 0, 30 % and 25 %.
case("edge.color", picture, lambda x: edge(x, red, 2, 0, 3, 3))
case("edge.picture", picture, lambda x: edge(x, target, 3, 3, 2, 2, overall=0.5))
case("edge.mask", picture, lambda x: F.mse_loss(x * wanted, target * wanted) * 0.1)


def gaussian(x, std):
    def bell(n):
        return torch.exp(-(torch.arange(n) - (n - 1) / 2) ** 2 / (2 * std * std))
    g = torch.outer(bell(x.shape[2]), bell(x.shape[3]))
    return (torch.abs(x - 1) * torch.abs(1 - g)).mean()


case("gaussian", picture, lambda x: gaussian(x, 0.25 * 12))

now, start = latents


def spherical(x, y):
    return 2 * ((F.normalize(x.flatten(), dim=0) - F.normalize(y.flatten(), dim=0)).norm() / 2).asin() ** 2


case("start.zero", now, lambda z: F.mse_loss(z, torch.zeros_like(z)) / 2)
case("start.latent", now, lambda z: F.mse_loss(z, start) / 2)
case("start.spherical", now, lambda z: spherical(z, start))
case("start.cosine", now, lambda z: F.cosine_embedding_loss(z.reshape(1, -1), start.reshape(1, -1), torch.ones(1)))
case("start.pixels", picture, lambda x: F.l1_loss(x, target) / 2)

case("aesthetic", embeddings,
     lambda e: 0.02 * (F.linear(F.normalize(e, dim=-1), head, bias) - 10).pow(2).mean())
case("contrastive", embeddings,
     lambda e: F.cross_entropy(100 * F.normalize(e, dim=-1) @ F.normalize(texts, dim=-1).T, torch.ones(4, dtype=torch.long)))


def lookup(x):
    q = colors[torch.cdist(x.permute(0, 2, 3, 1).reshape(-1, 3), colors).argmin(1)].reshape(1, 12, 18, 3).permute(0, 3, 1, 2)
    out["lookup.picture"] = q.contiguous()
    return 10 * ((q - x) ** 2).mean() + ((q - x.detach()) ** 2).mean()


case("lookup", picture, lookup)


def cosine(a, b):
    return 1 - F.cosine_similarity(a[:, None], b[None], dim=2)


def remd(m):
    return torch.max(m.min(1)[0].mean(), m.min(0)[0].mean())


def moments(x, y):
    return (x.mean(0) - y.mean(0)).abs().mean() + (torch.cov(x.T) - torch.cov(y.T)).abs().mean()


def yuv_remd(x, y):
    turn = torch.tensor([[0.577350] * 3, [-0.577350, 0.788675, -0.211325], [-0.577350, -0.211325, 0.788675]])
    x, y = x @ turn.T, y @ turn.T
    return remd(cosine(x, y) + ((x[:, None] - y[None]) ** 2).mean(2).sqrt())


def content(x):
    return (cosine(x, x) - cosine(feature_content, feature_content)).abs().mean()


def style(x):
    return remd(cosine(x, feature_style)) + moments(x, feature_style)


case("style.content", feature_x, content)
case("style.remd", feature_x, lambda x: remd(cosine(x, feature_style)))
case("style.moments", feature_x, lambda x: moments(x, feature_style))
case("style.palette", feature_x[:, :3], lambda x: yuv_remd(x, feature_style[:, :3]))
case("style.all", feature_x,
     lambda x: (8 * content(x) + style(x) + yuv_remd(x[:, :3], feature_style[:, :3]) / 8) / 10)
save_file({k: v.contiguous() for k, v in out.items()},
          pathlib.Path(__file__).resolve().parents[1] / "Fixtures" / "objectives.safetensors")
