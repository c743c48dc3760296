// Products of a few rows with large matrices, read as they are kept: for steps of one position, which take as long
// as it takes to read the weights. libtorch's products for whole matrices reach half of that with few rows; its own
// for eight bits takes bfloat16 alone, and only memory that is aligned. In their place stand these few loops, which
// every processor takes.

#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <thread>

#include "guard.h"

using namespace ct;

namespace {

constexpr int64_t lanes = 16;
using Floats = float __attribute__((vector_size(4 * lanes)));

#define CT_INLINE __attribute__((always_inline)) inline

// Types of weights: how sixteen of them, and how one, become float32.
struct Eight {
  using Value = int8_t;
  using Values = int8_t __attribute__((vector_size(lanes)));
  static CT_INLINE void widen(const Values &from, Floats &to) { to = __builtin_convertvector(from, Floats); }
  static CT_INLINE float widen(Value from) { return static_cast<float>(from); }
};

struct Whole {
  using Value = float;
  using Values = Floats;
  static CT_INLINE void widen(const Values &from, Floats &to) { to = from; }
  static CT_INLINE float widen(Value from) { return from; }
};

// bfloat16 is the upper half of float32.
struct Half {
  using Value = uint16_t;
  using Values = uint16_t __attribute__((vector_size(2 * lanes)));
  using Words = uint32_t __attribute__((vector_size(4 * lanes)));
  static CT_INLINE void widen(const Values &from, Floats &to) {
    const Words words = __builtin_convertvector(from, Words) << 16;
    std::memcpy(&to, &words, sizeof to);
  }
  static CT_INLINE float widen(Value from) {
    const uint32_t word = static_cast<uint32_t>(from) << 16;
    float value;
    std::memcpy(&value, &word, sizeof value);
    return value;
  }
};

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
  CT_INLINE void some(int64_t o, int64_t end) const {
    for (; o < end; o += 4) {
      const int64_t last = std::min(o + 4, end);
      int64_t row = 0;
      for (; row + 4 <= rows; row += 4) band<4, WIDE ? 2 : 1>(row, o, last);
      for (; row + 2 <= rows; row += 2) band<2, WIDE ? 4 : 2>(row, o, last);
      for (; row < rows; row++) band<1, 4>(row, o, last);
    }
  }
};

#if defined(__x86_64__)
// Left alone, the compiler takes half of AVX-512's registers.
template <typename W>
__attribute__((target("arch=x86-64-v4"), min_vector_width(512))) void widest(const Product<W> &p, int64_t o, int64_t end) {
  p.template some<true>(o, end);
}
template <typename W>
__attribute__((target("arch=x86-64-v3"))) void wide(const Product<W> &p, int64_t o, int64_t end) {
  p.template some<false>(o, end);
}
#endif

template <typename W>
void multiply(const Product<W> &p, int64_t o, int64_t end) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("x86-64-v4")) return widest(p, o, end);
  if (__builtin_cpu_supports("x86-64-v3")) return wide(p, o, end);
#endif
  p.template some<false>(o, end);
}

// Bytes of weights that a thread takes at a time, and those from which another thread is worth waking.
constexpr int64_t share = 1 << 17, worthwhile = 1 << 20;

// Products in parts, which whoever has time takes. A thread that comes when none are left is not waited for: on a
// machine that is busy the calling one does all of them.
template <typename W>
struct Work {
  struct Part {
    const Product<W> *product;
    int64_t first, end;
  };
  std::vector<Product<W>> products;
  std::vector<Part> parts;
  std::atomic<size_t> next{0}, done{0};

  void run() {
    for (size_t i = next++; i < parts.size(); i = next++) {
      multiply(*parts[i].product, parts[i].first, parts[i].end);
      done++;
    }
  }
};

template <typename W>
void multiply(std::vector<Product<W>> products, int threads) {
  auto work = std::make_shared<Work<W>>();
  work->products = std::move(products);
  int64_t bytes = 0;
  for (const auto &p : work->products) {
    const int64_t row = p.in * static_cast<int64_t>(sizeof(typename W::Value));
    const int64_t step = std::max<int64_t>(4, share / std::max<int64_t>(1, row) / 4 * 4);
    for (int64_t o = 0; o < p.out; o += step) work->parts.push_back({&p, o, std::min(o + step, p.out)});
    bytes += row * p.out;
  }
  if (bytes >= worthwhile)
    for (int i = 1; i < threads; i++) at::launch([work] { work->run(); });
  work->run();
  while (work->done < work->parts.size()) std::this_thread::yield();
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
  multiply(std::move(products), threads);
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
