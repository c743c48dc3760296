// CLIP's approximation of GELU, x sigmoid(1.702 x), in one pass each way: libtorch's operators would take three and
// five, and keep two tensors for the gradient in place of what came in.

#include <torch/csrc/autograd/custom_function.h>

#include "guard.h"
#include "lanes.h"
#include "parts.h"

namespace {

using namespace ct;

constexpr int64_t step = 1 << 15;

// y of x, or, where there is a dy, dx of both.
template <typename N>
struct QuickGELU {
  const typename N::Value *x, *dy;
  typename N::Value *result;
  int64_t count;

  CT_INLINE void some(const Floats &value, const Floats &slope, Floats &to) const {
    Floats sigmoid;
    ct::sigmoid(value * 1.702f, sigmoid);
    to = dy ? slope * sigmoid * (1.0f + value * 1.702f * (1.0f - sigmoid)) : value * sigmoid;
  }

  template <bool>
  CT_INLINE void run(int64_t part) const {
    const int64_t end = std::min(count, (part + 1) * step);
    int64_t i = part * step;
    Floats value, slope{}, to;
    for (; i + lanes <= end; i += lanes) {
      load<N>(x + i, value);
      if (dy) load<N>(dy + i, slope);
      some(value, slope, to);
      store<N>(to, result + i);
    }
    if (i == end) return;
    // What is left fills a vector in part.
    const size_t bytes = static_cast<size_t>(end - i) * sizeof *x;
    typename N::Value rest[lanes] = {}, slopes[lanes] = {};
    std::memcpy(rest, x + i, bytes);
    if (dy) std::memcpy(slopes, dy + i, bytes);
    load<N>(rest, value);
    load<N>(slopes, slope);
    some(value, slope, to);
    store<N>(to, rest);
    std::memcpy(result + i, rest, bytes);
  }
};

at::Tensor run(const at::Tensor &x, const at::Tensor *dy) {
  auto result = at::empty_like(x);
  with_lanes(x, [&](auto n) {
    using N = decltype(n);
    const QuickGELU<N> kernel{values<N>(x), dy ? values<N>(*dy) : nullptr, values_to_write<N>(result), x.numel()};
    in_parts((x.numel() + step - 1) / step, at::get_num_threads(),
             [&](int64_t part) { on_this_processor(kernel, part); });
  });
  return result;
}

struct QuickGELUFunction : torch::autograd::Function<QuickGELUFunction> {
  static at::Tensor forward(torch::autograd::AutogradContext *context, const at::Tensor &x) {
    context->save_for_backward({x});
    return run(x, nullptr);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *context,
                                                 torch::autograd::variable_list slopes) {
    const auto x = context->get_saved_variables()[0];
    const auto dy = slopes[0].contiguous();
    return {run(x, &dy)};
  }
};

}  // namespace

int ct_quick_gelu(ct_tensor x, ct_tensor *out) {
  return give(out, [&] {
    const auto &input = of(x);
    if (has_lanes(input) && input.is_contiguous()) return QuickGELUFunction::apply(input);
    return input * at::sigmoid(input * 1.702);
  });
}
