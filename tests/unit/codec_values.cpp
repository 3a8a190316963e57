// Records to bytes and back: everything survives, nothing that is cut or invented is believed, nothing
// crashes.
#include <limits>

#include <gtest/gtest.h>

#include "core/codec/decode.h"
#include "core/codec/encode.h"
#include "core/codec/render.h"
#include "tests/unit/codec_support.h"

namespace duet::test {
namespace codec_values {

template <class T>
codec::ByteBuffer encoded(const T& value, Instant base = {}) {
  codec::ByteBuffer buffer;
  codec::EncodeContext context;
  context.base = base;
  codec::Encoder encoder(buffer, context);
  encoder.put(value);
  encoder.finish();
  return buffer;
}

template <class T>
std::string round_trip(const T& value, Instant base) {
  const codec::ByteBuffer bytes = encoded(value, base);
  codec::DecodeContext context;
  context.base = base;
  T back{};
  if (!codec::decode_exactly(bytes.span(), back, context)) return "not decoded: " + codec::rendered(value);
  if (codec::rendered(back) != codec::rendered(value)) return "differs: " + codec::rendered(value);
  const codec::ByteBuffer again = encoded(back, base);
  if (!std::ranges::equal(again.span(), bytes.span()))
    return "encodes differently: " + codec::rendered(value);
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    // A copy of its own, so that a sanitizer sees a read beyond the end.
    const std::vector<std::uint8_t> cut(bytes.data(), bytes.data() + n);
    T part{};
    if (codec::decode_exactly(std::span(cut), part, context))
      return "decoded although cut: " + codec::rendered(value);
  }
  return {};
}

template <class T>
class CodecRecords : public testing::Test {};

using Types =
    testing::Types<controller::Event, controller::Command, agent::Event, agent::Command, Record, JobSpec,
                   TaskSpec, NodeOffer, Resources, ThreadSet, AttemptId, msg::FromAgent, msg::ToAgent>;
TYPED_TEST_SUITE(CodecRecords, Types);

TYPED_TEST(CodecRecords, RandomlyFilledSurviveAndTruncatedFail) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    RandomFill random(seed);
    const auto value = random.make<TypeParam>();
    const Instant base = seed % 3 == 0 ? Instant{} : instant_ns(static_cast<std::int64_t>(mix64(seed) >> 1));
    ASSERT_EQ(round_trip(value, base), "") << "seed " << seed;
  }
}

TYPED_TEST(CodecRecords, RandomBytesAreRefusedOrDecodeToSomethingThatSurvives) {
  Rng rng(1);
  for (int i = 0; i < 300 * kPasses; ++i) {
    std::vector<std::uint8_t> bytes(rng.below(60));
    for (auto& b : bytes) b = static_cast<std::uint8_t>(rng.chance(1, 2) ? rng.below(8) : rng.below(256));
    TypeParam value{};
    if (codec::decode_exactly(std::span<const std::uint8_t>(bytes), value)) {
      ASSERT_EQ(round_trip(value, Instant{}), "");
    }
  }
}

TYPED_TEST(CodecRecords, FlippedBytesAreRefusedOrDecodeToSomethingThatSurvives) {
  RandomFill random(5);
  for (int i = 0; i < 2 * kPasses; ++i) {
    const auto bytes = encoded(random.make<TypeParam>());
    for (std::size_t at = 0; at < std::min<std::size_t>(bytes.size(), 200); ++at) {
      std::vector<std::uint8_t> altered(bytes.data(), bytes.data() + bytes.size());
      altered[at] ^= static_cast<std::uint8_t>(1U << (i % 8));
      TypeParam value{};
      if (codec::decode_exactly(std::span<const std::uint8_t>(altered), value)) {
        ASSERT_EQ(round_trip(value, Instant{}), "");
      }
    }
  }
}

