#include "live/process/ports.h"

#include <cstddef>
#include <cstring>
#include <string>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace duet::live {
namespace {

constexpr std::uint32_t kLastPort = 65535;

/// Whether a server could listen there: on all addresses of both versions of the protocol.
bool is_free(std::uint32_t port) {
  const auto can_bind = [&](int family, const void* address, socklen_t size) {
    const Fd fd(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd) return true;  // Not a protocol of this host.
    const int yes = 1;
    setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (family == AF_INET6) setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
    return bind(fd.get(), static_cast<const sockaddr*>(address), size) == 0 && listen(fd.get(), 1) == 0;
  };
  sockaddr_in four{};
  four.sin_family = AF_INET;
  four.sin_port = htons(static_cast<std::uint16_t>(port));
  sockaddr_in6 six{};
  six.sin6_family = AF_INET6;
  six.sin6_port = four.sin_port;
  return can_bind(AF_INET, &four, sizeof four) && can_bind(AF_INET6, &six, sizeof six);
}

/// Takes the port's name among the runners of this host; empty if it is taken. Abstract names live in the
/// network namespace, as ports do, and end with the process.
Fd claim(std::uint32_t port) {
  Fd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  const std::string text = "duet-port-" + std::to_string(port);
  std::memcpy(name.sun_path + 1, text.data(), text.size());
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + text.size());
  if (!fd || bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), size) != 0) return {};
  return fd;
}

}  // namespace

bool Ports::take_one(std::uint32_t port) {
  if (taken_.contains(port)) return false;
  Fd name = claim(port);
  if (!name || !is_free(port)) return false;
  taken_.emplace(port, std::move(name));
  return true;
}

Result<std::vector<std::uint32_t>> Ports::take(std::uint32_t count, std::uint32_t first) {
  std::vector<std::uint32_t> ports;
  if (count > 0 && first > 0 && first <= kLastPort && take_one(first)) ports.push_back(first);
  for (std::uint32_t port = base_; ports.size() < count && port <= kLastPort; ++port)
    if (take_one(port)) ports.push_back(port);
  if (ports.size() == count) return ports;
  give_back(ports);
  return Problem{
      "ports", std::to_string(count) + " free ones are not there from " + std::to_string(base_) + " on", ""};
}

void Ports::give_back(const std::vector<std::uint32_t>& ports) {
  for (const std::uint32_t port : ports) taken_.erase(port);
}

}  // namespace duet::live
