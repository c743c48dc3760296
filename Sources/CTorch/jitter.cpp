// Changes of colour, all four in one pass each way: by libtorch's operators they would be dozens of passes over all views.

#include <torch/csrc/autograd/custom_function.h>

#include <array>

#include "guard.h"
#include "lanes.h"
#include "parts.h"

namespace {

using namespace ct;

constexpr int64_t step = 1 << 13;
constexpr float tiny = 1e-6f;
// Where red, green and blue stand on the circle of hues, in sixths.
constexpr float offsets[3] = {5, 3, 1};

// A change, and its factors for one picture: of brightness or contrast; or of saturation and hue, in sixths.
struct Change {
  enum Kind { brightness, contrast, hsv } kind;
  float factor, sixths;
};

// The changes of a picture, in order. Saturation and hue commute: both at once where they follow each other.
std::vector<Change> changes(const std::array<int, 4> &order, const float *factors) {
  std::vector<Change> all;
  for (size_t i = 0; i < order.size(); i++) {
    const int index = order[i];
    if (index < 2) {
      all.push_back({index == 0 ? Change::brightness : Change::contrast, factors[index], 0});
      continue;
    }
    const bool both = i + 1 < order.size() && order[i + 1] >= 2;
    all.push_back({Change::hsv, both || index == 2 ? factors[2] : 1, both || index == 3 ? 6 * factors[3] : 0});
    if (both) i++;
  }
  return all;
}

CT_INLINE void limit(Floats &x) {
  x = x < 0.0f ? Floats{} : x;
  x = x > 1.0f ? Floats{} + 1.0f : x;
}

// No gradient passes where x was limited.
CT_INLINE void stop(const Floats &x, Floats &gradient) {
  gradient = x < 0.0f ? Floats{} : gradient;
  gradient = x > 1.0f ? Floats{} : gradient;
}

// Colours by hue, saturation and value, with what their gradient needs.
struct HSV {
  Floats value, least, range, safe, divisor, saturation, scaled, numerator, sixths;
  Ints red, green;

  CT_INLINE HSV(const Floats *c, const Change &change) {
    const Floats &r = c[0], &g = c[1], &b = c[2];
    value = r > g ? r : g;
    value = value > b ? value : b;
    least = r < g ? r : g;
    least = least < b ? least : b;
    range = value - least;
    safe = range > tiny ? range : Floats{} + tiny;
    divisor = value > tiny ? value : Floats{} + tiny;
    saturation = range / divisor;
    scaled = saturation * change.factor;
    limit(scaled);
    red = r >= value, green = g >= value;
    numerator = red ? g - b : (green ? b - r : r - g);
    sixths = numerator / safe + (red ? Floats{} : (green ? Floats{} + 2.0f : Floats{} + 4.0f)) + change.sixths;
  }

  // min(k, 4 - k), where k is the place of a channel on the circle; and whether k is the lesser.
  CT_INLINE void place(int channel, Floats &least_of_both, Ints &is_rising) const {
    const Floats turned = sixths + offsets[channel];
    const Floats k = turned - __builtin_elementwise_floor(turned / 6.0f) * 6.0f;
    is_rising = k < 4.0f - k;
    least_of_both = is_rising ? k : 4.0f - k;
  }
};

CT_INLINE void apply(const Change &change, Floats *c) {
  if (change.kind != Change::hsv) {
    for (int i = 0; i < 3; i++) {
      c[i] = change.kind == Change::brightness ? c[i] + (change.factor - 1) : c[i] * change.factor;
      limit(c[i]);
    }
    return;
  }
  const HSV hsv(c, change);
  for (int i = 0; i < 3; i++) {
    Floats ramp;
    Ints is_rising;
    hsv.place(i, ramp, is_rising);
    limit(ramp);
    c[i] = hsv.value - hsv.value * hsv.scaled * ramp;
  }
}

// d, the gradient behind a change of c, becomes that in front of it.
CT_INLINE void pull(const Change &change, const Floats *c, Floats *d) {
  if (change.kind != Change::hsv) {
    for (int i = 0; i < 3; i++) {
      const bool adds = change.kind == Change::brightness;
      const Floats y = adds ? c[i] + (change.factor - 1) : c[i] * change.factor;
      stop(y, d[i]);
      if (!adds) d[i] *= change.factor;
    }
    return;
  }
  const HSV hsv(c, change);
  Floats d_value{}, d_scaled{}, d_sixths{};
  for (int i = 0; i < 3; i++) {
    Floats place;
    Ints is_rising;
    hsv.place(i, place, is_rising);
    Floats ramp = place;
    limit(ramp);
    d_value += d[i] * (1.0f - hsv.scaled * ramp);
    d_scaled -= d[i] * hsv.value * ramp;
    Floats d_ramp = -d[i] * hsv.value * hsv.scaled;
    stop(place, d_ramp);
    d_sixths += is_rising ? d_ramp : -d_ramp;
  }
  Floats d_saturation = d_scaled * change.factor;
  stop(hsv.saturation * change.factor, d_saturation);
  Floats d_range = d_saturation / hsv.divisor;
  d_value -= hsv.value >= tiny ? d_saturation * hsv.saturation / hsv.divisor : Floats{};
  const Floats q = d_sixths / hsv.safe;
  d_range -= hsv.range >= tiny ? q * hsv.numerator / hsv.safe : Floats{};
  d_value += d_range;
  // The gradients of a maximum and a minimum are shared by all that are it.
  Floats greatest{}, least{};
  for (int i = 0; i < 3; i++) {
    greatest += c[i] == hsv.value ? Floats{} + 1.0f : Floats{};
    least += c[i] == hsv.least ? Floats{} + 1.0f : Floats{};
  }
  for (int i = 0; i < 3; i++)
    d[i] = (c[i] == hsv.value ? d_value / greatest : Floats{}) - (c[i] == hsv.least ? d_range / least : Floats{});
  d[0] += hsv.red ? Floats{} : (hsv.green ? -q : q);
  d[1] += hsv.red ? q : (hsv.green ? Floats{} : -q);
  d[2] += hsv.red ? -q : (hsv.green ? q : Floats{});
}

// y of x, or, where there is a dy, dx of both.
struct Jitter {
  const float *x, *dy;
  float *result;
  int64_t area;
  const std::vector<std::vector<Change>> &all;  // of each picture; none where it stays as it is

