#include "sim/cleanup.h"

#include <array>
#include <atomic>
#include <csignal>

#include <unistd.h>

#include "core/check.h"

namespace duet::sim {
namespace {

constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP};

// A signal handler may touch neither locks nor the heap: the names are complete before `parts` points to
// them.
std::vector<std::string> part_names;                 // NOLINT: a handler can reach nothing but globals
std::atomic<const std::vector<std::string>*> parts;  // NOLINT

void on_signal(int signal) {
  if (const auto* names = parts.load())
    for (const std::string& name : *names) ::unlink(name.c_str());
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  ::sigaction(signal, &action, nullptr);
  ::raise(signal);
}

}  // namespace

PartFilesGuard::PartFilesGuard(const std::vector<std::string>& paths) {
  DUET_CHECK(parts.load() == nullptr);
  part_names.clear();
  for (const std::string& path : paths) part_names.push_back(path + ".part");
  parts.store(&part_names);
  install();
}

PartFilesGuard::~PartFilesGuard() {
  parts.store(nullptr);
  for (const int signal : kSignals) {
    struct sigaction action {};
    action.sa_handler = SIG_DFL;
    ::sigaction(signal, &action, nullptr);
  }
}

void PartFilesGuard::install() {
  for (const int signal : kSignals) {
    struct sigaction old {};
    // What the starter told us to ignore (nohup) stays ignored.
    if (::sigaction(signal, nullptr, &old) == 0 && old.sa_handler == SIG_IGN) continue;
    struct sigaction action {};
    action.sa_handler = on_signal;
    ::sigaction(signal, &action, nullptr);
  }
}

}  // namespace duet::sim
