#include <ATen/autocast_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include "guard.h"

using namespace ct;

namespace {

// A convolution whose weights do not learn. The gradient at its input is of the weights alone, but libtorch's own keeps
// the input for it, which is most of what a frozen network keeps.
struct FrozenConvolution : torch::autograd::Function<FrozenConvolution> {
  static at::Tensor forward(torch::autograd::AutogradContext *context, const at::Tensor &x, const at::Tensor &weight,
                            const std::optional<at::Tensor> &bias, int64_t stride, int64_t padding, int64_t groups) {
    context->save_for_backward({weight});
    context->saved_data["sizes"] = x.sizes();
    context->saved_data["strides"] = x.strides();
    context->saved_data["settings"] = std::vector<int64_t>{stride, padding, groups};
    return at::conv2d(x, weight, bias, {stride, stride}, {padding, padding}, {1, 1}, groups);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *context,
                                                 torch::autograd::variable_list slopes) {
    const auto weight = context->get_saved_variables()[0];
    const auto settings = context->saved_data["settings"].toIntVector();
    const auto stride = settings[0], padding = settings[1], groups = settings[2];
    // Only the shape of the input is looked at; memory that nobody writes is never given out by the system.
    const auto x = at::empty_strided(context->saved_data["sizes"].toIntVector(),
                                     context->saved_data["strides"].toIntVector(), weight.options());
    const auto dx = std::get<0>(at::convolution_backward(slopes[0], x, weight, {}, {stride, stride}, {padding, padding},
                                                         {1, 1}, /*transposed=*/false, {0, 0}, groups,
                                                         {true, false, false}));
    return {dx, {}, {}, {}, {}, {}};
  }
};

}  // namespace

int ct_linear(ct_tensor x, ct_tensor weight, ct_tensor bias, ct_tensor *out) {
  return give(out, [&] { return at::linear(of(x), of(weight), maybe(bias)); });
}
int ct_conv2d(ct_tensor x, ct_tensor weight, ct_tensor bias, int64_t stride, int64_t padding, int64_t groups,
              ct_tensor *out) {
  return give(out, [&] {
    const auto learns = [](ct_tensor t) { return t && of(t).requires_grad(); };
    const bool casts = at::autocast::is_autocast_enabled(of(x).device().type());
    if (at::GradMode::is_enabled() && learns(x) && !learns(weight) && !learns(bias) && !casts)
      return FrozenConvolution::apply(of(x), of(weight), maybe(bias), stride, padding, groups);
    return at::conv2d(of(x), of(weight), maybe(bias), {stride, stride}, {padding, padding}, {1, 1}, groups);
  });
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
int ct_batch_norm(ct_tensor x, ct_tensor weight, ct_tensor bias, ct_tensor mean, ct_tensor variance, bool training,
                  double momentum, double eps, ct_tensor *out) {
  return give(out, [&] {
    return at::batch_norm(of(x), maybe(weight), maybe(bias), maybe(mean), maybe(variance), training, momentum, eps,
                          /*cudnn_enabled=*/true);
  });
}
int ct_glu(ct_tensor x, int64_t dim, ct_tensor *out) {
  return give(out, [&] { return at::glu(of(x), dim); });
}
int ct_lstm(ct_tensor x, const int64_t *lengths, const ct_tensor *weights, int count, bool bidirectional,
            ct_tensor *outputs, ct_tensor *last) {
  return guard([&] {
    const at::Tensor &input = of(x);
    const auto parameters = list(weights, count);
    const int64_t batch = input.size(0);
    at::Tensor given = at::empty({batch}, at::kLong);
    std::copy(lengths, lengths + batch, given.data_ptr<int64_t>());
    // A pack begins with the longest.
    auto [sorted, order] = at::sort(given, /*stable=*/true, 0, /*descending=*/true);
    order = order.to(input.device());
    auto [data, sizes] = at::_pack_padded_sequence(input.index_select(0, order), sorted, /*batch_first=*/true);
    const auto start = at::zeros({bidirectional ? 2 : 1, batch, parameters.at(1).size(1)}, input.options());
    auto [packed, hidden, cell] = at::lstm(data, sizes, {start, start}, parameters, /*has_biases=*/true,
                                           /*num_layers=*/1, /*dropout=*/0, at::GradMode::is_enabled(), bidirectional);
    auto padded = std::get<0>(at::_pad_packed_sequence(packed, sizes, /*batch_first=*/true, 0, input.size(1)));
    const auto back = at::argsort(order);
    *outputs = new ct_tensor_s{padded.index_select(0, back)};
    *last = new ct_tensor_s{hidden.index_select(1, back)};
  });
}
int ct_avg_pool2d(ct_tensor x, int64_t size, int64_t stride, int64_t padding, ct_tensor *out) {
  return give(out, [&] { return at::avg_pool2d(of(x), {size, size}, {stride, stride}, {padding, padding}); });
}
int ct_max_pool2d(ct_tensor x, int64_t size, int64_t stride, ct_tensor *out) {
  return give(out, [&] { return at::max_pool2d(of(x), {size, size}, {stride, stride}); });
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
