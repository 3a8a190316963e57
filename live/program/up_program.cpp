#include "live/program/up_program.h"

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "core/codec/atomic_file.h"
#include "live/child_process.h"
#include "live/log.h"
#include "live/program/arguments.h"
#include "live/program/folder.h"
#include "live/program/note.h"
#include "live/program/profile.h"

namespace duet::live {
namespace {

namespace fs = std::filesystem;

/// Between looks at the notes that the programs write when they are ready.
constexpr auto kLook = std::chrono::milliseconds(5);
constexpr auto kReadyWithin = std::chrono::seconds(20);
/// A program that ends is started again after this, twice as long each time, until it lived for a while.
constexpr auto kShortestPause = std::chrono::milliseconds(200);
constexpr auto kLongestPause = std::chrono::seconds(5);
constexpr auto kLivedForAWhile = std::chrono::seconds(10);
constexpr std::string_view kScheme = "http://";
/// To end politely; then by force. Longer than the agents' grace for their tasks.
constexpr auto kEndWithin = std::chrono::seconds(15);

struct Settings {
  std::uint64_t nodes = 3;
  std::string data;
  std::string programs;  ///< Where duet-controller and duet-agent lie.
  std::string listen;
  std::string balance;  ///< As the controller takes it, as the next one.
  std::string balance_service;
  std::string store;
  std::string profile;
  std::string topology;
  std::string scheduler;
  std::string queue;
  std::string metrics;
  std::uint64_t port_base = 8000;
  std::optional<std::string> gateway;  ///< Where; empty: where its variable says. Nothing: there is none.
  std::string cube;                    ///< HOST:PORT of cube's worker interface; empty: none.
  std::string node_name;               ///< Of the only node; empty: node-1.
  bool insecure = false;
  bool detach = false;
};

Result<Settings> read_settings(int argc, const char* const* argv) {
  Arguments arguments(argc, argv);
  Settings settings;
  settings.nodes = arguments.number("nodes", 3, 1, 64);
  settings.data = arguments.text("data", "duet-data");
  settings.programs = arguments.text("programs", "");
  settings.listen = arguments.text("listen", "127.0.0.1:8080");
  settings.balance = arguments.text("balance", "");
  settings.balance_service = arguments.text("balance-service", "");
  settings.store = arguments.among("store", "sqlite", {"sqlite", "memory"});
  settings.profile = arguments.among("profile", "fast", profile_names());
  settings.topology = arguments.among("topology", "auto", {"auto", "all", "i5-1135G7"});
  settings.scheduler = arguments.text("scheduler", "");
  settings.queue = arguments.text("queue", "");
  settings.metrics = arguments.text("metrics", "");
  settings.port_base = arguments.number("port-base", 8000, 1024, 60000);
  settings.gateway = arguments.text_if_given("gateway");
  settings.cube = arguments.text("cube", "");
  settings.node_name = arguments.text("node-name", "");
  settings.insecure = arguments.flag("insecure");
  settings.detach = arguments.flag("detach");
  Problems problems = arguments.finish();
  if (!settings.node_name.empty() && settings.nodes != 1)
    problems.push_back({"--node-name",
                        "names one node, and there are to be " + std::to_string(settings.nodes),
                        "--nodes 1"});
  if (!problems.empty()) return problems;
  std::error_code error;
  if (settings.programs.empty())
    settings.programs = fs::read_symlink("/proc/self/exe", error).parent_path().string();
  settings.data = fs::absolute(settings.data, error).string();
  return settings;
}

/// Whether a cluster runs there is for its lock to say; the folder is made, for its owner alone, on the way.
Problems already_up(const std::string& data) {
  auto folder = hold_folder(data, "up");
  if (folder) return {};
  const std::int64_t pid = [&] {
    const auto note = note_in(data + "/up.json");
    return note.is_object() ? note.value("pid", std::int64_t{0}) : 0;
  }();
  if (pid == 0) return folder.problems();
  return {{data, "a cluster runs here already (process " + std::to_string(pid) + ')',
           "duet down --data " + data + " ends it, another --data starts another one"}};
}

/// One program that is to run: started again when it ends.
struct Watched {
  std::string name;
  std::vector<std::string> argv;
  std::string note;  ///< The file that it writes when it is ready.
  std::unique_ptr<ChildProcess> process;
  std::chrono::steady_clock::time_point started;
  std::chrono::milliseconds pause{kShortestPause};
  std::unique_ptr<asio::steady_timer> again;
};

class Cluster {
 public:
  Cluster(asio::io_context& io, const Settings& settings)
      : io_(io), settings_(settings), signals_(io), timer_(io), last_(io) {}
  Problems start();
  bool failed() const { return failed_; }

