// duet-worker: executes operations that it is given over HTTP; what a pool's workers are unless one says
// otherwise.
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include <sched.h>

#include "live/asio.h"
#include "live/http/server.h"
#include "live/worker/worker_server.h"

namespace {

using namespace duet;

/// --port=N, or PORT.
std::optional<std::uint16_t> find_port(int argc, char** argv) {
  const char* const variable = std::getenv("PORT");
  std::string_view text = variable == nullptr ? "" : variable;
  constexpr std::string_view kOption = "--port=";
  if (argc == 2 && std::string_view(argv[1]).starts_with(kOption))
    text = std::string_view(argv[1]).substr(kOption.size());
  else if (argc > 1)
    return std::nullopt;
  std::uint16_t port = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), port);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

/// The processors that it was given.
unsigned own_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return static_cast<unsigned>(CPU_COUNT(&set));
}

}  // namespace

#ifdef DUET_ASAN
/// It looks for leaks by ptrace, which the filter of a task forbids.
extern "C" const char* __asan_default_options() { return "detect_leaks=0"; }
#endif

int main(int argc, char** argv) {
  const auto port = find_port(argc, argv);
  if (!port) {
    std::fprintf(stderr, "duet-worker: on which port is it to take operations? --port=8001, or PORT\n");
    return 2;
  }
  const char* token = std::getenv("DUET_WORKER_TOKEN");
  live::asio::io_context io(1);
  live::worker::WorkerServer worker(io, own_processors());
  live::http::RouteTable routes;
  worker.add_to(routes);
  live::http::ServerOptions options;
  options.limits.per_address = options.limits.connections;  // All come from its runner.
  options.limits.idle_time = std::chrono::hours(1);
  if (token != nullptr) options.gate.token = live::Secret(token);
  std::optional<live::http::Server> server(std::in_place, io, routes, std::move(options));
  if (const auto listening = server->listen("127.0.0.1", *port); !listening) {
    std::fprintf(stderr, "duet-worker: port %d: %s\n", *port, listening.problems().front().what.c_str());
    return 1;
  }
  live::asio::signal_set signals(io, SIGINT, SIGTERM);
  signals.async_wait([&](const boost::system::error_code&, int) { io.stop(); });
  io.run();
  server.reset();
  return 0;
}
