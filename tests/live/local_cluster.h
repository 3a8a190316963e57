// A cluster as `duet up` starts it, and the command line that asks it.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "tests/golden/program.h"

namespace duet::program_tests {

class LocalCluster : public testing::Test {
 protected:
  using json = nlohmann::json;

  /// Tests run beside each other: each kind has ports of its own.
  explicit LocalCluster(int port_base) : port_base_(port_base) {}
  ~LocalCluster() override {
    if (running_) duet({"down", "--data", data()});
    if (HasFailure())
      for (const char* log : {"up", "controller", "node-1", "node-2"})
        std::printf("---- %s\n%s", log, log_of(log).c_str());
  }

  Ran try_up(int nodes, const std::vector<std::string>& more = {}) {
    std::vector<std::string> words = {
        "up",   "--nodes",     std::to_string(nodes),      "--listen", "127.0.0.1:0", "--data",
        data(), "--port-base", std::to_string(port_base_), "--detach"};
    words.insert(words.end(), more.begin(), more.end());
    Ran ran = duet(words);
    running_ = running_ || ran.code == 0;
    return ran;
  }
  void up(int nodes, const std::vector<std::string>& more = {}) {
    const Ran ran = try_up(nodes, more);
    ASSERT_EQ(ran.code, 0) << ran.err << log_of("controller") << log_of("node-1");
    EXPECT_THAT(ran.out, testing::HasSubstr("duet run -- sleep 60"));
  }
  std::string data() const { return (folder_ / "data").string(); }
  std::string log_of(const std::string& program) const {
    return read(folder_ / ("data/log/" + program + ".log"));
  }
  /// duet WORDS for this cluster; a command after them.
  Ran live(std::vector<std::string> words, const std::vector<std::string>& command = {}) {
    words.insert(words.begin() + 1, {"--data", data()});
    if (!command.empty()) words.emplace_back("--");
    words.insert(words.end(), command.begin(), command.end());
    return duet(words);
  }
  /// Null if it could not be asked.
  json ask(std::vector<std::string> words) {
    words.insert(words.end(), {"-o", "json"});
    const Ran ran = live(std::move(words));
    return ran.code == 0 ? json::parse(ran.out, nullptr, false) : json();
  }
  /// A task of a job; an empty object if there is none.
  json task(const std::string& job, std::size_t index = 0) {
    const json shown = ask({"job", job});
    if (!shown.is_object() || shown["tasks"].size() <= index) return json::object();
    return shown["tasks"][index];
  }
  /// What a program says of itself: "controller/controller.json", "node-1/agent.json".
  json note(const std::string& file) const {
    const json said = json::parse(read(folder_ / ("data/" + file)), nullptr, false);
    return said.is_object() ? said : json::object();
  }
  std::int64_t pid_in(const std::string& file) const { return note(file).value("pid", std::int64_t{0}); }

  const Folder folder_;
  bool running_ = false;

 private:
  const int port_base_;
};

}  // namespace duet::program_tests
