// Processes that train together: sums and copies of float32 values over all of them, by libtorch's c10d with gloo.
//
// Calls that can fail give 0 for success; `cpg_last_error` says what failed in the calling thread.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cpg_group_s *cpg_group;

// Meets the others at the store at host:port, under a prefix of its keys that may be empty. Rank 0 holds the store
// where `serves`; else another program does. Waits `patience` milliseconds, here and in each later call.
int cpg_open(const char *host, uint16_t port, int rank, int size, bool serves, const char *prefix,
             int64_t patience, cpg_group *out);
void cpg_close(cpg_group group);

// Each value becomes the sum of what all processes have there.
int cpg_sum(cpg_group group, float *values, int64_t count);

// Each value becomes what rank 0 has there.
int cpg_broadcast(cpg_group group, float *values, int64_t count);

// Each process's values one after another: `all` holds `count` for each rank.
int cpg_gather(cpg_group group, const float *values, int64_t count, float *all);

const char *cpg_last_error(void);

#ifdef __cplusplus
}
#endif
