#include "live/cube/worker_link.h"

#include <algorithm>
#include <utility>

#include "core/lifecycle.h"
#include "live/cube/uuid.h"
#include "live/http/client.h"
#include "live/http/url.h"

namespace duet::live::cube {
namespace {

using http::Method;

/// A worker that is stopped accepts connections, but says nothing.
constexpr auto kConnectTime = std::chrono::milliseconds(1'000);
constexpr auto kAnswerTime = std::chrono::milliseconds(2'000);
constexpr std::int32_t kNotStarted = 126;
/// How long another task of the worker may have the id that one is to have: that one may be ending.
constexpr auto kConflictTime = std::chrono::seconds(30);
/// In one turn, so that none takes long; the next one goes on.
constexpr std::size_t kMostAsked = 300;
constexpr std::size_t kMostAnswerBytes = std::size_t{32} * 1024 * 1024;

}  // namespace

struct WorkerLink::Turn {
  struct Request {
    AttemptId attempt;  ///< Number 0: of a stray.
    Method method = Method::kPost;
    std::string target;
    std::string body;
    unsigned status = 0;  ///< 0: nobody answered.
    std::string refusal;  ///< Why, of 4xx.
  };
  std::vector<Request> requests;
  bool wants_tasks = false;
  bool wants_stats = false;
  std::optional<std::vector<WorkerTask>> tasks{};
  std::optional<WorkerStats> stats{};
  std::string failure;  ///< Why nothing more was asked.
};

/// The blocking half: one connection, used by one thread.
struct WorkerLink::Thread {
  std::string address;
  std::optional<http::Client> client{};
  std::atomic<bool> stopped{false};
  SerialThread serial;

  explicit Thread(std::string to) : address(std::move(to)) {}

  bool ask(Turn& turn, Method method, const std::string& target, const std::string& body, unsigned& status,
           std::string& answer) {
    if (stopped) turn.failure = "the manager stops";
    if (!turn.failure.empty()) return false;
    if (!client) {
      auto made = http::Client::make(
          address,
          {.connect_time = kConnectTime, .answer_time = kAnswerTime, .most_bytes = kMostAnswerBytes});
      if (!made) {
        turn.failure = made.problems().front().what;
        return false;
      }
      client.emplace(std::move(*made));
    }
    http::Reply reply = client->send({.method = method, .target = target, .body = body, .headers = {}});
    if (!reply.arrived()) {
      turn.failure = reply.why;
      client.reset();
      return false;
    }
    status = reply.status;
    answer = std::move(reply.body);
    return true;
  }

  /// What `read` makes of the answer; what is wrong with it ends the turn.
  template <class Read>
  auto get(Turn& turn, const std::string& target, const Read& read)
      -> std::optional<std::decay_t<decltype(*read(std::string_view()))>> {
    unsigned status = 0;
    std::string answer;
    if (!ask(turn, Method::kGet, target, {}, status, answer)) return std::nullopt;
    turn.failure = "what answers there is no worker (GET " + target + ": " + std::to_string(status) + ")";
    if (status != 200) return std::nullopt;
    auto made = read(answer);
    if (made) {
      turn.failure.clear();
      return std::move(*made);
    }
    const Problem& first = made.problems().front();
    turn.failure += ": " + first.where + (first.where.empty() ? "" : ": ") + first.what +
                    (first.right.empty() ? "" : " (right would be: " + first.right + ")");
    return std::nullopt;
  }

  void run(Turn& turn) {
    for (Turn::Request& request : turn.requests) {
      std::string answer;
      if (!ask(turn, request.method, request.target, request.body, request.status, answer)) return;
      if (request.status >= 400 && request.status < 500)
        request.refusal = read_refusal(request.status, answer);
    }
    if (turn.wants_stats) turn.stats = get(turn, "/stats", read_worker_stats);
    if (turn.wants_tasks) turn.tasks = get(turn, "/tasks", read_worker_tasks);
  }
};

WorkerLink::WorkerLink(asio::io_context& io, Options options, Hooks hooks)
    : io_(io),
      options_(std::move(options)),
      hooks_(std::move(hooks)),
      timer_(io),
      thread_(std::make_shared<Thread>(options_.address)) {}

WorkerLink::~WorkerLink() {
  *alive_ = false;
  thread_->stopped = true;
}

bool WorkerLink::active() const {
  return std::ranges::any_of(held_, [](const auto& one) { return !one.second.ended; });
}

// ---- Turns

void WorkerLink::look() {
  if (std::exchange(looking_, true)) {
    again_ = true;
    return;
  }
  auto turn = std::make_shared<Turn>();
  for (const std::string& id : std::exchange(strays_, {}))
    turn->requests.push_back({{}, Method::kDelete, "/tasks/" + id, {}, 0, {}});
  for (const auto& [attempt, held] : held_) {
    if (held.ended) continue;
    again_ = again_ || turn->requests.size() >= kMostAsked;
    if (again_) break;
    if (!held.accepted && !held.ordered)
      turn->requests.push_back({attempt, Method::kPost, "/tasks", held.body, 0, {}});
    if (held.ordered)
      turn->requests.push_back({attempt, Method::kDelete, "/tasks/" + held.task_id, {}, 0, {}});
  }
  // What runs is looked at; where nothing does, a sign of life is enough.
  turn->wants_tasks = opening_ || active() || !turn->requests.empty();
  turn->wants_stats = !turn->wants_tasks || Clock::now() - stats_at_ >= options_.stats_every;
  thread_->serial.post([this, &io = io_, alive = alive_, thread = thread_.get(), turn] {
    thread->run(*turn);
    asio::post(io, [this, alive, turn] {
      if (*alive) take(*turn);
    });
  });
}

void WorkerLink::look_soon() {
  asio::post(io_, [this, alive = alive_] {
    if (*alive) look();
  });
}

void WorkerLink::look_later() {
  timer_.expires_after(options_.sync_every);
  timer_.async_wait([this, alive = alive_](const boost::system::error_code& failed) {
    if (*alive && !failed) look();
  });
}

void WorkerLink::take(Turn& turn) {
  looking_ = false;
  for (Turn::Request& request : turn.requests) {
    if (request.attempt.number == 0) {
      if (request.status == 0) strays_.push_back(request.target.substr(std::string_view("/tasks/").size()));
      continue;
    }
    const auto at = held_.find(request.attempt);
    if (at == held_.end() || request.status == 0) continue;
    Held& held = at->second;
    if (request.method == Method::kPost && request.status == 201) held.accepted = true;
    if (request.status == 409 && !held.conflict_since) held.conflict_since = Clock::now();
    const bool taken = request.status == 409 && Clock::now() - *held.conflict_since < kConflictTime;
    // Refused for good; all else may be otherwise in a moment.
    if (request.method == Method::kPost && request.status >= 400 && request.status < 500 &&
        request.status != 408 && !taken)
      end(request.attempt, Outcome::kLaunchFailed, kNotStarted, request.refusal);
    // Told to end before the worker heard of it: nothing has run.
    if (request.method == Method::kDelete && request.status == 404 && !held.accepted)
      end(request.attempt, held.ordered.value_or(Outcome::kKilled), 0, "");
  }
  if (turn.stats) {
    stats_ = turn.stats;
    stats_at_ = Clock::now();
  }
  const bool answered = turn.failure.empty();
  if (answered && !driver_ && turn.stats) begin_with(*turn.stats);
  if (answered && turn.tasks) {
    if (opening_)
      adopt(*turn.tasks);
    else
      compare(*turn.tasks);
  }
  const bool was_reachable = reachable_;
  set_reachable(answered && driver_, answered ? "its node is not ready yet" : turn.failure);
  // Beats rest while it is not reachable: one answer that came too late is no reason to wait with the next.
  const bool just_lost = was_reachable && !reachable_;
  if (std::exchange(again_, false) || just_lost) return look_soon();
  look_later();
}

void WorkerLink::set_reachable(bool reachable, const std::string& why) {
  if (reachable) told_ = false;
  if (!reachable && !std::exchange(told_, true))
    hooks_.warn("worker " + options_.address + " cannot be used, and is asked again and again: " + why);
  reachable_ = reachable;
}

// ---- The agent

/// When it is known what the worker has to give.
void WorkerLink::begin_with(const WorkerStats& stats) {
  NodeOffer& has = options_.config.offer;
  has.cores = stats.cores;
  has.threads_per_core = 1;
  has.capacity = {};
  has.capacity.cpu_m = std::int64_t{has.cores} * kThread;
  has.capacity.memory_bytes = stats.memory_bytes;
  if (!has.possible()) return;  // Its own agent is not there yet.
  options_.config.name = options_.address;
  AgentFacts facts;
  facts.name = options_.address;
  facts.address = options_.address.substr(0, options_.address.rfind(':'));
  facts.topology = "as its worker has it";
  facts.limits = "as its worker has it";
  hooks_.joined(facts);
  AgentDriverOptions options;
  options.config = options_.config;
  options.send = [this](const msg::FromAgent& message) {
    if (reachable_) hooks_.message(options_.link, message);
  };
  options.tell = hooks_.learned;
  options.warn = hooks_.warn;
  driver_.emplace(io_, std::move(options));
  driver_->start(*this);
}

void WorkerLink::deliver(msg::ToAgent message) {
  if (reachable_ && driver_) driver_->delivered(std::move(message));
}

void WorkerLink::open(Opened done) {
  opened_ = std::move(done);
  opening_ = true;
  look_soon();
}

/// What runs there of an earlier life of the manager, and ends that it has not heard of.
void WorkerLink::adopt(const std::vector<WorkerTask>& tasks) {
  opening_ = false;
  std::map<AttemptId, agent::Adopted> outlived;
  held_.clear();
  for (const WorkerTask& task : tasks) {
    const auto attempt = attempt_of(options_.tag, task.event);
    if (!attempt) continue;
    const bool ended = task.over();
    if (ended && !hooks_.wanted(*attempt)) continue;
    Held held;
    held.event_id = task.event;
    held.task_id = task.id;
    held.accepted = held.started = true;
    held.ended = ended;
    held_[*attempt] = std::move(held);
    agent::Adopted& adopted = outlived[*attempt];
    adopted.attempt = *attempt;
    adopted.running = !ended;
    if (!task.shown.value("HealthCheck", "").empty()) adopted.health = options_.check;
    adopted.outcome = task.outcome;
    adopted.exit_code = task.exit_code.value_or(0);
  }
  std::vector<agent::Adopted> list;
  for (auto& [attempt, adopted] : outlived) list.push_back(std::move(adopted));
  std::exchange(opened_, nullptr)(std::move(list));
}

void WorkerLink::launch(const agent::Launch& order) {
  if (held_.contains(order.attempt)) return;
  Held& held = held_[order.attempt];
  held.event_id = uuid_of(options_.tag, order.attempt);
  const auto& payload = order.work.payload;
  const auto command = payload == nullptr ? Result<TaskCommand>(TaskCommand{.argv = {"true"}})
                                          : command_from_payload(*payload);
  using Kind = HealthQuestion::Kind;
  const bool askable = !command || command->health.kind == Kind::kNone ||
                       (command->health.kind == Kind::kHttp && command->health.port == 0);
  if (!command || order.worker || !askable) {
    const char* const why = askable ? "cube's workers run programs and nothing else"
                                    : "tasks of cube's workers are asked over HTTP at their first port only";
    // After this: whoever launches is in the middle of a step.
    asio::post(io_, [this, alive = alive_, attempt = order.attempt, why] {
      if (*alive) end(attempt, Outcome::kLaunchFailed, kNotStarted, why);
    });
    return;
  }
  Resources need;
  need.cpu_m = order.cpu_m;
  need.memory_bytes = command->memory_bytes;
  const std::string name = std::to_string(order.attempt.task.job.value) + '.' +
                           std::to_string(order.attempt.task.index) + '-' +
                           std::to_string(order.attempt.number);
  const Json event = event_for(*command, held.event_id, name, need);
  held.task_id = event["Task"]["ID"].get<std::string>();
  held.body = event.dump();
  look_soon();
}

void WorkerLink::terminate(const agent::Terminate& order) {
  const auto at = held_.find(order.attempt);
  if (at == held_.end() || at->second.ended) return;
  if (!at->second.ordered) at->second.ordered = order.why;
  look_soon();
}

/// By the manager itself, at the worker's machine. Without an answer the core gives up after the timeout, and
/// the next probe takes this one's place.
void WorkerLink::probe(const agent::Probe& order) {
  const auto at = held_.find(order.attempt);
  const auto worker = http::parse_authority(options_.address);
  if (at == held_.end() || !at->second.place || !worker) return;
  const HealthPlace& place = *at->second.place;
  const auto timeout = std::chrono::duration_cast<std::chrono::milliseconds>(order.timeout);
  at->second.call =
      std::make_unique<HealthCall>(io_, HealthCall::Question{worker->host, place.port, place.target, timeout},
                                   [this, attempt = order.attempt, number = order.number](bool healthy) {
                                     driver_->hooks().event(agent::Probed{attempt, number, healthy});
                                   });
}

// ---- What the worker shows

void WorkerLink::compare(const std::vector<WorkerTask>& tasks) {
  std::map<AttemptId, const WorkerTask*> shown;
  for (const WorkerTask& task : tasks)
    if (const auto attempt = attempt_of(options_.tag, task.event)) shown[*attempt] = &task;
  for (const auto& [attempt, task] : shown)
    if (const auto at = held_.find(attempt); !task->over() && (at == held_.end() || at->second.ended))
      strays_.push_back(task->id);
  std::vector<AttemptId> held;
  for (const auto& [attempt, one] : held_) held.push_back(attempt);
  for (const AttemptId attempt : held) {
    const auto at = held_.find(attempt);
    if (at == held_.end() || at->second.ended || !at->second.accepted) continue;
    const auto task = shown.find(attempt);
    if (task != shown.end())
      compare(attempt, at->second, *task->second);
    else
      end(attempt, Outcome::kLost, 0, "its worker does not know it any more");
  }
}

void WorkerLink::compare(AttemptId attempt, Held& held, const WorkerTask& task) {
  const bool ran = task.state == CubeState::kRunning ||
                   (task.over() && task.outcome != Outcome::kLaunchFailed && task.exit_code);
  if (!held.place) held.place = health_place(task.shown);
  if (ran && !std::exchange(held.started, true)) {
    AttemptFacts facts;
    facts.attempt = attempt;
    facts.ports = task.ports;
    hooks_.learned(facts);
    driver_->hooks().event(agent::Started{attempt});
  }
  if (!task.over()) return;
  const std::int32_t code = task.exit_code.value_or(0);
  const bool failed = task.outcome != Outcome::kSucceeded || code != 0;
  // What was told to end did not fail by itself.
  const Outcome called = held.ordered && failed ? *held.ordered : task.outcome;
  end(attempt, called, code, task.reason);
}

void WorkerLink::end(AttemptId attempt, Outcome outcome, std::int32_t code, const std::string& reason) {
  const auto at = held_.find(attempt);
  if (at == held_.end() || std::exchange(at->second.ended, true)) return;
  if (!reason.empty()) {
    AttemptFacts facts;
    facts.attempt = attempt;
    facts.reason = reason;
    hooks_.learned(facts);
  }
  driver_->hooks().event(agent::Exited{attempt, outcome, code});
}

}  // namespace duet::live::cube
