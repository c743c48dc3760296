// Work in parts, which whoever has time takes.
#pragma once
#include <ATen/Parallel.h>

#include <atomic>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>

namespace ct {

// body(0), body(1), … body(count - 1), by at most so many threads; at::parallel_for would need OpenMP in the compiler.
// A thread that comes when no part is left is not waited for: on a machine that is busy the calling one does all.
template <typename Body>
void in_parts(int64_t count, int threads, const Body &body) {
  struct Work {
    const Body *body;
    int64_t count;
    std::atomic<int64_t> next{0}, done{0};
    std::mutex fence;
    std::exception_ptr error;

    Work(const Body *body, int64_t count) : body(body), count(count) {}
    void run() {
      for (int64_t part = next++; part < count; part = next++) {
        try {
          (*body)(part);
        } catch (...) {
          std::lock_guard lock(fence);
          error = std::current_exception();
        }
        done++;
      }
    }
  };
  // Kept by those who come late; the body that they find no part of is gone by then.
  auto work = std::make_shared<Work>(&body, count);
  for (int64_t other = 1; other < std::min<int64_t>(threads, count); other++) at::launch([work] { work->run(); });
  work->run();
  while (work->done < count) std::this_thread::yield();
  if (work->error) std::rethrow_exception(work->error);
}

}  // namespace ct
