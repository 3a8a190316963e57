// Starting build/bin/duet as users do, and what it said.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace duet::program_tests {

namespace fs = std::filesystem;

struct Ran {
  int code = 0;  ///< 128 + n if signal n ended it, as shells have it.
  std::string out;
  std::string err;
};

/// duet ARGUMENTS
Ran duet(const std::vector<std::string>& arguments);
/// COMMAND through a shell, with $DUET as the program and $TMP as a folder of the test's own.
Ran shell(const std::string& command);

/// An empty folder that lives as long as the test.
class Folder {
 public:
  Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder();
  fs::path operator/(const std::string& name) const { return path_ / name; }
  std::string text() const { return path_.string(); }

 private:
  fs::path path_;
};

/// Asks again until it holds. False after a minute, which no healthy machine needs.
bool eventually(const std::function<bool()>& holds);

std::string read(const fs::path& path);
void write(const fs::path& path, const std::string& text);

/// A scenario of the tree, by its name without ending.
std::string scenario(const std::string& name);
/// All of them.
std::vector<std::string> scenario_names();

/// False in a build without SimGrid.
bool has_simgrid();

/// "sha256:..." of what `duet sim` printed; empty if there is none.
std::string digest_of(const std::string& out);

}  // namespace duet::program_tests
