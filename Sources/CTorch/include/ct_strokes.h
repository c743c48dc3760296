#pragma once
#include "ct_tensor.h"
#ifdef __cplusplus
extern "C" {
#endif

// Polylines painted in order over a paper, on the CPU, in float32 or float64, with gradients at all four
// tensors. vertices [S, M, 2] are in pixels, x first; radii [S]; colors [S, 4] with straight alpha;
// paper [3]. Open lines have round caps and joins; `filled` ones are closed and filled by the even-odd
// rule, and their radii do not count. Gives [1, 3, height, width].
int ct_paint_strokes(ct_tensor vertices, ct_tensor radii, ct_tensor colors, ct_tensor paper, int64_t height,
                     int64_t width, bool filled, ct_tensor *out);

#ifdef __cplusplus
}
#endif
