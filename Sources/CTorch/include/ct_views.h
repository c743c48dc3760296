#pragma once
#include "ct_tensor.h"
#ifdef __cplusplus
extern "C" {
#endif

// Brightness, contrast, saturation and hue of x `[B, 3, H, W]`, float32 on the CPU, in 0…1, as kornia changes them.
// factors `[B, 4]`: of each picture, neutral at 1, the hue's at 0 as a share of the circle; chosen `[B]`: which of the
// pictures are changed; order: a permutation of 0..<4.
int ct_color_jitter(ct_tensor x, const float *factors, const bool *chosen, const int *order, ct_tensor *out);

#ifdef __cplusplus
}
#endif