  int64_t each() const { return (area + step - 1) / step; }

  template <bool>
  CT_INLINE void run(int64_t part) const {
    const int64_t picture = part / each(), end = std::min(area, (part % each() + 1) * step);
    const auto &list = all[static_cast<size_t>(picture)];
    const int64_t base = picture * 3 * area;
    for (int64_t i = part % each() * step; i < end; i += lanes) {
      const size_t bytes = sizeof(float) * static_cast<size_t>(std::min(lanes, end - i));
      Floats c[3] = {}, d[3] = {};
      for (int64_t channel = 0; channel < 3; channel++) {
        std::memcpy(&c[channel], x + base + channel * area + i, bytes);
        if (dy) std::memcpy(&d[channel], dy + base + channel * area + i, bytes);
      }
      if (dy) {
        Floats before[4][3];
        for (size_t n = 0; n < list.size(); n++) {
          std::memcpy(before[n], c, sizeof c);
          apply(list[n], c);
        }
        for (size_t n = list.size(); n-- > 0;) pull(list[n], before[n], d);
      } else {
        for (const auto &change : list) apply(change, c);
      }
      for (int64_t channel = 0; channel < 3; channel++)
        std::memcpy(result + base + channel * area + i, dy ? &d[channel] : &c[channel], bytes);
    }
  }
};

struct JitterFunction : torch::autograd::Function<JitterFunction> {
  static at::Tensor run(const at::Tensor &x, const at::Tensor *dy, const std::vector<std::vector<Change>> &all) {
    auto result = at::empty_like(x);
    const Jitter kernel{x.const_data_ptr<float>(), dy ? dy->const_data_ptr<float>() : nullptr,
                        result.mutable_data_ptr<float>(), x.size(2) * x.size(3), all};
    in_parts(x.size(0) * kernel.each(), at::get_num_threads(), [&](int64_t part) { on_this_processor(kernel, part); });
    return result;
  }

  // factors `[B, 4]`, chosen `[B]`; order: a permutation.
  static std::vector<std::vector<Change>> read(const at::Tensor &factors, const at::Tensor &chosen,
                                               const std::vector<int64_t> &order) {
    std::array<int, 4> kinds{};
    std::copy(order.begin(), order.end(), kinds.begin());
    std::vector<std::vector<Change>> all;
    for (int64_t i = 0; i < factors.size(0); i++)
      all.push_back(chosen.const_data_ptr<bool>()[i] ? changes(kinds, factors.const_data_ptr<float>() + 4 * i)
                                                     : std::vector<Change>{});
    return all;
  }

  static at::Tensor forward(torch::autograd::AutogradContext *context, const at::Tensor &x, const at::Tensor &factors,
                            const at::Tensor &chosen, const std::vector<int64_t> &order) {
    context->save_for_backward({x, factors, chosen});
    context->saved_data["order"] = order;
    return run(x, nullptr, read(factors, chosen, order));
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *context,
                                                 torch::autograd::variable_list slopes) {
    const auto saved = context->get_saved_variables();
    const auto dy = slopes[0].contiguous();
    return {run(saved[0], &dy, read(saved[1], saved[2], context->saved_data["order"].toIntVector())), {}, {}, {}};
  }
};

}  // namespace

int ct_color_jitter(ct_tensor x, const float *factors, const bool *chosen, const int *order, ct_tensor *out) {
  return give(out, [&] {
    const auto input = of(x).contiguous();
    TORCH_CHECK(input.dim() == 4 && input.size(1) == 3 && input.is_cpu() && input.scalar_type() == at::kFloat,
                "x is no float32 [B, 3, H, W] on the CPU");
    const int64_t batch = input.size(0);
    auto numbers = at::empty({batch, 4}, at::kFloat), marks = at::empty({batch}, at::kBool);
    std::copy(factors, factors + 4 * batch, numbers.data_ptr<float>());
    std::copy(chosen, chosen + batch, marks.data_ptr<bool>());
    std::vector<int64_t> kinds(order, order + 4), sorted = kinds;
    std::sort(sorted.begin(), sorted.end());
    TORCH_CHECK(sorted == std::vector<int64_t>({0, 1, 2, 3}), "order is no permutation of four");
    return JitterFunction::apply(input, numbers, marks, kinds);
  });
}
