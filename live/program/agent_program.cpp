#include "live/program/agent_program.h"

#include <algorithm>
#include <cctype>
#include <csignal>
#include <filesystem>
#include <memory>
#include <optional>

#include <unistd.h>

#include "core/codec/atomic_file.h"
#include "core/codec/json_text.h"
#include "live/driver/agent_driver.h"
#include "live/http/server.h"
#include "live/log.h"
#include "live/process/log_files.h"
#include "live/process/process_runtime.h"
#include "live/process/topology.h"
#include "live/program/arguments.h"
#include "live/program/folder.h"
#include "live/program/parent.h"
#include "live/program/profile.h"
#include "live/recorder/flight_recorder.h"
#include "live/wire/controller_link.h"

namespace duet::live {
namespace {

/// What runs here is measured so often.
constexpr auto kSampleEvery = std::chrono::seconds(2);
constexpr auto kLastWords = std::chrono::milliseconds(100);

struct Settings {
  Arguments::Endpoint controller{"127.0.0.1", 7070};
  std::string data;
  std::string token_file;
  std::string topology;
  std::string address;
  std::string runner;
  std::string user;
  std::uint32_t port_base = 8000;
  bool over_http = false;  ///< `controller` is where it answers HTTP.
  std::uint32_t port = 0;  ///< Of this agent: a part of its identity, and where it says how it is; 0: none.
  std::vector<std::string> workload;  ///< What duet:workload is on this node.
  bool plain = false;
  bool keep_tasks = false;
  bool record = true;
  std::unique_ptr<FolderHold> held;  ///< Of `data`, if it was chosen because nobody had it.
  AgentConfig config;
};

std::string host_name() {
  char name[256] = {};
  ::gethostname(name, sizeof name - 1);
  return name[0] == '\0' ? "node" : name;
}

/// A name becomes a folder's, and stands in tables.
bool good_name(const std::string& name) {
  const auto fine = [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-' || c == ':';
  };
  return !name.empty() && name.size() <= 255 && std::isalnum(static_cast<unsigned char>(name.front())) != 0 &&
         std::all_of(name.begin(), name.end(), fine);
}

/// The first of HOST-1, HOST-2, ... whose folder nobody works in: several agents of one machine get along
/// without being told names, and each finds its own again.
std::string free_name(const std::string& base, std::unique_ptr<FolderHold>& held) {
  for (int i = 1; i < 1000; ++i) {
    const std::string name = host_name() + '-' + std::to_string(i);
    auto folder = hold_folder(base + '/' + name, "agent");
    if (!folder) continue;
    held = std::move(*folder);
    return name;
  }
  return host_name();
}

/// The program that stands for duet:workload here, and its arguments.
std::vector<std::string> workload_of(Arguments& arguments, Problems& problems) {
  const std::string given = arguments.text("workload", "");
  std::vector<std::string> argv = {given.empty() ? beside_this("duet-workload") : given};
  if (given.find('/') != std::string::npos) {
    std::error_code error;
    argv.front() = std::filesystem::absolute(given, error).lexically_normal().string();
    if (::access(argv.front().c_str(), X_OK) != 0)
      problems.push_back({"--workload", "'" + given + "' is no program that can be started",
                          "the path of one, such as ./workload"});
  }
  std::string words = arguments.text("workload-args", "none");
  if (words == "none") words.clear();
  for (std::size_t begin = 0; begin < words.size();) {
    const std::size_t end = std::min(words.find(' ', begin), words.size());
    if (end > begin) argv.push_back(words.substr(begin, end - begin));
    begin = end + 1;
  }
  return argv;
}

Result<Settings> read_settings(int argc, const char* const* argv) {
  Arguments arguments(argc, argv);
  Settings settings;
  Problems found;
  settings.controller = arguments.controller("controller", settings.controller, settings.over_http);
  settings.address = arguments.text("address", "127.0.0.1");
  settings.port = static_cast<std::uint32_t>(arguments.number("port", 0, 1, 65535));
  const std::string base = arguments.text("data-in", "");
  std::string name = settings.port > 0 ? settings.address + ':' + std::to_string(settings.port) : host_name();
  if (arguments.flag("name-free")) name = free_name(base.empty() ? "duet-data" : base, settings.held);
  settings.config.name = arguments.text("name", name);
  if (!good_name(settings.config.name))
    found.push_back({"--name", "'" + settings.config.name + "' cannot be the name of a node",
                     "letters, digits, '.', '_', ':' and '-', beginning with a letter or digit"});
  settings.data = arguments.text("data", (base.empty() ? "duet-data" : base) + '/' + settings.config.name);
  settings.workload = workload_of(arguments, found);
  settings.plain = arguments.flag("plain");
  settings.token_file = arguments.text("token-file", "");
  settings.topology = arguments.among("topology", "auto", {"auto", "all", "i5-1135G7"});
  settings.runner = arguments.text("runner", beside_this("duet-runner"));
  settings.user = arguments.text("user", "");
  settings.port_base = static_cast<std::uint32_t>(arguments.number("port-base", 8000, 1024, 65000));
  settings.keep_tasks = arguments.flag("keep-tasks");
  settings.record = !arguments.flag("no-record");
  if (arguments.flag("with-parent")) end_with_parent();
  apply_profile(arguments.among("profile", "fast", profile_names()), settings.config);
  Problems problems = arguments.finish();
  problems.insert(problems.end(), found.begin(), found.end());
  if (!problems.empty()) return problems;
  return settings;
}

class Program {
 public:
  Program(asio::io_context& io, Settings settings)
      : io_(io), settings_(std::move(settings)), signals_(io), sampling_(io) {}
  Problems start();

