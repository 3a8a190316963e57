// The commands of live clusters, and what their words mean.
#include <algorithm>

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
  whole(app, "--cpu", task.cpu_m, 0, 1'000'000'000, "Millicores; 1000 is a hardware thread (default 100)",
        "M");
  whole(app, "--memory", task.memory_mib, 0, 1'073'741'824, "MiB that it may use (default: any)", "MIB");
  whole(app, "--ports", task.ports, 0, 64, "TCP ports that it wants: PORT, PORT1, ...", "N");
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
  whole(app, "--retries", task.retries, 0, 1'000'000, "Further attempts after failures (default 0)", "N");
  app->add_option("--timeout", task.timeout_s, "Ended after so long, in seconds (default: never)")
      ->type_name("S")
      ->check(CLI::Range(0.0, 1e9, ""));
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
      if (app->get_name() == "gateway") {
        const auto is_gateway = [](const std::string& word) { return word.starts_with("--gateway"); };
        if (std::ranges::none_of(program_.words, is_gateway)) program_.words.emplace_back("--gateway");
        program_.words.emplace_back("--nodes=1");
      }
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
    value(app, "--metrics", "A port for /metrics alone, as 9090 (it is at --listen, too)", "HOST:PORT");
    common(app);
  };

  const auto with_gateway = [this](CLI::App* app) {
    app->add_option_function<std::string>(
           "--gateway",
           [this](const std::string& word) {
             program_.words.push_back(word.empty() ? "--gateway" : "--gateway=" + word);
           },
           "Answer a gateway of operations (by default at 127.0.0.1 and GATEWAY_PORT, 3000)")
        ->type_name("[HOST:PORT]")
        ->expected(0, 1);
  };

  CLI::App* up = program("up", "Start a cluster on this machine, and watch it", "duet-up");
  value(up, "--nodes", "How many agents (default 3)", "N");
  among(value(up, "--topology", "Which processors nodes have (default auto)", ""),
        {"auto", "all", "i5-1135G7"});
  value(up, "--port-base", "The first port that tasks get (default 8000)", "PORT");
  flag(up, "--detach", "Return when it is up; duet down ends it");
  with_gateway(up);
  serving(up);

  CLI::App* gateway = program("gateway", "Run a gateway of operations on this machine", "duet-up");
  value(gateway, "--gateway", "Where it is answered (default 127.0.0.1 and GATEWAY_PORT, 3000)", "HOST:PORT");
  among(value(gateway, "--topology", "Which processors it has (default auto)", ""),
        {"auto", "all", "i5-1135G7"});
  value(gateway, "--port-base",
        "Zones take operations at this port, plus the number of their core (default 8000)", "PORT");
  flag(gateway, "--detach", "Return when it is up; duet down ends it");
  serving(gateway);

  CLI::App* worker = command(&app_, "worker", "Run a worker that executes operations, by itself");
  value(worker, "--port", "Where it takes them (default: PORT)", "PORT");
  worker->callback([this] {
    program_.program = "duet-worker";
    result_.command = program_;
  });
  CLI::App* doctor =
      program("doctor", "Say what this machine offers a live cluster, and what it lacks", "duet-doctor");
  value(doctor, "--listen", "Where a controller would answer (default 127.0.0.1:8080)", "HOST:PORT");
  value(doctor, "--agents", "Where it would await agents (default 127.0.0.1:7070)", "HOST:PORT");
  among(doctor->add_option_function<std::string>(
            "-o,--output", [this](const std::string& word) { program_.words.push_back("--output=" + word); },
            "How to print (default table)"),
        {"table", "json"});

  program("down", "End a cluster that duet up --detach started", "duet-up");

  CLI::App* controller = program("controller", "Run a controller", "duet-controller");
  value(controller, "--agents", "Where agents are awaited (default 127.0.0.1:7070)", "HOST:PORT");
  flag(controller, "--insecure", "Let other machines in, without TLS");
  with_gateway(controller);
  serving(controller);

  CLI::App* agent = program("agent", "Run the agent of this machine", "duet-agent");
  value(agent, "--controller", "Where the controller awaits agents (default 127.0.0.1:7070)", "HOST:PORT");
  value(agent, "--name", "The node's name (default: that of the machine)", "NAME");
  value(agent, "--token-file", "The cluster's agent.token", "FILE");
  among(value(agent, "--topology", "Which processors it has (default auto)", ""),
        {"auto", "all", "i5-1135G7"});
  value(agent, "--address", "Where its tasks can be reached (default 127.0.0.1)", "IP");
  value(agent, "--port-base", "The first port that tasks get (default 8000)", "PORT");
  flag(agent, "--keep-tasks", "Its tasks go on when it ends; the next agent finds them");
  common(agent);
}