TEST(CodecVarint, EveryLengthAndItsEdges) {
  for (unsigned bits = 0; bits <= 64; ++bits) {
    for (const std::int64_t step : {-1, 0, 1}) {
      const std::uint64_t v = (bits == 64 ? 0 : std::uint64_t{1} << bits) + static_cast<std::uint64_t>(step);
      std::uint8_t bytes[24] = {};
      const std::uint8_t* end = codec::put_varint(bytes, v);
      const auto n = static_cast<std::size_t>(end - bytes);
      ASSERT_EQ(n, codec::varint_size(v));
      std::uint64_t back = 0;
      ASSERT_EQ(codec::get_varint(bytes, end, back), end);
      ASSERT_EQ(back, v);
      for (std::size_t cut = 0; cut < n; ++cut)
        ASSERT_EQ(codec::get_varint(bytes, bytes + cut, back), nullptr);
    }
  }
  EXPECT_EQ(codec::varint_size(127), 1U);
  EXPECT_EQ(codec::varint_size(128), 2U);
  EXPECT_EQ(codec::varint_size(std::numeric_limits<std::uint64_t>::max()), 9U);
}

TEST(CodecVarint, ZigzagKeepsSmallNumbersSmall) {
  EXPECT_EQ(codec::zigzag(0), 0U);
  EXPECT_EQ(codec::zigzag(-1), 1U);
  EXPECT_EQ(codec::zigzag(1), 2U);
  for (const std::int64_t v : {INT64_MIN, INT64_MIN + 1, INT64_MAX, std::int64_t{-77}})
    EXPECT_EQ(codec::unzigzag(codec::zigzag(v)), v);
}

TEST(CodecSizes, WhatIsCommonIsShort) {
  ThreadSet one;
  one.insert(7);
  ThreadSet core;
  core.insert(1), core.insert(5);
  ThreadSet range;
  for (std::uint32_t t = 4; t < 12; ++t) range.insert(t);
  EXPECT_EQ(encoded(ThreadSet{}).size(), 1U);
  EXPECT_EQ(encoded(one).size(), 1U);
  EXPECT_EQ(encoded(core).size(), 2U);
  EXPECT_EQ(encoded(range).size(), 2U);
  EXPECT_EQ(encoded(Resources{}).size(), 3U);
  const Instant now = instant_ns(1'700'000'000'000'000'000);
  EXPECT_EQ(encoded(TaskRecord{.task = {}, .node = {}, .threads = one, .placed = now}, now).size(), 11U);
}

TEST(CodecSizes, ASpecificationIsWrittenOncePerStep) {
  const JobSpecPtr spec = some_job(std::string(100, 'x'), 1, 1, false);
  const auto once = encoded(controller::Submit{RequestId{1}, spec}).size();
  codec::ByteBuffer buffer;
  codec::Encoder encoder(buffer);
  encoder.put(controller::Submit{RequestId{1}, spec});
  encoder.put(
      controller::Submit{RequestId{1}, std::make_shared<const JobSpec>(*spec)});  // equal, not the same
  encoder.finish();
  EXPECT_EQ(buffer.size(), once + 3);
}

TEST(CodecDecoder, EnumeratorsThatDoNotExistAreRefused) {
  for (unsigned b = 0; b < 256; ++b) {
    const std::vector<std::uint8_t> bytes{static_cast<std::uint8_t>(b)};
    TaskState state{};
    EXPECT_EQ(codec::decode_exactly(std::span<const std::uint8_t>(bytes), state), b < 8) << b;
  }
}

TEST(CodecDecoder, ACountThatTheBytesCannotHoldTakesNoMemory) {
  codec::ByteBuffer buffer;
  codec::Encoder encoder(buffer);
  encoder.put_number(std::uint64_t{1} << 60);
  encoder.finish();
  std::vector<Record> records;
  EXPECT_FALSE(codec::decode_exactly(buffer.span(), records));
  EXPECT_EQ(records.capacity(), 0U);
  std::string text;
  EXPECT_FALSE(codec::decode_exactly(buffer.span(), text));
}

TEST(CodecDecoder, NumbersBeyondTheirTypeAreRefused) {
  codec::ByteBuffer buffer;
  codec::Encoder encoder(buffer);
  encoder.put_number(std::uint64_t{1} << 32);
  encoder.finish();
  std::uint32_t narrow = 0;
  std::int32_t narrow_signed = 0;
  std::uint64_t wide = 0;
  EXPECT_FALSE(codec::decode_exactly(buffer.span(), narrow));
  EXPECT_FALSE(codec::decode_exactly(buffer.span(), narrow_signed));
  EXPECT_TRUE(codec::decode_exactly(buffer.span(), wide));
}

}  // namespace codec_values
}  // namespace duet::test
