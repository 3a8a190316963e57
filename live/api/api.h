// The controller's interface over HTTP: Duet's own under /api/v1, the task API of an older orchestrator in
// the same place, and another one's /deploy and /status beside it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/result.h"
#include "live/api/dry_run.h"
#include "live/asio.h"
#include "live/driver/controller_driver.h"
#include "live/http/routes.h"
#include "live/runtime/task_command.h"

namespace duet::live {

/// A part of what an attempt wrote.
struct LogPiece {
  std::string bytes;
  std::uint64_t from = 0;  ///< Of `bytes`, counted from the first byte that the attempt wrote.
  bool ended = false;      ///< Nothing more will be written.
};

struct LogQuestion {
  std::string node;
  AttemptId attempt;
  bool errors = false;    ///< Standard error; else standard output.
  bool from_end = false;  ///< `from` counts back from the end.
  std::uint64_t from = 0;
  std::uint32_t at_most = 0;  ///< Bytes.
};

struct ApiOptions {
  std::string version;  ///< Of the program.
  /// Answers on the io_context's thread; a Problem if nobody can. Empty: there are no logs to be had.
  std::function<void(const LogQuestion&, std::function<void(Result<LogPiece>)>)> read_log{};
  /// What GET /metrics answers. Empty: nothing is measured.
  std::function<std::string()> metrics{};
  /// For agents that know where HTTP is answered: the port on which they are awaited. Empty: it is not told.
  std::function<std::uint16_t()> agents_port{};
  bool agents_need_token = true;
  /// There are nodes that run images.
  bool containers = false;
  /// What POST /deploy runs, and the name of that service.
  TaskCommand workload{.argv = {"duet:workload"}, .ports = 1};
  std::string workload_name = "workload";
};

class Api {
 public:
  /// `driver` and `io` must outlive it.
  Api(asio::io_context& io, ControllerDriver& driver, ApiOptions options);
  /// Ends all streams of events and logs.
  ~Api();
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;

  /// Adds all routes, /openapi.json last. The table's server must be destroyed before this.
  void add_to(http::RouteTable& table);

 private:
  class Feed;
  class LogTail;
  using Answered = ControllerDriver::Answered;

  void add_jobs(http::RouteTable& table);
  void add_tasks(http::RouteTable& table);
  void add_nodes(http::RouteTable& table);
  void add_services(http::RouteTable& table);
  void add_events(http::RouteTable& table);
  void add_about(http::RouteTable& table);
  void add_deploy(http::RouteTable& table);
  void add_plan(http::RouteTable& table);

  void submit(const http::Request& request, JobSpecPtr spec, const http::Responder& respond,
              std::function<http::Response(JobId)> accepted);
  void list_jobs(const http::Request& request, const http::Responder& respond);
  void list_tasks(const http::Request& request, const http::Responder& respond);
  void read_log(const http::Request& request, const http::Responder& respond);
  void plan(const http::Request& request, const http::Responder& respond);
  void drain(const http::Request& request, bool drain, const http::Responder& respond);
  void follow_events(const http::Request& request, const http::Responder& respond);
  void deploy(std::uint32_t replicas, const http::Responder& respond);
  void deploy_next();

  /// `act`, unless this is destroyed before the controller answers.
  Answered then(Answered act) const {
    return [act = std::move(act), alive = alive_](const Answer& answer) {
      if (*alive) act(answer);
    };
  }
  /// What GET shows; nothing if there is no such job.
  std::optional<std::string> job_text(JobId id);
  std::optional<std::map<std::uint32_t, std::string>> attempts_of(TaskId id);
  std::string with_warning(std::string text, const JobView& job);
  const Controller& machine() const { return driver_.machine(); }

  asio::io_context& io_;
  ControllerDriver& driver_;
  ApiOptions options_;
  std::string log_id_;  ///< Which log of events the numbers belong to: they begin anew with each controller.
  std::set<std::shared_ptr<Feed>> feeds_;
  DryRun dry_run_;
  struct Deploy {
    std::uint32_t replicas;
    http::Responder respond;
  };
  std::deque<Deploy> deploys_;  ///< One at a time: the first makes the service that the next one scales.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

/// GET /metrics, open to all who reach the port, as a Prometheus asks for it.
void add_metrics_route(http::RouteTable& table, std::function<std::string()> text);

/// "2m10s", "1h0m5s", "0s": whole seconds, as Go prints durations.
std::string go_duration(Duration duration);

}  // namespace duet::live
