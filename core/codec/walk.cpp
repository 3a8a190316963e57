#include "core/codec/walk.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "core/codec/segments.h"

namespace duet::codec {

Result<Walk> Walk::over(TraceReader reader, std::atomic<std::uint64_t>* progress) {
  if (Problems problems = check_policies(reader.header().controller); !problems.empty()) return problems;
  return Walk(std::move(reader), progress);
}

Result<Walk> Walk::open(const std::string& trace, std::atomic<std::uint64_t>* progress) {
  auto reader = open_trace(trace);
  if (!reader) return reader.problems();
  return over(std::move(*reader), progress);
}

Result<bool> Walk::next() {
  for (;;) {
    const auto more = reader_.next(frame_);
    if (!more || !*more) return more;
    last_number_ = frame_.number;
    last_instant_ = std::max(last_instant_, frame_.now);
    if (!frame_.of_controller()) continue;
    if (frame_.now < before_) return reader_.broken(frame_, "it lies before an earlier step of its machine");
    before_ = frame_.now;
    if (!decode(frame_, step_)) return reader_.broken(frame_, "its event cannot be decoded");
    // What began in a segment that is gone can be taken up where a controller took over.
    begun_ |= reader_.steps_before() == 0 || std::holds_alternative<controller::Restore>(step_.event);
    if (!begun_) continue;
    if (!decode_commands(step_, commands_)) return reader_.broken(frame_, "its commands cannot be decoded");
    return true;
  }
}

void Walk::watch(PassWatcher* watcher) {
  watcher_ = watcher;
  if (controller_ != nullptr) controller_->watch(watcher);
}

std::optional<Problem> Walk::take() {
  if (progress_ != nullptr) progress_->store(frame_.number, std::memory_order_relaxed);
  if (controller_ == nullptr || std::holds_alternative<controller::Restore>(step_.event)) {
    controller_ = std::make_unique<Controller>(reader_.header().controller);
    controller_->watch(watcher_);
  }
  taken_at_ = frame_.now;
  recomputed_.clear();
  controller_->step(frame_.now, step_.event, recomputed_);
  bytes_.clear();
  encode_commands<Controller>(bytes_, step_.context.for_encoding(), recomputed_);
  if (std::ranges::equal(bytes_.span(), step_.commands)) return std::nullopt;
  Problem problem = reader_.broken(frame_, "this version of Duet would have decided otherwise here");
  problem.right = "`duet replay` shows the difference; the version that wrote the trace can explain it";
  return problem;
}

std::optional<Problem> Walk::take_up_to(Instant at, std::uint64_t number) {
  for (;;) {
    const auto more = next();
    if (!more) return more.problems().front();
    if (!*more) return std::nullopt;
    if (frame_.now > at || frame_.number > number) return read_on();
    if (auto problem = take()) return problem;
  }
}

std::optional<Problem> Walk::read_on() {
  for (;;) {
    const auto more = reader_.next(frame_);
    if (!more) return more.problems().front();
    if (!*more) return std::nullopt;
    last_number_ = frame_.number;
    last_instant_ = std::max(last_instant_, frame_.now);
  }
}

}  // namespace duet::codec
