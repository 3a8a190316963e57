// What bodies must look like: named JSON Schemas, which are published and checked against alike.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "core/result.h"

namespace duet::live::http {

/// A subset of JSON Schema 2020-12: type, enum, properties, required, additionalProperties, items, minItems,
/// maxItems, minimum, maximum, minLength, maxLength, pattern, and $ref to "#/components/schemas/NAME".
/// Anything else (title, description, default, examples) is published and not looked at.
class Schemas {
 public:
  Schemas();
  ~Schemas();
  Schemas(Schemas&&) noexcept;
  Schemas& operator=(Schemas&&) noexcept;

  /// `text` is a schema; a bug if it is not, or if the name is taken.
  void add(std::string_view name, std::string_view text);
  bool has(std::string_view name) const;

  /// All that is wrong with `value`, with a JSON pointer each, at most 50; empty if it is as it should be.
  /// Unknown members are named together with the one that was probably meant.
  Problems check(std::string_view name, const nlohmann::json& value) const;

  /// The same for the text of a parameter: an integer or true/false if its schema (JSON) says so. `where` is
  /// what the problems are to say.
  Problems check_text(std::string_view schema, std::string_view where, std::string_view text) const;

  /// NAME -> schema.
  const std::map<std::string, std::shared_ptr<const nlohmann::json>, std::less<>>& all() const;
  /// References to schemas that were not added: bugs of the table.
  std::vector<std::string> dangling() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// JSON as it comes from outside: one document, UTF-8, no member twice, at most `depth` levels of brackets.
Result<std::shared_ptr<const nlohmann::json>> parse_json(std::string_view text, std::size_t depth = 64);

/// The one of `known` that `word` was probably meant to be; empty if none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& known);

}  // namespace duet::live::http
