#include "guard.h"

using namespace ct;

int ct_reshape(ct_tensor x, const int64_t *sizes, int rank, ct_tensor *out) {
  return give(out, [&] { return of(x).reshape(ints(sizes, rank)); });
}
int ct_permute(ct_tensor x, const int64_t *dims, int rank, ct_tensor *out) {
  return give(out, [&] { return of(x).permute(ints(dims, rank)); });
}
int ct_expand(ct_tensor x, const int64_t *sizes, int rank, ct_tensor *out) {
  return give(out, [&] { return of(x).expand(ints(sizes, rank)); });
}
int ct_transpose(ct_tensor x, int a, int b, ct_tensor *out) {
  return give(out, [&] { return of(x).transpose(a, b); });
}
int ct_unsqueeze(ct_tensor x, int dim, ct_tensor *out) {
  return give(out, [&] { return of(x).unsqueeze(dim); });
}
int ct_squeeze(ct_tensor x, int dim, ct_tensor *out) {
  return give(out, [&] { return of(x).squeeze(dim); });
}
int ct_narrow(ct_tensor x, int dim, int64_t start, int64_t length, ct_tensor *out) {
  return give(out, [&] { return of(x).narrow(dim, start, length); });
}
int ct_select(ct_tensor x, int dim, int64_t index, ct_tensor *out) {
  return give(out, [&] { return of(x).select(dim, index); });
}
int ct_split(ct_tensor x, int dim, int64_t length, int count, ct_tensor *out) {
  return guard([&] {
    const auto parts = length < 0 ? at::unbind(of(x), dim) : at::split(of(x), length, dim);
    for (size_t i = 0; i < static_cast<size_t>(count); i++) out[i] = new ct_tensor_s{parts.at(i)};
  });
}
int ct_flip(ct_tensor x, int dim, ct_tensor *out) {
  return give(out, [&] { return of(x).flip({dim}); });
}
int ct_roll(ct_tensor x, int64_t shift, int dim, ct_tensor *out) {
  return give(out, [&] { return of(x).roll({shift}, {dim}); });
}
int ct_cat(const ct_tensor *xs, int count, int dim, ct_tensor *out) {
  return give(out, [&] { return at::cat(list(xs, count), dim); });
}
int ct_stack(const ct_tensor *xs, int count, int dim, ct_tensor *out) {
  return give(out, [&] { return at::stack(list(xs, count), dim); });
}
int ct_index_select(ct_tensor x, int dim, ct_tensor indices, ct_tensor *out) {
  return give(out, [&] { return of(x).index_select(dim, of(indices)); });
}
int ct_gather(ct_tensor x, int dim, ct_tensor indices, ct_tensor *out) {
  return give(out, [&] { return of(x).gather(dim, of(indices)); });
}
int ct_repeat_interleave(ct_tensor x, int64_t times, int dim, ct_tensor *out) {
  return give(out, [&] { return at::repeat_interleave(of(x), times, dim); });
}
int ct_triu(ct_tensor x, int64_t diagonal, ct_tensor *out) {
  return give(out, [&] { return at::triu(of(x), diagonal); });
}
int ct_pad(ct_tensor x, const int64_t *widths, int count, int mode, double value, ct_tensor *out) {
  return give(out, [&] {
    static const char *const modes[] = {"constant", "reflect", "replicate"};
    TORCH_CHECK(mode >= 0 && mode <= 2, "no padding mode has the number ", mode);
    return at::pad(of(x), ints(widths, count), modes[mode],
                   mode == 0 ? std::optional<double>(value) : std::nullopt);
  });
}
int ct_pixel_shuffle(ct_tensor x, int64_t factor, ct_tensor *out) {
  return give(out, [&] { return at::pixel_shuffle(of(x), factor); });
}
int ct_pixel_unshuffle(ct_tensor x, int64_t factor, ct_tensor *out) {
  return give(out, [&] { return at::pixel_unshuffle(of(x), factor); });
}
