#include "core/codec/segments.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <map>
#include <system_error>

namespace duet::codec {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTraceSuffix = ".duet";
constexpr std::size_t kDigits = 6;

/// The number in a segment's name.
std::optional<SegmentFile> segment_of(const fs::path& path) {
  const std::string name = path.filename().string();
  std::string_view left = name;
  SegmentFile segment{0, path.string(), left.ends_with(kPartSuffix)};
  if (segment.part) left.remove_suffix(kPartSuffix.size());
  if (!left.ends_with(kTraceSuffix)) return std::nullopt;
  left.remove_suffix(kTraceSuffix.size());
  const auto [end, error] = std::from_chars(left.data(), left.data() + left.size(), segment.file);
  if (error != std::errc{} || end != left.data() + left.size() ||
      segment_name(segment.file) != std::string(left) + std::string(kTraceSuffix))
    return std::nullopt;
  return segment;
}

/// What the writer of this segment left as a last word; empty if nothing.
std::string reason_beside(const std::string& path) {
  const auto segment = segment_of(path);
  if (!segment) return {};
  std::string line;
  std::getline(std::ifstream(fs::path(path).parent_path() / stopped_name(segment->file)), line);
  return line;
}

/// It was made, and its writer was killed before it wrote the first line and the header.
bool lacks_start(const SegmentFile& file) {
  constexpr std::uintmax_t kLessThanAnyStart = 128;
  std::error_code error;
  return file.part && fs::file_size(file.path, error) < kLessThanAnyStart && !error;
}

/// The runs that these files hold.
Result<std::vector<RecordedRun>> runs_of(const std::vector<SegmentFile>& files) {
  std::vector<RecordedRun> runs;
  for (const SegmentFile& file : files) {
    const auto reader = TraceReader::open(file.path);
    if (!reader) {
      if (lacks_start(file) || (file.part && &file == &files.back())) continue;
      return reader.problems();
    }
    const auto& segment = reader->header().segment;
    const std::string run = segment ? segment->run : file.path;
    if (runs.empty() || runs.back().run != run) runs.push_back({run, {}, false});
    if (runs.back().part) continue;  // Made before that one was whole, so nothing is in it.
    runs.back().paths.push_back(file.path);
    runs.back().part = file.part;
  }
  return runs;
}

}  // namespace

std::string segment_name(std::uint64_t file) {
  const std::string digits = std::to_string(file);
  return std::string(kDigits - std::min(kDigits, digits.size()), '0') + digits + std::string(kTraceSuffix);
}

std::string stopped_name(std::uint64_t file) {
  std::string name = segment_name(file);
  name.resize(name.size() - kTraceSuffix.size());
  return name + ".stopped";
}

std::vector<SegmentFile> segment_files(const std::string& folder) {
  std::map<std::uint64_t, SegmentFile> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const auto segment = segment_of(entry.path());
    if (!segment) continue;
    SegmentFile& kept = found.try_emplace(segment->file, *segment).first->second;
    if (!segment->part) kept = *segment;
  }
  std::vector<SegmentFile> files;
  for (auto& [number, file] : found) files.push_back(std::move(file));
  return files;
}

Result<std::vector<RecordedRun>> runs_in(const std::string& folder) {
  auto runs = runs_of(segment_files(folder));
  if (runs && runs->empty()) return Problem{folder, "holds no trace", "a folder with 000001.duet, and so on"};
  return runs;
}

Result<TraceReader> open_run(const RecordedRun& run, ReadOptions options) {
  options.unfinished |= run.part;
  if (run.part) options.why_unfinished = reason_beside(run.paths.back());
  return TraceReader::open_segments(run.paths, std::move(options));
}

Result<TraceReader> open_trace(const std::string& path, ReadOptions options) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) {
    const auto runs = runs_in(path);
    if (!runs) return runs.problems();
    return open_run(runs->back(), std::move(options));
  }
  const auto segment = segment_of(path);
  if (!segment) return TraceReader::open(path, options);
  const fs::path folder = fs::path(path).parent_path();
  std::vector<SegmentFile> files = segment_files(folder.empty() ? "." : folder.string());
  std::erase_if(files, [&](const SegmentFile& file) { return file.file <= segment->file; });
  files.insert(files.begin(), *segment);
  // The file itself is to be read, whatever lies behind it.
  const auto runs = runs_of(files);
  if (!runs || runs->empty()) return TraceReader::open(path, options);
  return open_run(runs->front(), std::move(options));
}

}  // namespace duet::codec
