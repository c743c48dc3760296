// Products with weights in eight bits, a scale for each row, read as they are: for steps of one position, which
// take as long as it takes to read the weights. libtorch has such a product for bfloat16 alone, and only for
// memory that is aligned; in its place stand these few loops, which every processor takes.

#include <cstring>

#include "guard.h"

using namespace ct;

namespace {

constexpr int64_t lanes = 16;
using Floats = float __attribute__((vector_size(4 * lanes)));
using Bytes = int8_t __attribute__((vector_size(lanes)));

#define CT_INLINE __attribute__((always_inline)) inline

// y `[rows, out]` of x `[rows, in]`, w `[out, in]` and the scales of w's rows.
struct Product {
  const int8_t *w;
  const float *scales;
  const float *x;
  float *y;
  int64_t rows, in, out;

  // R rows of x by O rows of w, whose sums stay in registers.
  template <int R, int O>
  CT_INLINE void block(int64_t row, int64_t o) const {
    const float *xs = x + row * in;
    const int8_t *ws = w + o * in;
    Floats sums[R][O] = {};
    int64_t i = 0;
    for (; i + lanes <= in; i += lanes) {
      Floats seen[R];
      for (int r = 0; r < R; r++) std::memcpy(&seen[r], xs + r * in + i, sizeof(Floats));
      for (int k = 0; k < O; k++) {
        Bytes bytes;
        std::memcpy(&bytes, ws + k * in + i, sizeof(Bytes));
        const Floats weights = __builtin_convertvector(bytes, Floats);
        for (int r = 0; r < R; r++) sums[r][k] += weights * seen[r];
      }
    }
    for (int r = 0; r < R; r++) {
      for (int k = 0; k < O; k++) {
        float sum = 0;
        for (int64_t lane = 0; lane < lanes; lane++) sum += sums[r][k][lane];
        for (int64_t j = i; j < in; j++) sum += static_cast<float>(ws[k * in + j]) * xs[r * in + j];
        y[(row + r) * out + o + k] = sum * scales[o + k];
      }
    }
  }

  template <int R, int O>
  CT_INLINE void band(int64_t row) const {
    int64_t o = 0;
    for (; o + O <= out; o += O) block<R, O>(row, o);
    for (; o < out; o++) block<R, 1>(row, o);
  }

  // Sums that fit into sixteen registers of half their width, or into thirty-two of all of it.
  template <bool WIDE>
  CT_INLINE void all() const {
    int64_t row = 0;
    for (; row + 4 <= rows; row += 4) band<4, WIDE ? 2 : 1>(row);
    for (; row + 2 <= rows; row += 2) band<2, WIDE ? 4 : 2>(row);
    for (; row < rows; row++) band<1, 4>(row);
  }
};

#if defined(__x86_64__)
// Left alone, the compiler takes half of AVX-512's registers.
__attribute__((target("arch=x86-64-v4"), min_vector_width(512))) void widest(const Product &p) { p.all<true>(); }
__attribute__((target("arch=x86-64-v3"))) void wide(const Product &p) { p.all<false>(); }
#endif

void multiply(const Product &p) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("x86-64-v4")) return widest(p);
  if (__builtin_cpu_supports("x86-64-v3")) return wide(p);
#endif
  p.all<false>();
}

}  // namespace

int ct_linear_int8(ct_tensor x, ct_tensor weight, ct_tensor scales, ct_tensor *out) {
  return give(out, [&] {
    const auto rows = of(x).contiguous(), w = of(weight).contiguous(), s = of(scales).contiguous();
    TORCH_CHECK(rows.dim() == 2 && w.dim() == 2 && rows.size(1) == w.size(1) && s.numel() == w.size(0),
                "x, weight and scales do not fit each other");
    auto y = at::empty({rows.size(0), w.size(0)}, rows.options());
    multiply({w.const_data_ptr<int8_t>(), s.const_data_ptr<float>(), rows.const_data_ptr<float>(),
              y.data_ptr<float>(), rows.size(0), w.size(1), w.size(0)});
    return y;
  });
}
