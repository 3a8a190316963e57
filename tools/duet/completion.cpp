// duet completion: scripts for three shells, made from the command line's own description.
#include <algorithm>

#include "sim/terminal.h"
#include "tools/duet/cli.h"

namespace duet::front {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

std::vector<std::string> option_names(const CommandSpec& command) {
  std::vector<std::string> names;
  for (const OptionSpec& option : command.options)
    names.insert(names.end(), option.names.begin(), option.names.end());
  return names;
}

/// What may stand where the command has no further subcommand: choices of an argument.
std::vector<std::string> argument_choices(const CommandSpec& command) {
  for (const OptionSpec& option : command.options)
    if (option.names.empty() && !option.choices.empty()) return option.choices;
  return {};
}

/// case "$at WORD" in ... at="$at WORD": how far the words typed so far name a command.
std::string descend(const std::vector<CommandSpec>& tree, const std::string& word) {
  std::string known;
  for (const CommandSpec& command : tree)
    if (command.words.size() > 1) known += (known.empty() ? "\"" : "|\"") + joined(command.words) + '"';
  return "    case \"$at " + word + "\" in\n      " + known + ") at=\"$at " + word + "\" ;;\n    esac\n";
}

/// One arm of a case per option with choices: "duet sim --engine") SAY simgrid loop ;;
template <class Say>
std::string value_arms(const std::vector<CommandSpec>& tree, Say&& say) {
  std::string arms;
  for (const CommandSpec& command : tree)
    for (const OptionSpec& option : command.options)
      for (const std::string& name : option.names)
        if (!option.choices.empty())
          arms += "    \"" + joined(command.words) + ' ' + name + "\") " + say(option.choices) + " ;;\n";
  return arms;
}

std::string bash(const std::vector<CommandSpec>& tree) {
  const auto reply = [](const std::vector<std::string>& words) {
    return "COMPREPLY=($(compgen -W '" + joined(words) + "' -- \"$cur\")); return";
  };
  std::string out =
      "# bash completion for duet: source <(duet completion bash)\n"
      "_duet() {\n"
      "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} at=duet i\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n" +
      descend(tree, "${COMP_WORDS[i]}") + "  done\n  case \"$at $prev\" in\n" + value_arms(tree, reply) +
      "  esac\n  local options words\n  case \"$at\" in\n";
  for (const CommandSpec& command : tree) {
    const auto words = command.subcommands.empty() ? argument_choices(command) : command.subcommands;
    out += "    \"" + joined(command.words) + "\") options='" + joined(option_names(command)) + "' words='" +
           joined(words) + "' ;;\n";
  }
  return out +
         "  esac\n"
         "  [[ $cur == -* ]] && words=$options\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
         "}\n"
         "complete -o default -F _duet duet\n";
}

std::string zsh(const std::vector<CommandSpec>& tree) {
  const auto reply = [](const std::vector<std::string>& words) {
    return "compadd -- " + joined(words) + "; return";
  };
  std::string out =
      "#compdef duet\n"
      "# zsh completion for duet: duet completion zsh > a folder of $fpath, as _duet\n"
      "_duet() {\n"
      "  local at=duet i\n"
      "  for ((i = 2; i < CURRENT; i++)); do\n" +
      descend(tree, "${words[i]}") + "  done\n  case \"$at ${words[CURRENT-1]}\" in\n" +
      value_arms(tree, reply) + "  esac\n  case \"$at\" in\n";
  for (const CommandSpec& command : tree) {
    const auto words = command.subcommands.empty() ? argument_choices(command) : command.subcommands;
    out += "    \"" + joined(command.words) + "\")\n      if [[ $PREFIX == -* ]]; then compadd -- " +
           joined(option_names(command)) + "; else " +
           (words.empty() ? std::string("_files") : "compadd -- " + joined(words)) + "; fi ;;\n";
  }
  return out +
         "  esac\n"
         "}\n"
         "if [[ ${funcstack[1]} == _duet ]]; then _duet \"$@\"; else compdef _duet duet; fi\n";
}

/// A description in single quotes, as fish reads them.
std::string fish_quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + '\'';
}

std::string fish(const std::vector<CommandSpec>& tree) {
  std::string known;
  for (const CommandSpec& command : tree)
    if (command.words.size() > 1) known += " '" + joined(command.words) + '\'';
  std::string out =
      "# fish completion for duet: duet completion fish > ~/.config/fish/completions/duet.fish\n"
      "function __duet_at\n"
      "  set -l at duet\n"
      "  for word in (commandline -opc)[2..-1]\n"
      "    contains -- \"$at $word\"" +
      known +
      "; and set at \"$at $word\"\n"
      "  end\n"
      "  test \"$at\" = \"$argv[1]\"\n"
      "end\n";
  for (const CommandSpec& command : tree) {
    const std::string here = "complete -c duet -n \"__duet_at '" + joined(command.words) + "'\"";
    for (const std::string& sub : command.subcommands) {
      const auto found = std::find_if(tree.begin(), tree.end(), [&](const CommandSpec& other) {
        return other.words.back() == sub && other.words.size() == command.words.size() + 1 &&
               std::equal(command.words.begin(), command.words.end(), other.words.begin());
      });
      out += here + " -f -a " + sub + " -d " + fish_quoted(found->summary) + '\n';
    }
    if (const auto choices = argument_choices(command); !choices.empty())
      out += here + " -f -a " + fish_quoted(joined(choices)) + '\n';
    for (const OptionSpec& option : command.options) {
      if (option.names.empty()) continue;
      out += here;
      for (const std::string& name : option.names)
        out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      if (!option.choices.empty())
        out += " -x -a " + fish_quoted(joined(option.choices));
      else if (option.takes_value)
        out += " -r";
      out += " -d " + fish_quoted(option.summary) + '\n';
    }
  }
  return out;
}

}  // namespace

int run(const CompletionCommand& command) {
  const std::vector<CommandSpec> tree = command_tree();
  const std::string script = command.shell == "bash"  ? bash(tree)
                             : command.shell == "zsh" ? zsh(tree)
                                                      : fish(tree);
  return sim::print(script) ? sim::kExitOk : sim::kExitUsage;
}

}  // namespace duet::front
