#include "live/recorder/flight_recorder.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <type_traits>
#include <utility>
#include <variant>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

#include "core/check.h"
#include "core/codec/json_text.h"
#include "core/codec/segments.h"
#include "live/log.h"

namespace duet::live {
namespace {

/// A buffer that is so full is written at once.
constexpr std::size_t kEager = 256 * 1024;

/// The folder, locked as long as the descriptor is open.
Result<int> lock_folder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return Problem{folder, "cannot be made: " + error.message(), {}};
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return Problem{folder, "cannot be opened: " + std::generic_category().message(errno), {}};
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
  ::close(fd);
  return Problem{folder, "is in use by another flight recorder", "a folder of its own for each"};
}

std::string drawn_run() {
  std::uint64_t bits = 0;
  DUET_CHECK(::getrandom(&bits, sizeof bits, 0) == static_cast<ssize_t>(sizeof bits));
  std::string text;
  codec::append_hex(text, bits);
  return text;
}

}  // namespace

Result<std::unique_ptr<FlightRecorder>> FlightRecorder::open(codec::TraceHeader header,
                                                             FlightOptions options) {
  const auto lock = lock_folder(options.folder);
  if (!lock) return lock.problems();
  const auto files = codec::segment_files(options.folder);
  const std::uint64_t file = files.empty() ? 1 : files.back().file + 1;
  header.segment = codec::TraceSegment{.run = options.run.empty() ? drawn_run() : options.run};
  auto segment = SegmentWriter::create(options.folder, file, header);
  if (!segment) {
    ::close(*lock);
    return segment.problems();
  }
  return std::unique_ptr<FlightRecorder>(
      new FlightRecorder(std::move(header), std::move(options), *lock, std::move(*segment)));
}

FlightRecorder::FlightRecorder(codec::TraceHeader header, FlightOptions options, int lock,
                               SegmentWriter segment)
    : header_(std::move(header)),
      options_(std::move(options)),
      lock_(lock),
      file_(segment.file()),
      segment_(std::move(segment)),
      keeper_(std::make_unique<SegmentKeeper>(options_.folder, options_.total_bytes, options_.compress)) {
  keeper_->readable_from(file_);
  keeper_->look();
  writer_ = std::thread([this] { run(); });
}

FlightRecorder::~FlightRecorder() {
  close();
  ::close(lock_);
}

void FlightRecorder::close() {
  if (!writer_.joinable()) return;
  {
    const std::lock_guard hold(mutex_);
    closing_ = true;
  }
  work_.notify_one();
  writer_.join();
}

// ---- On the machine's thread

template <class Event, class Commands>
void FlightRecorder::add(MachineIndex machine, Instant now, const Event& event, const Commands& commands,
                         std::size_t first) {
  bool wake = false;
  bool late = false;
  {
    const std::lock_guard hold(mutex_);
    if (failure_) return;
    if constexpr (std::is_same_v<Event, controller::Event>)
      if (std::holds_alternative<controller::Restore>(event)) keeper_->readable_from(file_);
    // One step alone may be longer than the buffer: a Restore of everything.
    const bool waits = !buffer_.empty();
    frames_.add(buffer_, machine, now, event, commands, first);
    late = waits && buffer_.size() > options_.buffer_bytes;
    wake = sleeping_ || buffer_.size() >= kEager;
  }
  if (late)
    return stop({options_.folder,
                 "the disk does not keep up: more than " + std::to_string(options_.buffer_bytes) +
                     " bytes of trace wait for it",
                 "a faster disk, or a bigger buffer"});
  if (wake) work_.notify_one();
}

void FlightRecorder::record(MachineIndex machine, Instant now, const controller::Event& event,
                            const controller::Commands& commands, std::size_t first) {
  add(machine, now, event, commands, first);
}
void FlightRecorder::record(MachineIndex machine, Instant now, const agent::Event& event,
                            const agent::Commands& commands, std::size_t first) {
  add(machine, now, event, commands, first);
}

Problems FlightRecorder::sync() {
  std::unique_lock hold(mutex_);
  const std::uint64_t mine = ++wanted_;
  work_.notify_one();
  done_.wait(hold, [&] { return fulfilled_ >= mine || told_; });
  return failure_ ? Problems{*failure_} : Problems{};
}

