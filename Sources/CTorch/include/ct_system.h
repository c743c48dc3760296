#pragma once
#include "ct_tensor.h"
#ifdef __cplusplus
extern "C" {
#endif

void ct_set_threads(int count);
int ct_threads(void);
// Gives memory that the allocator keeps, though it is free, back to the system.
void ct_release_free_memory(void);
const char *ct_version(void);
bool ct_cpu_has_fast_bf16(void);
// Opens libtorch_cuda.so if it lies beside libtorch_cpu.so; it registers its kernels by itself.
// Returns the number of CUDA devices.
int ct_cuda_open(void);

#ifdef __cplusplus
}
#endif
