// duet-workload: a small web service to deploy when one has none: it says who it is, and that it is well.
// With --sleep or --burn, a task instead that takes so long and may fail: what duet live runs.
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include <unistd.h>

#include "core/codec/json_text.h"
#include "live/asio.h"
#include "live/http/server.h"
#include "tools/duet-workload/task.h"

namespace {

using namespace duet;
using live::http::Request;
using live::http::Responder;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

std::string about(const std::string& id, std::uint16_t port, std::chrono::steady_clock::time_point since) {
  const auto uptime =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - since);
  std::string text = "{\"id\":";
  codec::append_string(text, id);
  text += ",\"port\":" + std::to_string(port) + ",\"pid\":" + std::to_string(::getpid()) +
          ",\"uptime_s\":" + std::to_string(uptime.count()) + "}\n";
  return text;
}

/// PORT, or --port=N, -port=N, --port N: as programs take it that know nothing of Duet.
int port_of(int argc, char** argv) {
  std::string port = environment("PORT");
  for (int i = 1; i < argc; ++i) {
    std::string_view word = argv[i];
    while (word.starts_with('-')) word.remove_prefix(1);
    if (word.starts_with("port=")) port = word.substr(5);
    if (word == "port" && i + 1 < argc) port = argv[++i];
  }
  char* end = nullptr;
  const long number = port.empty() ? 0 : std::strtol(port.c_str(), &end, 10);
  return end != nullptr && *end == '\0' && number >= 1 && number <= 65535 ? static_cast<int>(number) : 0;
}

}  // namespace

#ifdef DUET_ASAN
/// It looks for leaks by ptrace, which the filter of a task forbids.
extern "C" const char* __asan_default_options() { return "detect_leaks=0"; }
#endif

int main(int argc, char** argv) {
  if (const auto code = duet::workload::run_as_task(argc, argv)) return *code;
  const int port = port_of(argc, argv);
  if (port == 0) {
    std::fprintf(stderr, "duet-workload: which port? PORT or -port=8000\n");
    return 2;
  }
  std::string id = environment("DUET_REPLICA_ID");
  if (id.empty()) id = environment("DUET_TASK");
  const auto since = std::chrono::steady_clock::now();
  live::asio::io_context io(1);
  live::http::RouteTable routes;
  for (const char* path : {"/", "/health"})
    routes.add({.path = path,
                .operation_id = path[1] == '\0' ? "about" : "health",
                .summary = "Who this is.",
                .needs_token = false,
                .any_query = true,
                .responses = {{.status = 200, .description = "It is well."}},
                .handler = [&](const Request&, const Responder& respond) {
                  respond(live::http::json_response(about(id, static_cast<std::uint16_t>(port), since)));
                }});
  live::http::Server server(io, routes, {});
  if (const auto listening = server.listen("127.0.0.1", static_cast<std::uint16_t>(port)); !listening) {
    std::fprintf(stderr, "duet-workload: port %d: %s\n", port, listening.problems().front().what.c_str());
    return 1;
  }
  live::asio::signal_set signals(io, SIGINT, SIGTERM);
  signals.async_wait([&](const boost::system::error_code&, int) { io.stop(); });
  io.run();
  return 0;
}
