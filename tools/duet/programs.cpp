#include "tools/duet/programs.h"

#include <cerrno>
#include <filesystem>
#include <system_error>

#include <unistd.h>

#include "sim/terminal.h"

namespace duet::front {

namespace fs = std::filesystem;

std::string own_path() {
  std::error_code error;
  const fs::path path = fs::read_symlink("/proc/self/exe", error);
  return error ? std::string("duet") : path.string();
}

std::string helper_path(const std::string& name) {
  const fs::path path = fs::path(own_path()).parent_path().parent_path() / "libexec" / name;
  return ::access(path.c_str(), X_OK) == 0 ? path.string() : std::string();
}

std::string engine_program(const std::string& engine) {
  return engine == "loop" ? own_path() : helper_path("duet-sim");
}

int refuse_engine(const std::string& command) {
  sim::say(command +
           ": this build has no SimGrid engine: libexec/duet-sim is not there\n"
           "  = run with --engine loop, or build with SimGrid (Debian: libsimgrid-dev)\n");
  return sim::kExitUsage;
}

std::string become(const std::string& path, const std::vector<std::string>& arguments) {
  std::vector<std::string> words = {path};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  ::execv(path.c_str(), argv.data());
  return std::generic_category().message(errno);
}

}  // namespace duet::front