 private:
  void add_controller();
  void add_agents(const std::string& address);
  Problems launch(Watched& watched);
  void ended(Watched& watched, std::int32_t code);
  void look(std::chrono::steady_clock::time_point until);
  bool all_ready();
  void announce();
  void say_it_is_up(const std::string& url, const std::string& gateway) const;
  void stop();
  void stop_agents();
  void count_down();

  asio::io_context& io_;
  const Settings& settings_;
  asio::signal_set signals_;
  asio::steady_timer timer_;
  asio::steady_timer last_;
  std::unique_ptr<FolderHold> folder_;
  std::vector<std::unique_ptr<Watched>> all_;  ///< The controller first.
  bool announced_ = false;
  bool stopping_ = false;
  bool failed_ = false;
};

Problems Cluster::start() {
  auto folder = hold_folder(settings_.data, "up");
  if (!folder) return already_up(settings_.data);
  folder_ = std::move(*folder);
  std::error_code error;
  fs::create_directories(folder_->file("log"), error);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) signals_.add(number);
  signals_.async_wait([this](const boost::system::error_code& failed, int) {
    if (!failed) stop();
  });
  add_controller();
  if (Problems problems = launch(*all_.front()); !problems.empty()) return problems;
  look(std::chrono::steady_clock::now() + kReadyWithin);
  return {};
}

void Cluster::add_controller() {
  auto watched = std::make_unique<Watched>();
  watched->name = "controller";
  watched->note = folder_->file("controller/controller.json");
  watched->argv = {settings_.programs + "/duet-controller", "--with-parent",
                   "--listen=" + settings_.listen,          "--agents=127.0.0.1:0",
                   "--data=" + folder_->file("controller"), "--store=" + settings_.store,
                   "--profile=" + settings_.profile};
  if (!settings_.scheduler.empty()) watched->argv.push_back("--scheduler=" + settings_.scheduler);
  if (!settings_.balance.empty()) watched->argv.push_back("--balance=" + settings_.balance);
  if (!settings_.balance_service.empty())
    watched->argv.push_back("--balance-service=" + settings_.balance_service);
  if (!settings_.queue.empty()) watched->argv.push_back("--queue=" + settings_.queue);
  if (settings_.gateway)
    watched->argv.push_back(settings_.gateway->empty() ? "--gateway" : "--gateway=" + *settings_.gateway);
  if (!settings_.metrics.empty()) watched->argv.push_back("--metrics=" + settings_.metrics);
  if (!settings_.cube.empty())
    watched->argv.insert(watched->argv.end(), {"--cube=" + settings_.cube, "--cube-role=worker"});
  if (settings_.insecure) watched->argv.emplace_back("--insecure");
  all_.push_back(std::move(watched));
}

void Cluster::add_agents(const std::string& address) {
  for (std::uint64_t i = 1; i <= settings_.nodes; ++i) {
    auto watched = std::make_unique<Watched>();
    watched->name = settings_.node_name.empty() ? "node-" + std::to_string(i) : settings_.node_name;
    const std::string data = folder_->file(watched->name);
    watched->note = data + "/agent.json";
    watched->argv = {settings_.programs + "/duet-agent",
                     "--with-parent",
                     "--name=" + watched->name,
                     "--controller=" + address,
                     "--data=" + data,
                     "--token-file=" + folder_->file("controller/agent.token"),
                     "--profile=" + settings_.profile,
                     "--topology=" + settings_.topology,
                     "--port-base=" + std::to_string(settings_.port_base)};
    all_.push_back(std::move(watched));
  }
}

Problems Cluster::launch(Watched& watched) {
  ::unlink(watched.note.c_str());  // That of an earlier life.
  const std::string log = folder_->file("log/" + watched.name + ".log");
  const int fd = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return {{log, "cannot be written", {}}};
  auto child = ChildProcess::start(
      io_, watched.argv, [this, &watched](std::int32_t code) { ended(watched, code); }, fd);
  ::close(fd);
  if (!child) return child.problems();
  watched.process = std::move(*child);
  watched.started = std::chrono::steady_clock::now();
  return {};
}

void Cluster::ended(Watched& watched, std::int32_t code) {
  // Its object is on the stack of this call: it goes with the next turn of the loop.
  asio::post(io_, [gone = std::shared_ptr<ChildProcess>(std::move(watched.process))] {});
  if (stopping_) return count_down();
  const std::string log = folder_->file("log/" + watched.name + ".log");
  if ((code == 1 || code == 2) && !announced_) {  // It said itself that it cannot run.
    std::fprintf(stderr, "%s cannot run: see the end of %s\n", watched.name.c_str(), log.c_str());
    failed_ = true;
    return stop();
  }
  const bool lived = std::chrono::steady_clock::now() - watched.started > kLivedForAWhile;
  watched.pause = lived ? std::chrono::milliseconds(kShortestPause) : watched.pause;
  std::fprintf(stderr, "%s ended (%s %d), and is started again\n", watched.name.c_str(),
               code < 0 ? "signal" : "exit code", code < 0 ? -code : code);
  watched.again = std::make_unique<asio::steady_timer>(io_, watched.pause);
  watched.pause = std::min<std::chrono::milliseconds>(watched.pause * 2, kLongestPause);
  watched.again->async_wait([this, &watched](const boost::system::error_code& error) {
    if (error || stopping_) return;
    if (const Problems problems = launch(watched); !problems.empty()) {
      log::write(log::Level::kError, "cannot be started again", problems);
      failed_ = true;
      stop();
    }
  });
}

/// The programs write a note each when they are ready. The agents need the controller's.
void Cluster::look(std::chrono::steady_clock::time_point until) {
  if (stopping_) return;
  if (all_.size() == 1) {
    const auto note = note_in(all_.front()->note);
    if (note.is_object() && note.contains("agents") && note.contains("url")) {
      const std::string agents = note["agents"].get<std::string>();
      // When it is started again, it must be found where it was.
      for (std::string& word : all_.front()->argv) {
        if (word.starts_with("--agents=")) word = "--agents=" + agents;
        if (word.starts_with("--listen=")) word = "--listen=" + note.value("url", "").substr(kScheme.size());
        if (word.starts_with("--gateway") && note.contains("gateway"))
          word = "--gateway=" + note.value("gateway", "").substr(kScheme.size());
        if (word.starts_with("--balance=") && note.contains("balance"))
          word = "--balance=" + note.value("balance", "");
        if (word.starts_with("--metrics=") && note.contains("metrics")) {
          const std::string at = note.value("metrics", "").substr(kScheme.size());
          word = "--metrics=" + at.substr(0, at.find('/'));
        }
      }
      add_agents(agents);
      for (std::size_t i = 1; i < all_.size(); ++i) {
        if (const Problems problems = launch(*all_[i]); !problems.empty()) {
          log::write(log::Level::kError, "cannot be started", problems);
          failed_ = true;
          return stop();
        }
      }
    }
  } else if (all_ready()) {
    return announce();
  }
  if (std::chrono::steady_clock::now() > until) {
    std::fprintf(stderr, "the cluster is not ready after 20 s: see %s\n", folder_->file("log").c_str());
    failed_ = true;
    return stop();
  }
  timer_.expires_after(kLook);
  timer_.async_wait([this, until](const boost::system::error_code& error) {
    if (!error) look(until);
  });
}

bool Cluster::all_ready() {
  for (std::size_t i = 1; i < all_.size(); ++i) {
    const auto note = note_in(all_[i]->note);
    if (!note.is_object() || !note.value("registered", false)) return false;
  }
  return true;
}

void Cluster::announce() {
  announced_ = true;
  const auto note = note_in(all_.front()->note);
  const std::string url = note.value("url", "http://" + settings_.listen);
  say_it_is_up(url, note.value("gateway", ""));
  std::fflush(stdout);
  // Last: who waits for this note then reads all that was said.
  const nlohmann::ordered_json self = {{"pid", ::getpid()}, {"url", url}};
  if (const auto written = codec::write_file(folder_->file("up.json"), self.dump() + "\n"); !written) {
    log::write(log::Level::kError, "duet up cannot go on", written.problems());
    failed_ = true;
    stop();
  }
}

void Cluster::say_it_is_up(const std::string& url, const std::string& gateway) const {
  if (!settings_.cube.empty()) {
    std::printf("worker %s is up: http://%s\nData and logs: %s\n", all_.back()->name.c_str(),
                settings_.cube.c_str(), folder_->path().c_str());
    return;
  }
  std::string work;
  if (!gateway.empty())
    work = "\nGateway at " + gateway +
           "\n\n  curl -d '{\"operation\": \"monte_carlo_pi\", \"data\": " + "{\"iterations\": 1000000}}' " +
           gateway + "/submit\n";
  const std::size_t nodes = all_.size() - 1;
  std::printf(
      "Duet is up: %zu node%s at %s\n"
      "\n"
      "  duet run -- sleep 60         start a task\n"
      "  duet status                  see it run, and where\n"
      "  duet node                    the nodes\n"
      "%s"
      "\n"
      "Data and logs: %s\n"
      "%s\n",
      nodes, nodes == 1 ? "" : "s", url.c_str(), work.c_str(), folder_->path().c_str(),
      settings_.detach ? "Stop it with: duet down" : "Ctrl-C stops it, and all that runs on it.");
}

/// Agents first: they end their tasks, and tell the controller how they ended.
void Cluster::stop() {
  if (std::exchange(stopping_, true)) return;
  if (announced_ && ::isatty(STDOUT_FILENO) != 0) std::printf("\nStopping.\n");
  timer_.cancel();
  ::unlink(folder_->file("up.json").c_str());
  for (const auto& watched : all_)
    if (watched->again) watched->again->cancel();
  last_.expires_after(kEndWithin);
  last_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    for (const auto& watched : all_)
      if (watched->process) watched->process->terminate(true);
  });
  for (std::size_t i = 1; i < all_.size(); ++i)
    if (all_[i]->process) all_[i]->process->terminate(false);
  count_down();
}

