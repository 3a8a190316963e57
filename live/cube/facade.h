// cube's interface over HTTP, of a manager and of a worker: tasks, nodes, stats.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "live/cube/documents.h"
#include "live/driver/controller_driver.h"
#include "live/http/routes.h"

namespace duet::live::cube {

class Facade {
 public:
  struct Options {
    bool worker = false;      ///< Else a manager.
    bool containers = false;  ///< There are nodes that run images.
    HealthCheck check{};      ///< Of a manager: of its tasks that have one.
    std::string folder{};     ///< Its disk is what a worker tells of.
    /// Of a manager: the nodes, as GET /nodes shows them.
    std::function<Json()> nodes{};
  };

  /// `driver` must outlive it, and have started.
  Facade(ControllerDriver& driver, Options options);
  ~Facade() { *alive_ = false; }
  Facade(const Facade&) = delete;
  Facade& operator=(const Facade&) = delete;

  /// The table's server must be destroyed before this.
  void add_to(http::RouteTable& table);

 private:
  struct Found {
    std::optional<ShownTask> task;
    http::Response why;  ///< If there is none.
  };

  void post(const http::Request& request, const http::Responder& respond);
  void start(TaskEvent event, const http::Responder& respond);
  void stop(const ShownTask& task, std::function<void(http::Response)> respond);
  void list(const http::Responder& respond);
  Found find(std::string_view id);
  std::optional<ShownTask> task_of(JobId job);
  void note(JobId job);

  ControllerDriver& driver_;
  Options options_;
  std::map<std::string, JobId> jobs_;  ///< The latest one of each task's id.
  std::map<std::string, std::string>
      starting_;  ///< Ids of tasks that are being submitted, and by which event.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

/// {"HTTPStatusCode":404,"Message":"..."}
http::Response error(unsigned status, const std::string& message);

}  // namespace duet::live::cube
