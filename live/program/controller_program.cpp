
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <optional>

#include <unistd.h>

#include "core/codec/atomic_file.h"
#include "core/codec/json_text.h"
#include "core/policy.h"
#include "live/api/api.h"
#include "live/api/gateway.h"
#include "live/balancer/balancers.h"
#include "live/cube/service.h"
#include "live/driver/controller_driver.h"
#include "live/http/server.h"
#include "live/log.h"
#include "live/metrics/controller_metrics.h"
#include "live/program/arguments.h"
#include "live/program/folder.h"
#include "live/program/operator_log.h"
#include "live/program/operator_log.h"
#include "live/program/parent.h"
#include "live/program/profile.h"
#include "live/recorder/flight_recorder.h"
#include "live/store/memory_store.h"
#include "live/store/sqlite_store.h"
#include "live/wire/agent_port.h"

namespace duet::live {
namespace {

/// What is being answered when this is told to stop may take so long.
constexpr auto kLastAnswers = std::chrono::milliseconds(500);
/// Agents that lost a controller try to reach it every two seconds at least.
constexpr auto kAgentsReportWithin = std::chrono::seconds(10);

struct Settings {
  Arguments::Endpoint http{"127.0.0.1", 8080};
  Arguments::Endpoint agents{"127.0.0.1", 7070};
  std::optional<Arguments::Endpoint> gateway;  ///< Where it is answered; nothing: there is none.
  GatewaySettings gateway_rules;
  std::optional<Arguments::Endpoint> metrics;  ///< A port for them alone.
  std::string data;
  std::string store;
  std::optional<Arguments::Endpoint> balance;
  std::string balance_service;  ///< Empty: the first one.
  ControllerConfig config;
  bool insecure = false;
  bool open_agents = false;  ///< Agents need no token.
  bool open_api = false;     ///< Nor does anybody else.
  bool record = true;
  cube::ServiceSettings cube;
  std::string profile;
};

std::optional<std::string> variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

/// Beside the policies' defaults, which are other ones under a gateway.
Problems read_gateway(Arguments& arguments, Settings& settings) {
  const auto rules = read_gateway_settings(variable);
  settings.gateway =
      arguments.endpoint_if_given("gateway", {"127.0.0.1", rules ? rules->port : std::uint16_t{0}});
  if (!settings.gateway) return {};
  if (!rules) return rules.problems();
  if (const std::string warning = gateway_warning(*rules); !warning.empty())
    log::warn("gateway", {{"what", warning}});
  settings.gateway_rules = *rules;
  apply_gateway(*rules, settings.config);
  return {};
}

/// Loopback is this machine alone.
bool loopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

Result<Settings> read_settings(int argc, const char* const* argv) {
  Arguments arguments(argc, argv);
  Settings settings;
  settings.http = arguments.endpoint("listen", settings.http);
  settings.agents = arguments.endpoint("agents", settings.agents);
  if (arguments.given("metrics")) settings.metrics = arguments.endpoint("metrics", {"127.0.0.1", 9090});
  settings.data = arguments.text("data", "duet-data");
  settings.store = arguments.among("store", "sqlite", {"sqlite", "memory"});
  if (settings.store == "memory") settings.config.adopt_for = kAgentsReportWithin;
  if (const auto end = arguments.endpoint("balance", {"127.0.0.1", 0}); arguments.given("balance"))
    settings.balance = end;
  settings.balance_service = arguments.text("balance-service", "");
  settings.insecure = arguments.flag("insecure");
  settings.open_agents = arguments.flag("open-agents");
  settings.open_api = arguments.flag("open-api");
  settings.record = !arguments.flag("no-record");
  if (arguments.flag("with-parent")) end_with_parent();
  settings.profile = arguments.among("profile", "fast", profile_names());
  const auto& names = profile_names();
  if (std::find(names.begin(), names.end(), settings.profile) != names.end())
    apply_profile(settings.profile, settings.config);
  settings.config.queue.name = arguments.text("queue", settings.config.queue.name);
  settings.config.scheduler.name = arguments.text("scheduler", settings.config.scheduler.name);
  settings.config.estimator.name = arguments.text("estimator", settings.config.estimator.name);
  settings.config.autoscaler.name = arguments.text("autoscaler", settings.config.autoscaler.name);
  settings.config.seed = arguments.number("seed", 1, 0, UINT64_MAX);
  Problems mistakes = read_gateway(arguments, settings);
  Problems cube_problems = cube::read_settings(arguments, settings.cube);
  settings.config.inventory = settings.cube.workers;  // So that nodes are numbered as they are listed.
  Problems problems = arguments.finish();
  for (const Problems& more : {mistakes, cube_problems})
    problems.insert(problems.end(), more.begin(), more.end());
  if (!settings.balance && !settings.balance_service.empty())
    problems.push_back({"--balance-service", "says nothing without --balance", "--balance PORT, too"});
  for (const Arguments::Endpoint& end :
       {settings.http, settings.agents, settings.cube.at, settings.gateway.value_or(settings.http),
        settings.metrics.value_or(settings.http), settings.balance.value_or(settings.http)})
    if (!loopback(end.host) && !settings.insecure)
      problems.push_back({end.host, "would let other machines in, without TLS",
                          "an address of this machine alone, or --insecure if the network is yours"});
  const auto only_here = [&](bool open, const char* option, const Arguments::Endpoint& end) {
    if (open && !loopback(end.host))
      problems.push_back({option, "would let every machine that reaches " + end.host + " run programs here",
                          "it is for addresses of this machine alone"});
  };
  only_here(settings.open_agents, "--open-agents", settings.agents);
  only_here(settings.open_api, "--open-api", settings.http);
  for (const Problem& problem : check_policies(settings.config)) problems.push_back(problem);
  if (!problems.empty()) return problems;
  return settings;
}

/// Everything of a running controller, in the order in which it is built.
class Program {
 public:
  Program(asio::io_context& io, const Settings& settings)
      : io_(io), settings_(settings), signals_(io), look_(io) {}
  Problems start();

