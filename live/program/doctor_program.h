// duet-doctor: what this machine offers a live cluster, found out as the programs of one find it out.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace duet::live {

struct Finding {
  enum class Grade : std::uint8_t { kOk, kWarn, kMissing };
  std::string what;
  Grade grade = Grade::kOk;
  std::string is;     ///< What was found, in words.
  std::string to_do;  ///< How it would be better; empty where it is well.
};
/// "ok", "warn", "missing"
const char* name(Finding::Grade grade);

struct DoctorOptions {
  std::string data;  ///< Where a cluster would keep its files; is made if it is not there.
  std::string listen_host = "127.0.0.1";
  std::uint16_t listen_port = 8080;
  std::string agents_host = "127.0.0.1";
  std::uint16_t agents_port = 7070;
  std::string programs;  ///< Where those of a cluster lie.
};
/// Writes a few KiB into the data folder, and leaves nothing there but the folder.
std::vector<Finding> examine(const DoctorOptions& options);

/// Prints them. Returns 0; 1 if a live cluster cannot run here; 2 if its arguments are mistaken.
int doctor_main(int argc, const char* const* argv);

}  // namespace duet::live
