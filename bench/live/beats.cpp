// What heartbeats of many agents cost who hears them, in CPU of that process:
//   beats load HOST:PORT TOKEN AGENTS HZ SECONDS PID     agents that register and then beat; prints the CPU
//   that
//                                                        process PID took for it, after all have registered
//   beats bare                                           hears the same frames over the same sockets, and
//   looks at
//                                                        none; prints its port and runs until it is ended
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <sys/resource.h>
#include <unistd.h>

#include "core/codec/decode.h"
#include "live/asio.h"
#include "live/wire/controller_link.h"

namespace {

using namespace duet;
using namespace duet::live;
using Tcp = asio::ip::tcp;
using Clock = std::chrono::steady_clock;

/// User and system time of a process so far, seconds.
double cpu_of(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/stat");
  std::string text;
  std::getline(file, text);
  std::istringstream words(text.substr(text.rfind(')') + 2));
  std::string word;
  double ticks = 0;
  for (int i = 3; words >> word; ++i)
    if (i == 14 || i == 15) ticks += std::atof(word.c_str());
  return ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

struct Beating {
  Beating(asio::io_context& io, const std::string& host, const std::string& port, const std::string& token,
          std::uint64_t number)
      : boot{number} {
    wire::ControllerLink::Options options;
    options.host = host;
    options.port = port;
    options.hello.token = token;
    options.hello.agent.name = "a" + std::to_string(number);
    wire::ControllerLink::Hooks hooks;
    hooks.message = [this](const msg::ToAgent& message) {
      if (const auto* registered = std::get_if<msg::Registered>(&message.body)) {
        node = registered->node;
        epoch = message.epoch;
      }
    };
    hooks.read_log = [](const wire::ReadLog&) {};
    hooks.changed = [](bool, const std::string&) {};
    hooks.refused = [](const std::string& why) {
      std::fprintf(stderr, "refused: %s\n", why.c_str());
      std::_Exit(1);
    };
    link = std::make_unique<wire::ControllerLink>(io, options, hooks);
    link->start();
    msg::Register said;
    said.name = options.hello.agent.name;
    said.serial = 1;
    said.offer = {1, 1, {}};
    said.offer.capacity.cpu_m = kThread;
    link->send(msg::FromAgent{{}, boot, {}, said});
  }
  void beat() const {
    if (epoch.value != 0) link->send(msg::FromAgent{node, boot, epoch, msg::Heartbeat{}});
  }

  BootNonce boot;
  NodeId node;
  Epoch epoch;
  std::unique_ptr<wire::ControllerLink> link;
};

int load(char** v) {
  const std::string to = v[2];
  const std::uint64_t agents = std::strtoull(v[4], nullptr, 10);
  const double period = 1 / std::atof(v[5]);
  const double seconds = std::atof(v[6]);
  asio::io_context io(1);
  std::vector<std::unique_ptr<Beating>> all;
  const auto colon = to.rfind(':');
  asio::steady_timer timer(io);
  const auto begin = Clock::now();
  const auto gone = [&] { return std::chrono::duration<double>(Clock::now() - begin).count(); };
  std::uint64_t beats = 0;
  // Spread over the period: each tick beats for those whose turn it is.
  std::function<void()> tick = [&] {
    while (!all.empty() && static_cast<double>(beats) < gone() / period * static_cast<double>(all.size()))
      all[beats++ % all.size()]->beat();
    timer.expires_after(std::chrono::milliseconds(1));
    timer.async_wait([&](const boost::system::error_code&) { tick(); });
  };
  tick();
  const auto registered = [&] {
    std::uint64_t count = 0;
    for (const auto& one : all) count += one->epoch.value != 0 ? 1U : 0U;
    return count;
  };
  while (registered() < agents) {
    // So many at a time as a listening socket takes.
    for (int i = 0; i < 100 && all.size() < agents; ++i)
      all.push_back(
          std::make_unique<Beating>(io, to.substr(0, colon), to.substr(colon + 1), v[3], all.size() + 1));
    io.run_for(std::chrono::milliseconds(50));
    beats = static_cast<std::uint64_t>(gone() / period * static_cast<double>(all.size()));
    if (gone() > 60) {
      std::fprintf(stderr, "only %llu registered\n", static_cast<unsigned long long>(registered()));
      return 1;
    }
  }
  io.run_for(std::chrono::seconds(1));
  const double before = cpu_of(v[7]);
  const std::uint64_t beats_before = beats;
  io.run_for(std::chrono::milliseconds(static_cast<long>(seconds * 1000)));
  const double used = cpu_of(v[7]) - before;
  std::printf("%llu beats, %.2f CPU-s, %.3f us a beat\n",
              static_cast<unsigned long long>(beats - beats_before), used,
              used * 1e6 / static_cast<double>(beats - beats_before));
  std::fflush(stdout);
  std::_Exit(0);  // All at once, without a word to the other side's log.
}

int bare() {
  asio::io_context io(1);
  Tcp::acceptor acceptor(io, {asio::ip::address_v4::loopback(), 0});
  std::vector<std::shared_ptr<wire::FramedSocket>> sockets;
  std::function<void()> accept = [&] {
    acceptor.async_accept([&](const boost::system::error_code& error, Tcp::socket socket) {
      if (error) return;
      auto framed = wire::FramedSocket::make(wire::FramedSocket::Socket(std::move(socket)));
      framed->start(
          {[raw = framed.get(), heard = 0](std::span<const std::uint8_t> frame) mutable {
             // The first two are answered as a controller does; what follows are heartbeats.
             wire::FromAgent message;
             if (++heard > 2 || !codec::decode_exactly(frame, message)) return;
             if (heard == 1) return raw->send(wire::ToAgent(wire::Welcome{}));
             const auto& said = std::get<msg::FromAgent>(message);
             raw->send(wire::ToAgent(msg::ToAgent{said.boot, Epoch{1}, msg::Registered{NodeId{1}, 1}}));
           },
           [](const std::string&) {}});
      sockets.push_back(std::move(framed));
      accept();
    });
  };
  accept();
  std::printf("%u\n", acceptor.local_endpoint().port());
  std::fflush(stdout);
  io.run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "load" && argc == 8) return load(argv);
  if (what == "bare" && argc == 2) return bare();
  std::fprintf(stderr, "beats load HOST:PORT TOKEN AGENTS HZ SECONDS PID | bare\n");
  return 2;
}
