#include "tools/duet-live/side_by_side.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "core/lifecycle.h"
#include "sim/table.h"

namespace duet::live_run {
namespace {

std::string fixed(double value) {
  char text[48];
  std::snprintf(text, sizeof text, "%.3f", value);
  return text;
}

sim::Cell at(Instant instant) {
  if (instant == kNever) return {};
  return sim::Cell::plain(fixed(static_cast<double>(to_ns(instant)) / 1e9));
}

std::string node_of(const sim::Scenario& scenario, const sim::TaskRow& task) {
  return task.attempts > 0 && task.node < scenario.nodes.size() ? scenario.nodes[task.node].name : "";
}

}  // namespace

std::string side_by_side(const sim::Scenario& scenario, const sim::Results& predicted,
                         const sim::Results& measured) {
  sim::Table table{{"task", "job", "state", "node", "live", "start_s", "live", "end_s", "live", "error_s"},
                   {}};
  double sum = 0;
  double largest = 0;
  std::size_t compared = 0;
  std::size_t same_node = 0;
  std::size_t same_state = 0;
  std::size_t tasks = 0;
  for (std::size_t j = 0; j < std::min(predicted.jobs.size(), measured.jobs.size()); ++j) {
    const sim::JobRow& simulated = predicted.jobs[j];
    const sim::JobRow& real = measured.jobs[j];
    for (std::uint32_t i = 0; i < std::min(simulated.tasks, real.tasks); ++i) {
      const sim::TaskRow& left = predicted.tasks[simulated.first_task + i];
      const sim::TaskRow& right = measured.tasks[real.first_task + i];
      ++tasks;
      const std::string here = node_of(scenario, left);
      const std::string there = node_of(scenario, right);
      same_node += here == there ? 1 : 0;
      same_state += left.state == right.state && left.attempts == right.attempts ? 1 : 0;
      std::string state(name(left.state));
      if (left.state != right.state) state += " / " + std::string(name(right.state));
      sim::Cell error;
      if (left.ended != kNever && right.ended != kNever) {
        const double apart = static_cast<double>(to_ns(right.ended - left.ended)) / 1e9;
        error = sim::Cell::plain(fixed(apart));
        sum += std::abs(apart);
        largest = std::max(largest, std::abs(apart));
        ++compared;
      }
      table.rows.push_back({std::to_string(simulated.id.value) + '.' + std::to_string(i), simulated.key,
                            state, here, there, at(left.started), at(right.started), at(left.ended),
                            at(right.ended), error});
    }
  }
  std::string text = "Simulated, and beside it live:\n" + to_text(table, sim::Format::kTable);
  text += std::to_string(same_node) + " of " + std::to_string(tasks) + " tasks on the predicted node, " +
          std::to_string(same_state) + " with the predicted end and number of attempts";
  if (compared > 0)
    text += "; ends are off by " + fixed(sum / static_cast<double>(compared)) + " s on average, " +
            fixed(largest) + " s at most";
  return text + "\n\n";
}

}  // namespace duet::live_run
