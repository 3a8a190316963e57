// Node selection: ns per decision (select + allocate, + release) over two resources, CPU and memory.
// Steady state: the cluster is held near a target utilisation by releasing the oldest placement (a ring).
#include "bench/raw/node_selection.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include <benchmark/benchmark.h>

#include "bench/raw/node_selection_indexes.h"
#include "bench/raw/node_selection_scans.h"

template <class S>
static void BM(benchmark::State& st) {
  u32 N = (u32)st.range(0);
  S s(N);
  u64 seed = 42;
  struct P {
    u32 n;
    Req r;
  };
  size_t cap = (size_t)N * 4 + 16;
  std::vector<P> ring(cap);
  size_t h = 0, t = 0, used = 0;
  std::vector<Req> reqs(4096);
  for (auto& r : reqs) r = mkreq(seed);
  size_t q = 0;
  double tgt = 0.80;
  i32 need = 0;
  u64 usedc = 0;
  u64 limit = (u64)(tgt * (double)N * CPU);
  u64 fails = 0;
  auto place = [&]() {
    Req r = reqs[q++ & 4095];
    int k = s.pick(r);
    if (k < 0) {
      fails++;
      return false;
    }
    s.upd((u32)k, -r.c, -r.m);
    ring[h % cap] = {(u32)k, r};
    h++;
    used++;
    usedc += r.c;
    return true;
  };
  auto rel = [&]() {
    P p = ring[t % cap];
    t++;
    used--;
    usedc -= p.r.c;
    s.upd(p.n, p.r.c, p.r.m);
  };
  {
    std::vector<i32> fc(N, CPU), fm(N, MEM);
    u32 cur = 0;
    while (usedc < limit && used + 1 < cap) {
      Req r = reqs[q++ & 4095];
      u32 k = 0;
      while (k < N && !(fc[cur] >= r.c && fm[cur] >= r.m)) {
        cur = cur + 1 < N ? cur + 1 : 0;
        k++;
      }
      if (k == N) break;
      fc[cur] -= r.c;
      fm[cur] -= r.m;
      s.upd(cur, -r.c, -r.m);
      ring[h % cap] = {cur, r};
      h++;
      used++;
      usedc += r.c;
      cur = cur + 1 < N ? cur + 1 : 0;
    }
  }
  (void)need;
  for (auto _ : st) {
    while ((usedc >= limit || used + 1 >= cap) && used) rel();
    if (!place() && used) rel();
    benchmark::ClobberMemory();
  }
  st.counters["fail%"] = 100.0 * (double)fails / (double)std::max<u64>(1, st.iterations());
  st.counters["dec/s"] = benchmark::Counter((double)st.iterations(), benchmark::Counter::kIsRate);
}
#define R ->Arg(100)->Arg(1000)->Arg(10000)->Arg(100000)->MinTime(0.05)
BENCHMARK_TEMPLATE(BM, NaiveBest) R;
BENCHMARK_TEMPLATE(BM, SoAScan<true>) R;
BENCHMARK_TEMPLATE(BM, SoAScan<false>) R;
BENCHMARK_TEMPLATE(BM, VecScan<true>) R;
BENCHMARK_TEMPLATE(BM, VecScan<false>) R;
BENCHMARK_TEMPLATE(BM, VecEpvm) R;
BENCHMARK_TEMPLATE(BM, NaiveEpvm) R;
BENCHMARK_TEMPLATE(BM, SoAEpvm) R;
BENCHMARK_TEMPLATE(BM, RRScan) R;
BENCHMARK_TEMPLATE(BM, SegTree) R;
BENCHMARK_TEMPLATE(BM, SetIdx<true>) R;
BENCHMARK_TEMPLATE(BM, SetIdx<false>) R;
BENCHMARK_TEMPLATE(BM, Bucket<true>) R;
BENCHMARK_TEMPLATE(BM, Bucket<false>) R;
BENCHMARK_TEMPLATE(BM, Po2) R;
BENCHMARK_MAIN();
