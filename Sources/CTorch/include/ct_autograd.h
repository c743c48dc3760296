#pragma once
#include "ct_tensor.h"
#ifdef __cplusplus
extern "C" {
#endif

bool ct_grad_enabled(void);
void ct_set_grad_enabled(bool enabled);
int ct_requires_grad_(ct_tensor x, bool enabled);
bool ct_requires_grad(ct_tensor x);
int ct_detach(ct_tensor x, ct_tensor *out);
// Gradients of the scalar (or, with `seed`, the vector-Jacobian product) `loss` at `count` tensors; a
// tensor that the loss does not depend on gets zeros. With `keep` the history serves once more.
int ct_grad(ct_tensor loss, ct_tensor seed, const ct_tensor *at, int count, bool keep, ct_tensor *out);

// Autocast to a type on the CPU or CUDA for the calling thread; CT_F32 turns it off. Returns the
// former type.
int ct_autocast(int device, int dtype);
void ct_autocast_clear(void);

// One AdamW step (decoupled weight decay) on all tensors at once, in place; `steps` are float32 scalars.
int ct_adamw_(const ct_tensor *parameters, const ct_tensor *gradients, const ct_tensor *first,
              const ct_tensor *second, const ct_tensor *steps, int count, double rate, double beta1,
              double beta2, double decay, double eps);
// a += (b - a) * weight for all pairs, in place.
int ct_lerp_(const ct_tensor *a, const ct_tensor *b, int count, double weight);
// The 2-norm over all tensors together, and a scaling of all of them in place.
int ct_total_norm(const ct_tensor *xs, int count, double *norm);
int ct_scale_(const ct_tensor *xs, int count, double factor);

#ifdef __cplusplus
}
#endif
