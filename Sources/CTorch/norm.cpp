// Group normalisation with what may scale and shift it and the activation behind it, in one go: of pictures that lie
// with their channels last, which is how every network here keeps them. libtorch's operators would read and write the
// picture up to four times in place of twice, and keep for the gradient what each of them wrote; here the gradient needs
// what came in alone.
//
// A picture is taken in parts of so many pixels whatever the number of threads is, and the parts' sums are added up in
// their order, so results do not depend on threads.

#include <torch/csrc/autograd/custom_function.h>

#include <cmath>

#include "guard.h"
#include "lanes.h"
#include "parts.h"

namespace {

using namespace ct;

// As in ct_nn.h.
enum Activation { none, silu, relu };

// The shape of `[B, C, H, W]` in memory, and how it is parted.
struct Extent {
  int64_t batch, channels, pixels, step;

  explicit Extent(const at::Tensor &x)
      : batch(x.size(0)), channels(x.size(1)), pixels(x.size(2) * x.size(3)),
        step(std::max<int64_t>(1, (1 << 15) / channels)) {}

  int64_t each() const { return (pixels + step - 1) / step; }
  int64_t parts() const { return batch * each(); }
  int64_t picture(int64_t part) const { return part / each(); }
  // The first pixel of a part and the one behind its last, counted over all pictures.
  int64_t first(int64_t part) const { return picture(part) * pixels + part % each() * step; }
  int64_t end(int64_t part) const { return std::min(first(part) + step, (picture(part) + 1) * pixels); }

  template <typename Kernel>
  void run(const Kernel &kernel) const {
    in_parts(parts(), at::get_num_threads(), [&](int64_t part) { on_this_processor(kernel, part); });
  }
};

// Of each channel in each part, `[parts, 2, C]`: the mean, and the sum of the squares of how far values are from it.
template <typename N>
struct Moments {
  Extent extent;
  const typename N::Value *x;
  float *moments;

  // Adds up the values of `count` pixels, or the squares of how far they are from the means.
  CT_INLINE void add(const typename N::Value *line, int64_t count, const float *means, float *sums) const {
    const int64_t channels = extent.channels;
    std::fill(sums, sums + channels, 0.0f);
    for (int64_t pixel = 0; pixel < count; pixel += 4) {
      const int64_t some = std::min<int64_t>(4, count - pixel);
      for (int64_t c = 0; c < channels; c += lanes) {
        Floats sum, mean{};
        std::memcpy(&sum, sums + c, sizeof sum);
        if (means) std::memcpy(&mean, means + c, sizeof mean);
        for (int64_t k = 0; k < some; k++) {
          Floats value;
          load<N>(line + (pixel + k) * channels + c, value);
          value -= mean;
          sum += means ? value * value : value;
        }
        std::memcpy(sums + c, &sum, sizeof sum);
      }
    }
  }

  template <bool>
  CT_INLINE void run(int64_t part) const {
    const int64_t channels = extent.channels, count = extent.end(part) - extent.first(part);
    const auto *line = x + extent.first(part) * channels;
    float *means = moments + part * 2 * channels;
    add(line, count, nullptr, means);
    for (int64_t c = 0; c < channels; c++) means[c] /= static_cast<float>(count);
    // Once more, while it is at hand: sums of squares alone would lose what is small beside the mean.
    add(line, count, means, means + channels);
  }
};

// y of x: the activation of `(x - mean) a + b`, all three of each picture and channel.
template <typename N, Activation A>
struct Apply {
  Extent extent;
  const typename N::Value *x;
  const float *a, *b, *mean;
  typename N::Value *y;

  template <bool>
  CT_INLINE void run(int64_t part) const {
    const int64_t channels = extent.channels, place = extent.picture(part) * channels;
    for (int64_t pixel = extent.first(part); pixel < extent.end(part); pixel++) {
      for (int64_t c = 0; c < channels; c += lanes) {
        Floats value, factor, term, middle;
        load<N>(x + pixel * channels + c, value);
        std::memcpy(&factor, a + place + c, sizeof factor);
        std::memcpy(&term, b + place + c, sizeof term);
        std::memcpy(&middle, mean + place + c, sizeof middle);
        value = (value - middle) * factor + term;
        if constexpr (A == silu) {
          Floats sigmoid;
          ct::sigmoid(value, sigmoid);
          value *= sigmoid;
        } else if constexpr (A == relu) {
          value = value < 0.0f ? Floats{} : value;
        }
        store<N>(value, y + pixel * channels + c);
      }
    }
  }
};

// Writes the gradient in front of the activation in place of dx, and its sums over each part, `[parts, 2, C]`: alone
// and times how far x is from its mean.
template <typename N, Activation A>
struct Slopes {
  Extent extent;
  const typename N::Value *x, *dy;
  const float *a, *b, *mean;
  typename N::Value *dx;
  float *sums;

