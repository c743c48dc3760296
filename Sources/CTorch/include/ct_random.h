#pragma once
#include "ct_tensor.h"
#ifdef __cplusplus
extern "C" {
#endif

// `device` as in ct_device: -1 for the CPU.
int ct_generator_new(uint64_t seed, int device, ct_generator *out);
void ct_generator_free(ct_generator g);
int ct_generator_state(ct_generator g, ct_tensor *out);
int ct_generator_set_state(ct_generator g, ct_tensor state);

// Drawn where the generator is, in float32 (int64 for integers).
int ct_normal(ct_generator g, const int64_t *sizes, int rank, ct_tensor *out);
int ct_uniform(ct_generator g, const int64_t *sizes, int rank, ct_tensor *out);
int ct_integers(ct_generator g, int64_t below, const int64_t *sizes, int rank, ct_tensor *out);
int ct_permutation(ct_generator g, int64_t count, ct_tensor *out);
int ct_multinomial(ct_generator g, ct_tensor weights, int64_t count, ct_tensor *out);

#ifdef __cplusplus
}
#endif
