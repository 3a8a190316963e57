#include "live/cube/uuid.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <random>

namespace duet::live::cube {
namespace {

/// Hexadecimal digits of tag, job, index and number of the attempt: all but the version's and the variant's.
constexpr std::array<std::size_t, 4> kDigits = {8, 10, 6, 6};

std::string hex(std::uint64_t value, std::size_t digits) {
  std::string text(digits, '0');
  for (std::size_t i = digits; i-- > 0; value >>= 4U) text[i] = "0123456789abcdef"[value & 15U];
  return text;
}

/// 30 digits of content become a UUID with its version and variant.
std::string dressed(const std::string& content, char version) {
  return content.substr(0, 8) + '-' + content.substr(8, 4) + '-' + version + content.substr(12, 3) + "-8" +
         content.substr(15, 3) + '-' + content.substr(18, 12);
}

}  // namespace

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : std::isxdigit(static_cast<unsigned char>(text[i])) == 0) return false;
  }
  return true;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

std::string fresh_uuid() {
  std::random_device device;
  std::string content;
  for (int i = 0; i < 4; ++i) content += hex(device(), 8);
  return dressed(content, '4');
}

std::string uuid_of(std::uint32_t tag, AttemptId attempt) {
  return dressed(hex(tag, kDigits[0]) + hex(attempt.task.job.value, kDigits[1]) +
                     hex(attempt.task.index, kDigits[2]) + hex(attempt.number, kDigits[3]),
                 '8');
}

std::optional<AttemptId> attempt_of(std::uint32_t tag, std::string_view uuid) {
  if (!is_uuid(uuid) || uuid[14] != '8' || uuid[19] != '8') return std::nullopt;
  std::string content;
  for (std::size_t i = 0; i < uuid.size(); ++i)
    if (uuid[i] != '-' && i != 14 && i != 19) content += uuid[i];
  std::array<std::uint64_t, 4> parts{};
  std::size_t at = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    std::from_chars(content.data() + at, content.data() + at + kDigits[i], parts[i], 16);
    at += kDigits[i];
  }
  if (parts[0] != tag) return std::nullopt;
  return AttemptId{{JobId{parts[1]}, static_cast<std::uint32_t>(parts[2])},
                   static_cast<std::uint32_t>(parts[3])};
}

}  // namespace duet::live::cube
