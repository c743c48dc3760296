#include "guard.h"

using namespace ct;

#define CT_DEFINE(name) \
  int ct_##name(ct_tensor x, ct_tensor *out) { \
    return give(out, [&] { return at::name(of(x)); }); \
  }
CT_UNARY(CT_DEFINE)
#undef CT_DEFINE
#define CT_DEFINE(name) \
  int ct_##name(ct_tensor x, ct_tensor y, ct_tensor *out) { \
    return give(out, [&] { return at::name(of(x), of(y)); }); \
  }
CT_BINARY(CT_DEFINE)
#undef CT_DEFINE
#define CT_DEFINE(name) \
  int ct_##name##_scalar(ct_tensor x, double y, ct_tensor *out) { \
    return give(out, [&] { return at::name(of(x), y); }); \
  }
CT_SCALAR(CT_DEFINE)
#undef CT_DEFINE
#define CT_DEFINE(name) \
  int ct_##name(ct_tensor x, const int64_t *dims, int count, bool keep, ct_tensor *out) { \
    return give(out, [&] { return at::name(of(x), ints(dims, count), keep); }); \
  }
CT_REDUCE(CT_DEFINE)
#undef CT_DEFINE

int ct_rfft2(ct_tensor x, ct_tensor *out) {
  return give(out, [&] {
    return at::view_as_real(at::fft_rfft2(of(x), std::nullopt, {-2, -1}, "ortho")).contiguous();
  });
}
int ct_irfft2(ct_tensor x, int64_t height, int64_t width, ct_tensor *out) {
  return give(out, [&] {
    int64_t sizes[] = {height, width};
    return at::fft_irfft2(at::view_as_complex(of(x).contiguous()), at::IntArrayRef(sizes), {-2, -1}, "ortho");
  });
}
int ct_clamp(ct_tensor x, double low, double high, ct_tensor *out) {
  return give(out, [&] { return at::clamp(of(x), low, high); });
}
int ct_clamp_between(ct_tensor x, ct_tensor low, ct_tensor high, ct_tensor *out) {
  return give(out, [&] { return at::clamp(of(x), maybe(low), maybe(high)); });
}
int ct_where(ct_tensor condition, ct_tensor x, ct_tensor y, ct_tensor *out) {
  return give(out, [&] { return at::where(of(condition), of(x), of(y)); });
}
int ct_masked_fill(ct_tensor x, ct_tensor mask, double value, ct_tensor *out) {
  return give(out, [&] { return at::masked_fill(of(x), of(mask), value); });
}
int ct_argmax(ct_tensor x, int dim, bool keep, ct_tensor *out) {
  return give(out, [&] { return at::argmax(of(x), dim, keep); });
}
int ct_argmin(ct_tensor x, int dim, bool keep, ct_tensor *out) {
  return give(out, [&] { return at::argmin(of(x), dim, keep); });
}
int ct_softmax(ct_tensor x, int dim, ct_tensor *out) {
  return give(out, [&] { return at::softmax(of(x), dim); });
}
int ct_log_softmax(ct_tensor x, int dim, ct_tensor *out) {
  return give(out, [&] { return at::log_softmax(of(x), dim); });
}
int ct_norm(ct_tensor x, int dim, bool keep, ct_tensor *out) {
  return give(out, [&] { return at::norm(of(x), 2, {dim}, keep); });
}
int ct_cumsum(ct_tensor x, int dim, ct_tensor *out) {
  return give(out, [&] { return at::cumsum(of(x), dim); });
}
int ct_topk(ct_tensor x, int64_t k, int dim, ct_tensor *values, ct_tensor *indices) {
  return guard([&] {
    auto [v, i] = at::topk(of(x), k, dim);
    *values = new ct_tensor_s{v};
    *indices = new ct_tensor_s{i};
  });
}
int ct_sort(ct_tensor x, int dim, bool descending, ct_tensor *values, ct_tensor *indices) {
  return guard([&] {
    auto [v, i] = at::sort(of(x), /*stable=*/true, dim, descending);
    *values = new ct_tensor_s{v};
    *indices = new ct_tensor_s{i};
  });
}