 private:
  Problems open_store();
  Problems open_recorder();
  void look_at_recorder();
  std::string metrics();
  Problems serve();
  Problems serve_gateway();
  Problems serve_metrics();
  Problems serve_cube();
  Problems balance();
  bool runs_on(AttemptId attempt, const std::string& name) const;
  void read_log(const LogQuestion& question, std::function<void(Result<LogPiece>)> done);
  void note_where();
  void stop();
  void end();

  asio::io_context& io_;
  const Settings& settings_;
  asio::signal_set signals_;
  std::unique_ptr<FolderHold> folder_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<FlightRecorder> recorder_;
  asio::steady_timer look_;
  std::optional<wire::AgentPort> agents_;
  ControllerMetrics metrics_{DUET_VERSION};
  std::optional<ControllerDriver> driver_;
  std::optional<Api> api_;
  http::RouteTable routes_;
  std::optional<http::Server> server_;
  http::RouteTable metric_routes_;
  std::optional<http::Server> metric_server_;
  std::uint16_t http_port_ = 0;
  std::optional<Gateway> gateway_;
  http::RouteTable gateway_routes_;
  std::optional<http::Server> gateway_server_;
  std::uint16_t gateway_port_ = 0;
  std::uint16_t metrics_port_ = 0;
  std::optional<cube::Service> cube_;
  std::optional<Balancers> balancers_;
  std::uint16_t balance_port_ = 0;  ///< 0: there is no balancer.
};

Problems Program::start() {
  auto folder = hold_folder(settings_.data, "controller");
  if (!folder) return folder.problems();
  folder_ = std::move(*folder);
  auto token = secret_in(folder_->file("agent.token"));
  if (!token) return token.problems();
  if (Problems problems = open_store(); !problems.empty()) return problems;
  if (const Problems problems = open_recorder(); !problems.empty())
    log::write(log::Level::kError, "nothing is recorded", problems);

  ControllerDriverOptions options;
  options.recorder = recorder_.get();
  options.watcher = &metrics_;
  options.config = settings_.config;
  options.store = store_.get();
  options.send = [this](LinkId link, const msg::ToAgent& message) {
    if (!cube_ || !cube_->send(link, message)) agents_->send(link, message);
  };
  options.warn = [](const std::string& what) { log::warn("store", {{"what", what}}); };
  driver_.emplace(io_, std::move(options));

  wire::AgentPort::Hooks hooks;
  hooks.joined = [this](LinkId, const AgentFacts& agent) {
    log::info("agent connected", {{"node", agent.name}, {"address", agent.address}, {"pid", agent.pid}});
    driver_->view().learn(agent);
  };
  hooks.left = [](LinkId, const std::string& why) { log::info("agent disconnected", {{"why", why}}); };
  hooks.message = [this](LinkId link, msg::FromAgent message) {
    driver_->received(link, std::move(message));
  };
  hooks.learned = [this](LinkId link, const AttemptFacts& facts) {
    // Of others' attempts nobody has anything to tell.
    if (runs_on(facts.attempt, agents_->name_of(link))) driver_->view().learn(facts, driver_->now());
  };
  hooks.warn = [](const std::string& what) { log::warn("agents", {{"what", what}}); };
  wire::AgentPort::Options agents;
  agents.address = settings_.agents.host;
  agents.port = settings_.agents.port;
  if (!settings_.open_agents) agents.token = std::move(*token);
  agents.version = DUET_VERSION;
  agents.alive_for = std::chrono::duration_cast<std::chrono::milliseconds>(silence_of(settings_.profile));
  agents_.emplace(io_, std::move(agents), std::move(hooks));

  // First what was, then who comes.
  if (Problems problems = driver_->start(); !problems.empty()) return problems;
  log_for_operators(driver_->view().events());
  if (Problems problems = agents_->listen(); !problems.empty()) return problems;
  if (Problems problems = serve(); !problems.empty()) return problems;
  if (Problems problems = serve_gateway(); !problems.empty()) return problems;
  if (Problems problems = serve_cube(); !problems.empty()) return problems;
  if (Problems problems = balance(); !problems.empty()) return problems;
  for (const int number : {SIGINT, SIGTERM}) signals_.add(number);
  signals_.async_wait([this](const boost::system::error_code& error, int) {
    if (!error) stop();
  });
  look_at_recorder();
  note_where();
  return {};
}

Problems Program::open_store() {
  if (settings_.store == "memory") {
    store_ = make_memory_store(io_);
    return {};
  }
  auto store = open_sqlite_store(io_, folder_->file("controller.db"));
  if (!store) return store.problems();
  store_ = std::move(*store);
  return {};
}

Problems Program::open_recorder() {
  if (!settings_.record) return {};
  codec::TraceHeader header;
  header.engine = "live";
  header.driver = "duet-controller";
  header.seed = settings_.config.seed;
  header.controller = settings_.config;
  FlightOptions options;
  options.folder = folder_->file("flight");
  auto recorder = FlightRecorder::open(std::move(header), std::move(options));
  if (!recorder) return recorder.problems();
  recorder_ = std::move(*recorder);
  return {};
}

/// Before the first files of this life go, the controller hands over to itself: from there on it can be
/// replayed again.
void Program::look_at_recorder() {
  look_.expires_after(std::chrono::seconds(1));
  look_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    if (recorder_ && recorder_->wants_handover()) driver_->hand_over();
    look_at_recorder();
  });
}