  template <bool>
  CT_INLINE void run(int64_t part) const {
    const int64_t channels = extent.channels, place = extent.picture(part) * channels;
    float *first = sums + part * 2 * channels, *second = first + channels;
    std::fill(first, first + 2 * channels, 0.0f);
    for (int64_t pixel = extent.first(part); pixel < extent.end(part); pixel++) {
      for (int64_t c = 0; c < channels; c += lanes) {
        Floats value, slope, factor, term, middle, one, two;
        load<N>(x + pixel * channels + c, value);
        load<N>(dy + pixel * channels + c, slope);
        std::memcpy(&factor, a + place + c, sizeof factor);
        std::memcpy(&term, b + place + c, sizeof term);
        std::memcpy(&middle, mean + place + c, sizeof middle);
        value -= middle;
        const Floats z = value * factor + term;
        if constexpr (A == silu) {
          Floats sigmoid;
          ct::sigmoid(z, sigmoid);
          slope *= sigmoid * (1.0f + z * (1.0f - sigmoid));
        } else if constexpr (A == relu) {
          slope = z > 0.0f ? slope : Floats{};
        }
        store<N>(slope, dx + pixel * channels + c);
        std::memcpy(&one, first + c, sizeof one);
        std::memcpy(&two, second + c, sizeof two);
        one += slope;
        two += slope * value;
        std::memcpy(first + c, &one, sizeof one);
        std::memcpy(second + c, &two, sizeof two);
      }
    }
  }
};

// dx of itself and x: `dx a + (x - mean) p + q`, all four of each picture and channel.
template <typename N>
struct Finish {
  Extent extent;
  const typename N::Value *x;
  const float *a, *mean, *p, *q;
  typename N::Value *dx;

  template <bool>
  CT_INLINE void run(int64_t part) const {
    const int64_t channels = extent.channels, place = extent.picture(part) * channels;
    for (int64_t pixel = extent.first(part); pixel < extent.end(part); pixel++) {
      for (int64_t c = 0; c < channels; c += lanes) {
        Floats value, slope, factor, middle, along, term;
        load<N>(x + pixel * channels + c, value);
        load<N>(dx + pixel * channels + c, slope);
        std::memcpy(&factor, a + place + c, sizeof factor);
        std::memcpy(&middle, mean + place + c, sizeof middle);
        std::memcpy(&along, p + place + c, sizeof along);
        std::memcpy(&term, q + place + c, sizeof term);
        store<N>(slope * factor + ((value - middle) * along + term), dx + pixel * channels + c);
      }
    }
  }
};

// What becomes of each picture and channel, `[5, B, C]` float32: y is the activation of `(x - mean) a + b`; the inverse
// deviation of its group; and the factor of its normalised value.
struct Line {
  float *a, *b, *mean, *inverse, *gain;

