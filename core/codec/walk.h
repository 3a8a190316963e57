// Walks through a recorded run: the controller is replayed step by step, and can be looked at in between.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "core/codec/trace_file.h"
#include "core/controller.h"
#include "core/result.h"

namespace duet::codec {

/// The controller's steps, in two halves: next() reads one, take() lets the controller do it. As replay(), a
/// walk through a forged trace may stop the process.
class Walk {
 public:
  /// `progress`, if not null, gets the number of each step before it is taken.
  static Result<Walk> open(const std::string& trace, std::atomic<std::uint64_t>* progress = nullptr);
  static Result<Walk> over(TraceReader reader, std::atomic<std::uint64_t>* progress = nullptr);

  /// Reads the controller's next step; agents' are passed over, and so is what lies before the first Restore
  /// if the run's first segments are gone. False at the end of the trace.
  Result<bool> next();
  /// Takes the step that was read last. A Problem if the controller does not do what is recorded: the trace
  /// is of a version of Duet that decides otherwise, and this one cannot explain it.
  std::optional<Problem> take();
  /// Takes all steps up to this instant and this number, those included, and reads the rest of the trace,
  /// which checks it. Afterwards the controller, if there is one, is as it was then.
  std::optional<Problem> take_up_to(Instant at, std::uint64_t number);
  /// Who looks over the shoulder of the controller's passes from now on; null: nobody.
  void watch(PassWatcher* watcher);
  /// Reads what is left of the trace without taking it, which checks it. Nothing if it is whole.
  std::optional<Problem> read_on();

  /// As it stands before the step read last, or after it, once that is taken; null before the first.
  Controller* controller() const { return controller_.get(); }
  /// Of the step read last.
  std::uint64_t number() const { return frame_.number; }
  Instant now() const { return frame_.now; }
  const controller::Event& event() const { return step_.event; }
  const controller::Commands& commands() const { return commands_; }
  /// Of the step taken last.
  Instant taken_at() const { return taken_at_; }
  /// The highest number and the latest instant of all steps read, those of agents included.
  std::uint64_t last_number() const { return last_number_; }
  Instant last_instant() const { return last_instant_; }

  const TraceReader& reader() const { return reader_; }

 private:
  Walk(TraceReader reader, std::atomic<std::uint64_t>* progress)
      : reader_(std::move(reader)), progress_(progress) {}

  TraceReader reader_;
  std::atomic<std::uint64_t>* progress_;
  Frame frame_;
  Step<Controller> step_;
  controller::Commands commands_;
  controller::Commands recomputed_;
  ByteBuffer bytes_;
  std::unique_ptr<Controller> controller_;
  PassWatcher* watcher_ = nullptr;
  bool begun_ = false;               ///< A step was read from which a controller can go on.
  Instant before_ = Instant::min();  ///< Of the controller's step before.
  Instant taken_at_{};
  std::uint64_t last_number_ = 0;
  Instant last_instant_{};
};

}  // namespace duet::codec
