#include "guard.h"

using namespace ct;

int ct_linear(ct_tensor x, ct_tensor weight, ct_tensor bias, ct_tensor *out) {
  return give(out, [&] { return at::linear(of(x), of(weight), maybe(bias)); });
}
int ct_conv2d(ct_tensor x, ct_tensor weight, ct_tensor bias, int64_t stride, int64_t padding, int64_t groups,
              ct_tensor *out) {
  return give(out, [&] {
    return at::conv2d(of(x), of(weight), maybe(bias), {stride, stride}, {padding, padding}, {1, 1}, groups);
  });
}
int ct_group_norm(ct_tensor x, int64_t groups, ct_tensor weight, ct_tensor bias, double eps, ct_tensor *out) {
  return give(out, [&] { return at::group_norm(of(x), groups, maybe(weight), maybe(bias), eps); });
}
int ct_layer_norm(ct_tensor x, int64_t width, ct_tensor weight, ct_tensor bias, double eps, ct_tensor *out) {
  return give(out, [&] { return at::layer_norm(of(x), {width}, maybe(weight), maybe(bias), eps); });
}
int ct_embedding(ct_tensor weight, ct_tensor indices, ct_tensor *out) {
  return give(out, [&] { return at::embedding(of(weight), of(indices)); });
}
int ct_cross_entropy(ct_tensor logits, ct_tensor targets, int64_t ignore, double smoothing, ct_tensor *out) {
  return give(out, [&] {
    return at::cross_entropy_loss(of(logits), of(targets), {}, at::Reduction::Mean, ignore, smoothing);
  });
}
int ct_avg_pool2d(ct_tensor x, int64_t size, ct_tensor *out) {
  return give(out, [&] { return at::avg_pool2d(of(x), {size, size}); });
}
int ct_max_pool2d(ct_tensor x, int64_t size, ct_tensor *out) {
  return give(out, [&] { return at::max_pool2d(of(x), {size, size}); });
}
int ct_adaptive_avg_pool2d(ct_tensor x, int64_t height, int64_t width, ct_tensor *out) {
  return give(out, [&] { return at::adaptive_avg_pool2d(of(x), {height, width}); });
}
int ct_adaptive_max_pool2d(ct_tensor x, int64_t height, int64_t width, ct_tensor *out) {
  return give(out, [&] { return std::get<0>(at::adaptive_max_pool2d(of(x), {height, width})); });
}
int ct_upsample(ct_tensor x, int64_t height, int64_t width, int mode, bool align_corners, bool antialias,
                ct_tensor *out) {
  return give(out, [&]() -> at::Tensor {
    const int64_t size[] = {height, width};
    switch (mode) {
      case 0: return at::upsample_nearest2d(of(x), size);
      case 1:
        return antialias ? at::_upsample_bilinear2d_aa(of(x), size, align_corners)
                         : at::upsample_bilinear2d(of(x), size, align_corners);
      case 2:
        return antialias ? at::_upsample_bicubic2d_aa(of(x), size, align_corners)
                         : at::upsample_bicubic2d(of(x), size, align_corners);
    }
    TORCH_CHECK(false, "no interpolation mode has the number ", mode);
  });
}
int ct_grid_sample(ct_tensor x, ct_tensor grid, int mode, int padding, bool align_corners, ct_tensor *out) {
  return give(out, [&] { return at::grid_sampler(of(x), of(grid), mode, padding, align_corners); });
}
int ct_attention(ct_tensor q, ct_tensor k, ct_tensor v, ct_tensor mask, bool causal, ct_tensor *out) {
  return give(out, [&] {
    return at::scaled_dot_product_attention(of(q), of(k), of(v), maybe(mask), 0.0, causal);
  });
}
