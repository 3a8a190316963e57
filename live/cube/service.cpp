#include "live/cube/service.h"

#include "live/log.h"

namespace duet::live::cube {

Problems read_settings(Arguments& arguments, ServiceSettings& settings) {
  settings.at = arguments.endpoint("cube", settings.at);
  settings.worker = arguments.among("cube-role", "manager", {"manager", "worker"}) == "worker";
  settings.sync_ms = arguments.number("cube-sync-ms", settings.sync_ms, 10, 3'600'000);
  settings.stats_s = arguments.number("cube-stats-s", settings.stats_s, 1, 86'400);
  settings.health_s = arguments.number("cube-health-s", settings.health_s, 1, 86'400);
  const std::string list = arguments.text("cube-workers", "-");
  if (list == "-") return {};
  auto workers = worker_addresses(list);
  if (!workers) return workers.problems();
  settings.workers = std::move(*workers);
  return {};
}

Problems Service::start(const std::string& folder, const Secret& secret, const AgentConfig& agents,
                        bool allow_remote) {
  const HealthCheck check = health_check(std::chrono::seconds(static_cast<std::int64_t>(settings_.health_s)));
  if (!settings_.workers.empty()) {
    Manager::Options options;
    options.workers = settings_.workers;
    options.config = agents;
    options.secret = std::string(secret.reveal());
    options.sync_every = std::chrono::milliseconds(settings_.sync_ms);
    options.stats_every = std::chrono::seconds(settings_.stats_s);
    options.check = check;
    manager_.emplace(io_, driver_, options, [](const std::string& what) {
      log::warn("workers", {{"what", what}});
    });
  }
  Facade::Options facade;
  facade.worker = settings_.worker;
  facade.check = check;
  facade.folder = folder;
  facade.nodes = [this] { return manager_ ? manager_->nodes() : Json::array(); };
  facade_.emplace(driver_, std::move(facade));
  facade_->add_to(routes_);
  http::ServerOptions options;
  options.allow_remote = allow_remote;
  options.on_warning = [](std::string_view what) { log::warn("cube", {{"what", what}}); };
  server_.emplace(io_, routes_, std::move(options));
  const auto port = server_->listen(settings_.at.host, settings_.at.port);
  if (!port) return port.problems();
  log::info("cube ready", {{"port", *port}, {"role", settings_.worker ? "worker" : "manager"}});
  if (manager_) manager_->start();
  return {};
}

}  // namespace duet::live::cube