Problems Program::serve() {
  auto token = secret_in(folder_->file("token"));
  if (!token) return token.problems();
  ApiOptions api;
  api.version = DUET_VERSION;
  api.agents_port = [this] { return agents_->port(); };
  api.agents_need_token = !settings_.open_agents;
  api.read_log = [this](const LogQuestion& question, std::function<void(Result<LogPiece>)> done) {
    read_log(question, std::move(done));
  };
  api.metrics = [this] { return metrics(); };
  api_.emplace(io_, *driver_, std::move(api));
  api_->add_to(routes_);
  http::ServerOptions options;
  if (!settings_.open_api) options.gate.token = std::move(*token);
  options.allow_remote = settings_.insecure;
  options.on_warning = [](std::string_view what) { log::warn("http", {{"what", what}}); };
  options.on_answered = [this](const http::Answered& answered) { metrics_.answered(answered); };
  server_.emplace(io_, routes_, std::move(options));
  const auto port = server_->listen(settings_.http.host, settings_.http.port);
  if (!port) return port.problems();
  http_port_ = *port;
  return serve_metrics();
}

/// A Prometheus need not reach the port on which the cluster is commanded.
Problems Program::serve_metrics() {
  if (!settings_.metrics) return {};
  add_metrics_route(metric_routes_, [this] { return metrics(); });
  http::ServerOptions options;
  options.allow_remote = settings_.insecure;
  metric_server_.emplace(io_, metric_routes_, std::move(options));
  const auto port = metric_server_->listen(settings_.metrics->host, settings_.metrics->port);
  if (!port) return port.problems();
  metrics_port_ = *port;
  return {};
}

