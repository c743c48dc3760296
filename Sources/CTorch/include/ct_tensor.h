#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

typedef struct ct_tensor_s *ct_tensor;
typedef struct ct_generator_s *ct_generator;

// Data types, numbered by us so that libtorch may renumber its own.
enum { CT_F32, CT_F16, CT_BF16, CT_F64, CT_I64, CT_I32, CT_I16, CT_I8, CT_U8, CT_BOOL };
// Devices: -1 is the CPU, n >= 0 is CUDA device n.

const char *ct_last_error(void);
void ct_free(ct_tensor x);

int ct_empty(const int64_t *sizes, int rank, int dtype, int device, ct_tensor *out);
int ct_full(const int64_t *sizes, int rank, double value, int dtype, int device, ct_tensor *out);
int ct_arange(int64_t start, int64_t end, int dtype, int device, ct_tensor *out);
int ct_copy_of(const void *data, size_t bytes, const int64_t *sizes, int rank, int dtype, ct_tensor *out);
// Wraps memory that `release(context)` gives back when the last tensor on it is gone. Strides count
// elements; NULL stands for row-major order.
int ct_borrow(void *data, const int64_t *sizes, const int64_t *strides, int rank, int dtype,
              void (*release)(void *), void *context, ct_tensor *out);

int ct_rank(ct_tensor x);
void ct_sizes(ct_tensor x, int64_t *sizes);
int ct_dtype(ct_tensor x);
int ct_device(ct_tensor x);
// The address of the first element; valid while the handle lives. NULL unless on the CPU and contiguous.
void *ct_data(ct_tensor x);

int ct_to_dtype(ct_tensor x, int dtype, ct_tensor *out);
int ct_to_device(ct_tensor x, int device, ct_tensor *out);
int ct_contiguous(ct_tensor x, bool channels_last, ct_tensor *out);
int ct_clone(ct_tensor x, ct_tensor *out);
int ct_copy_(ct_tensor destination, ct_tensor source);

#ifdef __cplusplus
}
#endif
