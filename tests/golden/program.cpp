#include "tests/golden/program.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace duet::program_tests {

bool eventually(const std::function<bool()>& holds) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();  // What is asked is another process: that is pause enough.
  }
  return true;
}

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void write(const fs::path& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

Folder::Folder() {
  std::string pattern = (fs::temp_directory_path() / "duet-test-XXXXXX").string();
  path_ = ::mkdtemp(pattern.data());
}

Folder::~Folder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

namespace {

Ran start(const std::vector<std::string>& words) {
  const Folder folder;
  const std::string out = (folder / "out").string();
  const std::string err = (folder / "err").string();
  posix_spawn_file_actions_t actions{};
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out.c_str(), O_WRONLY | O_CREAT, 0600);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, err.c_str(), O_WRONLY | O_CREAT, 0600);
  std::vector<std::string> copies = words;
  std::vector<char*> argv;
  for (std::string& word : copies) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t child = 0;
  Ran ran;
  if (::posix_spawn(&child, words[0].c_str(), &actions, nullptr, argv.data(), environ) != 0) {
    ran.code = 127;
  } else {
    int status = 0;
    ::waitpid(child, &status, 0);
    ran.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  posix_spawn_file_actions_destroy(&actions);
  ran.out = read(out);
  ran.err = read(err);
  return ran;
}

}  // namespace

Ran duet(const std::vector<std::string>& arguments) {
  std::vector<std::string> words = {DUET_PROGRAM};
  words.insert(words.end(), arguments.begin(), arguments.end());
  return start(words);
}

Ran shell(const std::string& command) {
  const Folder folder;
  return start(
      {"/bin/sh", "-c",
       "DUET='" DUET_PROGRAM "'; TMP='" + folder.text() + "'; cd '" DUET_SOURCE_DIR "'; " + command});
}

std::string scenario(const std::string& name) { return DUET_SOURCE_DIR "/scenarios/" + name + ".json"; }

std::vector<std::string> scenario_names() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(DUET_SOURCE_DIR "/scenarios"))
    if (entry.path().extension() == ".json" && entry.path().stem().extension() != ".schema")
      names.push_back(entry.path().stem());
  std::sort(names.begin(), names.end());
  return names;
}

bool has_simgrid() { return fs::exists(DUET_BUILD_DIR "/libexec/duet-sim"); }

std::string digest_of(const std::string& out) {
  const std::size_t at = out.find("sha256:");
  return at == std::string::npos ? "" : out.substr(at, out.find_first_of(" \n\"", at) - at);
}

}  // namespace duet::program_tests
