#include "live/program/controller_program.h"

#include <csignal>
#include <memory>
#include <optional>

#include <unistd.h>

#include "core/codec/atomic_file.h"
#include "core/codec/json_text.h"
#include "core/policy.h"
#include "live/api/api.h"
#include "live/balancer/balancers.h"
#include "live/driver/controller_driver.h"
#include "live/http/server.h"
#include "live/log.h"
#include "live/program/arguments.h"
#include "live/program/folder.h"
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

struct Settings {
  Arguments::Endpoint http{"127.0.0.1", 8080};
  Arguments::Endpoint agents{"127.0.0.1", 7070};
  std::string data;
  std::string store;
  std::optional<Arguments::Endpoint> balance;
  std::string balance_service;  ///< Empty: the first one.
  ControllerConfig config;
  bool insecure = false;
  bool record = true;
};

/// Loopback is this machine alone.
bool loopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

Result<Settings> read_settings(int argc, const char* const* argv) {
  Arguments arguments(argc, argv);
  Settings settings;
  settings.http = arguments.endpoint("listen", settings.http);
  settings.agents = arguments.endpoint("agents", settings.agents);
  settings.data = arguments.text("data", "duet-data");
  settings.store = arguments.among("store", "sqlite", {"sqlite", "memory"});
  if (const auto end = arguments.endpoint("balance", {"127.0.0.1", 0}); arguments.given("balance"))
    settings.balance = end;
  settings.balance_service = arguments.text("balance-service", "");
  settings.insecure = arguments.flag("insecure");
  settings.record = !arguments.flag("no-record");
  if (arguments.flag("with-parent")) end_with_parent();
  apply_profile(arguments.among("profile", "fast", profile_names()), settings.config);
  settings.config.queue.name = arguments.text("queue", settings.config.queue.name);
  settings.config.scheduler.name = arguments.text("scheduler", settings.config.scheduler.name);
  settings.config.estimator.name = arguments.text("estimator", settings.config.estimator.name);
  settings.config.seed = arguments.number("seed", 1, 0, UINT64_MAX);
  Problems problems = arguments.finish();
  if (!settings.balance && !settings.balance_service.empty())
    problems.push_back({"--balance-service", "says nothing without --balance", "--balance PORT, too"});
  for (const Arguments::Endpoint& end :
       {settings.http, settings.agents, settings.balance.value_or(settings.http)})
    if (!loopback(end.host) && !settings.insecure)
      problems.push_back({end.host, "would let other machines in, without TLS",
                          "an address of this machine alone, or --insecure if the network is yours"});
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
  Problems serve();
  Problems balance();
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
  std::optional<ControllerDriver> driver_;
  std::optional<Api> api_;
  http::RouteTable routes_;
  std::optional<http::Server> server_;
  std::optional<Balancers> balancers_;
  std::uint16_t http_port_ = 0;
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
  options.config = settings_.config;
  options.store = store_.get();
  options.send = [this](LinkId link, const msg::ToAgent& message) { agents_->send(link, message); };
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
  hooks.learned = [this](LinkId, const AttemptFacts& facts) { driver_->view().learn(facts); };
  hooks.warn = [](const std::string& what) { log::warn("agents", {{"what", what}}); };
  agents_.emplace(
      io_,
      wire::AgentPort::Options{settings_.agents.host, settings_.agents.port, std::move(*token), DUET_VERSION},
      std::move(hooks));

  // First what was, then who comes.
  if (Problems problems = driver_->start(); !problems.empty()) return problems;
  if (Problems problems = agents_->listen(); !problems.empty()) return problems;
  if (Problems problems = serve(); !problems.empty()) return problems;
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
  api.workload.argv = {beside_this("duet-workload")};
  api.read_log = [this](const LogQuestion& question, std::function<void(Result<LogPiece>)> done) {
    read_log(question, std::move(done));
  };
  api_.emplace(io_, *driver_, std::move(api));
  api_->add_to(routes_);
  http::ServerOptions options;
  options.gate.token = std::move(*token);
  options.allow_remote = settings_.insecure;
  options.on_warning = [](std::string_view what) { log::warn("http", {{"what", what}}); };
  server_.emplace(io_, routes_, std::move(options));
  const auto port = server_->listen(settings_.http.host, settings_.http.port);
  if (!port) return port.problems();
  http_port_ = *port;
  return {};
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

/// For whoever started this, and for the command line: where it listens, now that it does.
void Program::note_where() {
  std::string text = "{\"pid\":";
  codec::append_number(text, static_cast<std::int64_t>(::getpid()));
  text += ",\"url\":";
  codec::append_string(text, "http://" + settings_.http.host + ':' + std::to_string(http_port_));
  text += ",\"agents\":";
  codec::append_string(text, settings_.agents.host + ':' + std::to_string(agents_->port()));
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
  server_->stop(kLastAnswers, [this] { end(); });
}

void Program::end() {
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
