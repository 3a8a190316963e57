// The commands of live clusters, and what their words mean.
#include "tools/duet/cli_app.h"
#include "tools/duet/live_client.h"

namespace duet::front {

void CommandLine::connection(CLI::App* app, Connection& to) {
  text(app, "--url", to.url, "The controller (default: DUET_URL, or that of the folder)", "URL");
  text(app, "--data", to.data, "The cluster's folder (default: DUET_DATA, or ~/.local/state/duet)", "DIR");
  text(app, "--token-file", to.token_file, "The token (default: DUET_TOKEN, or that of the folder)", "FILE");
}

void CommandLine::task_options(CLI::App* app, TaskOptions& task) {
  app->add_option("--env", task.env, "A variable of its environment; may be repeated")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  text(app, "--dir", task.directory, "Where it runs (default: a fresh folder)", "DIR");
  app->add_option("--cpu", task.cpu_m, "Millicores; 1000 is a hardware thread (default 100)")->type_name("M");
  app->add_option("--memory", task.memory_mib, "MiB that it may use (default: any)")->type_name("MIB");
  app->add_option("--ports", task.ports, "TCP ports that it wants: PORT, PORT1, ...")->type_name("N");
  app->add_flag("--exclusive", task.exclusive, "Takes a whole slot");
  app->add_option("--health", task.health,
                  "How it proves that it works: http:/PATH, tcp, or exec:PROGRAM ARGUMENTS; http:1:/PATH and "
                  "tcp:1 ask its second port")
      ->type_name("WHAT");
  app->add_option("--health-interval", task.interval_s, "Asked so often, in seconds (default 10)")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.1, 1e6));
  app->add_option("--health-timeout", task.probe_timeout_s,
                  "An answer that takes longer is none, in seconds (default 1)")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.001, 1e6));
  app->add_option("--health-start", task.start_period_s,
                  "So long after its start failures do not count, in seconds (default 0)")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.0, 1e6));
  app->add_option("--health-failures", task.failures, "So many in a row, and it is ended (default 3)")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000));
  app->add_option("--restart", task.restart,
                  "What becomes of it when it has ended: always (services' default), on_failure, never")
      ->check(CLI::IsMember({"always", "on_failure", "never"}));
  app->add_option("--backoff", task.backoff_s,
                  "What failed waits so long, in seconds, twice as long each further time, up to 64 times")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.0, 1e6));
  app->add_option("--retries", task.retries, "Further attempts after failures (default 0)")->type_name("N");
  app->add_option("--timeout", task.timeout_s, "Ended after so long, in seconds (default: never)")
      ->type_name("S");
  text(app, "--scheduler", task.scheduler, "Who places it: see duet policies", "POLICY");
  app->add_option("command", task.command, "What to run; after --")->type_name("COMMAND");
}

/// Words that another program takes as they are: --name=value, --flag.
void CommandLine::add_programs() {
  // The folder's default is ours to say: all commands have the same.
  const auto program = [this](const char* name, const char* summary, const char* path) {
    CLI::App* app = command(&app_, name, summary);
    text(app, "--data", data_, "Its folder (default: DUET_DATA, or ~/.local/state/duet)", "DIR");
    app->callback([this, app, path] {
      program_.program = path;
      if (app->get_name() == "down") program_.words.insert(program_.words.begin(), "down");
      std::string folder = data_folder(data_);
      if (app->get_name() == "agent" && data_.empty()) folder += "/agent";
      program_.words.push_back("--data=" + folder);
      result_.command = program_;
    });
    return app;
  };
  const auto value = [this](CLI::App* app, const std::string& name, const char* summary, const char* type) {
    return app
        ->add_option_function<std::string>(
            name, [this, name](const std::string& word) { program_.words.push_back(name + '=' + word); },
            summary)
        ->type_name(type);
  };
  const auto flag = [this](CLI::App* app, const std::string& name, const char* summary) {
    app->add_flag_callback(
        name, [this, name] { program_.words.push_back(name); }, summary);
  };
  const auto common = [&](CLI::App* app) {
    among(value(app, "--profile", "How fast silence is noticed (default fast)", ""), {"fast", "s0", "s3"});
  };
  const auto serving = [&](CLI::App* app) {
    value(app, "--listen", "Where HTTP is answered (default 127.0.0.1:8080)", "HOST:PORT");
    among(value(app, "--store", "Where truth is kept (default sqlite)", ""), {"sqlite", "memory"});
    value(app, "--balance", "Spread connections to this port over ready replicas (default: no)",
          "[HOST:]PORT");
    value(app, "--balance-service", "Of which service (default: the first)", "NAME");
    value(app, "--scheduler", "Scheduler policy: see duet policies", "POLICY");
    value(app, "--queue", "Queue policy: see duet policies", "POLICY");
    common(app);
  };

  CLI::App* up = program("up", "Start a cluster on this machine, and watch it", "duet-up");
  value(up, "--nodes", "How many agents (default 3)", "N");
  among(value(up, "--topology", "Which processors nodes have (default auto)", ""), {"auto", "i5-1135G7"});
  value(up, "--port-base", "The first port that tasks get (default 8000)", "PORT");
  flag(up, "--detach", "Return when it is up; duet down ends it");
  serving(up);

  program("down", "End a cluster that duet up --detach started", "duet-up");

  CLI::App* controller = program("controller", "Run a controller", "duet-controller");
  value(controller, "--agents", "Where agents are awaited (default 127.0.0.1:7070)", "HOST:PORT");
  flag(controller, "--insecure", "Let other machines in, without TLS");
  serving(controller);

  CLI::App* agent = program("agent", "Run the agent of this machine", "duet-agent");
  value(agent, "--controller", "Where the controller awaits agents (default 127.0.0.1:7070)", "HOST:PORT");
  value(agent, "--name", "The node's name (default: that of the machine)", "NAME");
  value(agent, "--token-file", "The cluster's agent.token", "FILE");
  among(value(agent, "--topology", "Which processors it has (default auto)", ""), {"auto", "i5-1135G7"});
  value(agent, "--address", "Where its tasks can be reached (default 127.0.0.1)", "IP");
  value(agent, "--port-base", "The first port that tasks get (default 8000)", "PORT");
  flag(agent, "--keep-tasks", "Its tasks go on when it ends; the next agent finds them");
  common(agent);
}

