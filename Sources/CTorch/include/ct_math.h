#pragma once
#include "ct_tensor.h"
#ifdef __cplusplus
extern "C" {
#endif

#define CT_UNARY(X) \
  X(neg) X(exp) X(log) X(sqrt) X(rsqrt) X(sin) X(cos) X(asin) X(tanh) X(sigmoid) X(relu) X(silu) \
  X(abs) X(floor) X(round) X(square) X(erf) X(gelu) X(isfinite) X(logical_not)
#define CT_BINARY(X) \
  X(add) X(sub) X(mul) X(div) X(pow) X(maximum) X(minimum) X(matmul) X(eq) X(ne) X(lt) X(le) X(gt) X(ge) \
  X(logical_and)
#define CT_SCALAR(X) \
  X(add) X(mul) X(pow) X(eq) X(ne) X(lt) X(le) X(gt) X(ge) X(leaky_relu)
#define CT_REDUCE(X) X(sum) X(mean) X(amax) X(amin)

#define CT_DECLARE(name) int ct_##name(ct_tensor x, ct_tensor *out);
CT_UNARY(CT_DECLARE)
#undef CT_DECLARE
#define CT_DECLARE(name) int ct_##name(ct_tensor x, ct_tensor y, ct_tensor *out);
CT_BINARY(CT_DECLARE)
#undef CT_DECLARE
#define CT_DECLARE(name) int ct_##name##_scalar(ct_tensor x, double y, ct_tensor *out);
CT_SCALAR(CT_DECLARE)
#undef CT_DECLARE
#define CT_DECLARE(name) \
  int ct_##name(ct_tensor x, const int64_t *dims, int count, bool keep, ct_tensor *out);
CT_REDUCE(CT_DECLARE)
#undef CT_DECLARE

// x sigmoid(1.702 x)
int ct_quick_gelu(ct_tensor x, ct_tensor *out);
int ct_clamp(ct_tensor x, double low, double high, ct_tensor *out);
int ct_clamp_between(ct_tensor x, ct_tensor low, ct_tensor high, ct_tensor *out);
int ct_where(ct_tensor condition, ct_tensor x, ct_tensor y, ct_tensor *out);
int ct_masked_fill(ct_tensor x, ct_tensor mask, double value, ct_tensor *out);
// Fourier transform of the last two dimensions; coefficients as pairs of real and imaginary part.
int ct_rfft2(ct_tensor x, ct_tensor *out);
int ct_irfft2(ct_tensor x, int64_t height, int64_t width, ct_tensor *out);
int ct_argmax(ct_tensor x, int dim, bool keep, ct_tensor *out);
int ct_argmin(ct_tensor x, int dim, bool keep, ct_tensor *out);
int ct_softmax(ct_tensor x, int dim, ct_tensor *out);
int ct_log_softmax(ct_tensor x, int dim, ct_tensor *out);
int ct_norm(ct_tensor x, int dim, bool keep, ct_tensor *out);
int ct_cumsum(ct_tensor x, int dim, ct_tensor *out);
int ct_topk(ct_tensor x, int64_t k, int dim, ct_tensor *values, ct_tensor *indices);
int ct_sort(ct_tensor x, int dim, bool descending, ct_tensor *values, ct_tensor *indices);

#ifdef __cplusplus
}
#endif
