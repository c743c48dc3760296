"""Writes Fixtures/perlin.json: fractal Perlin noise and its contrast, by the formulas, for gradient angles drawn here."""
import json
import pathlib

import numpy as np

rng = np.random.default_rng(1)
SIDE, WAVES, OCTAVES = 32, 4, 3


def fade(t):
    return t * t * t * (t * (t * 6 - 15) + 10)


def noise(side, angles):
    n = len(angles) - 1
    out = np.zeros((side, side))
    for i in range(side):
        for j in range(side):
            y, x = i * n / side, j * n / side
            cy, cx = int(y), int(x)
            fy, fx = y - cy, x - cx
            dots = {(dy, dx): np.cos(angles[cy + dy, cx + dx]) * (fy - dy) + np.sin(angles[cy + dy, cx + dx]) * (fx - dx)
                    for dy in (0, 1) for dx in (0, 1)}
            left = dots[0, 0] * (1 - fade(fy)) + dots[1, 0] * fade(fy)
            right = dots[0, 1] * (1 - fade(fy)) + dots[1, 1] * fade(fy)
            out[i, j] = np.sqrt(2) * (left * (1 - fade(fx)) + right * fade(fx))
    return out


angles = [(2 * np.pi * rng.random((WAVES * 2**o + 1,) * 2)).astype(np.float32).astype(np.float64) for o in range(OCTAVES)]
fractal = sum(0.5**o * noise(SIDE, a) for o, a in enumerate(angles))
n = (fractal - fractal.min()) / (fractal.max() - fractal.min())
n = 0.9998 * n + 0.0001
contrasted = 1 / (1 + (n / (1 - n)) ** -2)
flat = lambda x: [float(f"{v:.9g}") for v in np.ravel(x)]
path = pathlib.Path(__file__).resolve().parents[1] / "Fixtures" / "perlin.json"
path.write_text(json.dumps(dict(side=SIDE, angles=[flat(a) for a in angles], fractal=flat(fractal), contrasted=flat(contrasted))))
