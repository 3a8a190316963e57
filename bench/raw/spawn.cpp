// How fast processes can be started: posix_spawn, vfork + exec or fork + exec of EXE, N times, at most K at
// once, from a parent of some size; vforkpin also pins each child to a processor.
//   spawn spawn|vfork|vforkpin|fork EXE N K [BALLAST_MB]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <unordered_map>
#include <vector>

#include <sched.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;
using clk = std::chrono::steady_clock;

// The child of vfork shares the parent's memory until it executes: it only calls what it must.
[[noreturn]] static void become(const char* exe, char** args) {
  execve(exe, args, environ);
  _exit(127);
}

static void pin(int processor) {
  cpu_set_t s;
  CPU_ZERO(&s);
  CPU_SET(processor, &s);
  sched_setaffinity(0, sizeof s, &s);
}

static pid_t start(const std::string& mode, const char* exe, char** args, int number) {
  if (mode == "spawn") {
    pid_t p = -1;
    return posix_spawn(&p, exe, nullptr, nullptr, args, environ) ? -1 : p;
  }
  if (mode == "vfork" || mode == "vforkpin") {
    const bool pinned = mode == "vforkpin";
    const pid_t p = vfork();
    if (p == 0) {
      if (pinned) pin(number & 1);
      become(exe, args);
    }
    return p;
  }
  const pid_t p = fork();
  if (p == 0) become(exe, args);
  return p;
}

int main(int c, char** v) {
  std::string mode = v[1];
  const char* exe = v[2];
  int N = atoi(v[3]), K = atoi(v[4]);
  long mb = c > 5 ? atol(v[5]) : 0;
  std::vector<char> ball((size_t)mb << 20, 1);
  char* args[] = {(char*)exe, nullptr};
  std::unordered_map<pid_t, clk::time_point> st;
  std::vector<double> lat;
  lat.reserve(N);
  int live = 0, launched = 0, done = 0;
  double spawncost = 0;
  auto t0 = clk::now();
  while (done < N) {
    while (live < K && launched < N) {
      auto a = clk::now();
      const pid_t p = start(mode, exe, args, launched);
      if (p < 0) return 1;
      spawncost += std::chrono::duration<double>(clk::now() - a).count();
      st[p] = a;
      live++;
      launched++;
    }
    int s;
    pid_t p = waitpid(-1, &s, 0);
    if (p > 0) {
      lat.push_back(std::chrono::duration<double, std::micro>(clk::now() - st[p]).count());
      st.erase(p);
      live--;
      done++;
    }
  }
  double T = std::chrono::duration<double>(clk::now() - t0).count();
  std::sort(lat.begin(), lat.end());
  printf("%-9s exe=%-22s N=%d K=%d ballast=%ldMB: %.0f/s  parent-cost/spawn=%.0fus  p50=%.0fus p99=%.0fus\n",
         mode.c_str(), exe, N, K, mb, N / T, spawncost / N * 1e6, lat[N / 2], lat[N * 99 / 100]);
}
