// The notes by which live programs tell those who started them how they are.
#pragma once

#include <fstream>
#include <string>

#include <nlohmann/json.hpp>

#include "live/log.h"

namespace duet::live {

/// The note that a program wrote, or nothing yet.
inline nlohmann::json note_in(const std::string& path) {
  std::ifstream file(path);
  if (!file) return {};
  return nlohmann::json::parse(file, nullptr, false);
}

/// Logs by the environment's wishes. False, and said so: those are mistaken.
inline bool set_up_log(const char* program) {
  auto options = log::options_from_environment();
  if (!options) {
    log::write(log::Level::kError, "cannot start", options.problems());
    return false;
  }
  options->program = program;
  log::set_up(*options);
  return true;
}

}  // namespace duet::live
