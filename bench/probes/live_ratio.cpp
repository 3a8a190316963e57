// What durability costs a live controller, over the least that it can cost: for bench/ratio.sh. Usage:
// live_ratio store|flight [ROUNDS [FOLDER]]
//
// store: submissions made durable one group after the other (of 1, 8 and 64) by the SQLite store, over the
// same
//   bytes with a hash each appended to a file and fdatasync'ed: wall time, in turns.
// flight: CPU time that the machine's own thread spends on recording a step, over that of the step itself.
// The last line says `NAME: ratio R (min A, max B), gate G`; the exit code is 1 beyond the gate.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "core/check.h"
#include "core/codec/hash.h"
#include "live/recorder/flight_recorder.h"
#include "live/store/record_row.h"
#include "live/store/sqlite_store.h"

using namespace duet;

namespace {

JobSpecPtr some_spec() {
  auto spec = std::make_shared<JobSpec>();
  spec->user = "ann";
  TaskGroup group;
  group.spec.need.cpu_m = kThread;
  group.spec.work.payload = std::make_shared<const std::string>(120, 'x');
  spec->groups.push_back(group);
  return spec;
}

/// Jobs of one specification, one record each.
class Groups {
 public:
  explicit Groups(std::size_t size) : size_(size) {}
  live::Batch next() {
    live::Batch batch;
    for (std::size_t i = 0; i < size_; ++i)
      batch.records.emplace_back(JobRecord{JobId{++job_}, instant_ns(1), false, 0, spec_});
    return batch;
  }

 private:
  std::size_t size_;
  std::uint64_t job_ = 0;
  JobSpecPtr spec_ = some_spec();
};

double wall_s(const std::function<void()>& work) {
  const auto began = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

double cpu_s() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

double stored_s(const std::string& folder, std::size_t group, int groups) {
  live::asio::io_context io(1);
  auto store = live::open_sqlite_store(io, folder + "/store.db");
  DUET_CHECK(store && (*store)->load());
  Groups script(group);
  int left = groups;
  std::function<void(Problems)> next = [&](const Problems& problems) {
    DUET_CHECK(problems.empty());
    if (--left > 0) (*store)->commit(script.next(), next);
  };
  return wall_s([&] {
    (*store)->commit(script.next(), next);
    io.run();
  });
}

double appended_s(const std::string& folder, std::size_t group, int groups) {
  const int fd = ::open((folder + "/log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  DUET_CHECK(fd >= 0);
  Groups script(group);
  std::string bytes;
  std::string value;
  const double took = wall_s([&] {
    for (int i = 0; i < groups; ++i) {
      bytes.clear();
      for (const Record& record : script.next().records) {
        value.clear();
        live::append_row_value(value, record);
        const std::uint64_t hash = codec::xxh3(codec::as_bytes(value));
        bytes.append(reinterpret_cast<const char*>(&hash), sizeof hash);
        bytes += value;
      }
      DUET_CHECK(::write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
      DUET_CHECK(::fdatasync(fd) == 0);
    }
  });
  ::close(fd);
  return took;
}

int verdict(const char* name, std::vector<double> ratios, double gate) {
  std::sort(ratios.begin(), ratios.end());
  const double median = ratios[ratios.size() / 2];
  std::printf("%s: ratio %.3f (min %.3f, max %.3f), gate %s\n", name, median, ratios.front(), ratios.back(),
              gate > 0 ? std::to_string(gate).substr(0, 4).c_str() : "none yet");
  return gate > 0 && median > gate ? 1 : 0;
}

int store(int rounds, const std::filesystem::path& folder) {
  constexpr int kGroups = 300;
  std::vector<double> all;
  for (const std::size_t group : {1U, 8U, 64U}) {
    std::vector<double> ratios;
    double store_rate = 0;
    double raw_rate = 0;
    for (int round = 0; round < rounds; ++round) {
      const auto fresh = folder / (std::to_string(group) + "-" + std::to_string(round));
      std::filesystem::create_directories(fresh);
      const double sqlite = stored_s(fresh, group, kGroups);
      const double raw = appended_s(fresh, group, kGroups);
      ratios.push_back(sqlite / raw);
      store_rate = std::max(store_rate, static_cast<double>(group) * kGroups / sqlite);
      raw_rate = std::max(raw_rate, static_cast<double>(group) * kGroups / raw);
      std::filesystem::remove_all(fresh);
    }
    std::sort(ratios.begin(), ratios.end());
    all.push_back(ratios[ratios.size() / 2]);
    std::printf("  groups of %zu: at best %.0f submissions a second, raw %.0f; time over raw %.3f\n", group,
                store_rate, raw_rate, all.back());
  }
  return verdict("store", all, 0);
}

/// CPU seconds of `jobs` submissions and wakes.
double steps_s(StepSink<Controller>* sink, int jobs) {
  Traced<Controller> controller(Controller(ControllerConfig{}), 0, sink);
  const JobSpecPtr spec = some_spec();
  controller::Commands commands;
  const double began = cpu_s();
  for (int i = 1; i <= jobs; ++i) {
    commands.clear();
    controller.step(instant_ns(i), controller::Submit{RequestId{static_cast<std::uint64_t>(i)}, spec},
                    commands);
    controller.step(instant_ns(i), Wake{}, commands);
  }
  return cpu_s() - began;
}

int flight(int rounds, const std::filesystem::path& folder) {
  constexpr int kJobs = 20'000;
  std::vector<double> ratios;
  for (int round = 0; round < rounds; ++round) {
    live::FlightOptions options;
    options.folder = folder / ("f" + std::to_string(round));
    options.buffer_bytes = std::uint64_t{1} << 30;
    auto recorder = live::FlightRecorder::open({}, options);
    DUET_CHECK(recorder);
    const double bare = steps_s(nullptr, kJobs);
    const double recorded = steps_s(recorder->get(), kJobs);
    DUET_CHECK((*recorder)->finish());
    ratios.push_back(recorded / bare);
    recorder->reset();  // It looks after its files to the end.
    std::printf("  round %d: %.0f ns more a step\n", round + 1, (recorded - bare) / (2 * kJobs) * 1e9);
    std::filesystem::remove_all(options.folder);
  }
  return verdict("flight", ratios, 0);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  const int rounds = argc > 2 ? std::max(1, std::atoi(argv[2])) : 5;
  std::string folder = (std::filesystem::path(argc > 3 ? argv[3] : "/tmp") / "live_ratio_XXXXXX").string();
  if ((mode != "store" && mode != "flight") || ::mkdtemp(folder.data()) == nullptr) {
    std::fprintf(stderr, "live_ratio store|flight [ROUNDS [FOLDER]]\n");
    return 2;
  }
  const int code = mode == "store" ? store(rounds, folder) : flight(rounds, folder);
  std::filesystem::remove_all(folder);
  return code;
}
