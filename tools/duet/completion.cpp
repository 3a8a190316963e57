// duet completion, cube completion: a script for each shell.
#include "tools/duet/completion.h"

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

std::string bash(const std::string& program, const std::vector<CommandSpec>& tree) {
  const auto reply = [](const std::vector<std::string>& words) {
    return "COMPREPLY=($(compgen -W '" + joined(words) + "' -- \"$cur\")); return";
  };
  std::string out = "# bash completion for " + program + ": source <(" + program + " completion bash)\n_" +
                    program +
                    "() {\n"
                    "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} at=" +
                    program +
                    " i\n"
                    "  for ((i = 1; i < COMP_CWORD; i++)); do\n" +
                    descend(tree, "${COMP_WORDS[i]}") + "  done\n  case \"$at $prev\" in\n" +
                    value_arms(tree, reply) + "  esac\n  local options words\n  case \"$at\" in\n";
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
         "complete -o default -F _" +
         program + ' ' + program + '\n';
}

std::string zsh(const std::string& program, const std::vector<CommandSpec>& tree) {
  const auto reply = [](const std::vector<std::string>& words) {
    return "compadd -- " + joined(words) + "; return";
  };
  std::string out = "#compdef " + program + "\n# zsh completion for " + program + ": " + program +
                    " completion zsh > a folder of $fpath, as _" + program + "\n_" + program +
                    "() {\n"
                    "  local at=" +
                    program +
                    " i\n"
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
         "if [[ ${funcstack[1]} == _" +
         program + " ]]; then _" + program + " \"$@\"; else compdef _" + program + ' ' + program + "; fi\n";
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

std::string fish(const std::string& program, const std::vector<CommandSpec>& tree) {
  std::string known;
  for (const CommandSpec& command : tree)
    if (command.words.size() > 1) known += " '" + joined(command.words) + '\'';
  std::string out = "# fish completion for " + program + ": " + program +
                    " completion fish > ~/.config/fish/completions/" + program +
                    ".fish\n"
                    "function __" +
                    program + "_at\n  set -l at " + program +
                    "\n"
                    "  for word in (commandline -opc)[2..-1]\n"
                    "    contains -- \"$at $word\"" +
                    known +
                    "; and set at \"$at $word\"\n"
                    "  end\n"
                    "  test \"$at\" = \"$argv[1]\"\n"
                    "end\n";
  for (const CommandSpec& command : tree) {
    const std::string here =
        "complete -c " + program + " -n \"__" + program + "_at '" + joined(command.words) + "'\"";
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

/// A table of what may follow each command, and what looks a word up in it.
std::string powershell(const std::string& program, const std::vector<CommandSpec>& tree) {
  const auto list = [](const std::vector<std::string>& words) {
    std::string text = "@(";
    for (const std::string& word : words) text += (text.size() > 2 ? ", '" : "'") + word + '\'';
    return text + ')';
  };
  std::string out = "# PowerShell completion for " + program + ": " + program +
                    " completion powershell | Out-String | Invoke-Expression\n"
                    "Register-ArgumentCompleter -Native -CommandName " +
                    program +
                    " -ScriptBlock {\n"
                    "  param($wordToComplete, $commandAst, $cursorPosition)\n"
                    "  $next = @{\n";
  for (const CommandSpec& command : tree) {
    std::vector<std::string> words =
        command.subcommands.empty() ? argument_choices(command) : command.subcommands;
    for (const std::string& name : option_names(command)) words.push_back(name);
    out += "    '" + joined(command.words) + "' = " + list(words) + "\n";
  }
  out += "  }\n  $values = @{\n";
  for (const CommandSpec& command : tree)
    for (const OptionSpec& option : command.options)
      for (const std::string& name : option.names)
        if (!option.choices.empty())
          out += "    '" + joined(command.words) + ' ' + name + "' = " + list(option.choices) + "\n";
  return out +
         "  }\n"
         "  $at = '" +
         program +
         "'\n"
         "  $last = ''\n"
         "  foreach ($element in $commandAst.CommandElements | Select-Object -Skip 1) {\n"
         "    $word = $element.Extent.Text\n"
         "    if ($element.Extent.EndOffset -ge $cursorPosition -and $word -eq $wordToComplete) { break }\n"
         "    $last = $word\n"
         "    if ($next.ContainsKey(\"$at $word\")) { $at = \"$at $word\" }\n"
         "  }\n"
         "  $words = if ($values.ContainsKey(\"$at $last\")) { $values[\"$at $last\"] } else { $next[$at] }\n"
         "  $words | Where-Object { $_ -like \"$wordToComplete*\" } | ForEach-Object {\n"
         "    [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)\n"
         "  }\n"
         "}\n";
}

}  // namespace

const std::vector<std::string>& completion_shells() {
  static const std::vector<std::string> shells = {"bash", "zsh", "fish", "powershell"};
  return shells;
}

std::string completion_script(const std::string& program, const std::vector<CommandSpec>& tree,
                              const std::string& shell) {
  if (shell == "bash") return bash(program, tree);
  if (shell == "zsh") return zsh(program, tree);
  if (shell == "fish") return fish(program, tree);
  return shell == "powershell" ? powershell(program, tree) : std::string();
}

int run(const CompletionCommand& command) {
  return sim::print(completion_script("duet", command_tree(), command.shell)) ? sim::kExitOk
                                                                              : sim::kExitUsage;
}

}  // namespace duet::front
