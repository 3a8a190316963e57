#include "live/metrics/process_figures.h"

#include <fstream>
#include <sstream>
#include <string>

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

namespace duet::live {
namespace {

/// Seconds since the Epoch at which the machine began to count.
double boot_time_s() {
  std::ifstream file("/proc/stat");
  std::string line;
  while (std::getline(file, line)) {
    if (!line.starts_with("btime ")) continue;
    std::istringstream words(line.substr(6));
    double at = 0;
    words >> at;
    return at;
  }
  return 0;
}

/// Field `number` of /proc/self/stat, as proc(5) counts them; those after the name only.
double stat_field(int number) {
  std::ifstream file("/proc/self/stat");
  std::string text;
  std::getline(file, text);
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return 0;
  std::istringstream words(text.substr(name_end + 1));
  std::string word;
  for (int i = 3; i <= number; ++i) words >> word;
  std::istringstream value(word);
  double result = 0;
  value >> result;
  return result;
}

std::uint64_t count_fds() {
  DIR* folder = ::opendir("/proc/self/fd");
  if (folder == nullptr) return 0;
  std::uint64_t count = 0;
  while (::readdir(folder) != nullptr) ++count;
  ::closedir(folder);
  return count < 3 ? 0 : count - 3;  // ".", "..", and the one that this needs.
}

}  // namespace

ProcessFigures process_figures() {
  ProcessFigures figures;
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  figures.cpu_s = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  static const double started = boot_time_s() + stat_field(22) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  figures.started_s = started;
  std::ifstream pages("/proc/self/statm");
  pages >> figures.virtual_bytes >> figures.resident_bytes;
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  figures.virtual_bytes *= page;
  figures.resident_bytes *= page;
  figures.open_fds = count_fds();
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) figures.max_fds = limit.rlim_cur;
  return figures;
}

}  // namespace duet::live
