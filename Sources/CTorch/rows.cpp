// Products of a few rows with large matrices, read as they are kept: for steps of one position, which take as long
// as it takes to read the weights. libtorch's products for whole matrices reach half of that with few rows; its own
// for eight bits takes bfloat16 alone, and only memory that is aligned. In their place stand these few loops, which
// every processor takes.

#include <algorithm>

#include "guard.h"
#include "lanes.h"
#include "parts.h"

using namespace ct;

namespace {

// y `[rows, out]`, in lines of `stride`, of x `[rows, in]`, w `[out, in]` and the scales of w's rows, if it has any.
template <typename W>
struct Product {
  const typename W::Value *w;
  const float *scales;
  const float *x;
  float *y;
  int64_t rows, in, out, stride;

  // R rows of x by O rows of w, whose sums stay in registers.
  template <int R, int O>
  CT_INLINE void block(int64_t row, int64_t o) const {
    const float *xs = x + row * in;
    const auto *ws = w + o * in;
    constexpr int64_t line = 64 / sizeof *ws;
    Floats sums[R][O] = {};
    int64_t i = 0;
    for (; i + lanes <= in; i += lanes) {
      // Alone, memory gives little more than half of what it can: the next rows are fetched while these are used.
      if (i % line == 0)
        for (int k = 0; k < O; k++) __builtin_prefetch(ws + (O + k) * in + i);
      Floats seen[R];
      for (int r = 0; r < R; r++) std::memcpy(&seen[r], xs + r * in + i, sizeof(Floats));
      for (int k = 0; k < O; k++) {
        typename W::Values values;
        std::memcpy(&values, ws + k * in + i, sizeof values);
        Floats weights;
        W::widen(values, weights);
        for (int r = 0; r < R; r++) sums[r][k] += weights * seen[r];
      }
    }
    for (int r = 0; r < R; r++) {
      for (int k = 0; k < O; k++) {
        float sum = 0;
        for (int64_t lane = 0; lane < lanes; lane++) sum += sums[r][k][lane];
        for (int64_t j = i; j < in; j++) sum += W::widen(ws[k * in + j]) * xs[r * in + j];
        y[(row + r) * stride + o + k] = scales ? sum * scales[o + k] : sum;
      }
    }
  }

  template <int R, int O>
  CT_INLINE void band(int64_t row, int64_t o, int64_t end) const {
    for (; o + O <= end; o += O) block<R, O>(row, o);
    for (; o < end; o++) block<R, 1>(row, o);
  }

  // Sums that fit into sixteen registers of half their width, or into thirty-two of all of it. All rows of x meet
  // the same few rows of w before the next ones are read.
  template <bool WIDE>
  CT_INLINE void run(int64_t o, int64_t end) const {
    for (; o < end; o += 4) {
      const int64_t last = std::min(o + 4, end);
      int64_t row = 0;
      for (; row + 4 <= rows; row += 4) band<4, WIDE ? 2 : 1>(row, o, last);
      for (; row + 2 <= rows; row += 2) band<2, WIDE ? 4 : 2>(row, o, last);
      for (; row < rows; row++) band<1, 4>(row, o, last);
    }
  }
};

// Bytes of weights that a thread takes at a time, and those from which another thread is worth waking.
constexpr int64_t share = 1 << 17, worthwhile = 1 << 20;

template <typename W>
void multiply(const std::vector<Product<W>> &products, int threads) {
  struct Part {
    const Product<W> *product;
    int64_t first, end;
  };
  std::vector<Part> parts;
  int64_t bytes = 0;
  for (const auto &p : products) {
    const int64_t row = p.in * static_cast<int64_t>(sizeof(typename W::Value));
    const int64_t step = std::max<int64_t>(4, share / std::max<int64_t>(1, row) / 4 * 4);
    for (int64_t o = 0; o < p.out; o += step) parts.push_back({&p, o, std::min(o + step, p.out)});
    bytes += row * p.out;
  }
  in_parts(static_cast<int64_t>(parts.size()), bytes >= worthwhile ? threads : 1, [&](int64_t i) {
    const auto &part = parts[static_cast<size_t>(i)];
    on_this_processor(*part.product, part.first, part.end);
  });
}

template <typename W>
at::Tensor product(const at::Tensor &x, const std::vector<at::Tensor> &weights, const std::vector<at::Tensor> &scales,
                   int threads) {
  int64_t total = 0;
  for (const auto &w : weights) total += w.size(0);
  auto y = at::empty({x.size(0), total}, x.options());
  std::vector<Product<W>> products;
  float *out = y.template data_ptr<float>();
  for (size_t i = 0; i < weights.size(); i++) {
    const auto &w = weights[i];
    products.push_back({static_cast<const typename W::Value *>(w.const_data_ptr()),
                        scales.empty() ? nullptr : scales[i].const_data_ptr<float>(), x.const_data_ptr<float>(), out,
                        x.size(0), w.size(1), w.size(0), total});
    out += w.size(0);
  }
  multiply(products, threads);
  return y;
}

}  // namespace

int ct_linear_rows(ct_tensor x, const ct_tensor *weights, const ct_tensor *scales, int count, int threads,
                   ct_tensor *out) {
  return give(out, [&] {
    const auto rows = of(x).contiguous();
    auto w = list(weights, count), s = scales ? list(scales, count) : std::vector<at::Tensor>{};
    TORCH_CHECK(rows.dim() == 2 && rows.scalar_type() == at::kFloat && !w.empty(), "x is no float32 [rows, in]");
    const auto type = w[0].scalar_type();
    for (auto &part : w) {
      TORCH_CHECK(part.dim() == 2 && part.size(1) == rows.size(1) && part.scalar_type() == type && part.is_cpu(),
                  "x and weights do not fit each other");
      part = part.contiguous();
    }
    for (size_t i = 0; i < s.size(); i++) {
      TORCH_CHECK(s[i].numel() == w[i].size(0), "weights and scales do not fit each other");
      s[i] = s[i].contiguous();
    }
    TORCH_CHECK((type == at::kChar) == !s.empty(), "weights in eight bits have scales, and no others have");
    if (type == at::kChar) return product<Eight>(rows, w, s, threads);
    if (type == at::kBFloat16) return product<Half>(rows, w, s, threads);
    TORCH_CHECK(type == at::kFloat, "weights are neither int8 nor bfloat16 nor float32");
    return product<Whole>(rows, w, s, threads);
  });
}