Problems Program::serve_gateway() {
  if (!settings_.gateway) return {};
  gateway_.emplace(io_, *driver_, settings_.gateway_rules, settings_.config.estimator);
  gateway_->add_to(gateway_routes_, DUET_VERSION);
  http::ServerOptions options;
  options.allow_remote = settings_.insecure;
  options.limits.per_address = options.limits.connections;  // Each submission waits on one of its own.
  options.on_warning = [](std::string_view what) { log::warn("gateway", {{"what", what}}); };
  gateway_server_.emplace(io_, gateway_routes_, std::move(options));
  const auto port = gateway_server_->listen(settings_.gateway->host, settings_.gateway->port);
  if (!port) return port.problems();
  gateway_port_ = *port;
  return {};
}

std::string Program::metrics() {
  ControllerMetrics::Sources sources;
  sources.driver = &*driver_;
  sources.agents = &*agents_;
  sources.recorder = recorder_.get();
  sources.connections = [this] {
    return server_->connections() + (metric_server_ ? metric_server_->connections() : 0);
  };
  return metrics_.text(sources);
}

/// cube's manager or worker: the same controller, in other words.
Problems Program::serve_cube() {
  if (settings_.cube.at.port == 0) return {};
  const auto secret = secret_in(folder_->file("token"));
  if (!secret) return secret.problems();
  AgentConfig agents;
  apply_profile(settings_.profile, agents);
  cube_.emplace(io_, *driver_, settings_.cube);
  return cube_->start(folder_->path(), *secret, agents, settings_.insecure);
}

Problems Program::balance() {
  balancers_.emplace(io_, *driver_, settings_.http.host, [](const std::string& what) {
    log::warn("balancer", {{"what", what}});
  });
  if (settings_.balance) {
    const auto port =
        balancers_->add(settings_.balance->host, settings_.balance->port, settings_.balance_service);
    if (!port) return port.problems();
    balance_port_ = *port;
    log::info("balancer ready", {{"port", *port}, {"service", settings_.balance_service}});
  }
  balancers_->follow();
  return {};
}

void Program::read_log(const LogQuestion& question, std::function<void(Result<LogPiece>)> done) {
  wire::ReadLog query;
  query.attempt = question.attempt;
  query.errors = question.errors;
  query.from_end = question.from_end;
  query.from = question.from;
  query.at_most = question.at_most;
  agents_->read_log(question.node, query, [done = std::move(done)](Result<wire::LogPart> part) {
    if (!part) return done(part.problems());
    if (!part->problem.empty()) return done(Problem{"log", part->problem, {}});
    done(LogPiece{std::move(part->bytes), part->from, part->ended});
  });
}

