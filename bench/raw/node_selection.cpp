// Node selection: ns per decision (select + allocate, + release) over two resources, CPU and memory.
#include "bench/raw/node_selection.h"

#include <algorithm>

#include <benchmark/benchmark.h>

#include "bench/raw/node_selection_indexes.h"
#include "bench/raw/node_selection_load.h"
#include "bench/raw/node_selection_scans.h"

template <class S>
static void BM(benchmark::State& st) {
  HeldCluster<S> held((u32)st.range(0));
  for (auto _ : st) {
    held.decide();
    benchmark::ClobberMemory();
  }
  st.counters["fail%"] = 100.0 * (double)held.fails() / (double)std::max<u64>(1, st.iterations());
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
