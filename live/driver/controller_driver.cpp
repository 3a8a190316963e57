#include "live/driver/controller_driver.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/check.h"
#include "core/lifecycle.h"
#include "live/driver/job_json.h"

namespace duet::live {
namespace {

/// A round is cut here, so that a flood of events cannot hold back the Wake.
constexpr std::size_t kMaxRound = 1024;
constexpr auto kLongestRound = std::chrono::milliseconds(1);
constexpr auto kRetryStore = std::chrono::seconds(1);

/// The latest instant that a record speaks of.
Instant latest(const Loaded& loaded) {
  Instant at{};
  for (const Record& record : loaded.records) {
    if (const auto* job = std::get_if<JobRecord>(&record)) at = std::max(at, job->submitted);
    if (const auto* task = std::get_if<TaskRecord>(&record)) at = std::max(at, task->placed);
    if (const auto* key = std::get_if<KeyRecord>(&record)) at = std::max(at, key->submitted);
  }
  for (const HistoryRow& row : loaded.history) at = std::max(at, row.ended);
  return at;
}

std::string in_words(const Problems& problems) {
  std::string text;
  for (const Problem& problem : problems) {
    if (!text.empty()) text += "; ";
    text += problem.where + (problem.where.empty() ? "" : ": ") + problem.what;
    if (!problem.right.empty()) text += " (" + problem.right + ')';
  }
  return text;
}

}  // namespace

ControllerDriver::ControllerDriver(asio::io_context& io, ControllerDriverOptions options)
    : io_(io),
      options_(std::move(options)),
      pump_(io, {[this](Instant now) { return play(now); },
                 [this] {
                   return state_ == State::kWorking ? machine_->next_deadline().value_or(kNever) : kNever;
                 },
                 [this](LiveClock::Steady::duration late) {
                   if (options_.watcher != nullptr) options_.watcher->late(late);
                 }}),
      retry_(io) {
  DUET_CHECK(options_.store != nullptr && options_.send);
  if (!options_.warn) options_.warn = [](const std::string&) {};
  pump_.clock().count_from(options_.zero);
}

Problems ControllerDriver::start() {
  DUET_CHECK(state_ == State::kNew);
  auto loaded = options_.store->load();
  if (!loaded) return loaded.problems();
  take_over(std::move(*loaded), true);
  return {};
}

/// A machine that starts with what the store holds. The first one of an empty store has nothing to restore.
void ControllerDriver::take_over(Loaded loaded, bool first) {
  for (const std::string& warning : loaded.warnings) options_.warn(warning);
  pump_.clock().not_before(latest(loaded));
  machine_.emplace(Controller(options_.config), 0, options_.recorder);
  state_ = State::kWorking;
  touched_ = true;
  if (first) view_.remember(loaded.history);
  if (!first || !loaded.records.empty()) {
    const Instant now = pump_.clock().read();
    view_.rebuild(machine());  // Of what lived before, nothing is shown that the step does not tell of.
    step(now, controller::Restore{std::move(loaded.records)});
    view_.rebuild(machine());
  }
  pump_.schedule();
}

template <class Event>
void ControllerDriver::request(Event event, Answered answered) {
  event.request = RequestId{++last_request_};
  if (!available()) {
    asio::post(io_, [answered = std::move(answered)] { answered({{}, "the store fails", true}); });
    return;
  }
  waiting_.emplace(event.request, std::move(answered));
  inbox_.emplace_back(std::move(event));
  pump_.schedule();
}

void ControllerDriver::submit(JobSpecPtr spec, std::optional<controller::IdempotencyKey> once,
                              Answered answered) {
  request(controller::Submit{{}, std::move(spec), std::move(once)}, std::move(answered));
}
void ControllerDriver::cancel(JobId job, Answered answered) {
  request(controller::Cancel{{}, job}, std::move(answered));
}
void ControllerDriver::scale(JobId job, std::uint32_t count, Answered answered) {
  request(controller::Scale{{}, job, count}, std::move(answered));
}
void ControllerDriver::update(JobId job, JobSpecPtr spec, Answered answered) {
  request(controller::Update{{}, job, std::move(spec)}, std::move(answered));
}
void ControllerDriver::drain(NodeId node, bool evict, Answered answered) {
  request(controller::Drain{{}, node, evict}, std::move(answered));
}
void ControllerDriver::undrain(NodeId node, Answered answered) {
  request(controller::Undrain{{}, node}, std::move(answered));
}

/// While the store fails nothing is heard: agents say again what matters until it is acknowledged.
void ControllerDriver::received(LinkId link, msg::FromAgent message) {
  if (!available()) return;
  inbox_.emplace_back(controller::Received{link, std::move(message)});
  pump_.schedule();
}

bool ControllerDriver::play(Instant now) {
  if (!available()) return false;
  const auto until = LiveClock::Steady::now() + kLongestRound;
  for (std::size_t n = 0; n < kMaxRound && !inbox_.empty(); ++n) {
    if (n % 16 == 15 && LiveClock::Steady::now() > until) break;
    const controller::Event event = std::move(inbox_.front());
    inbox_.pop_front();
    step(now, event);
    touched_ = true;
  }
  const auto due = machine_->next_deadline();
  if (touched_ || (due && *due <= now)) step(now, Wake{});
  touched_ = false;
  commit();
  return !inbox_.empty();
}

void ControllerDriver::step(Instant now, const controller::Event& event) {
  const auto* received = std::get_if<controller::Received>(&event);
  if (received != nullptr)
    if (const auto* ended = std::get_if<msg::AttemptEnded>(&received->message.body))
      view_.exited(ended->attempt, ended->exit_code);
  adopting_ = received != nullptr && std::holds_alternative<msg::Rejoin>(received->message.body);
  commands_.clear();
  const auto began = LiveClock::Steady::now();
  machine_->step(now, event, commands_);
  if (options_.watcher != nullptr)
    options_.watcher->stepped(machine(), event, commands_, LiveClock::Steady::now() - began);
  for (controller::Command& command : commands_) keep(now, command);
  const auto respecify = [this](JobId job) {
    if (const LiveJob* live = machine().jobs().find(job)) view_.respecify(job, live->spec);
  };
  if (const auto* scale = std::get_if<controller::Scale>(&event)) respecify(scale->job);
  if (const auto* update = std::get_if<controller::Update>(&event)) respecify(update->job);
}

void ControllerDriver::keep(Instant now, controller::Command& command) {
  if (auto* persist = std::get_if<controller::Persist>(&command)) {
    const auto* task = std::get_if<TaskRecord>(&persist->record);
    if (task != nullptr && task->worker) view_.given(task->task, {*task->worker, task->threads});
    if (adopting_) view_.date(persist->record);
    batch_.records.push_back(std::move(persist->record));
  } else if (auto* send = std::get_if<controller::Send>(&command)) {
    outputs_.emplace_back(std::move(*send));
  } else if (auto* reply = std::get_if<controller::Reply>(&command)) {
    outputs_.emplace_back(std::move(*reply));
  } else {
    note(now, std::get<controller::Publish>(command).notice);
  }
}

void ControllerDriver::note(Instant now, const controller::Notice& notice) {
  const auto* job = std::get_if<controller::JobChanged>(&notice);
  const LiveJob* live = job != nullptr ? machine().jobs().find(job->job) : nullptr;
  show(now, notice, live != nullptr ? live->spec : nullptr);
  outputs_.emplace_back(ClusterEvent{0, now, std::string(type_of(notice)), to_json(notice, machine())});
  if (job == nullptr || !terminal(job->state)) return;
  if (const JobView* ended = view_.job(job->job))
    batch_.history.push_back({job->job, now, to_json(*ended, view_, machine())});
}

/// In the view, and to whoever looks on.
void ControllerDriver::show(Instant now, const controller::Notice& notice, const JobSpecPtr& spec) {
  if (options_.watcher == nullptr) return view_.note(now, notice, spec);
  const auto* task = std::get_if<controller::TaskChanged>(&notice);
  const JobView* of_task = task != nullptr ? view_.job(task->attempt.task.job) : nullptr;
  const std::size_t index = task != nullptr ? task->attempt.task.index : 0;
  const bool known = of_task != nullptr && index < of_task->tasks.size();
  const TaskState before = known ? of_task->tasks[index].state : TaskState::kPending;
  const bool ran = known && active(before);
  view_.note(now, notice, spec);
  // Said again while it runs: only whether it is ready changed.
  if (known && before == TaskState::kRunning && task->state == before) return;
  if (of_task != nullptr) options_.watcher->changed(*task, *of_task, ran && !active(task->state));
  if (const auto* job = std::get_if<controller::JobChanged>(&notice))
    if (const JobView* shown = view_.job(job->job)) options_.watcher->changed(*job, *shown);
}

/// Natural grouping: what comes while one commit is under way is the next one.
void ControllerDriver::commit() {
  if (in_flight_) return;
  if (batch_.empty()) {
    if (!outputs_.empty()) release(std::exchange(outputs_, {}));
    if (std::exchange(handing_over_, false)) {
      auto loaded = options_.store->load();
      if (!loaded) return store_failed(loaded.problems());
      take_over(std::move(*loaded), false);
    }
    return;
  }
  in_flight_ = true;
  records_in_flight_ = batch_.records.size();
  commit_began_ = LiveClock::Steady::now();
  committing_ = std::exchange(outputs_, {});
  options_.store->commit(std::exchange(batch_, {}), [this, alive = alive_](const Problems& problems) {
    if (*alive) committed(problems);
  });
}

void ControllerDriver::committed(const Problems& problems) {
  in_flight_ = false;
  if (options_.watcher != nullptr)
    options_.watcher->committed(records_in_flight_, problems.empty(),
                                LiveClock::Steady::now() - commit_began_);
  if (!problems.empty()) return store_failed(problems);
  release(std::exchange(committing_, {}));
  commit();
}

void ControllerDriver::release(std::vector<Output> outputs) {
  for (Output& output : outputs) {
    if (auto* send = std::get_if<controller::Send>(&output)) {
      options_.send(send->link, send->message);
    } else if (auto* reply = std::get_if<controller::Reply>(&output)) {
      auto waiting = waiting_.extract(reply->request);
      if (waiting) waiting.mapped()({reply->job, std::move(reply->refusal), false});
    } else {
      auto& event = std::get<ClusterEvent>(output);
      view_.events().add(event.at, std::move(event.type), std::move(event.json));
    }
  }
}

/// What the machine believes is not what the store holds any more: it is given up. Tasks go on running.
void ControllerDriver::store_failed(const Problems& problems) {
  state_ = State::kStoreFailed;
  options_.warn("the store fails, requests are refused until it works again: " + in_words(problems));
  batch_ = {};
  outputs_.clear();
  committing_.clear();
  inbox_.clear();
  for (auto& [id, answered] : std::exchange(waiting_, {})) answered({{}, "the store failed", true});
  try_again();
}

void ControllerDriver::try_again() {
  retry_.expires_after(kRetryStore);
  retry_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
    if (!*alive || error) return;
    auto loaded = options_.store->load();
    if (!loaded) return try_again();
    options_.warn("the store works again");
    take_over(std::move(*loaded), false);
  });
}

}  // namespace duet::live