/// Whether this attempt was placed on the node of that name.
bool Program::runs_on(AttemptId attempt, const std::string& name) const {
  const JobView* const job = driver_->view().job(attempt.task.job);
  if (job == nullptr || attempt.task.index >= job->tasks.size()) return false;
  const TaskView& task = job->tasks[attempt.task.index];
  const Cluster& cluster = driver_->machine().cluster();
  const auto on = [&](NodeId node) { return node.value < cluster.size() && cluster.node(node).name == name; };
  if (task.attempt == attempt.number) return on(task.node);
  return std::ranges::any_of(task.earlier, [&](const EarlierAttempt& earlier) {
    return earlier.number == attempt.number && on(earlier.node);
  });
}

/// For whoever started this, and for the command line: where it listens, now that it does.
void Program::note_where() {
  std::string text = "{\"pid\":";
  codec::append_number(text, static_cast<std::int64_t>(::getpid()));
  text += ",\"url\":";
  codec::append_string(text, "http://" + settings_.http.host + ':' + std::to_string(http_port_));
  text += ",\"agents\":";
  codec::append_string(text, settings_.agents.host + ':' + std::to_string(agents_->port()));
  if (settings_.gateway) {
    text += ",\"gateway\":";
    codec::append_string(text, "http://" + settings_.gateway->host + ':' + std::to_string(gateway_port_));
  }
  if (settings_.metrics) {
    text += ",\"metrics\":";
    codec::append_string(
        text, "http://" + settings_.metrics->host + ':' + std::to_string(metrics_port_) + "/metrics");
  }
  if (balance_port_ != 0) {
    text += ",\"balance\":";
    codec::append_string(text, settings_.balance->host + ':' + std::to_string(balance_port_));
  }
  text += "}\n";
  if (const auto written = codec::write_file(folder_->file("controller.json"), text); !written)
    log::write(log::Level::kWarn, "cannot say where this listens", written.problems());
  log::info("controller ready", {{"http_port", http_port_},
                                 {"agents_port", agents_->port()},
                                 {"data", folder_->path()},
                                 {"store", store_->name()},
                                 {"jobs", driver_->machine().jobs().live()}});
}

/// Tasks go on running; a controller that comes back takes them over.
void Program::stop() {
  log::info("controller stops");
  ::unlink(folder_->file("controller.json").c_str());
  if (gateway_server_) gateway_server_->stop(kLastAnswers, [] {});
  server_->stop(kLastAnswers, [this] { end(); });
}

void Program::end() {
  gateway_server_.reset();
  gateway_.reset();
  metric_server_.reset();
  cube_.reset();
  server_.reset();
  balancers_.reset();
  api_.reset();
  agents_.reset();
  driver_.reset();
  if (recorder_)
    if (const auto ended = recorder_->finish(); !ended)
      log::write(log::Level::kWarn, "the recording has no end", ended.problems());
  io_.stop();
}

}  // namespace

int controller_main(int argc, const char* const* argv) {
  auto log_options = log::options_from_environment();
  if (!log_options) {
    log::write(log::Level::kError, "duet-controller cannot start", log_options.problems());
    return 2;
  }
  log_options->program = "controller";
  log::set_up(*log_options);
  const auto settings = read_settings(argc, argv);
  if (!settings) {
    log::write(log::Level::kError, "duet-controller cannot start", settings.problems());
    return 2;
  }
  asio::io_context io(1);
  Program program(io, *settings);
  if (const Problems problems = program.start(); !problems.empty()) {
    log::write(log::Level::kError, "duet-controller cannot start", problems);
    return 1;
  }
  io.run();
  return 0;
}

}  // namespace duet::live
