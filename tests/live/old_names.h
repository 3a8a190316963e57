// Programs under the names of older systems, started as their users start them, in a folder of the test's
// own.
#pragma once

#include <csignal>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "live/http/client.h"
#include "tests/golden/program.h"

namespace duet::program_tests {

using nlohmann::json;

/// A TCP port of the loopback that nobody uses at this moment.
std::uint16_t free_port();

class OldNames : public testing::Test {
 protected:
  OldNames();
  ~OldNames() override;

  /// A line for a shell that stands in the folder of the names; it runs on as long as the test. Returns a
  /// name for it: its first words.
  std::int64_t begin(const std::string& line);
  void end(std::int64_t pid, int signal = SIGTERM);
  /// The same, to its end.
  Ran line(const std::string& command);
  /// GET; null if nobody answers.
  json get(std::uint16_t port, const std::string& target);
  std::string bin() const { return (folder_ / "bin").string(); }
  std::string data() const { return (folder_ / "data").string(); }

  Folder folder_;
  int begun_ = 0;
  std::map<std::int64_t, std::string> running_;  ///< By pid: where each writes.
};

}  // namespace duet::program_tests
