// /api/v1/tasks/{id}/logs: piece by piece from the node, as fast as the client reads.
#include <chrono>
#include <map>

#include <nlohmann/json.hpp>

#include "live/api/answers.h"
#include "live/api/api.h"
#include "live/driver/job_json.h"

namespace duet::live {
namespace {

constexpr std::uint32_t piece_size = 256 * 1024;
/// A log that is followed is asked for so often.
constexpr auto follow_pause = std::chrono::milliseconds(200);

}  // namespace

/// One client of one log. What it waits for keeps it alive.
class Api::LogTail : public std::enable_shared_from_this<Api::LogTail> {
 public:
  LogTail(Api& api, LogQuestion question, bool follow, http::Responder respond)
      : api_(api),
        api_alive_(api.alive_),
        question_(std::move(question)),
        follow_(follow),
        respond_(std::move(respond)),
        timer_(api.io_) {}

  void ask() {
    question_.at_most = piece_size;
    api_.options_.read_log(question_, [self = shared_from_this()](Result<LogPiece> piece) {
      if (*self->api_alive_) self->take(piece);
    });
  }

 private:
  void take(const Result<LogPiece>& piece) {
    if (!piece && !begun_) {
      respond_(http::problem(404, "The log cannot be read: " + piece.problems().front().what + "."));
      return;
    }
    // The agent may be replaced meanwhile; whoever follows wants the rest, not an end that looks whole.
    if (!piece) return follow_ ? ask_later() : stream_.close();
    if (!begun_) {
      begun_ = true;
      stream_ = respond_.stream("text/plain; charset=utf-8");
    }
    // What nobody keeps any more is missed, and whoever reads should know.
    if (!question_.from_end && piece->from > question_.from)
      stream_.write("[" + std::to_string(piece->from - question_.from) + " bytes are not kept]\n");
    question_.from_end = false;
    question_.from = piece->from + piece->bytes.size();
    if (!stream_.write(piece->bytes) && stream_.closed()) return;
    const bool at_end = piece->bytes.empty();
    if (at_end && (piece->ended || !follow_)) return stream_.close();
    if (at_end) return ask_later();
    if (stream_.buffered() == 0) return ask();
    // The stream holds this until it has drained, or is closed.
    stream_.on_drained([self = shared_from_this()] {
      self->stream_.on_drained(nullptr);
      if (*self->api_alive_) self->ask();
    });
  }

  void ask_later() {
    timer_.expires_after(follow_pause);
    timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (!error && *self->api_alive_ && !self->stream_.closed()) self->ask();
    });
  }

  Api& api_;
  std::shared_ptr<bool> api_alive_;
  LogQuestion question_;
  bool follow_;
  http::Responder respond_;
  http::Stream stream_;
  bool begun_ = false;
  asio::steady_timer timer_;
};

/// The nodes of a task's attempts, by their numbers, as far as they are known; nothing: there is no such
/// task.
std::optional<std::map<std::uint32_t, std::string>> Api::attempts_of(TaskId id) {
  std::map<std::uint32_t, std::string> nodes;
  if (const JobView* job = driver_.view().job(id.job)) {
    if (id.index >= job->tasks.size()) return std::nullopt;
    const TaskView& task = job->tasks[id.index];
    const Cluster& cluster = machine().cluster();
    for (const EarlierAttempt& earlier : task.earlier)
      nodes[earlier.number] = cluster.node(earlier.node).name;
    if (task.attempt > 0) nodes[task.attempt] = cluster.node(task.node).name;
    return nodes;
  }
  // It ended before this controller began.
  const auto row = driver_.view().ended_before().find(id.job);
  if (row == driver_.view().ended_before().end()) return std::nullopt;
  const auto job = nlohmann::json::parse(row->second, nullptr, false);
  if (!job.is_object()) return std::nullopt;
  for (const auto& task : job.value("tasks", nlohmann::json::array())) {
    if (task.value("id", "") != id_text(id)) continue;
    if (task.contains("node")) nodes[task.value("attempt", 0U)] = task.value("node", "");
    return nodes;
  }
  return std::nullopt;
}

void Api::read_log(const http::Request& request, const http::Responder& respond) {
  const auto id = task_id_of(request.parameter("id"));
  const auto all = id ? attempts_of(*id) : std::nullopt;
  if (!all) return respond(no_such("task", request.parameter("id")));
  if (all->empty()) return respond(http::problem(409, "The task has not been started yet."));
  const auto asked = number_of(request.query_value("attempt").value_or(""));
  const auto wanted = asked ? all->find(static_cast<std::uint32_t>(*asked)) : std::prev(all->end());
  if (wanted == all->end()) {
    std::string list;
    for (const auto& [number, node] : *all) list += (list.empty() ? "" : ", ") + std::to_string(number);
    return respond(http::problem(
        404, "Where attempt " + std::to_string(*asked) + " was is not known here; there are: " + list + "."));
  }
  if (!options_.read_log) return respond(http::problem(404, "This controller has no logs."));
  const auto last = number_of(request.query_value("last").value_or(""));
  LogQuestion question;
  question.node = wanted->second;
  question.attempt = {*id, wanted->first};
  question.errors = request.query_value("stream") == "stderr";
  question.from_end = last.has_value();
  question.from = last ? *last : number_of(request.query_value("from").value_or("0")).value_or(0);
  const bool follow = request.query_value("follow") == "true";
  std::make_shared<LogTail>(*this, std::move(question), follow, respond)->ask();
}

}  // namespace duet::live
