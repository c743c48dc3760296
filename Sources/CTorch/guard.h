// What every family shares: handles, types, and the fence that no exception crosses.
#pragma once
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "include/ctorch.h"

struct ct_tensor_s {
  at::Tensor value;
};
struct ct_generator_s {
  at::Generator value;
};

namespace ct {

void set_error(const char *message) noexcept;

template <typename Body>
int guard(Body &&body) noexcept {
  try {
    body();
    return 0;
  } catch (const c10::Error &error) {
    set_error(error.what_without_backtrace());
  } catch (const std::exception &error) {
    set_error(error.what());
  } catch (...) {
    set_error("unknown C++ exception");
  }
  return 1;
}

template <typename Body>
int give(ct_tensor *out, Body &&body) noexcept {
  return guard([&] { *out = new ct_tensor_s{body()}; });
}

inline const at::Tensor &of(ct_tensor x) { return x->value; }
inline std::optional<at::Tensor> maybe(ct_tensor x) {
  return x ? std::optional<at::Tensor>(x->value) : std::nullopt;
}
inline at::IntArrayRef ints(const int64_t *values, int count) {
  return at::IntArrayRef(values, static_cast<size_t>(count));
}
inline std::vector<at::Tensor> list(const ct_tensor *xs, int count) {
  std::vector<at::Tensor> tensors;
  tensors.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; i++) tensors.push_back(xs[i]->value);
  return tensors;
}
at::ScalarType scalar_type(int dtype);
int dtype_number(at::ScalarType type);
at::Device device_of(int device);

}  // namespace ct
