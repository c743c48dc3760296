// Sixteen numbers at a time, for the few loops that libtorch has not got: vectors as clang knows them, which each
// processor takes in registers as wide as its own.
#pragma once
#include <ATen/ATen.h>

#include <cstdint>
#include <cstring>

#define CT_INLINE __attribute__((always_inline)) inline

namespace ct {

constexpr int64_t lanes = 16;
using Floats = float __attribute__((vector_size(4 * lanes)));
using Ints = int32_t __attribute__((vector_size(4 * lanes)));

// Types of numbers in memory: how sixteen of them, and how one, become float32, and back.
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
  static CT_INLINE void narrow(const Floats &from, Values &to) { to = from; }
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
  // To the nearest, of two to the even one; what is no number stays none.
  static CT_INLINE void narrow(const Floats &from, Values &to) {
    Words words;
    std::memcpy(&words, &from, sizeof words);
    const Words rounded = (words + 0x7fff + (words >> 16 & 1)) >> 16;
    const Words kept = from == from ? rounded : Words{} + 0x7fc0;
    to = __builtin_convertvector(kept, Values);
  }
};

template <typename N>
CT_INLINE void load(const typename N::Value *from, Floats &to) {
  typename N::Values values;
  std::memcpy(&values, from, sizeof values);
  N::widen(values, to);
}
template <typename N>
CT_INLINE void store(const Floats &from, typename N::Value *to) {
  typename N::Values values;
  N::narrow(from, values);
  std::memcpy(to, &values, sizeof values);
}

// e to the power of x, within one or two units of the last place (the polynomial is that of Moshier's Cephes).
CT_INLINE void exponential(const Floats &power, Floats &to) {
  Floats x = power > 88.0f ? Floats{} + 88.0f : power;
  x = x < -87.0f ? Floats{} - 87.0f : x;
  constexpr float rounding = 12582912.0f;  // 1.5 * 2^23: what is added to it becomes whole
  const Floats moved = x * 1.44269504f + rounding;
  const Floats n = moved - rounding;
  const Floats r = x - n * 0.693359375f - n * -2.12194440e-4f;
  Floats p = r * 1.9875691500e-4f + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  const Ints exponent = (__builtin_convertvector(n, Ints) + 127) << 23;
  Floats scale;
  std::memcpy(&scale, &exponent, sizeof scale);
  to = p * scale;
}

CT_INLINE void sigmoid(const Floats &x, Floats &to) {
  Floats power;
  exponential(-x, power);
  to = 1.0f / (power + 1.0f);
}

#if defined(__x86_64__)
// Left alone, the compiler takes half of AVX-512's registers.
template <typename Kernel, typename... Where>
__attribute__((target("arch=x86-64-v4"), min_vector_width(512))) void widest(const Kernel &kernel, Where... where) {
  kernel.template run<true>(where...);
}
template <typename Kernel, typename... Where>
__attribute__((target("arch=x86-64-v3"))) void wide(const Kernel &kernel, Where... where) {
  kernel.template run<false>(where...);
}
#endif

// A part of a kernel's work, by the best instructions that this processor has; `run<true>` may count on thirty-two
// registers of sixteen numbers.
template <typename Kernel, typename... Where>
void on_this_processor(const Kernel &kernel, Where... where) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("x86-64-v4")) return widest(kernel, where...);
  if (__builtin_cpu_supports("x86-64-v3")) return wide(kernel, where...);
#endif
  kernel.template run<false>(where...);
}

// Whether a tensor is of the types that `with_lanes` knows, and where they can be read.
inline bool has_lanes(const at::Tensor &x) {
  return x.is_cpu() && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16);
}
template <typename Body>
void with_lanes(const at::Tensor &x, const Body &body) {
  x.scalar_type() == at::kBFloat16 ? body(Half{}) : body(Whole{});
}
template <typename N>
const typename N::Value *values(const at::Tensor &x) {
  return static_cast<const typename N::Value *>(x.const_data_ptr());
}
template <typename N>
typename N::Value *values_to_write(const at::Tensor &x) {
  return static_cast<typename N::Value *>(x.mutable_data_ptr());
}

}  // namespace ct