/// What makes a service a pool, and the command that gives it work.
void CommandLine::add_pools(CLI::App* deploy) {
  PoolOptions& pool = deploy_.pool;
  text(deploy, "--pool", pool.name, "The replicas are workers of this pool; without a command, Duet's own",
       "NAME");
  deploy->add_option("--min", pool.least, "Workers: the autoscaler goes not below (default 0)")
      ->type_name("N");
  deploy->add_option("--max", pool.most, "Nor above (default: replicas)")->type_name("N");
  deploy->add_option("--full", pool.full_percent, "No operation that loads a worker beyond (default 80)")
      ->type_name("PERCENT");
  deploy->add_option("--queue-limit", pool.queue_limit, "Operations that may wait (default: any number)")
      ->type_name("N");
  deploy->add_flag("--pull", pool.pull, "Workers ask for operations, one at a time");

  CLI::App* submit = command(&app_, "submit", "Have an operation executed by a worker of a pool");
  text(submit, "operation", submit_.operation, "Which: see docs/operations.md", "OPERATION")->required();
  submit->add_option("members", submit_.members, "Its data: NAME=VALUE ...")->type_name("NAME=VALUE");
  text(submit, "--json", submit_.data, "Its data as JSON, instead", "OBJECT");
  text(submit, "--pool", submit_.pool, "Whose workers (default: those of the only pool)", "NAME");
  submit->add_option("--count", submit_.count, "So many equal ones (default 1)")->type_name("N");
  submit->add_option("--retries", submit_.retries, "Further attempts after failures (default 0)")
      ->type_name("N");
  submit->add_option("--timeout", submit_.timeout_s, "Ended after so long, in seconds (default: never)")
      ->type_name("S");
  text(submit, "--key", submit_.key, "Idempotency key: repeated, it is the same job", "KEY");
  submit->add_flag("--wait", submit_.wait, "Until it has ended; prints its result");
  connection(submit, submit_.to);
  format(submit, submit_.format);
  gives(submit, submit_);
}

