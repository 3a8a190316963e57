#include "live/program/folder.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/codec/atomic_file.h"

namespace duet::live {
namespace {

constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kLongestSecretFile = 4096;

Problem trouble(const std::string& path, const std::string& what) {
  return {path, what + ": " + std::strerror(errno), {}};
}

Result<Secret> read_secret(const std::string& path, int fd) {
  struct stat about {};
  if (::fstat(fd, &about) != 0) return trouble(path, "cannot be looked at");
  if ((about.st_mode & 077) != 0)
    return Problem{path, "holds a secret, but others may read it", "chmod 600 " + path};
  std::string text(kLongestSecretFile, '\0');
  const ssize_t n = ::read(fd, text.data(), text.size());
  if (n < 0) return trouble(path, "cannot be read");
  text.resize(static_cast<std::size_t>(n));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  if (text.size() < 16) return Problem{path, "holds no token", "at least 16 characters; or remove the file"};
  return Secret(std::move(text));
}

}  // namespace

FolderHold::~FolderHold() { ::close(fd_); }

Result<std::unique_ptr<FolderHold>> hold_folder(const std::string& path, const std::string& kind) {
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(path, error);
  std::filesystem::create_directories(absolute.parent_path(), error);
  if (::mkdir(absolute.c_str(), 0700) != 0 && errno != EEXIST) return trouble(path, "cannot be made");
  struct stat about {};
  if (::stat(absolute.c_str(), &about) != 0) return trouble(path, "cannot be looked at");
  if (!S_ISDIR(about.st_mode)) return Problem{path, "is no folder", "another --data"};
  if (about.st_uid != ::geteuid()) return Problem{path, "belongs to another user", "another --data"};
  const std::string lock = absolute.string() + '/' + kind + ".lock";
  const int fd = ::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return trouble(lock, "cannot be opened");
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    ::close(fd);
    return Problem{path, "another " + kind + " works in this folder", "stop it, or another --data"};
  }
  return std::unique_ptr<FolderHold>(new FolderHold(absolute.string(), fd));
}

std::string beside_this(const std::string& program) {
  std::error_code error;
  return (std::filesystem::read_symlink("/proc/self/exe", error).parent_path() / program).string();
}

Result<Secret> secret_in(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd >= 0) {
    auto secret = read_secret(path, fd);
    ::close(fd);
    return secret;
  }
  if (errno != ENOENT) return trouble(path, "cannot be read");
  std::array<unsigned char, kSecretBytes> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    return trouble(path, "nothing to draw a token from");
  std::string text;
  for (const unsigned char byte : bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  // Under another name first: who reads it meanwhile finds all of it or nothing.
  const std::string fresh = path + ".new";
  ::unlink(fresh.c_str());
  const int out = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (out < 0) return trouble(path, "cannot be written");
  const bool written =
      ::write(out, (text + '\n').data(), text.size() + 1) == static_cast<ssize_t>(text.size() + 1) &&
      ::fsync(out) == 0;
  ::close(out);
  if (!written || ::rename(fresh.c_str(), path.c_str()) != 0) return trouble(path, "cannot be written");
  return Secret(std::move(text));
}

}  // namespace duet::live