Result<codec::TraceSummary> FlightRecorder::finish() {
  {
    const std::lock_guard hold(mutex_);
    finishing_ = true;
  }
  close();
  if (failure_) return *failure_;
  keeper_->look();
  return codec::TraceSummary{codec::hex(sha_.finish()), steps_, bytes_};
}

FlightRecorder::State FlightRecorder::state() const {
  const std::lock_guard hold(mutex_);
  return {frames_.steps(), buffer_.size(), keeper_->bytes(), failure_};
}

/// The first reason counts. Whoever reads the trace finds it beside the file that lacks its end.
void FlightRecorder::stop(const Problem& problem) {
  std::string marker = options_.folder + "/";
  {
    const std::lock_guard hold(mutex_);
    if (failure_) return;
    failure_ = problem;
    buffer_ = {};
    marker += codec::stopped_name(file_);
  }
  log::error("flight recorder stopped",
             {{"where", problem.where}, {"what", problem.what}, {"right", problem.right}});
  const auto written = codec::write_file(marker, problem.where + ": " + problem.what + "\n");
  if (!written) log::write(log::Level::kError, "flight recorder's last word is lost", written.problems());
  {
    const std::lock_guard hold(mutex_);
    told_ = true;
  }
  done_.notify_all();
}

// ---- The writer

/// Until there is something to write that is old enough, or to sync, or somebody asks.
void FlightRecorder::wait_for_work(std::unique_lock<std::mutex>& hold) {
  const auto asked = [this] { return closing_ || wanted_ > fulfilled_ || buffer_.size() >= kEager; };
  sleeping_ = true;
  if (!dirty_) work_.wait(hold, [&] { return asked() || !buffer_.empty(); });
  sleeping_ = false;
  if (asked()) return;
  auto due = Clock::now() + options_.write_every;
  if (dirty_ && buffer_.empty()) due = std::max(due, synced_ + options_.sync_every);
  work_.wait_until(hold, due, asked);
}

void FlightRecorder::run() {
  for (bool closing = false; !closing;) {
    std::uint64_t wanted = 0;
    bool finishing = false;
    bool failed = false;
    {
      std::unique_lock hold(mutex_);
      wait_for_work(hold);
      std::swap(buffer_, taken_);
      chain_ = frames_.chain();
      steps_ = frames_.steps();
      last_ = frames_.last();
      wanted = wanted_;
      closing = closing_;
      finishing = finishing_;
      failed = failure_.has_value();
    }
    const bool sync = wanted > fulfilled_ || closing;  // Only this thread changes fulfilled_.
    std::optional<Problem> problem;
    if (!failed) problem = write_out(sync);
    if (!failed && !problem && finishing) problem = segment_.finish(steps_ - header_.segment->steps, chain_);
    if (problem) stop(*problem);
    if (failed || problem) {
      taken_.clear();
      dirty_ = false;
    }
    {
      const std::lock_guard hold(mutex_);
      fulfilled_ = wanted;
      file_ = segment_.file();
    }
    done_.notify_all();
  }
}

std::optional<Problem> FlightRecorder::write_out(bool sync) {
  if (!taken_.empty()) {
    sha_.update(taken_.span());
    bytes_ += taken_.size();
    dirty_ = true;
    if (auto problem = segment_.write(taken_.span())) return problem;
    taken_.clear();
  }
  if (dirty_ && (sync || Clock::now() - synced_ >= options_.sync_every)) {
    if (auto problem = segment_.sync()) return problem;
    synced_ = Clock::now();
    dirty_ = false;
  }
  return segment_.bytes() >= options_.segment_bytes ? rotate() : std::nullopt;
}

std::optional<Problem> FlightRecorder::rotate() {
  codec::TraceSegment& at = *header_.segment;
  const std::uint64_t steps = steps_ - at.steps;
  at = {at.run, at.number + 1, steps_, chain_, last_};
  // First the next one: a run that is killed between the two is seen to lack its end.
  auto next = SegmentWriter::create(options_.folder, segment_.file() + 1, header_);
  if (!next) return next.problems().front();
  if (auto problem = segment_.finish(steps, chain_)) return problem;
  segment_ = std::move(*next);
  keeper_->look();
  return std::nullopt;
}

}  // namespace duet::live
