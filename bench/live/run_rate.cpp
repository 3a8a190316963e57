// How fast a live cluster runs processes for its users: N jobs of one task over REST, at most K not yet
// ended, from the first submission to the last end told; then how long a single one takes, one after the
// other.
//   run_rate FOLDER EXE N K [ONE]     FOLDER of `duet up`; ONE: how many single ones (default 0)
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "live/http/client.h"

namespace {

using namespace duet::live;
using Clock = std::chrono::steady_clock;
using nlohmann::json;

constexpr int kSubmitters = 4;
/// Thousandths of a processor. A share is a limit, and one of 30 stops `true` for most of 100 ms where its
/// start takes more than 3 ms. What has no room waits.
constexpr int kCpu = 250;

std::string first_line_of(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

class Load {
 public:
  Load(std::string folder, const std::string& exe)
      : folder_(std::move(folder) + "/controller"),
        job_(json{{"name", "true"}, {"cpu", kCpu}, {"command", {exe}}}.dump()) {
    std::ifstream file(folder_ + "/controller.json");
    url_ = json::parse(file).at("url");
    watcher_ = std::thread([this] { watch(); });
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return watching_; });
    lock.unlock();
    submit();
    lock.lock();
    first_ = last_ + 1;  // Jobs of a measurement before this one may end just now.
  }
  ~Load() {
    done_ = true;
    submit();  // Something for the watcher to wake at.
    watcher_.join();
  }

  double run(long jobs, long at_once) {
    left_ = jobs;
    const auto begin = Clock::now();
    std::vector<std::thread> threads;
    for (int i = 0; i < kSubmitters; ++i)
      threads.emplace_back([&] {
        http::Client client = connect();
        for (;;) {
          {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [&] { return left_ == 0 || running_ < at_once; });
            if (left_ == 0) return;
            --left_;
            ++running_;
          }
          submit(client);
        }
      });
    for (std::thread& thread : threads) thread.join();
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return running_ == 0; });
    return std::chrono::duration<double>(Clock::now() - begin).count();
  }
  long failed() const { return failed_; }

 private:
  http::Client connect() {
    http::ClientOptions options;
    options.token = Secret(first_line_of(folder_ + "/token"));
    auto client = http::Client::make(url_, std::move(options));
    if (!client) std::abort();
    return std::move(*client);
  }
  void submit() {
    http::Client client = connect();
    submit(client);
  }
  void submit(http::Client& client) {
    const auto reply = client.post("/api/v1/jobs", job_);
    if (reply.ok()) {
      const std::lock_guard lock(mutex_);
      last_ = std::max(last_, json::parse(reply.body).at("id").get<long>());
      return;
    }
    std::fprintf(stderr, "submission: %u %s %s\n", reply.status, reply.why.c_str(), reply.body.c_str());
    std::_Exit(1);
  }
  void watch() {
    http::Client client = connect();
    client.events("/api/v1/events", "", [this](const http::ReceivedEvent& event) {
      const bool ended = event.name == "job" && (event.data.find("\"succeeded\"") != std::string::npos ||
                                                 event.data.find("\"failed\"") != std::string::npos);
      if (!ended && watching_) return !done_;
      const std::lock_guard lock(mutex_);
      watching_ = true;
      if (ended && json::parse(event.data).at("job").get<long>() >= first_) {
        --running_;
        if (event.data.find("\"failed\"") != std::string::npos) ++failed_;
      }
      changed_.notify_all();
      return !done_;
    });
  }

  const std::string folder_;
  const std::string job_;
  std::string url_;
  std::thread watcher_;
  std::mutex mutex_;
  std::condition_variable changed_;
  long left_ = 0;
  long running_ = 0;
  long failed_ = 0;
  long last_ = 0;  ///< Of those submitted.
  long first_ = std::numeric_limits<long>::max();
  bool watching_ = false;
  std::atomic<bool> done_ = false;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fprintf(stderr, "run_rate FOLDER EXE N K [ONE]\n");
    return 2;
  }
  const long jobs = std::atol(argv[3]);
  const long at_once = std::atol(argv[4]);
  Load load(argv[1], argv[2]);
  const double seconds = load.run(jobs, at_once);
  std::printf("duet      exe=%s N=%ld K=%ld: %.0f/s, %ld failed\n", argv[2], jobs, at_once,
              static_cast<double>(jobs) / seconds, load.failed());
  const int singles = argc > 5 ? std::atoi(argv[5]) : 0;
  std::vector<double> times;
  for (int i = 0; i < singles; ++i) times.push_back(load.run(1, 1) * 1e6);
  std::ranges::sort(times);
  if (!times.empty())
    std::printf("one by one: p50 %.0f us, p99 %.0f us\n", times[times.size() / 2],
                times[times.size() * 99 / 100]);
  return load.failed() == 0 ? 0 : 1;
}
