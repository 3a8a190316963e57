// duet trace dot: pictures of a run for Graphviz.
#include "core/codec/cat.h"
#include "core/codec/cluster_view.h"
#include "core/codec/dot.h"
#include "core/codec/render.h"
#include "core/codec/segments.h"
#include "sim/terminal.h"
#include "tools/duet/guarded.h"
#include "tools/duet/instant_option.h"
#include "tools/duet/options.h"
#include "tools/duet/output_file.h"
#include "tools/duet/run_folder.h"

namespace duet::front {
namespace {

using Progress = std::atomic<std::uint64_t>;

int write_text(const std::string& path, const std::string& text) {
  return write_to(path, [&](codec::TextSink& to) {
    to.write(text);
    return Failure{};
  });
}

/// Up to where the run is to be replayed.
struct Moment {
  Instant at = kNever;
  std::uint64_t step = UINT64_MAX;
};

Result<Moment> moment_of(const TraceDotCommand& command, const std::string& trace) {
  Moment moment;
  if (command.step) {
    if (*command.step == 0) return Problem{"--step", "counts from 1", ""};
    moment.step = *command.step;
    return moment;
  }
  if (!command.at.empty()) {
    const auto at = instant_from("--at", command.at);
    if (!at) return at.problems();
    moment.at = *at;
    return moment;
  }
  auto reader = codec::open_trace(trace);
  if (!reader) return reader.problems();
  const auto busiest = codec::busiest_instant(*reader);
  if (!busiest) return busiest.problems();
  moment.at = *busiest;
  return moment;
}

int draw_cluster(const TraceDotCommand& command, const std::string& trace, Progress& progress) {
  const auto moment = moment_of(command, trace);
  if (!moment) return refuse(moment.problems());
  auto walk = codec::Walk::open(trace, &progress);
  if (!walk) return refuse(walk.problems());
  if (const auto problem = walk->take_up_to(moment->at, moment->step)) return refuse({*problem});
  if (command.step && *command.step > walk->last_number())
    return refuse({{"--step", "there is no step " + std::to_string(*command.step),
                    "a step from 1 to " + std::to_string(walk->last_number())}});
  if (!command.at.empty() && moment->at > walk->last_instant())
    return refuse({{"--at", "the run has ended by then",
                    "an instant up to " + codec::seconds_text(to_ns(walk->last_instant()))}});
  if (walk->controller() == nullptr)
    return refuse({{trace, "the controller has done nothing yet by then", "a later instant or step"}});
  const Instant at = command.step ? walk->taken_at() : moment->at;
  return write_text(command.out, codec::cluster_dot(*walk->controller(), at));
}

int draw_task(const TraceDotCommand& command, const std::string& trace, TaskId task, Progress& progress) {
  auto walk = codec::Walk::open(trace, &progress);
  if (!walk) return refuse(walk.problems());
  codec::TaskStory story(task);
  for (;;) {
    const auto more = walk->next();
    if (!more) return refuse(more.problems());
    if (!*more) break;
    if (const auto problem = walk->take()) return refuse({*problem});
    story.hear(*walk);
  }
  if (story.chapters().empty()) return refuse({{trace, "has no task " + codec::to_text(task), story.hint()}});
  return write_text(command.out, codec::task_dot(task, story.chapters()));
}

}  // namespace

int run(const TraceDotCommand& command) {
  if (command.lifecycle) return write_text(command.out, codec::lifecycle_dot());
  if (command.run.empty())
    return refuse({{"", "which trace?", "duet trace dot TRACE, or duet trace dot --lifecycle"}});
  const std::string trace = trace_of(command.run);
  if (command.task.empty())
    return guarded(trace, [&](Progress& progress) { return draw_cluster(command, trace, progress); });
  const auto id = codec::attempt_by_text(command.task);
  if (!id) return refuse(id.problems());
  return guarded(trace, [&](Progress& progress) { return draw_task(command, trace, id->task, progress); });
}

}  // namespace duet::front