  Line(const at::Tensor &lines, int64_t picture) {
    const int64_t channels = lines.size(2), all = lines.size(1) * channels;
    a = lines.mutable_data_ptr<float>() + picture * channels;
    b = a + all, mean = b + all, inverse = mean + all, gain = inverse + all;
  }
};

// weight and bias `[C]`, scale and shift `[B, C]`, each of them or null; lines `[5, B, C]`.
template <typename N>
void measure(const at::Tensor &x, int64_t groups, const float *weight, const float *bias, const float *scale,
             const float *shift, double eps, const at::Tensor &lines) {
  const Extent extent(x);
  const int64_t channels = extent.channels, group = channels / groups;
  auto moments = at::empty({extent.parts(), 2, channels}, lines.options());
  extent.run(Moments<N>{extent, values<N>(x), moments.mutable_data_ptr<float>()});
  const double members = static_cast<double>(group * extent.pixels);
  for (int64_t picture = 0; picture < extent.batch; picture++) {
    const Line line(lines, picture);
    for (int64_t start = 0; start < channels; start += group) {
      // Over the group's channels in the picture's parts: their mean, then how far all is from it.
      const auto over = [&](auto &&body) {
        for (int64_t part = picture * extent.each(); part < (picture + 1) * extent.each(); part++) {
          const float *own = moments.const_data_ptr<float>() + part * 2 * channels;
          const double count = static_cast<double>(extent.end(part) - extent.first(part));
          for (int64_t c = start; c < start + group; c++)
            body(count, static_cast<double>(own[c]), static_cast<double>(own[channels + c]));
        }
      };
      double mean = 0, variance = 0;
      over([&](double count, double own, double) { mean += count * own / members; });
      over([&](double count, double own, double squares) {
        variance += (squares + count * (own - mean) * (own - mean)) / members;
      });
      const double inverse = 1 / std::sqrt(variance + eps);
      for (int64_t c = start; c < start + group; c++) {
        const double factor = scale ? 1 + static_cast<double>(scale[picture * channels + c]) : 1;
        const double gain = (weight ? static_cast<double>(weight[c]) : 1) * factor;
        const double offset = (bias ? static_cast<double>(bias[c]) : 0) * factor +
                              (shift ? static_cast<double>(shift[picture * channels + c]) : 0);
        line.a[c] = static_cast<float>(gain * inverse);
        line.b[c] = static_cast<float>(offset);
        line.mean[c] = static_cast<float>(mean);
        line.inverse[c] = static_cast<float>(inverse);
        line.gain[c] = static_cast<float>(gain);
      }
    }
  }
}

// Of the sums of `Slopes`: what `Finish` takes, p and q, and the gradients at the factor and at the term behind the
// normalised value, all `[4, B, C]` float32. What of a gradient moves a group's mean or its deviation, is lost.
at::Tensor pulled(const at::Tensor &sums, const Extent &extent, const at::Tensor &lines, int64_t groups) {
  const int64_t channels = extent.channels, group = channels / groups;
  auto result = at::empty({4, extent.batch, channels}, lines.options());
  const double members = static_cast<double>(group * extent.pixels);
  for (int64_t picture = 0; picture < extent.batch; picture++) {
    const Line line(lines, picture);
    float *p = result.mutable_data_ptr<float>() + picture * channels, *q = p + extent.batch * channels,
          *factor = q + extent.batch * channels, *term = factor + extent.batch * channels;
    for (int64_t start = 0; start < channels; start += group) {
      const double inverse = static_cast<double>(line.inverse[start]);
      double along = 0, across = 0;
      for (int64_t c = start; c < start + group; c++) {
        double first = 0, second = 0;
        for (int64_t part = picture * extent.each(); part < (picture + 1) * extent.each(); part++) {
          const float *own = sums.const_data_ptr<float>() + part * 2 * channels;
          first += static_cast<double>(own[c]);
          second += static_cast<double>(own[channels + c]);
        }
        along += static_cast<double>(line.gain[c]) * first / members;
        across += static_cast<double>(line.gain[c]) * second * inverse / members;
        factor[c] = static_cast<float>(second * inverse);
        term[c] = static_cast<float>(first);
      }
      for (int64_t c = start; c < start + group; c++) {
        p[c] = static_cast<float>(-across * inverse * inverse);
        q[c] = static_cast<float>(-along * inverse);
      }
    }
  }
  return result;
}

template <typename Body>
void with_activation(int64_t activation, Body &&body) {
  switch (activation) {
    case silu: return body(std::integral_constant<Activation, silu>{});
    case relu: return body(std::integral_constant<Activation, relu>{});
    default: return body(std::integral_constant<Activation, none>{});
  }
}

struct Normalise : torch::autograd::Function<Normalise> {
  // weight and bias `[C]`, scale and shift `[B, C]`, each of them or none; all float32.
  static at::Tensor forward(torch::autograd::AutogradContext *context, const at::Tensor &x, int64_t groups,
                            const std::optional<at::Tensor> &weight, const std::optional<at::Tensor> &bias,
                            const std::optional<at::Tensor> &scale, const std::optional<at::Tensor> &shift, double eps,
                            int64_t activation) {
    const auto read = [](const std::optional<at::Tensor> &t) { return t ? t->const_data_ptr<float>() : nullptr; };
    auto y = at::empty_like(x);
    const auto lines = at::empty({5, x.size(0), x.size(1)}, at::kFloat);
    with_lanes(x, [&](auto n) {
      using N = decltype(n);
      measure<N>(x, groups, read(weight), read(bias), read(scale), read(shift), eps, lines);
      with_activation(activation, [&](auto a) {
        const Extent extent(x);
        const Line line(lines, 0);
        extent.run(Apply<N, a()>{extent, values<N>(x), line.a, line.b, line.mean, values_to_write<N>(y)});
      });
    });
    const auto kept = [](const std::optional<at::Tensor> &t) { return t ? *t : at::Tensor(); };
    context->save_for_backward({x, kept(weight), kept(bias), kept(scale), kept(shift), lines});
    context->saved_data["groups"] = groups;
    context->saved_data["activation"] = activation;
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *context,
                                                 torch::autograd::variable_list slopes) {
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &weight = saved[1], &bias = saved[2], &scale = saved[3], &shift = saved[4],
               &lines = saved[5];
    const auto dy = slopes[0].to(x.scalar_type()).contiguous(at::MemoryFormat::ChannelsLast);
    const Extent extent(x);
    const Line line(lines, 0);
    auto dx = at::empty_like(x);
    auto sums = at::empty({extent.parts(), 2, extent.channels}, lines.options());
    at::Tensor gradients;
    with_lanes(x, [&](auto n) {
      using N = decltype(n);
      with_activation(context->saved_data["activation"].toInt(), [&](auto a) {
        extent.run(Slopes<N, a()>{extent, values<N>(x), values<N>(dy), line.a, line.b, line.mean,
                                  values_to_write<N>(dx), values_to_write<Whole>(sums)});
      });
      gradients = pulled(sums, extent, lines, context->saved_data["groups"].toInt());
      extent.run(Finish<N>{extent, values<N>(x), line.a, line.mean, values<Whole>(gradients[0]),
                           values<Whole>(gradients[1]), values_to_write<N>(dx)});
    });

    const auto factor = gradients[2], term = gradients[3];  // [B, C]
    const auto scaled = [&](const at::Tensor &t) { return scale.defined() ? t * (scale + 1) : t; };
    const auto learns = [](const at::Tensor &t) { return t.defined() && t.requires_grad(); };
    at::Tensor d_weight, d_bias, d_scale, d_shift;
    if (learns(weight)) d_weight = scaled(factor).sum(0);
    if (learns(bias)) d_bias = scaled(term).sum(0);
    if (learns(scale)) {
      d_scale = weight.defined() ? weight * factor : factor;
      if (bias.defined()) d_scale = d_scale + bias * term;
    }
    if (learns(shift)) d_shift = term;
    return {dx, {}, d_weight, d_bias, d_scale, d_shift, {}, {}};
  }
};

bool fits(const at::Tensor &x, int64_t groups) {
  return has_lanes(x) && x.dim() == 4 && x.size(1) % lanes == 0 && x.size(1) % groups == 0 && x.numel() > 0 &&
         x.is_contiguous(at::MemoryFormat::ChannelsLast);
}

at::Tensor activated(const at::Tensor &x, int64_t activation) {
  return activation == silu ? at::silu(x) : activation == relu ? at::relu(x) : x;
}

}  // namespace

