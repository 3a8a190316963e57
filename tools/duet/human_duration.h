// How long something took, as Docker tells it: "Less than a second", "About a minute", "3 weeks".
#pragma once

#include <cstdint>
#include <string>

namespace duet::front {

/// `seconds` at least 0; whole, as the parts of a second are not told.
inline std::string human_duration(std::int64_t seconds) {
  const auto many = [](std::int64_t count, const char* unit) { return std::to_string(count) + ' ' + unit; };
  const std::int64_t minutes = seconds / 60;
  const std::int64_t hours = (seconds + 1800) / 3600;
  if (seconds < 1) return "Less than a second";
  if (seconds == 1) return "1 second";
  if (seconds < 60) return many(seconds, "seconds");
  if (minutes == 1) return "About a minute";
  if (minutes < 60) return many(minutes, "minutes");
  if (hours == 1) return "About an hour";
  if (hours < 48) return many(hours, "hours");
  if (hours < 24 * 7 * 2) return many(hours / 24, "days");
  if (hours < 24 * 30 * 2) return many(hours / 24 / 7, "weeks");
  if (hours < 24 * 365 * 2) return many(hours / 24 / 30, "months");
  return many(hours / 24 / 365, "years");
}

}  // namespace duet::front
