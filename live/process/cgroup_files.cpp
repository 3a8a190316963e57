#include "live/process/cgroup_files.h"

#include <algorithm>
#include <charconv>
#include <csignal>

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "live/process/fd.h"

namespace duet::live {

std::string read_small(const std::string& path) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  char buffer[4096];
  for (ssize_t n = 0; fd && (n = read(fd.get(), buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(n));
  return text;
}

std::string read_again(int fd) {
  char buffer[4096];
  const ssize_t n = fd < 0 ? -1 : pread(fd, buffer, sizeof buffer, 0);
  return n > 0 ? std::string(buffer, static_cast<std::size_t>(n)) : std::string();
}

bool write_small(const std::string& path, std::string_view text) {
  const Fd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return fd && write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

std::optional<std::int64_t> number_of_key(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.starts_with(key) || line.size() <= key.size() || line[key.size()] != ' ') continue;
    std::int64_t number = 0;
    const char* const from = line.data() + key.size() + 1;
    if (std::from_chars(from, line.data() + line.size(), number).ec == std::errc()) return number;
  }
  return std::nullopt;
}

std::vector<std::int64_t> numbers_in(std::string_view text) {
  std::vector<std::int64_t> numbers;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    std::int64_t number = 0;
    const auto read = std::from_chars(at, end, number);
    if (read.ec == std::errc()) numbers.push_back(number);
    at = read.ptr == at ? at + 1 : read.ptr;
  }
  return numbers;
}

void kill_members(const std::string& group_folder) {
  // The last two parts of the path: the hierarchies below which groups stand differ from what is mounted
  // where.
  const auto slash = group_folder.rfind('/', group_folder.rfind('/') - 1);
  const std::string mark = group_folder.substr(slash) + "\n";
  for (const std::int64_t pid : numbers_in(read_small(group_folder + "/cgroup.procs"))) {
    if (pid == getpid()) continue;
    kill_if(pid, [&] {
      return read_small("/proc/" + std::to_string(pid) + "/cgroup").find(mark) != std::string::npos;
    });
  }
}

void kill_if(std::int64_t pid, const std::function<bool()>& is_meant) {
  const Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (pidfd && is_meant()) syscall(SYS_pidfd_send_signal, pidfd.get(), SIGKILL, nullptr, 0);
}

}  // namespace duet::live
