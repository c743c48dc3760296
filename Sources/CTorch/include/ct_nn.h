#pragma once
#include "ct_tensor.h"
#ifdef __cplusplus
extern "C" {
#endif

// Optional tensors may be NULL.
int ct_linear(ct_tensor x, ct_tensor weight, ct_tensor bias, ct_tensor *out);
// x float32 `[rows, in]` with each of `count` matrices `[out, in]` of one type, side by side: float32 `[rows, all out]`.
// int8 with `scales`, float32 `[out]` for each; bfloat16 or float32 with NULL. All on the CPU, by at most so many threads.
int ct_linear_rows(ct_tensor x, const ct_tensor *weights, const ct_tensor *scales, int count, int threads,
                   ct_tensor *out);
int ct_conv2d(ct_tensor x, ct_tensor weight, ct_tensor bias, int64_t stride, int64_t padding,
              int64_t groups, ct_tensor *out);
// Normalised by groups, times weight and plus bias `[C]`; then, where there are a scale and a shift `[B, C, 1, 1]`, times
// one more than the scale and plus the shift. activation: 0 none, 1 SiLU, 2 ReLU.
int ct_group_norm(ct_tensor x, int64_t groups, ct_tensor weight, ct_tensor bias, ct_tensor scale, ct_tensor shift,
                  double eps, int activation, ct_tensor *out);
int ct_layer_norm(ct_tensor x, int64_t width, ct_tensor weight, ct_tensor bias, double eps, ct_tensor *out);
int ct_embedding(ct_tensor weight, ct_tensor indices, ct_tensor *out);
// Mean over rows; rows whose target is `ignore` do not count.
int ct_cross_entropy(ct_tensor logits, ct_tensor targets, int64_t ignore, double smoothing, ct_tensor *out);
// In training by the statistics of x, towards which mean and variance move by `momentum`; else by these two.
int ct_batch_norm(ct_tensor x, ct_tensor weight, ct_tensor bias, ct_tensor mean, ct_tensor variance, bool training,
                  double momentum, double eps, ct_tensor *out);
int ct_glu(ct_tensor x, int64_t dim, ct_tensor *out);
// One layer from a state of zeros. x `[batch, time, inputs]`, a length of at least one for each of the batch; weights
// w_ih, w_hh, b_ih, b_hh, and the same four of the other direction. Outputs `[batch, time, directions * hidden]`, zeros
// behind each length; last `[directions, batch, hidden]`.
int ct_lstm(ct_tensor x, const int64_t *lengths, const ct_tensor *weights, int count, bool bidirectional,
            ct_tensor *outputs, ct_tensor *last);
int ct_avg_pool2d(ct_tensor x, int64_t size, int64_t stride, int64_t padding, ct_tensor *out);
int ct_max_pool2d(ct_tensor x, int64_t size, int64_t stride, ct_tensor *out);
int ct_adaptive_avg_pool2d(ct_tensor x, int64_t height, int64_t width, ct_tensor *out);
int ct_adaptive_max_pool2d(ct_tensor x, int64_t height, int64_t width, ct_tensor *out);
// mode: 0 nearest, 1 bilinear, 2 bicubic.
int ct_upsample(ct_tensor x, int64_t height, int64_t width, int mode, bool align_corners, bool antialias,
                ct_tensor *out);
// mode: 0 bilinear, 1 nearest; padding: 0 zeros, 1 border, 2 reflection.
int ct_grid_sample(ct_tensor x, ct_tensor grid, int mode, int padding, bool align_corners, ct_tensor *out);
int ct_attention(ct_tensor q, ct_tensor k, ct_tensor v, ct_tensor mask, bool causal, ct_tensor *out);

#ifdef __cplusplus
}
#endif
