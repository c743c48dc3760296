#define USE_C10D_GLOO
#include <ATen/ATen.h>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <memory>

#include "include/cprocessgroup.h"

struct cpg_group_s {
  c10::intrusive_ptr<c10d::ProcessGroupGloo> value;
};

namespace {

thread_local std::string last_error;

template <typename Body>
int guard(Body &&body) noexcept {
  try {
    body();
    return 0;
  } catch (const c10::Error &error) {
    last_error = error.what_without_backtrace();
  } catch (const std::exception &error) {
    last_error = error.what();
  } catch (...) {
    last_error = "unknown C++ exception";
  }
  return 1;
}

// A view of the caller's memory: nothing is copied.
at::Tensor view(float *values, int64_t count) { return at::from_blob(values, {count}, at::kFloat); }

// The address of this machine on the way to the host: whoever reaches the host can be reached there.
std::string own_address(const char *host) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_DGRAM;
  addrinfo *found = nullptr;
  if (int error = getaddrinfo(host, "9", &wanted, &found))
    throw std::runtime_error(std::string(host) + ": " + gai_strerror(error));
  std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  // Connecting a datagram socket sends nothing; it only picks the way.
  int descriptor = socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  char name[NI_MAXHOST] = "";
  bool known = descriptor >= 0 && connect(descriptor, found->ai_addr, found->ai_addrlen) == 0 &&
               getsockname(descriptor, reinterpret_cast<sockaddr *>(&address), &length) == 0 &&
               getnameinfo(reinterpret_cast<sockaddr *>(&address), length, name, sizeof name, nullptr, 0,
                           NI_NUMERICHOST) == 0;
  if (descriptor >= 0) close(descriptor);
  if (!known) throw std::runtime_error(std::string("there is no way to ") + host);
  return name;
}

}  // namespace

int cpg_open(const char *host, uint16_t port, int rank, int size, bool serves, const char *prefix,
             int64_t patience, cpg_group *out) {
  return guard([&] {
    // c10d is used to Python, which has this signal ignored: a process that has gone is an error of a call, not the
    // end of this one.
    std::signal(SIGPIPE, SIG_IGN);
    c10d::TCPStoreOptions where;
    where.port = port;
    where.isServer = serves && rank == 0;
    where.timeout = std::chrono::milliseconds(patience);
    // torchrun's agent, where it holds the store, is no worker that would be waited for.
    if (serves) where.numWorkers = static_cast<std::size_t>(size);
    c10::intrusive_ptr<c10d::Store> store = c10::make_intrusive<c10d::TCPStore>(host, where);
    if (*prefix) store = c10::make_intrusive<c10d::PrefixStore>(prefix, std::move(store));
    auto options = c10d::ProcessGroupGloo::Options::create(where.timeout);
    // Not by this machine's own name, which often is no address or that of the loopback.
    options->devices = {c10d::ProcessGroupGloo::createDeviceForHostname(own_address(host))};
    *out = new cpg_group_s{
        c10::make_intrusive<c10d::ProcessGroupGloo>(std::move(store), rank, size, std::move(options))};
  });
}

void cpg_close(cpg_group group) { delete group; }

int cpg_sum(cpg_group group, float *values, int64_t count) {
  return guard([&] {
    std::vector<at::Tensor> tensors{view(values, count)};
    group->value->allreduce(tensors)->wait();
  });
}

int cpg_broadcast(cpg_group group, float *values, int64_t count) {
  return guard([&] {
    std::vector<at::Tensor> tensors{view(values, count)};
    group->value->broadcast(tensors)->wait();
  });
}

int cpg_gather(cpg_group group, const float *values, int64_t count, float *all) {
  return guard([&] {
    std::vector<at::Tensor> own{view(const_cast<float *>(values), count)};
    std::vector<std::vector<at::Tensor>> everyone(1);
    for (int rank = 0; rank < group->value->getSize(); rank++)
      everyone[0].push_back(view(all + rank * count, count));
    group->value->allgather(everyone, own)->wait();
  });
}

const char *cpg_last_error(void) { return last_error.c_str(); }