 private:
  void listen_to_signals();
  void stop();
  void sample_later();
  void read_log(const wire::ReadLog& query);
  void note_state(bool registered);
  Problems open_recorder();
  Problems serve();
  void connect();
  void end();

  asio::io_context& io_;
  Settings settings_;
  asio::signal_set signals_;
  asio::steady_timer sampling_;
  std::unique_ptr<FolderHold> folder_;
  Secret token_;
  std::string topology_;
  std::unique_ptr<FlightRecorder> recorder_;
  std::optional<AgentDriver> driver_;
  std::unique_ptr<ProcessRuntime> runtime_;
  std::optional<wire::ControllerLink> link_;
  http::RouteTable routes_;
  std::optional<http::Server> server_;
  bool registered_ = false;
  bool stopping_ = false;
};

Problems Program::start() {
  folder_ = std::move(settings_.held);
  if (!folder_) {
    auto folder = hold_folder(settings_.data, "agent");
    if (!folder) return folder.problems();
    folder_ = std::move(*folder);
  }
  if (!settings_.token_file.empty()) {
    auto token = secret_in(settings_.token_file);
    if (!token) return token.problems();
    token_ = std::move(*token);
  }
  if (Problems problems = serve(); !problems.empty()) return problems;
  const auto topology = detect_topology(settings_.topology);
  if (!topology) return topology.problems();
  settings_.config.offer = topology->offer;
  topology_ = topology->words;
  log::info("node", {{"name", settings_.config.name}, {"topology", topology->words}});

  if (const Problems problems = open_recorder(); !problems.empty())
    log::write(log::Level::kError, "nothing is recorded", problems);
  AgentDriverOptions options;
  options.config = settings_.config;
  options.recorder = recorder_.get();
  options.send = [this](const msg::FromAgent& message) { link_->send(message); };
  options.tell = [this](const AttemptFacts& facts) {
    if (link_) link_->send(wire::Learned{{facts}});
  };
  options.booted = [this] {
    if (!link_) connect();
  };
  options.registered = [this](bool registered) { note_state(registered); };
  options.warn = [](const std::string& what) { log::warn("runtime", {{"what", what}}); };
  driver_.emplace(io_, std::move(options));

  ProcessOptions processes;
  processes.runner_program = settings_.runner;
  processes.topology = *topology;
  processes.runner.folder = folder_->path();
  processes.runner.node = settings_.config.name;
  processes.runner.user = settings_.user;
  processes.runner.plain = settings_.plain;
  processes.runner.workload = settings_.workload;
  if (!settings_.plain) processes.runner.cpus = topology->reserved;
  processes.runner.port_base = settings_.port_base;
  runtime_ = make_process_runtime(io_, std::move(processes), driver_->hooks());

  listen_to_signals();
  driver_->start(*runtime_);
  sample_later();
  return {};
}

/// When it is known what runs here, and what limits it: both are the first things to be told.
void Program::connect() {
  wire::ControllerLink::Options to;
  to.host = settings_.controller.host;
  to.port = std::to_string(settings_.controller.port);
  to.over_http = settings_.over_http;
  to.hello.token = std::string(token_.reveal());
  to.hello.agent.name = settings_.config.name;
  to.hello.agent.address = settings_.address;
  to.hello.agent.port = settings_.port;
  to.hello.agent.version = DUET_VERSION;
  to.hello.agent.topology = topology_;
  to.hello.agent.limits = runtime_->words();
  to.hello.agent.pid = ::getpid();
  wire::ControllerLink::Hooks hooks;
  hooks.message = [this](msg::ToAgent message) {
    // Nothing new begins here any more; it is placed elsewhere when this node has gone.
    if (stopping_ && std::holds_alternative<msg::Launch>(message.body)) return;
    driver_->delivered(std::move(message));
  };
  hooks.read_log = [this](const wire::ReadLog& query) { read_log(query); };
  hooks.changed = [](bool connected, const std::string& why) {
    if (connected)
      log::info("controller found");
    else
      log::warn("no controller, looking for it", {{"why", why}});
  };
  hooks.refused = [](const std::string& why) {
    log::error("the controller refuses this agent, which goes on asking", {{"why", why}});
  };
  link_.emplace(io_, std::move(to), std::move(hooks));
  link_->start();
}

/// Who is known by a port answers there: how it is, and that the port is taken.
Problems Program::serve() {
  if (settings_.port == 0) return {};
  routes_.add({.path = "/health",
               .operation_id = "getHealth",
               .summary = "The agent runs.",
               .needs_token = false,
               .responses = {{.status = 200, .description = "How it is."}},
               .handler = [this](const http::Request&, const http::Responder& respond) {
                 std::string text = "{\"node\":";
                 codec::append_string(text, settings_.config.name);
                 text += std::string(",\"registered\":") + (registered_ ? "true" : "false");
                 respond(http::json_response(text + "}"));
               }});
  server_.emplace(io_, routes_, http::ServerOptions{});
  const auto port = server_->listen("127.0.0.1", static_cast<std::uint16_t>(settings_.port));
  return port ? Problems{} : port.problems();
}

Problems Program::open_recorder() {
  if (!settings_.record) return {};
  codec::TraceHeader header;
  header.engine = "live";
  header.driver = "duet-agent";
  header.agents = {settings_.config};
  FlightOptions options;
  options.folder = folder_->file("flight");
  options.total_bytes = std::uint64_t{32} << 20;
  options.segment_bytes = std::uint64_t{2} << 20;
  auto recorder = FlightRecorder::open(std::move(header), std::move(options));
  if (!recorder) return recorder.problems();
  recorder_ = std::move(*recorder);
  return {};
}

void Program::end() {
  server_.reset();
  link_.reset();
  runtime_.reset();
  driver_.reset();
  if (recorder_)
    if (const auto ended = recorder_->finish(); !ended)
      log::write(log::Level::kWarn, "the recording has no end", ended.problems());
  io_.stop();
}

/// For whoever started this.
void Program::note_state(bool registered) {
  registered_ = registered;
  log::info(registered ? "registered" : "not registered any more");
  const std::string text =
      "{\"pid\":" + std::to_string(::getpid()) + ",\"registered\":" + (registered ? "true" : "false") + "}\n";
  if (const auto written = codec::write_file(folder_->file("agent.json"), text); !written)
    log::write(log::Level::kWarn, "cannot say how this agent is", written.problems());
}

void Program::listen_to_signals() {
  for (const int number : {SIGINT, SIGTERM}) signals_.add(number);
  signals_.async_wait([this](const boost::system::error_code& error, int) {
    if (!error) stop();
  });
}

/// What runs here ends with the agent, unless it is to be found again by the next one.
void Program::stop() {
  if (std::exchange(stopping_, true)) return;
  if (settings_.keep_tasks) {
    log::info("agent stops; its tasks go on");
    asio::post(io_, [this] { end(); });
    return;
  }
  log::info("agent stops, and its tasks");
  runtime_->shut_down(settings_.config.kill_grace, [this] {
    // The controller hears of the last ends, too.
    sampling_.expires_after(kLastWords);
    sampling_.async_wait([this](const boost::system::error_code&) { end(); });
  });
}

void Program::sample_later() {
  if (stopping_) return;
  sampling_.expires_after(kSampleEvery);
  sampling_.async_wait([this](const boost::system::error_code& error) {
    if (error || stopping_) return;
    if (!link_ || !link_->connected()) return sample_later();
    runtime_->sample([this](std::vector<AttemptFacts> facts) {
      if (!facts.empty()) link_->send(wire::Learned{std::move(facts)});
      sample_later();
    });
  });
}

void Program::read_log(const wire::ReadLog& query) {
  wire::LogPart part;
  part.request = query.request;
  const LogStream stream = query.errors ? LogStream::kStderr : LogStream::kStdout;
  const std::string& folder = folder_->path();
  // Before it is read: what is written until then is read, too.
  part.ended = !driver_->runs(query.attempt);
  std::uint64_t from = query.from;
  if (query.from_end) {
    const auto all = live::read_log(folder, query.attempt, stream, 0, 0);
    from = all && all->end > query.from ? all->end - query.from : 0;
  }
  auto slice = live::read_log(folder, query.attempt, stream, from, query.at_most);
  if (slice) {
    part.from = slice->offset;
    part.ended = part.ended && slice->offset + slice->text.size() >= slice->end;
    part.bytes = std::move(slice->text);
  } else {
    part.problem = slice.problems().front().what;
  }
  link_->send(part);
}

}  // namespace

int agent_main(int argc, const char* const* argv) {
  auto log_options = log::options_from_environment();
  if (!log_options) {
    log::write(log::Level::kError, "duet-agent cannot start", log_options.problems());
    return 2;
  }
  auto settings = read_settings(argc, argv);
  if (settings) log_options->program = "agent/" + settings->config.name;
  log::set_up(*log_options);
  if (!settings) {
    log::write(log::Level::kError, "duet-agent cannot start", settings.problems());
    return 2;
  }
  asio::io_context io(1);
  Program program(io, std::move(*settings));
  if (const Problems problems = program.start(); !problems.empty()) {
    log::write(log::Level::kError, "duet-agent cannot start", problems);
    return 1;
  }
  io.run();
  return 0;
}

}  // namespace duet::live