int ct_group_norm(ct_tensor x, int64_t groups, ct_tensor weight, ct_tensor bias, ct_tensor scale, ct_tensor shift,
                  double eps, int activation, ct_tensor *out) {
  return give(out, [&] {
    const auto &input = of(x);
    TORCH_CHECK(groups > 0, "a group norm of ", groups, " groups");
    TORCH_CHECK(!scale == !shift, "what is scaled is shifted too");
    if (!fits(input, groups)) {
      auto y = at::group_norm(input, groups, maybe(weight), maybe(bias), eps);
      if (scale) y = y * (of(scale) + 1) + of(shift);
      return activated(y, activation);
    }
    using Maybe = std::optional<at::Tensor>;
    const auto line = [&](ct_tensor t) {
      TORCH_CHECK(!t || of(t).numel() == input.size(1), "weights of another number of channels");
      return t ? Maybe(of(t).to(at::kFloat).contiguous()) : Maybe();
    };
    const auto rows = [&](ct_tensor t) {
      if (!t) return Maybe();
      return Maybe(of(t).reshape({-1, input.size(1)}).expand({input.size(0), -1}).to(at::kFloat).contiguous());
    };
    return Normalise::apply(input, groups, line(weight), line(bias), rows(scale), rows(shift), eps,
                            static_cast<int64_t>(activation));
  });
}
