// Files and folders for the tests of the importers.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include "sim/import_common.h"

namespace duet::sim::import_test {

#ifdef DUET_SOURCE_DIR
inline const std::filesystem::path kSource = DUET_SOURCE_DIR;
#else
inline const std::filesystem::path kSource = std::filesystem::absolute(__FILE__).parent_path() / "../..";
#endif

/// A log of our own, committed with the tests.
inline std::string own_log(std::string_view name) { return kSource / "tests/data/logs" / name; }

/// A file that exists as long as the test.
class TempFile {
 public:
  TempFile(std::string_view name, std::string_view text) {
    std::filesystem::create_directories(folder_);
    path_ = folder_ / name;
    write(text);
  }
  TempFile(const TempFile&) = delete;
  TempFile& operator=(const TempFile&) = delete;
  ~TempFile() { std::filesystem::remove_all(folder_); }
  void write(std::string_view text) const { std::ofstream(path_, std::ios::binary) << text; }
  std::string path() const { return path_; }

 private:
  static inline int count_ = 0;
  std::filesystem::path folder_ = std::filesystem::temp_directory_path() /
                                  ("duet-test-" + std::to_string(getpid()) + "-" + std::to_string(++count_));
  std::filesystem::path path_;
};

/// `text` as gzip writes it.
inline std::string gzip(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

inline std::string file_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

inline ImportOptions pool(std::uint32_t size) {
  ImportOptions options;
  options.size = size;
  return options;
}
inline ImportOptions hosts(std::uint32_t size) {
  ImportOptions options = pool(size);
  options.shape = ImportOptions::Shape::kHosts;
  return options;
}

inline const std::vector<TableJob>& jobs(const Imported& imported) {
  return std::get<JobTable>(imported.scenario.workload).jobs;
}

/// Every problem as "where: what", one a line.
template <class T>
std::string complaints(const Result<T>& result) {
  if (result) return "(no problem)";
  std::string all;
  for (const Problem& problem : result.problems()) all += problem.where + ": " + problem.what + "\n";
  return all;
}

}  // namespace duet::sim::import_test