void Cluster::count_down() {
  std::size_t agents = 0;
  for (std::size_t i = 1; i < all_.size(); ++i) agents += all_[i]->process ? 1 : 0;
  if (agents > 0) return;
  if (!all_.empty() && all_.front()->process) return all_.front()->process->terminate(false);
  io_.stop();
}

/// The same program again, in a session of its own; ready when it has written its note.
int detach(const Settings& settings, int argc, const char* const* argv) {
  std::vector<std::string> words = {fs::read_symlink("/proc/self/exe").string()};
  for (int i = 1; i < argc; ++i)
    if (std::string_view(argv[i]) != "--detach") words.emplace_back(argv[i]);
  if (const Problems problems = already_up(settings.data); !problems.empty()) {
    log::write(log::Level::kError, "duet up cannot start", problems);
    return 1;
  }
  std::error_code error;
  fs::create_directories(settings.data + "/log", error);
  const std::string log = settings.data + "/log/up.log";
  const int fd = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) {
    std::fprintf(stderr, "%s cannot be written\n", log.c_str());
    return 1;
  }
  const std::string note = settings.data + "/up.json";
  ::unlink(note.c_str());  // That of an earlier life, which may have had the same process id.
  asio::io_context io(1);
  std::optional<std::int32_t> code;
  auto child = ChildProcess::start(
      io, words, [&](std::int32_t exit) { code = exit; }, fd);
  ::close(fd);
  if (!child) {
    log::write(log::Level::kError, "cannot be started", child.problems());
    return 1;
  }
  while (!code) {
    io.run_for(kLook);
    io.restart();
    const auto said = note_in(note);
    if (said.is_object() && said.value("pid", std::int64_t{0}) == (*child)->pid()) {
      std::ifstream text(log);
      std::string line;
      while (std::getline(text, line))
        std::printf("%s\n", line.starts_with("Ctrl-C") ? "Stop it with: duet down" : line.c_str());
      (*child)->let_go();  // It is to outlive this.
      return 0;
    }
  }
  std::ifstream text(log);
  std::fprintf(stderr, "%s", std::string(std::istreambuf_iterator<char>(text), {}).c_str());
  return *code == 0 ? 1 : *code;
}

}  // namespace

int up_main(int argc, const char* const* argv) {
  if (!set_up_log("up")) return 2;
  const auto settings = read_settings(argc, argv);
  if (!settings) {
    log::write(log::Level::kError, "duet up cannot start", settings.problems());
    return 2;
  }
  if (settings->detach) return detach(*settings, argc, argv);
  asio::io_context io(1);
  Cluster cluster(io, *settings);
  if (const Problems problems = cluster.start(); !problems.empty()) {
    log::write(log::Level::kError, "duet up cannot start", problems);
    return 1;
  }
  io.run();
  return cluster.failed() ? 1 : 0;
}

}  // namespace duet::live
