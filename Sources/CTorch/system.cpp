#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <dlfcn.h>
#include <torch/version.h>

#include "guard.h"
#ifdef __GLIBC__
#include <malloc.h>
#endif

void ct_set_threads(int count) {
  // At its first work a thread takes the number that any thread has set last, in place of its own. That is
  // done with before this one is set: once for libtorch's code, once for what is compiled here.
  at::get_num_threads();
  at::internal::lazy_init_num_threads();
  at::set_num_threads(count);
}
int ct_threads(void) { return at::get_num_threads(); }

void ct_release_free_memory(void) {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}
const char *ct_version(void) { return TORCH_VERSION; }

bool ct_cpu_has_fast_bf16(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512bf16");
#else
  return false;
#endif
}

int ct_cuda_open(void) {
  static const int devices = [] {
    Dl_info info;
    if (!dladdr(reinterpret_cast<void *>(&at::get_num_threads), &info) || !info.dli_fname) return 0;
    std::string path(info.dli_fname);
    path = path.substr(0, path.find_last_of('/') + 1) + "libtorch_cuda.so";
    if (!dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL)) return 0;
    try {
      return static_cast<int>(at::detail::getCUDAHooks().deviceCount());
    } catch (...) {
      return 0;
    }
  }();
  return devices;
}
