#include "live/process/log_files.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>
#include <system_error>
#include <tuple>

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "live/process/fd.h"

namespace duet::live {
namespace {

constexpr std::string_view kStreams[] = {"stdout", "stderr"};

struct Part {
  std::uint64_t begin = 0;
  std::uint64_t size = 0;
};

struct CloseFolder {
  void operator()(DIR* folder) const { closedir(folder); }
};

/// Below `at`, without links, and without a way out.
Fd open_beneath(int at, const std::string& path, int flags) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return Fd(static_cast<int>(syscall(SYS_openat2, at, path.c_str(), &how, sizeof how)));
}

/// Where a part begins, if that is its name.
std::optional<std::uint64_t> begin_of(std::string_view name, LogStream stream) {
  const std::string_view first = kStreams[static_cast<std::size_t>(stream)];
  if (name == first) return 0;
  if (!name.starts_with(first) || name.size() < first.size() + 2 || name[first.size()] != '.')
    return std::nullopt;
  name.remove_prefix(first.size() + 1);
  std::uint64_t begin = 0;
  const auto read = std::from_chars(name.data(), name.data() + name.size(), begin);
  if (read.ec != std::errc() || read.ptr != name.data() + name.size()) return std::nullopt;
  return begin;
}

/// The parts of a stream, in order.
std::vector<Part> parts_in(int folder, LogStream stream) {
  std::vector<Part> parts;
  const std::unique_ptr<DIR, CloseFolder> open(fdopendir(dup(folder)));
  if (!open) return parts;
  while (const dirent* entry = readdir(open.get())) {
    struct stat status {};
    const auto begin = begin_of(entry->d_name, stream);
    if (begin && fstatat(folder, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0)
      parts.push_back({*begin, static_cast<std::uint64_t>(status.st_size)});
  }
  std::ranges::sort(parts, {}, &Part::begin);
  return parts;
}

/// Appends what `part` has between slice's end and `max` bytes of text.
std::optional<Problem> append(int folder, LogStream stream, const Part& part, std::size_t max,
                              LogSlice& slice) {
  const std::uint64_t at = slice.offset + slice.text.size();
  if (at < part.begin || at >= part.begin + part.size || slice.text.size() >= max) return std::nullopt;
  const std::string name = log_part_name(stream, part.begin);
  const Fd fd = open_beneath(folder, name, O_RDONLY);
  // It may have gone since the folder was read.
  if (!fd)
    return errno == ENOENT
               ? std::nullopt
               : std::optional(Problem{name, std::string("cannot be read: ") + std::strerror(errno), ""});
  const std::size_t before = slice.text.size();
  const std::size_t wanted = std::min<std::uint64_t>(max - before, part.begin + part.size - at);
  slice.text.resize(before + wanted);
  const ssize_t n = pread(fd.get(), slice.text.data() + before, wanted, static_cast<off_t>(at - part.begin));
  slice.text.resize(before + static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
  return std::nullopt;
}

}  // namespace

std::string attempt_folder_name(AttemptId attempt) {
  return std::to_string(attempt.task.job.value) + "." + std::to_string(attempt.task.index) + "-" +
         std::to_string(attempt.number);
}

std::string log_part_name(LogStream stream, std::uint64_t begin) {
  const std::string first(kStreams[static_cast<std::size_t>(stream)]);
  return begin == 0 ? first : first + "." + std::to_string(begin);
}

Result<LogSlice> read_log(const std::string& folder, AttemptId attempt, LogStream stream,
                          std::uint64_t offset, std::size_t max) {
  const std::string logs = folder + "/logs";
  const Fd all(open(logs.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  LogSlice slice;
  slice.offset = offset;
  if (!all && errno == ENOENT) return slice;
  if (!all) return Problem{logs, std::string("cannot be read: ") + std::strerror(errno), ""};
  const std::string name = attempt_folder_name(attempt);
  const Fd own = open_beneath(all.get(), name, O_RDONLY | O_DIRECTORY);
  if (!own && errno == ENOENT) return slice;
  if (!own) return Problem{logs + "/" + name, std::string("cannot be read: ") + std::strerror(errno), ""};
  const std::vector<Part> parts = parts_in(own.get(), stream);
  if (parts.empty()) return slice;
  slice.begin = parts.front().begin;
  slice.end = parts.back().begin + parts.back().size;
  slice.offset = std::clamp(offset, slice.begin, slice.end);
  for (const Part& part : parts)
    if (auto problem = append(own.get(), stream, part, max, slice)) return *problem;
  return slice;
}

std::vector<KeptLog> kept_logs(const std::string& folder) {
  namespace fs = std::filesystem;
  std::vector<std::tuple<fs::file_time_type, std::string, std::uint64_t>> found;
  std::error_code gone;
  for (fs::directory_iterator it(folder + "/logs", gone), end; !gone && it != end; it.increment(gone)) {
    std::error_code ignored;
    if (!it->is_directory(ignored) || it->is_symlink(ignored)) continue;
    std::uint64_t bytes = 0;
    for (fs::directory_iterator part(it->path(), ignored), last; !ignored && part != last;
         part.increment(ignored)) {
      std::error_code unknown;
      const auto size = part->file_size(unknown);
      if (!unknown) bytes += size;
    }
    found.emplace_back(it->last_write_time(ignored), it->path().filename().string(), bytes);
  }
  std::ranges::sort(found);
  std::vector<KeptLog> logs;
  for (auto& [when, name, bytes] : found) logs.push_back({std::move(name), bytes});
  return logs;
}

}  // namespace duet::live
