// Operations: what each finds, by numbers known elsewhere, whatever executes it; and what is wrong with data.
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "core/rng.h"
#include "live/operations/operation.h"
#include "live/worker/executor.h"

namespace duet::test {
namespace {

namespace operations = live::operations;
using live::worker::Executor;
using nlohmann::json;
using testing::ElementsAre;

std::string run_here(std::string_view name, const json& data) {
  auto made = operations::make(name, data);
  if (!made) return made.problems().front().where + " " + made.problems().front().what;
  for (std::uint64_t chunk = 0; chunk < (*made)->chunks(); ++chunk) (*made)->run(chunk);
  return (*made)->result();
}

/// How something ended that ends on another thread.
class Awaited {
 public:
  std::function<void(Executor::Ended)> hook() {
    return [this](Executor::Ended how) {
      const std::lock_guard lock(mutex_);
      how_ = std::move(how);
      wake_.notify_all();
    };
  }
  Executor::Ended get() {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return how_.has_value(); });
    return *how_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::optional<Executor::Ended> how_;
};

std::string run_on(unsigned threads, std::string_view name, const json& data) {
  Awaited awaited;
  Executor executor(threads);
  executor.begin(std::move(*operations::make(name, data)), awaited.hook());
  return awaited.get().result;
}

std::vector<std::string> mistakes_of(std::string_view name, const json& data) {
  std::vector<std::string> out;
  const auto made = operations::make(name, data);
  if (made) return out;
  for (const Problem& problem : made.problems())
    out.push_back(problem.where + " " + problem.what + ": " + problem.right);
  return out;
}

TEST(Operations, PrimesAreCountedExactly) {
  EXPECT_EQ(run_here("primes", {{"limit", 1}}), "0");
  EXPECT_EQ(run_here("primes", {{"limit", 2}}), "1");
  EXPECT_EQ(run_here("primes", {{"limit", 10}}), "4");
  EXPECT_EQ(run_here("primes", {{"limit", 1'000'000}}), "78498");
  EXPECT_EQ(run_here("primes", {{"limit", 1'048'575}}),
            "82025");  // The last of a segment, and the next ones.
  EXPECT_EQ(run_here("primes", {{"limit", 10'000'000}}), "664579");
}

TEST(Operations, ChainsOfHashesAreThoseOfTheStandard) {
  EXPECT_EQ(run_here("sha256_chain", {{"iterations", 1}, {"text", "abc"}}),
            "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"");
  EXPECT_EQ(run_here("sha256_chain", {{"iterations", 2}, {"text", "abc"}}),
            "\"4f8b42c22dd3729b519ba6f68d2da7cc5b2d606d05daed5ad5128cc03e6c6358\"");
  EXPECT_EQ(run_here("sha256_chain", {{"iterations", 1}}),
            "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"");
  const json longer = {{"iterations", 50'000}, {"text", "duet"}};
  EXPECT_EQ(run_on(3, "sha256_chain", longer), run_here("sha256_chain", longer));
}

TEST(Operations, PiComesOutOfRandomPointsTheSameEverywhere) {
  const json data = {{"iterations", 10'000'000}, {"seed", 7}};
  const std::string found = run_here("monte_carlo_pi", data);
  EXPECT_NEAR(std::stod(found), 3.14159, 0.002);
  EXPECT_EQ(run_on(1, "monte_carlo_pi", data), found);
  EXPECT_EQ(run_on(4, "monte_carlo_pi", data), found);
  EXPECT_NE(run_here("monte_carlo_pi", {{"iterations", 10'000'000}, {"seed", 8}}), found);
  const std::string one = run_here("monte_carlo_pi", {{"iterations", 1}});
  EXPECT_TRUE(one == "0" || one == "4") << one;
}

TEST(Operations, ProductsOfMatricesAreRight) {
  const json product = json::parse(run_here("matrix_multiplication", {{"size", 64}, {"seed", 3}}));
  // The elements are drawn by rows, the left matrix first; the product once more, plainly.
  Rng rng(3);
  std::vector<std::uint64_t> drawn;
  for (int i = 0; i < 2 * 64 * 64; ++i) drawn.push_back(rng.next() >> 56);
  std::uint64_t trace = 0;
  std::uint64_t sum = 0;
  for (std::size_t row = 0; row < 64; ++row)
    for (std::size_t column = 0; column < 64; ++column)
      for (std::size_t k = 0; k < 64; ++k) {
        const std::uint64_t part = drawn[row * 64 + k] * drawn[64 * 64 + k * 64 + column];
        sum += part;
        trace += row == column ? part : 0;
      }
  EXPECT_EQ(product, (json{{"trace", trace}, {"sum", sum}}));
}

TEST(Operations, WhatIsWrongIsToldAllAtOnce) {
  EXPECT_THAT(mistakes_of("monte_carlo_pi", {{"iterations", 0}, {"sed", 1}}),
              ElementsAre("/data/iterations is 0: a whole number from 1 to 10000000000",
                          "/data/sed is not known: iterations, seed"));
  EXPECT_THAT(mistakes_of("monte_carlo_pi", json::object()),
              ElementsAre("/data/iterations is missing: a whole number from 1 to 10000000000"));
  EXPECT_THAT(mistakes_of("monte_carlo_pi", {{"iterations", 1.5}}),
              ElementsAre("/data/iterations is 1.5: a whole number from 1 to 10000000000"));
  EXPECT_THAT(mistakes_of("monte_carlo_pi", {{"iterations", "many"}}),
              ElementsAre("/data/iterations is \"many\": a whole number from 1 to 10000000000"));
  EXPECT_THAT(mistakes_of("monte_carlo_pi", {{"iterations", 1e10}}), ElementsAre());
  EXPECT_THAT(mistakes_of("monte_carlo_pi", {{"iterations", 10'000'000'001}}),
              ElementsAre("/data/iterations is 10000000001: a whole number from 1 to 10000000000"));
  EXPECT_THAT(mistakes_of("sleep", {{"seconds", -1}}),
              ElementsAre("/data/seconds is -1: a number from 0.0 to 1000000.0"));
  EXPECT_THAT(mistakes_of("monte_carlo_po", json::object()),
              ElementsAre("/operation there is no operation 'monte_carlo_po': one of matrix_multiplication, "
                          "monte_carlo_pi, primes, sha256_chain, sleep"));
}

/// Of an operation that one adds, too: the line in the table is right, and its example can be executed.
TEST(Operations, S1_17_EveryLineOfTheTableHolds) {
  const auto all = operations::all();
  EXPECT_TRUE(std::ranges::is_sorted(all, {}, &operations::Entry::name));
  for (const operations::Entry& entry : all) {
    SCOPED_TRACE(entry.name);
    EXPECT_TRUE(entry.summary.ends_with('.'));
    const json example = json::parse(entry.example);
    const auto made = entry.make(example);
    ASSERT_TRUE(made);
    const operations::Cost cost = (*made)->cost();
    EXPECT_TRUE((cost.iterations > 0) != (cost.lasts > Duration{0}));
    const std::string result = run_here(entry.name, example);
    EXPECT_FALSE(json::parse(result, nullptr, false).is_discarded()) << result;
    EXPECT_EQ(run_on(2, entry.name, example), result);
    EXPECT_FALSE(entry.make(json::array()));
    EXPECT_FALSE(entry.make({{"no such member", 1}}));
  }
}

/// Chunks that wait until they are let go.
class Held final : public operations::Operation {
 public:
  struct Gate {
    std::mutex mutex;
    std::condition_variable wake;
    bool open = false;
    int begun = 0;
    void wait_for(int chunks) {
      std::unique_lock lock(mutex);
      wake.wait(lock, [&] { return begun >= chunks; });
    }
    void let_go() {
      const std::lock_guard lock(mutex);
      open = true;
      wake.notify_all();
    }
  };
  Held(Gate& gate, std::uint64_t chunks, bool fails = false) : gate_(gate), chunks_(chunks), fails_(fails) {}
  operations::Cost cost() const override { return {1, Duration{0}}; }
  std::uint64_t chunks() const override { return chunks_; }
  void run(std::uint64_t) override {
    if (fails_) throw std::runtime_error("broken");
    std::unique_lock lock(gate_.mutex);
    ++gate_.begun;
    gate_.wake.notify_all();
    gate_.wake.wait(lock, [this] { return gate_.open; });
  }
  std::string result() const override { return "0"; }

 private:
  Gate& gate_;
  std::uint64_t chunks_;
  bool fails_;
};

TEST(Executor, AShortOneIsNotHeldUpByALongOne) {
  Held::Gate gate;
  Awaited of_long;
  Awaited of_short;
  Executor executor(1);
  executor.begin(std::make_unique<Held>(gate, 1'000'000), of_long.hook());
  gate.wait_for(1);
  // Its turn comes after one chunk of the other, though a million were there before.
  int begun = 0;
  executor.begin(std::move(*operations::make("primes", {{"limit", 10}})),
                 [&, told = of_short.hook()](const Executor::Ended& how) {
                   begun = gate.begun;
                   told(how);
                 });
  gate.let_go();
  EXPECT_EQ(of_short.get().result, "4");
  EXPECT_EQ(begun, 2);
  EXPECT_EQ(of_long.get().result, "0");
}

TEST(Executor, WhatIsCancelledEndsAfterTheChunkThatRuns) {
  Held::Gate gate;
  Awaited awaited;
  Executor executor(2);
  const auto ticket = executor.begin(std::make_unique<Held>(gate, 1'000), awaited.hook());
  gate.wait_for(2);
  executor.cancel(ticket);
  gate.let_go();
  EXPECT_TRUE(awaited.get().cancelled);
  EXPECT_EQ(gate.begun, 2);
  executor.cancel(ticket);  // It has ended already.
}

TEST(Executor, WhatThrowsHasFailed) {
  Held::Gate gate;
  Awaited awaited;
  Executor executor(2);
  executor.begin(std::make_unique<Held>(gate, 100, true), awaited.hook());
  EXPECT_EQ(awaited.get().failure, "broken");
}

}  // namespace
}  // namespace duet::test
