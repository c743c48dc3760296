#pragma once
#include "ct_tensor.h"
#ifdef __cplusplus
extern "C" {
#endif

int ct_reshape(ct_tensor x, const int64_t *sizes, int rank, ct_tensor *out);
int ct_permute(ct_tensor x, const int64_t *dims, int rank, ct_tensor *out);
int ct_expand(ct_tensor x, const int64_t *sizes, int rank, ct_tensor *out);
int ct_transpose(ct_tensor x, int a, int b, ct_tensor *out);
int ct_unsqueeze(ct_tensor x, int dim, ct_tensor *out);
int ct_squeeze(ct_tensor x, int dim, ct_tensor *out);
int ct_narrow(ct_tensor x, int dim, int64_t start, int64_t length, ct_tensor *out);
int ct_select(ct_tensor x, int dim, int64_t index, ct_tensor *out);
// The first `count` parts of so many entries each, or without the dimension where that is -1; they get their
// gradients in one pass.
int ct_split(ct_tensor x, int dim, int64_t length, int count, ct_tensor *out);
int ct_flip(ct_tensor x, int dim, ct_tensor *out);
int ct_roll(ct_tensor x, int64_t shift, int dim, ct_tensor *out);
int ct_cat(const ct_tensor *xs, int count, int dim, ct_tensor *out);
int ct_stack(const ct_tensor *xs, int count, int dim, ct_tensor *out);
int ct_index_select(ct_tensor x, int dim, ct_tensor indices, ct_tensor *out);
int ct_gather(ct_tensor x, int dim, ct_tensor indices, ct_tensor *out);
int ct_repeat_interleave(ct_tensor x, int64_t times, int dim, ct_tensor *out);
int ct_triu(ct_tensor x, int64_t diagonal, ct_tensor *out);
// mode: 0 constant, 1 reflect, 2 replicate; widths as in torch: last dimension first, before and after.
int ct_pad(ct_tensor x, const int64_t *widths, int count, int mode, double value, ct_tensor *out);
int ct_pixel_shuffle(ct_tensor x, int64_t factor, ct_tensor *out);
int ct_pixel_unshuffle(ct_tensor x, int64_t factor, ct_tensor *out);

#ifdef __cplusplus
}
#endif
