// Reading text files: ends of lines, compression, limits, and what cannot be read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/rng.h"
#include "sim/text_file.h"
#include "tests/unit/import_support.h"

namespace duet::sim::import_test {
namespace text_file {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> lines_of(const std::string& text, std::string* failure = nullptr,
                                  TextLimits limits = {}) {
  const TempFile file("text", text);
  auto reader = LineReader::open(file.path(), limits);
  std::vector<std::string> lines;
  std::string_view line;
  while (reader->next(line)) lines.emplace_back(line);
  if (failure != nullptr && reader->failure())
    *failure = reader->failure()->where + ": " + reader->failure()->what;
  return lines;
}

TEST(LineReader, EndsOfLines) {
  EXPECT_THAT(lines_of("a\nb\r\n\n c\n"), ElementsAre("a", "b", "", " c"));
  EXPECT_THAT(lines_of("a\nb"), ElementsAre("a", "b"));
  EXPECT_THAT(lines_of("\n"), ElementsAre(""));
  EXPECT_THAT(lines_of(""), ElementsAre());
  EXPECT_THAT(lines_of("\xef\xbb\xbfone\n\xef\xbb\xbftwo"), ElementsAre("one", "\xef\xbb\xbftwo"));
}

TEST(LineReader, LinesAcrossBlocks) {
  std::string text;
  for (int i = 0; i < 3000; ++i) text += std::string(static_cast<std::size_t>(i), 'x') + "\n";
  for (const std::string& form : {text, gzip(text)}) {
    const auto lines = lines_of(form);
    ASSERT_EQ(lines.size(), 3000U);
    for (std::size_t i = 0; i < lines.size(); ++i) ASSERT_EQ(lines[i].size(), i);
  }
}

TEST(LineReader, NumbersItsLines) {
  const TempFile file("text", "a\nb\n");
  auto reader = LineReader::open(file.path());
  ASSERT_TRUE(reader);
  std::string_view line;
  reader->next(line);
  reader->next(line);
  EXPECT_EQ(reader->where(), file.path() + ":2");
  EXPECT_FALSE(reader->next(line));
  EXPECT_EQ(reader->line_number(), 2U);
  EXPECT_FALSE(reader->failure());
}

TEST(LineReader, ConcatenatedArchivesAreOneText) {
  EXPECT_THAT(lines_of(gzip("a\n") + gzip("b\n")), ElementsAre("a", "b"));
}

TEST(LineReader, DamageIsToldFromTheEnd) {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += std::to_string(mix64(static_cast<std::uint64_t>(i))) + "\n";
  std::string packed = gzip(text);
  std::string failure;
  EXPECT_LT(lines_of(packed.substr(0, packed.size() / 2), &failure).size(), 20'000U);
  EXPECT_THAT(failure, HasSubstr("cut short"));

  packed[packed.size() / 2] = static_cast<char>(packed[packed.size() / 2] ^ 0x55);
  failure.clear();
  lines_of(packed, &failure);
  EXPECT_THAT(failure, HasSubstr("damaged"));
}

TEST(LineReader, LimitsHoldAgainstBombs) {
  const std::string bomb = gzip(std::string(50 << 20, '\n'));
  EXPECT_LT(bomb.size(), 100'000U);
  std::string failure;
  lines_of(bomb, &failure, {.bytes = 1 << 20, .line_bytes = 100});
  EXPECT_THAT(failure, HasSubstr("the text is longer than 1048576 bytes"));
  lines_of("short\n" + std::string(101, 'x'), &failure, {.bytes = 1 << 20, .line_bytes = 100});
  EXPECT_THAT(failure, HasSubstr("text:2: a line is longer than 100 bytes"));
}

TEST(LineReader, WhatCannotBeRead) {
  EXPECT_THAT(complaints(LineReader::open("/no/such/file")),
              HasSubstr("/no/such/file: there is no such file"));
  EXPECT_THAT(complaints(LineReader::open("/")), HasSubstr("is a directory"));
  EXPECT_THAT(complaints(LineReader::open("")), HasSubstr("there is no such file"));
  EXPECT_THAT(complaints(LineReader::open(std::string("a\0b", 3))), HasSubstr("NUL"));
  std::string failure;
  EXPECT_THAT(lines_of(std::string("good\nba\0d\n", 10), &failure), ElementsAre("good"));
  EXPECT_THAT(failure, HasSubstr("text:2: holds a NUL byte"));
}

TEST(ReadText, WholeFilesWithinTheLimit) {
  const std::string text(300'000, 'y');
  const TempFile plain("plain", text);
  const TempFile packed("packed", gzip(text));
  EXPECT_EQ(*read_text(plain.path(), 300'000), text);
  EXPECT_EQ(*read_text(packed.path(), 300'000), text);
  EXPECT_THAT(complaints(read_text(packed.path(), 299'999)), HasSubstr("longer than 299999 bytes"));
  EXPECT_THAT(complaints(read_text("/", 10)), HasSubstr("is a directory"));
}

TEST(LogNumber, ReadsExactlyOrNotAtAll) {
  const auto read = [](std::string_view text) { return read_log_number(text, 9, kMaxLogTime_ns); };
  EXPECT_EQ(read("4.709164021244639").value, 4'709'164'021);
  EXPECT_EQ(read("0.0000000005").value, 1);
  EXPECT_EQ(read("0.00000000049999999999").value, 0);
  EXPECT_FALSE(read("0.0000000004").exact);
  EXPECT_EQ(read("-1.5").value, -1'500'000'000);
  EXPECT_EQ(read("12e-1").value, 1'200'000'000);
  EXPECT_EQ(read("1e-400").value, 0);
  EXPECT_EQ(read("0e999999999999999999999").value, 0);
  EXPECT_EQ(read("4000000000.000000000").value, kMaxLogTime_ns);
  EXPECT_EQ(read("4000000000.000000001").state, LogNumber::State::kTooLarge);
  EXPECT_EQ(read("-4000000001").state, LogNumber::State::kTooLarge);
  EXPECT_EQ(read(std::string(100'000, '9')).state, LogNumber::State::kTooLarge);
  for (const std::string_view bad :
       {"", "-", ".", "1.2.3", "1e", "1e+", "e5", "--1", "1 ", "0x1", "nan", "1,5", "1_0"})
    EXPECT_EQ(read(bad).state, LogNumber::State::kNotANumber) << bad;
}

}  // namespace text_file
}  // namespace duet::sim::import_test
