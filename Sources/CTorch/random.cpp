#include <ATen/CPUGeneratorImpl.h>
#include <ATen/detail/CUDAHooksInterface.h>

#include "guard.h"

using namespace ct;

static at::TensorOptions options(ct_generator g, at::ScalarType type) {
  return at::TensorOptions(type).device(g->value.device());
}

int ct_generator_new(uint64_t seed, int device, ct_generator *out) {
  return guard([&] {
    auto made = device < 0 ? at::detail::createCPUGenerator(seed)
                           : at::detail::getCUDAHooks().getNewGenerator(static_cast<c10::DeviceIndex>(device));
    made.set_current_seed(seed);
    *out = new ct_generator_s{made};
  });
}
void ct_generator_free(ct_generator g) { delete g; }
int ct_generator_state(ct_generator g, ct_tensor *out) {
  return give(out, [&] { return g->value.get_state(); });
}
int ct_generator_set_state(ct_generator g, ct_tensor state) {
  return guard([&] { g->value.set_state(of(state)); });
}

int ct_normal(ct_generator g, const int64_t *sizes, int rank, ct_tensor *out) {
  return give(out, [&] { return at::normal(0.0, 1.0, ints(sizes, rank), g->value, options(g, at::kFloat)); });
}
int ct_uniform(ct_generator g, const int64_t *sizes, int rank, ct_tensor *out) {
  return give(out, [&] { return at::rand(ints(sizes, rank), g->value, options(g, at::kFloat)); });
}
int ct_integers(ct_generator g, int64_t below, const int64_t *sizes, int rank, ct_tensor *out) {
  return give(out, [&] {
    return at::randint(below, ints(sizes, rank), g->value, options(g, at::kLong));
  });
}
int ct_permutation(ct_generator g, int64_t count, ct_tensor *out) {
  return give(out, [&] { return at::randperm(count, g->value, options(g, at::kLong)); });
}
int ct_multinomial(ct_generator g, ct_tensor weights, int64_t count, ct_tensor *out) {
  return give(out, [&] { return at::multinomial(of(weights), count, /*replacement=*/true, g->value); });
}
