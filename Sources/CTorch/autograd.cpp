#include <ATen/autocast_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/grad_mode.h>

#include "guard.h"

using namespace ct;

bool ct_grad_enabled(void) { return at::GradMode::is_enabled(); }
void ct_set_grad_enabled(bool enabled) { at::GradMode::set_enabled(enabled); }
int ct_requires_grad_(ct_tensor x, bool enabled) {
  return guard([&] { x->value.set_requires_grad(enabled); });
}
bool ct_requires_grad(ct_tensor x) { return of(x).requires_grad(); }
int ct_detach(ct_tensor x, ct_tensor *out) {
  return give(out, [&] { return of(x).detach(); });
}

int ct_grad(ct_tensor loss, ct_tensor seed, const ct_tensor *at, int count, bool keep, ct_tensor *out) {
  return guard([&] {
    auto inputs = list(at, count);
    std::vector<at::Tensor> seeds;
    if (seed) seeds.push_back(of(seed));
    auto gradients = torch::autograd::grad({of(loss)}, inputs, seeds, /*retain_graph=*/keep,
                                           /*create_graph=*/false, /*allow_unused=*/true);
    for (int i = 0; i < count; i++) {
      auto &g = gradients[static_cast<size_t>(i)];
      out[i] = new ct_tensor_s{g.defined() ? g : at::zeros_like(inputs[static_cast<size_t>(i)])};
    }
  });
}

int ct_autocast(int device, int dtype) {
  auto type = device < 0 ? at::kCPU : at::kCUDA;
  int before = at::autocast::is_autocast_enabled(type)
                   ? dtype_number(at::autocast::get_autocast_dtype(type))
                   : CT_F32;
  at::autocast::set_autocast_enabled(type, dtype != CT_F32);
  if (dtype != CT_F32) at::autocast::set_autocast_dtype(type, scalar_type(dtype));
  return before;
}
void ct_autocast_clear(void) { at::autocast::clear_cache(); }

int ct_adamw_(const ct_tensor *parameters, const ct_tensor *gradients, const ct_tensor *first,
              const ct_tensor *second, const ct_tensor *steps, int count, double rate, double beta1,
              double beta2, double decay, double eps) {
  return guard([&] {
    at::NoGradGuard no_grad;
    auto moving = list(steps, count);
    at::_foreach_add_(moving, 1);
    at::_fused_adamw_(list(parameters, count), list(gradients, count), list(first, count),
                      list(second, count), {}, moving, rate, beta1, beta2, decay, eps,
                      /*amsgrad=*/false, /*maximize=*/false);
  });
}
int ct_lerp_(const ct_tensor *a, const ct_tensor *b, int count, double weight) {
  return guard([&] {
    at::NoGradGuard no_grad;
    at::_foreach_lerp_(list(a, count), list(b, count), weight);
  });
}
int ct_total_norm(const ct_tensor *xs, int count, double *norm) {
  return guard([&] {
    at::NoGradGuard no_grad;
    auto norms = at::_foreach_norm(list(xs, count), 2);
    *norm = at::stack(norms).to(at::kDouble).norm().item<double>();
  });
}
int ct_scale_(const ct_tensor *xs, int count, double factor) {
  return guard([&] {
    at::NoGradGuard no_grad;
    at::_foreach_mul_(list(xs, count), factor);
  });
}
