#include "sim/progress.h"

#include <algorithm>
#include <cmath>
#include <variant>

#include <unistd.h>

#include "sim/terminal.h"

namespace duet::sim {
namespace {

/// Reading the clock costs as much as a small instant; every 64th is often enough.
constexpr std::uint32_t kInstantsPerLook = 64;

struct CountJobs {
  std::uint64_t operator()(const std::vector<Arrival>& jobs) const { return jobs.size(); }
  std::uint64_t operator()(const JobTable& table) const { return table.jobs.size(); }
  std::uint64_t operator()(const PoissonWorkload& poisson) const { return poisson.jobs; }
  std::uint64_t operator()(const LublinWorkload& lublin) const { return lublin.jobs; }
};

struct LastSubmission {
  Instant operator()(const std::vector<Arrival>& jobs) const {
    return jobs.empty() ? Instant{} : jobs.back().at;
  }
  Instant operator()(const JobTable& table) const {
    return table.jobs.empty() ? Instant{} : instant_ns(table.jobs.back().submit_ns);
  }
  Instant operator()(const PoissonWorkload&) const { return {}; }
  Instant operator()(const LublinWorkload&) const { return {}; }
};

bool has_services(const Workload& workload) {
  const auto* jobs = std::get_if<std::vector<Arrival>>(&workload);
  return jobs != nullptr && std::any_of(jobs->begin(), jobs->end(), [](const Arrival& arrival) {
           return arrival.spec->kind == JobKind::kService;
         });
}

std::string whole(double value) { return std::to_string(static_cast<std::int64_t>(std::llround(value))); }

std::string bar(double share) {
  constexpr std::size_t kWidth = 20;
  const auto full = static_cast<std::size_t>(share * static_cast<double>(kWidth));
  return "[" + std::string(full, '=') + std::string(kWidth - full, ' ') + "]";
}

}  // namespace

std::uint64_t count_jobs(const Scenario& scenario) { return std::visit(CountJobs{}, scenario.workload); }

double known_end_s(const Scenario& scenario) {
  const Instant last = std::visit(LastSubmission{}, scenario.workload);
  if (!scenario.horizon) return seconds_of(last);
  return seconds_of(has_services(scenario.workload) ? *scenario.horizon : std::min(last, *scenario.horizon));
}

std::string progress_line(const ProgressState& state, unsigned columns) {
  const double share =
      state.total == 0 ? 0
                       : std::min(1.0, static_cast<double>(state.done) / static_cast<double>(state.total));
  std::string line = bar(share) + ' ' + whole(100 * share) + " %";
  const double rate = state.elapsed_s > 0 ? static_cast<double>(state.done) / state.elapsed_s : 0;
  // Whichever takes longer, as fast as it went so far: the jobs that are left, or the time until the last one
  // comes, in which there may be nothing but heartbeats.
  double left_s = rate > 0 ? static_cast<double>(state.total - std::min(state.total, state.done)) / rate : 0;
  if (state.simulated_s > 0 && state.simulated_s < state.until_s)
    left_s = std::max(left_s, state.elapsed_s * (state.until_s - state.simulated_s) / state.simulated_s);
  if (left_s > 0 || rate > 0) line += "  " + whole(std::ceil(left_s)) + " s left";
  line += "  " + std::to_string(state.done) + " of " + std::to_string(state.total) + " jobs";
  if (rate > 0) line += "  " + whole(rate) + " jobs/s";
  const bool more = state.simulated_s < state.until_s;
  line += "  " + whole(state.simulated_s) + (more ? " of " + whole(state.until_s) : "") + " s simulated";
  if (line.size() > columns) line.resize(columns);
  return line;
}

std::string batch_line(double elapsed_s, std::size_t before, std::size_t done, std::size_t total) {
  const double share = total == 0 ? 0 : static_cast<double>(done) / static_cast<double>(total);
  std::string line = bar(share) + ' ' + whole(100 * share) + " %";
  if (done > before && elapsed_s > 0) {
    const double each_s = elapsed_s / static_cast<double>(done - before);
    line += "  " + whole(std::ceil(each_s * static_cast<double>(total - done))) + " s left";
  }
  line += "  " + std::to_string(done) + " of " + std::to_string(total) + " runs";
  if (before > 0) line += " (" + std::to_string(before) + " from before)";
  return line;
}

BatchProgress::BatchProgress(std::size_t done, std::size_t total)
    : terminal_(fancy_terminal(STDERR_FILENO)),
      next_(start_ + std::chrono::seconds(terminal_ ? 1 : 10)),
      before_(done),
      done_(done),
      total_(total) {}

BatchProgress::~BatchProgress() {
  if (shown_) say("\r\x1b[K");
}

void BatchProgress::show() {
  const Clock::time_point clock = Clock::now();
  if (clock < next_) return;
  next_ = clock + (terminal_ ? std::chrono::milliseconds(200) : std::chrono::seconds(10));
  std::string line =
      batch_line(std::chrono::duration<double>(clock - start_).count(), before_, done_, total_);
  if (!terminal_) return say(line + '\n');
  const std::size_t columns = terminal_columns(STDERR_FILENO) - 1;
  if (line.size() > columns) line.resize(columns);
  say("\r" + line + "\x1b[K");
  shown_ = true;
}

Progress::Progress(const Scenario& scenario)
    : until_s_(known_end_s(scenario)), total_(count_jobs(scenario)) {}

Progress::~Progress() {
  if (shown_) say("\r\x1b[K");
}

void Progress::on_step(Instant, const Controller&, const controller::Event& event,
                       const controller::Commands&, std::size_t) {
  submitted_ += std::holds_alternative<controller::Submit>(event);
}

void Progress::on_instant(Instant now, const Controller& controller) {
  if (++instants_ % kInstantsPerLook != 0) return;
  const Clock::time_point clock = Clock::now();
  if (clock < next_) return;
  next_ = clock + std::chrono::milliseconds(100);
  ProgressState state;
  state.elapsed_s = std::chrono::duration<double>(clock - start_).count();
  state.simulated_s = seconds_of(now);
  state.until_s = until_s_;
  state.done = submitted_ - std::min<std::uint64_t>(submitted_, controller.jobs().live());
  state.total = total_;
  // One column stays free: a full line would wrap.
  say("\r" + progress_line(state, terminal_columns(STDERR_FILENO) - 1) + "\x1b[K");
  shown_ = true;
}

}  // namespace duet::sim