void CommandLine::add_live() {
  add_programs();

  CLI::App* run = command(&app_, "run", "Run a command, or a job from a file, on a live cluster");
  text(run, "-f,--filename", run_.file, "A job as JSON, instead of a command", "FILE");
  text(run, "--name", run_.task.name, "Its name (default: the program's)", "NAME");
  run->add_option("--count", run_.count, "So many equal tasks (default 1)")->type_name("N");
  text(run, "--key", run_.key, "Idempotency key: repeated, it is the same job", "KEY");
  run->add_flag("--wait", run_.wait, "Until it has ended; exit as it did");
  task_options(run, run_.task);
  connection(run, run_.to);
  format(run, run_.format);
  gives(run, run_);

  CLI::App* deploy = command(&app_, "deploy", "Keep replicas of a command running on a live cluster");
  text(deploy, "name", deploy_.task.name, "The service; deployed again, it is updated", "NAME")->required();
  deploy->add_option("--replicas", deploy_.replicas, "How many (default 1)")->type_name("N");
  deploy
      ->add_option("--balance", deploy_.balance, "The controller spreads connections to this port over them")
      ->type_name("PORT")
      ->check(CLI::Range(1, 65535));
  task_options(deploy, deploy_.task);
  connection(deploy, deploy_.to);
  format(deploy, deploy_.format);
  gives(deploy, deploy_);

  CLI::App* scale = command(&app_, "scale", "Set how many replicas a service has");
  text(scale, "service", scale_.service, "Its name or id", "SERVICE")->required();
  scale->add_option("replicas", scale_.replicas, "How many")->type_name("N")->required();
  connection(scale, scale_.to);
  gives(scale, scale_);

  CLI::App* stop = command(&app_, "stop", "End jobs");
  stop->add_option("jobs", stop_.ids, "Their ids: 17, or 17.0")->type_name("ID")->required();
  connection(stop, stop_.to);
  gives(stop, stop_);

  for (const bool undo : {false, true}) {
    CLI::App* drain = undo ? command(&app_, "undrain", "Let a node take tasks again")
                           : command(&app_, "drain", "Give a node no new tasks");
    DrainCommand& to = undo ? undrain_ : drain_;
    to.undo = undo;
    text(drain, "node", to.node, "Its name", "NODE")->required();
    if (!undo) drain->add_flag("--evict", to.evict, "Move those that it has");
    connection(drain, to.to);
    gives(drain, to);
  }

  using What = ListCommand::What;
  const auto list = [this](const char* name, const char* summary, What what, ListCommand& to) {
    to.what = what;
    CLI::App* app = command(&app_, name, summary);
    if (what == What::kJobs) text(app, "id", to.id, "Only this one, with its tasks", "JOB");
    if (what == What::kNodes) text(app, "name", to.id, "Only this one", "NODE");
    if (what == What::kTasks || what == What::kJobs) app->add_flag("--all", to.all, "What has ended, too");
    app->add_flag("--watch", to.watch, "Again whenever something changes");
    connection(app, to.to);
    const auto take = [&to](const std::string& word) {
      to.wide = word == "wide";
      to.format = to.wide ? Format::kTable : sim::format_of(word).value_or(Format::kTable);
    };
    among(app->add_option_function<std::string>("-o,--output", take, "How to print (default table)"),
          {"table", "wide", "json", "csv"});
    gives(app, to);
  };
  list("status", "Show the tasks of a live cluster", What::kTasks, status_);
  list("job", "Show the jobs of a live cluster", What::kJobs, job_);
  list("node", "Show the nodes of a live cluster", What::kNodes, node_);
  list("services", "Show the services of a live cluster and where they answer", What::kServices, services_);

  CLI::App* logs = command(&app_, "logs", "Print what a task wrote");
  text(logs, "task", logs_.task, "17, 17.0, or an attempt of it: 17.0#2", "TASK")->required();
  logs->add_flag("-f,--follow", logs_.follow, "Go on until it has ended");
  logs->add_flag("--errors", logs_.errors, "Standard error instead of standard output");
  logs->add_option("--last", logs_.last, "Only so many bytes from the end")->type_name("BYTES");
  connection(logs, logs_.to);
  gives(logs, logs_);

  CLI::App* events = command(&app_, "events", "Print what happens in a live cluster, as it does");
  text(events, "--since", events_.since, "After the event with this id", "ID");
  events->add_flag("--json", events_.json, "As JSON Lines");
  connection(events, events_.to);
  gives(events, events_);
}

}  // namespace duet::front
