// What becomes of a flight recorder's closed files: they are compressed, and the oldest go when there are too
// many.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

namespace duet::live {

/// Works in a thread of its own, at the lowest priority. What it cannot do it leaves undone, with a word in
/// the log: no trace is lost by that.
class SegmentKeeper {
 public:
  /// `total_bytes`: of all segments of the folder; the last file and the one before it always stay.
  SegmentKeeper(std::string folder, std::uint64_t total_bytes, bool compress);
  /// Finishes what it was told of.
  ~SegmentKeeper();
  SegmentKeeper(const SegmentKeeper&) = delete;
  SegmentKeeper& operator=(const SegmentKeeper&) = delete;

  /// A file was closed, or the folder was taken over from an earlier recorder.
  void look();
  /// The run can be read from this file on without those before it.
  void readable_from(std::uint64_t file) {
    readable_from_ = file;
    crowded_ = false;  // Until it has looked again.
    look();
  }
  /// Of all files, when it last looked.
  std::uint64_t bytes() const { return bytes_; }
  /// The files that the run needs to be read take more than half of what is allowed.
  bool crowded() const { return crowded_; }

 private:
  void run();
  void compress_all();
  void remove_oldest();

  const std::string folder_;
  const std::uint64_t total_bytes_;
  const bool compress_;
  std::atomic<std::uint64_t> readable_from_ = 0;
  std::atomic<std::uint64_t> bytes_ = 0;
  std::atomic<bool> crowded_ = false;
  std::mutex mutex_;  ///< Guards the next two.
  bool wanted_ = false;
  bool closing_ = false;
  std::condition_variable changed_;
  std::thread thread_;  ///< Last: it uses all of the above.
};

}  // namespace duet::live
