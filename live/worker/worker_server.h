// What a worker answers to over HTTP: operations to execute, to cancel, to list; and that it is well.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "live/asio.h"
#include "live/http/routes.h"
#include "live/worker/executor.h"

namespace duet::live::worker {

/// POST /operations    {"id", "operation", "data"}: executes it, and answers {"result", "took_s"} when it has
///                     ended; 400 if there is none such or the data is mistaken, 409 if it was cancelled
/// DELETE /operations/{id}   cancels it: its own request is answered then
/// GET /operations     what there is
/// GET /health         OK
class WorkerServer {
 public:
  WorkerServer(asio::io_context& io, unsigned threads);
  /// Cancels what is executed; nobody is answered.
  ~WorkerServer();
  WorkerServer(const WorkerServer&) = delete;
  WorkerServer& operator=(const WorkerServer&) = delete;

  /// The table's server must be destroyed before this.
  void add_to(http::RouteTable& table);
  std::size_t running() const { return running_.size(); }

 private:
  struct Running {
    http::Responder respond;
    std::chrono::steady_clock::time_point begun;
    asio::steady_timer pause;
    std::unique_ptr<operations::Operation> paused;  ///< Not begun yet.
    Executor::Ticket ticket = 0;
  };

  void execute(const http::Request& request, const http::Responder& respond);
  void begin(const std::string& id);
  void cancel(const std::string& id);
  void ended(const std::string& id, const Executor::Ended& how);

  asio::io_context& io_;
  std::map<std::string, Running> running_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  ///< Read on the io_context's thread only.
  Executor executor_;                                           // Last: its threads end first.
};

}  // namespace duet::live::worker