void CommandLine::add_live() {
  add_programs();

  CLI::App* run = command(&app_, "run", "Run a command, or a job from a file, on a live cluster");
  text(run, "-f,--filename", run_.file, "A job as JSON, instead of a command", "FILE");
  text(run, "--name", run_.task.name, "Its name (default: the program's)", "NAME");
  whole(run, "--count", run_.count, 1, 1'000'000, "So many equal tasks (default 1)", "N");
  text(run, "--key", run_.key, "Idempotency key: repeated, it is the same job", "KEY");
  run->add_flag("--wait", run_.wait, "Until it has ended; exit as it did");
  task_options(run, run_.task);
  connection(run, run_.to);
  format(run, run_.format);
  gives(run, run_);

  CLI::App* deploy = command(&app_, "deploy", "Keep replicas of a command running on a live cluster");
  text(deploy, "name", deploy_.task.name, "The service; deployed again, it is updated", "NAME");
  whole(deploy, "--replicas", deploy_.replicas, 0, 1'000'000, "How many (default 1, or what it has)", "N");
  deploy
      ->add_option("--balance", deploy_.balance, "The controller spreads connections to this port over them")
      ->type_name("PORT")
      ->check(CLI::Range(1, 65535));
  add_pools(deploy);
  task_options(deploy, deploy_.task);
  connection(deploy, deploy_.to);
  format(deploy, deploy_.format);
  gives(deploy, deploy_);

  CLI::App* scale = command(&app_, "scale", "Set how many replicas a service has");
  text(scale, "service", scale_.service, "Its name or id", "SERVICE")->required();
  whole(scale, "replicas", scale_.replicas, 0, 1'000'000, "How many", "N")->required();
  connection(scale, scale_.to);
  gives(scale, scale_);

  CLI::App* stop = command(&app_, "stop", "End jobs");
  stop->add_option("jobs", stop_.ids, "Their ids or names: 17, 17.0, web")->type_name("ID")->required();
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
    if (what == What::kJobs) text(app, "id", to.id, "Only this one, with its tasks: 17, or its name", "JOB");
    if (what == What::kNodes) text(app, "name", to.id, "Only this one", "NODE");
    if (what == What::kTasks || what == What::kJobs) app->add_flag("--all", to.all, "What has ended, too");
    app->add_flag("--watch", to.watch, "Again whenever something changes");
    connection(app, to.to);
    const auto take = [&to](const std::string& word) {
      to.wide = word != "table";
      to.format = sim::format_of(word).value_or(Format::kTable);
    };
    among(app->add_option_function<std::string>(
              "-o,--output", take,
              "How to print (default table; wide: more columns; csv: all of them; json: all there is)"),
          {"table", "wide", "json", "csv"});
    gives(app, to);
  };
  list("status", "Show the tasks of a live cluster", What::kTasks, status_);
  list("job", "Show the jobs of a live cluster", What::kJobs, job_);
  list("node", "Show the nodes of a live cluster", What::kNodes, node_);
  list("services", "Show the services of a live cluster and where they answer", What::kServices, services_);

  CLI::App* logs = command(&app_, "logs", "Print what a task wrote");
  text(logs, "task", logs_.task, "17, 17.0, web, web.0, or an attempt: 17.0#2", "TASK")->required();
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

  CLI::App* names = command(&app_, "install-names", "Link this program under the names of older systems");
  text(names, "folder", install_names_.folder, "Where the links are to be", "DIR")->required();
  gives(names, install_names_);

  add_looks();
  add_live_run();
}

void CommandLine::add_looks() {
  CLI::App* plan =
      command(&app_, "plan", "Say what would happen to a job now; exit 1 if not all of it starts");
  text(plan, "file", plan_.file, "The job, as duet run -f takes it", "FILE")->required();
  connection(plan, plan_.to);
  format(plan, plan_.format);
  gives(plan, plan_);

  CLI::App* top = command(&app_, "top", "Show nodes and tasks with the CPU and memory that they use");
  top->add_option("--every", top_.every_s, "Seconds between two looks (default 2)")
      ->type_name("S")
      ->check(CLI::Range(0.1, 3600.0, ""));
  whole(top, "-n,--count", top_.count, 1, 1'000'000'000,
        "So many looks (default: once; on a terminal, until Ctrl-C)", "N");
  connection(top, top_.to);
  format(top, top_.format);
  gives(top, top_);
}

void CommandLine::add_live_run() {
  CLI::App* app = command(&app_, "live", "Run a scenario on a cluster of real processes on this machine");
  sim::RunOptions& run = live_.run;
  text(app, "scenario", run.scenario, "The scenario file", "FILE")->required();
  app->add_option("--speedup", live_.speedup, "Times of the workload are divided by it (default 1)")
      ->type_name("N")
      ->check(CLI::Range(0.01, 1e6, ""));
  app->add_flag("--predict", live_.predict, "Simulate it as well, and show both side by side");
  policy_options(app, live_queue_, live_scheduler_);
  app->add_option("--set", run.overrides, "Change a value of the scenario; may be repeated")
      ->type_name("/POINTER=VALUE")
      ->allow_extra_args(false);
  text(app, "--out", run.out, "Write jobs.csv, tasks.csv, summary.json, the trace and more there", "DIR");
  text(app, "--data", live_.data, "Keep the cluster's own files there (default: they go with the run)",
       "DIR");
  format(app, run.format);
  app->callback([this] {
    sim::RunOptions& options = live_.run;
    if (!live_queue_.empty()) options.overrides.push_back("/policies/queue=" + live_queue_);
    if (!live_scheduler_.empty()) options.overrides.push_back("/policies/scheduler=" + live_scheduler_);
    options.engine = "live";
    result_.command = live_;
  });
}

}  // namespace duet::front
