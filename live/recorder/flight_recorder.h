// The flight recorder: the trace of a live machine, on the disk while it runs.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "core/codec/frame_encoder.h"
#include "core/codec/trace_file.h"
#include "core/result.h"
#include "core/trace.h"
#include "live/recorder/segment_keeper.h"
#include "live/recorder/segment_writer.h"

namespace duet::live {

struct FlightOptions {
  std::string folder;  ///< Is made if it is not there. One recorder at a time has it.
  Duration write_every = std::chrono::milliseconds(100);  ///< What is older survives this process.
  Duration sync_every = std::chrono::seconds(1);          ///< What is older survives the machine.
  std::uint64_t segment_bytes = std::uint64_t{16} << 20;  ///< Then the next file is begun.
  std::uint64_t total_bytes = std::uint64_t{256} << 20;   ///< Of all files; beyond it the oldest go.
  std::uint64_t buffer_bytes = std::uint64_t{8} << 20;    ///< What may wait for a slow disk.
  bool compress = true;                                   ///< Files that are closed.
  std::string run{};  ///< Tells this life from others; empty: 16 hexadecimal digits are drawn.
};

/// Writes a trace in segments (docs/trace-format.md), in a thread of its own: record() only encodes, and
/// never waits for a disk. If the disk fails, or falls behind by more than the buffer, recording stops for
/// good, with an error in the log and the reason in NNNNNN.stopped beside the last segment; the machine goes
/// on. All calls come from one thread.
class FlightRecorder final : public StepSink<Controller>, public StepSink<Agent> {
 public:
  /// Begins a run behind those that the folder already holds. Problems name the file or the folder.
  static Result<std::unique_ptr<FlightRecorder>> open(codec::TraceHeader header, FlightOptions options);
  /// Without finish(): what was recorded is written, the trace lacks its end.
  ~FlightRecorder() override;
  FlightRecorder(const FlightRecorder&) = delete;
  FlightRecorder& operator=(const FlightRecorder&) = delete;

  void record(MachineIndex machine, Instant now, const controller::Event& event,
              const controller::Commands& commands, std::size_t first) override;
  void record(MachineIndex machine, Instant now, const agent::Event& event, const agent::Commands& commands,
              std::size_t first) override;

  /// Waits until all that was recorded is on the disk. Problems: why recording has stopped.
  Problems sync();
  /// Ends the trace: writes all, and gives the last file its final name. To be called once, last. Returns
  /// what the run as a whole comes to, or why recording has stopped.
  Result<codec::TraceSummary> finish();

  struct State {
    std::uint64_t steps = 0;         ///< Recorded.
    std::uint64_t waiting = 0;       ///< Bytes in the buffer.
    std::uint64_t bytes = 0;         ///< Of all files of the folder, when one was last closed.
    std::optional<Problem> stopped;  ///< Why.
  };
  State state() const;
  /// The files since the last Restore take up half the room: soon the first of them will go, and then the run
  /// cannot be replayed until there is another Restore. A controller that hands over to another life of
  /// itself makes one.
  bool wants_handover() const { return keeper_->crowded(); }

 private:
  using Clock = std::chrono::steady_clock;

  FlightRecorder(codec::TraceHeader header, FlightOptions options, int lock, SegmentWriter segment);
  template <class Event, class Commands>
  void add(MachineIndex machine, Instant now, const Event& event, const Commands& commands,
           std::size_t first);
  void run();
  void wait_for_work(std::unique_lock<std::mutex>& hold);
  std::optional<Problem> write_out(bool sync);
  std::optional<Problem> rotate();
  void stop(const Problem& problem);
  void close();

  codec::TraceHeader header_;
  FlightOptions options_;
  int lock_;

  mutable std::mutex mutex_;  ///< Guards what follows, up to the writer's part.
  std::condition_variable work_;
  std::condition_variable done_;
  codec::FrameEncoder frames_;
  codec::ByteBuffer buffer_;
  std::uint64_t file_ = 0;       ///< The one that is written.
  std::uint64_t wanted_ = 0;     ///< Requests for a sync, ...
  std::uint64_t fulfilled_ = 0;  ///< ... and how many are fulfilled.
  bool sleeping_ = false;        ///< The writer waits for a step.
  bool closing_ = false;
  bool finishing_ = false;
  std::optional<Problem> failure_;
  bool told_ = false;  ///< The failure is in the log and beside the file.

  // The writer's part.
  SegmentWriter segment_;
  codec::ByteBuffer taken_;
  std::uint64_t chain_ = 0;  ///< As frames_ stood behind what was taken.
  std::uint64_t steps_ = 0;
  Instant last_{};
  Clock::time_point synced_ = Clock::now();
  bool dirty_ = false;
  codec::Sha256 sha_;  ///< Of the whole run.
  std::uint64_t bytes_ = 0;

  std::unique_ptr<SegmentKeeper> keeper_;
  std::thread writer_;  ///< Last: it uses all of the above.
};

}  // namespace duet::live
