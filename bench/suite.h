// The benchmarks of duet_bench, by what they measure. Names: WHAT/WHICH/NODES.
#pragma once

#include <array>
#include <cstdint>
#include <functional>

#include <benchmark/benchmark.h>

namespace duet::bench {

inline constexpr std::array<std::uint32_t, 4> kSizes = {100, 1'000, 10'000, 100'000};

void add_decisions();  ///< A task's whole life with its trace, by scheduler.
void add_steps();      ///< Single steps of the controller, without a trace.
void add_codec();      ///< Steps to bytes and back, and their hashes; per step.
void add_index();      ///< Updates of TargetIndex, and questions to it.
void add_engines();    ///< Whole runs, in a process of their own; per task.

/// CPU seconds of this thread.
double cpu_s();

/// Runs `work(n)` in batches of n. With `between`, which is not to count, the benchmark must UseManualTime().
void measure(benchmark::State& state, std::uint64_t n, const std::function<void(std::uint64_t)>& work,
             const std::function<void()>& between = {});

}  // namespace duet::bench
