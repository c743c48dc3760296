#include "guard.h"

namespace ct {

thread_local std::string last_error;

void set_error(const char *message) noexcept {
  try {
    last_error = message;
  } catch (...) {
  }
}

constexpr at::ScalarType types[] = {at::kFloat, at::kHalf, at::kBFloat16, at::kDouble, at::kLong,
                                    at::kInt,   at::kShort, at::kChar,    at::kByte,   at::kBool};

at::ScalarType scalar_type(int dtype) {
  TORCH_CHECK(dtype >= 0 && dtype <= CT_BOOL, "no data type has the number ", dtype);
  return types[dtype];
}

int dtype_number(at::ScalarType type) {
  for (int i = 0; i <= CT_BOOL; i++)
    if (types[i] == type) return i;
  return -1;
}

at::Device device_of(int device) {
  if (device == -2) return at::Device(at::kMeta);
  return device < 0 ? at::Device(at::kCPU) : at::Device(at::kCUDA, static_cast<c10::DeviceIndex>(device));
}

}  // namespace ct

using namespace ct;

const char *ct_last_error(void) { return last_error.c_str(); }
void ct_free(ct_tensor x) { delete x; }

int ct_empty(const int64_t *sizes, int rank, int dtype, int device, ct_tensor *out) {
  return give(out, [&] {
    return at::empty(ints(sizes, rank), at::TensorOptions(scalar_type(dtype)).device(device_of(device)));
  });
}

int ct_full(const int64_t *sizes, int rank, double value, int dtype, int device, ct_tensor *out) {
  return give(out, [&] {
    return at::full(ints(sizes, rank), value, at::TensorOptions(scalar_type(dtype)).device(device_of(device)));
  });
}

int ct_arange(int64_t start, int64_t end, int dtype, int device, ct_tensor *out) {
  return give(out, [&] {
    return at::arange(start, end, at::TensorOptions(scalar_type(dtype)).device(device_of(device)));
  });
}

int ct_copy_of(const void *data, size_t bytes, const int64_t *sizes, int rank, int dtype, ct_tensor *out) {
  return give(out, [&] {
    auto x = at::empty(ints(sizes, rank), at::TensorOptions(scalar_type(dtype)));
    TORCH_CHECK(x.nbytes() == bytes, "expected ", x.nbytes(), " bytes, got ", bytes);
    if (bytes > 0) std::memcpy(x.data_ptr(), data, bytes);
    return x;
  });
}

int ct_borrow(void *data, const int64_t *sizes, const int64_t *strides, int rank, int dtype,
              void (*release)(void *), void *context, ct_tensor *out) {
  return give(out, [&] {
    auto deleter = [release, context](void *) { release(context); };
    auto options = at::TensorOptions(scalar_type(dtype));
    if (!strides) return at::from_blob(data, ints(sizes, rank), deleter, options);
    return at::from_blob(data, ints(sizes, rank), ints(strides, rank), deleter, options);
  });
}

int ct_rank(ct_tensor x) { return static_cast<int>(of(x).dim()); }
void ct_sizes(ct_tensor x, int64_t *sizes) {
  for (auto size : of(x).sizes()) *sizes++ = size;
}
int ct_dtype(ct_tensor x) { return dtype_number(of(x).scalar_type()); }
int ct_device(ct_tensor x) {
  if (of(x).is_meta()) return -2;
  return of(x).is_cuda() ? of(x).get_device() : -1;
}
void *ct_data(ct_tensor x) {
  return of(x).is_cpu() && of(x).is_contiguous() ? of(x).data_ptr() : nullptr;
}

int ct_to_dtype(ct_tensor x, int dtype, ct_tensor *out) {
  return give(out, [&] { return of(x).to(scalar_type(dtype)); });
}
int ct_to_device(ct_tensor x, int device, ct_tensor *out) {
  return give(out, [&] { return of(x).to(device_of(device)); });
}
int ct_contiguous(ct_tensor x, bool channels_last, ct_tensor *out) {
  return give(out, [&] {
    return of(x).contiguous(channels_last ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous);
  });
}
int ct_clone(ct_tensor x, ct_tensor *out) {
  return give(out, [&] { return of(x).clone(); });
}
int ct_copy_(ct_tensor destination, ct_tensor source) {
  return guard([&] {
    at::NoGradGuard no_grad;
    at::Tensor(of(destination)).copy_(of(source));
  });
}
