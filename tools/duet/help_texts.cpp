// The examples every help begins with, and what is said of words that are not understood.
#include <algorithm>
#include <array>

#include "sim/diagnostics.h"
#include "tools/duet/cli.h"

namespace duet::front {
namespace {

struct Examples {
  std::string_view command;
  std::string_view text;
};

constexpr std::array kExamples = {
    Examples{"duet",
             "  duet check scenarios/demo.json             is it a valid scenario?\n"
             "  duet sim scenarios/demo.json               run it and see the result\n"
             "  duet sim scenarios/demo.json --queue sjf   the same with another policy\n"},
    Examples{
        "duet sim",
        "  duet sim demo.json\n"
        "  duet sim demo.json --queue easy --scheduler bin_pack --seed 7\n"
        "  duet sim demo.json --set /workload/generate/jobs=5000 --out results\n"
        "  duet sim demo.json --engine loop -o json\n"
        "  duet sim demo.json --queue fcfs,sjf,easy --out results    one run of each: results/fcfs ...\n"},
    Examples{
        "duet compare",
        "  duet compare scenarios/experiments/queues-on-a-lublin-day.json --out out\n"
        "  duet compare demo.json --axis queue=fcfs,sjf,easy --seeds 1..30 --out out\n"
        "  duet compare demo.json --axis /workload/generate/jobs=500,1000 --objective p95_wait_s --out out\n"
        "  duet compare experiment.json --out new --against old --tolerance 1%     exit 1 if something is "
        "worse\n"
        "  duet compare --bench new.json --against old.json                        measured times\n"},
    Examples{"duet check",
             "  duet check demo.json\n"
             "  duet check scenarios/*.json -o json\n"},
    Examples{"duet import",
             "  duet import swf log.swf.gz -o log.json --pool 240\n"
             "  duet import batsim workload.json -o workload.json --hosts 32 --queue easy_machines\n"},
    Examples{"duet import swf",
             "  duet import swf log.swf.gz -o log.json --pool 240      one node of 240 cores\n"
             "  duet import swf log.swf -o log.json --hosts 32 --queue easy_machines\n"
             "  duet import swf log.swf -o log.json --pool 240 --as work\n"},
    Examples{"duet import batsim",
             "  duet import batsim workload.json -o log.json --hosts 32\n"
             "  duet import batsim workload.json -o log.json --pool 32 --overrun kill\n"},
    Examples{"duet policies",
             "  duet policies\n"
             "  duet policies easy\n"
             "  duet policies -o json\n"
             "  duet policies new scheduler my_own           in a source tree: docs/write-a-policy.md\n"},
    Examples{"duet policies new",
             "  duet policies new scheduler most_memory\n"
             "  duet policies new queue widest_first --dir ~/duet\n"},
    Examples{"duet replay", "  duet replay results --verify\n"},
    Examples{"duet explain",
             "  duet explain results 17.0                    why it is where it is, or why it waits\n"
             "  duet explain results 17.0#2                  why its second attempt was placed there\n"
             "  duet explain results 17.0 --at 12.5          where it was then, or why it waited\n"
             "  duet explain results/trace.duet 17.0 -o json\n"
             "  duet explain 17.0                            of a live cluster, as it is now\n"},
    Examples{"duet trace",
             "  duet trace stats results\n"
             "  duet trace step results\n"
             "  duet trace cat results | head\n"
             "  duet trace diff before after\n"},
    Examples{"duet trace cat",
             "  duet trace cat results | head\n"
             "  duet trace cat results --task 17.0\n"
             "  duet trace cat results --out trace.jsonl\n"},
    Examples{"duet trace diff",
             "  duet trace diff before after\n"
             "  duet trace diff before after -o json\n"},
    Examples{"duet trace verify", "  duet trace verify results\n"},
    Examples{"duet trace stats",
             "  duet trace stats results\n"
             "  duet trace stats results -o json\n"},
    Examples{"duet trace step",
             "  duet trace step results                      on a terminal: n next, p previous, a number, q\n"
             "  duet trace step results --at 12.5 -n 3       the next three decisions from then on\n"
             "  duet trace step results --task 17.0 -n 0     all that happened to a task\n"
             "  duet trace step results --node n1 -o json\n"},
    Examples{
        "duet trace dot",
        "  duet trace dot results | dot -Tsvg > cluster.svg                the busiest instant\n"
        "  duet trace dot results --at 12.5 | dot -Tsvg > cluster.svg\n"
        "  duet trace dot results --task 17.0 | dot -Tsvg > way.svg        how it went through its states\n"
        "  duet trace dot --lifecycle | dot -Tsvg > lifecycle.svg\n"},
    Examples{"duet trace perfetto",
             "  duet trace perfetto results --out trace.json    open it at ui.perfetto.dev\n"},
    Examples{"duet report",
             "  duet report results                          writes results/report.html\n"
             "  duet report results --out page.html --static\n"},
    Examples{"duet record",
             "  duet record my-scenarios                  writes my-scenarios/golden\n"
             "  duet record my-scenarios --engine loop\n"},
    Examples{"duet verify",
             "  duet verify my-scenarios                  exit 1 if a decision changed\n"
             "  duet verify my-scenarios --junit report.xml\n"},
    Examples{"duet swarm",
             "  duet swarm --seeds 500\n"
             "  duet swarm --seeds 1 --first-seed 4711    one seed again\n"
             "  duet swarm --scenario swarm-4711.json     what was left of it\n"},
    Examples{"duet up",
             "  duet up --nodes 3                         in the foreground, until Ctrl-C\n"
             "  duet up --nodes 3 --detach                returns when it is up\n"
             "  duet up --topology i5-1135G7 --scheduler spread\n"},
    Examples{"duet down", "  duet down\n"},
    Examples{"duet controller",
             "  duet controller\n"
             "  duet controller --listen 127.0.0.1:8081 --agents 127.0.0.1:7071 --data /var/lib/duet\n"},
    Examples{"duet agent",
             "  duet agent --name n1 --token-file /var/lib/duet/agent.token\n"
             "  duet agent --name n2 --controller 10.0.0.1:7070 --token-file agent.token --keep-tasks\n"},
    Examples{"duet run",
             "  duet run -- sleep 60\n"
             "  duet run --cpu 1000 --memory 256 --name pi --wait -- ./pi 1000000\n"
             "  duet run --count 100 --retries 3 -- ./step\n"
             "  duet run -f job.json --key nightly-2026-05-01\n"},
    Examples{"duet deploy",
             "  duet deploy web --replicas 3 --ports 1 -- ./server\n"
             "  duet deploy web --replicas 3 --ports 1 -- ./server-v2    replaced one by one\n"
             "  duet deploy --pool maths --replicas 1 --max 3 --exclusive    workers: see duet submit\n"},
    Examples{"duet submit",
             "  duet submit monte_carlo_pi iterations=1e8 --wait\n"
             "  duet submit sha256_chain iterations=1000 text=duet --pool maths --count 10\n"
             "  duet submit primes --json '{\"limit\": 1000000}' --key primes-1\n"},
    Examples{"duet gateway",
             "  duet gateway                              POST /submit, GET /status at 127.0.0.1:3000\n"
             "  INITIAL_WORKERS=2 duet gateway --topology i5-1135G7\n"},
    Examples{"duet worker", "  duet worker --port 9000                   then: curl 127.0.0.1:9000/health\n"},
    Examples{"duet scale", "  duet scale web 5\n"},
    Examples{"duet stop",
             "  duet stop 17\n"
             "  duet stop 17 18 19\n"},
    Examples{"duet drain",
             "  duet drain n1                             what runs there runs to its end\n"
             "  duet drain n1 --evict                     it moves\n"},
    Examples{"duet undrain", "  duet undrain n1\n"},
    Examples{"duet status",
             "  duet status\n"
             "  duet status --all -o wide\n"
             "  duet status --watch\n"},
    Examples{"duet job",
             "  duet job\n"
             "  duet job 17                               with its tasks\n"
             "  duet job --all -o json\n"},
    Examples{"duet node",
             "  duet node\n"
             "  duet node -o wide\n"},
    Examples{"duet services", "  duet services\n"},
    Examples{"duet logs",
             "  duet logs 17\n"
             "  duet logs 17.3 -f\n"
             "  duet logs 17.0#1 --errors --last 4096\n"},
    Examples{"duet events",
             "  duet events\n"
             "  duet events --json | head\n"},
    Examples{"duet plan",
             "  duet plan job.json                        where it would run, or why it would wait\n"
             "  duet plan job.json && duet run -f job.json\n"},
    Examples{"duet top",
             "  duet top                                  again every two seconds, until Ctrl-C\n"
             "  duet top -n 1 -o json\n"},
    Examples{"duet doctor",
             "  duet doctor\n"
             "  duet doctor -o json\n"},
    Examples{"duet live",
             "  duet live scenarios/live-tour.json\n"
             "  duet live scenarios/demo.json --speedup 60 --out out && duet report out\n"},
    Examples{"duet install-names",
             "  duet install-names ~/cluster              controller, agent, workload, master, worker, cube\n"
             "  ~/cluster/controller\n"
             "  ~/cluster/agent -port=9001 -node-ip=127.0.0.1 -workload-bin=./workload\n"},
    Examples{"duet completion",
             "  source <(duet completion bash)\n"
             "  duet completion zsh > ~/.zfunc/_duet\n"
             "  duet completion fish > ~/.config/fish/completions/duet.fish\n"},
    Examples{"duet version",
             "  duet version\n"
             "  duet version -o json\n"},
    Examples{"duet internal",
             "  duet internal schema > scenarios/scenario.schema.json\n"
             "  duet internal fields\n"},
};

}  // namespace

std::string_view examples_of(std::string_view command) {
  for (const Examples& examples : kExamples)
    if (examples.command == command) return examples.text;
  return {};
}

std::string objection(const std::string& word, const std::vector<std::string>& choices) {
  if (std::find(choices.begin(), choices.end(), word) != choices.end()) return {};
  const std::vector<std::string_view> views(choices.begin(), choices.end());
  constexpr std::size_t kMost = 12;  // more nobody reads
  std::string all = "one of";
  for (std::size_t i = 0; i < std::min(choices.size(), kMost); ++i) all += ' ' + choices[i];
  if (choices.size() > kMost) all += " ..., " + std::to_string(choices.size()) + " in all";
  return sim::backquoted(word) + " is not possible: " + sim::did_you_mean(word, views, all);
}

std::string unknown(const std::string& word, const std::vector<std::string>& known) {
  const bool option = word.starts_with('-');
  if (known.empty()) return "one argument too many: " + sim::backquoted(word);
  const std::string name = word.substr(0, option ? word.find('=') : std::string::npos);
  const std::string hint = sim::did_you_mean(name, {known.begin(), known.end()});
  return (option ? "there is no option " : "there is no command ") + sim::backquoted(word) +
         (hint.empty() ? "" : "; " + hint);
}

}  // namespace duet::front
