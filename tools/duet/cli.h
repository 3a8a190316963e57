// The command line of `duet`: words in, a command out, or what to say instead.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/duet/options.h"

namespace duet::front {

struct Parsed {
  std::optional<Command> command;  ///< Nothing if only `out` or `err` is to be printed.
  int exit_code = 0;
  std::string out;  ///< Help and version: for standard output.
  std::string err;
};

Parsed parse(int argc, const char* const* argv);

/// An option or argument, for completion.
struct OptionSpec {
  std::vector<std::string> names;  ///< "--engine", "-o"; none for an argument.
  std::string summary;
  bool takes_value = false;
  std::vector<std::string> choices;  ///< Empty: a file or free text.
};
struct CommandSpec {
  std::vector<std::string> words;  ///< {"duet", "trace", "cat"}
  std::string summary;
  std::vector<std::string> subcommands;
  std::vector<OptionSpec> options;
};
/// Every visible command, parents first.
std::vector<CommandSpec> command_tree();

/// What is wrong with `word`, which must be one of `choices`; empty if it is.
std::string objection(const std::string& word, const std::vector<std::string>& choices);
/// Says that there is no such option or command as `word`, and which of the `known` it may have been meant to
/// be.
std::string unknown(const std::string& word, const std::vector<std::string>& known);

/// What to show before everything else in the help of a command ("duet trace cat"); lines end with a newline.
std::string_view examples_of(std::string_view command);

}  // namespace duet::front
