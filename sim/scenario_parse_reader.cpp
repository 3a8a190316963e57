// One object of a scenario against the table of fields.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/check.h"
#include "sim/decimal.h"
#include "sim/scenario_parse_context.h"

namespace duet::sim::parsing {
namespace {

std::string right(const Field& field) { return "right: " + describe(field); }

double to_double(std::string_view raw) {
  double value = 0;
  const auto [end, error] = std::from_chars(raw.data(), raw.data() + raw.size(), value);
  if (error == std::errc{}) return value;
  // Too small for a double is zero to every use we have; too large (from --set) is beyond every range.
  const bool large = read_decimal(raw, 0).too_large;
  const double most = raw.starts_with('-') ? -HUGE_VAL : HUGE_VAL;
  return large ? most : 0.0;
}

bool in_range(const Field& field, double value) {
  return (field.above_min ? value > field.min : value >= field.min) && value <= field.max;
}

/// Control characters have no business in what ends up in tables and terminals.
bool is_name(const std::string& text) {
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  return !text.empty() && text.size() <= 200 && std::none_of(text.begin(), text.end(), control);
}

bool is_choice(const Field& field, const std::string& text) {
  const std::string bars = '|' + std::string(field.choices) + '|';
  return text.find('|') == text.npos && bars.find('|' + text + '|') != bars.npos;
}

JsonType json_type(FieldType type) {
  switch (type) {
    case FieldType::kText:
    case FieldType::kName:
    case FieldType::kChoice:
      return JsonType::kString;
    case FieldType::kInteger:
    case FieldType::kSeed:
    case FieldType::kNumber:
    case FieldType::kSeconds:
    case FieldType::kRatio:
      return JsonType::kNumber;
    case FieldType::kFlag:
      return JsonType::kBoolean;
    case FieldType::kNames:
    case FieldType::kTexts:
    case FieldType::kNumbers:
    case FieldType::kObjects:
    case FieldType::kRows:
      return JsonType::kArray;
    case FieldType::kPolicy:  // or a string: its reader says so
    case FieldType::kCounts:
    case FieldType::kObject:
    case FieldType::kMap:
    case FieldType::kGenerator:
      return JsonType::kObject;
  }
  return JsonType::kNull;
}

bool check_number(Context& context, const Field& field, const JsonValue& value) {
  const std::string_view raw = value.raw();
  if (field.type == FieldType::kInteger || field.type == FieldType::kSeed) {
    if (!read_decimal(raw, 0).exact) {
      context.mistakes.add(value.place(), backquoted(raw) + " is not an integer", right(field));
      return false;
    }
  }
  bool good = false;
  if (field.type == FieldType::kSeed) {
    const Decimal decimal = read_decimal(raw, 0);
    good = !decimal.too_large && (!decimal.negative || decimal.units == 0);
  } else if (field.type == FieldType::kNumber) {
    good = in_range(field, to_double(raw));
  } else {
    good = exact_number(field, raw).has_value();
  }
  if (!good) context.mistakes.add(value.place(), backquoted(raw) + " is out of range", right(field));
  return good;
}

bool check_string(Context& context, const Field& field, const JsonValue& value) {
  const std::string text = value.string();
  if (field.type == FieldType::kName && !is_name(text)) {
    context.mistakes.add(value.place(), text.empty() ? "this name is empty" : "this is no name",
                         right(field));
    return false;
  }
  if (field.type == FieldType::kChoice && !is_choice(field, text)) {
    context.mistakes.add(value.place(), "there is no " + std::string(field.name) + ' ' + backquoted(text),
                         right(field));
    return false;
  }
  return true;
}

bool check_elements(Context& context, const Field& field, const JsonValue& array) {
  Field element = field;
  element.type = field.type == FieldType::kNames     ? FieldType::kName
                 : field.type == FieldType::kNumbers ? FieldType::kNumber
                                                     : FieldType::kText;
  bool good = true;
  for (JsonValue v = array.first_child(); v; v = v.next_sibling()) good &= check_value(context, element, v);
  if (field.type == FieldType::kNumbers && !array.first_child()) {
    context.mistakes.add(array.place(), backquoted(field.name) + " is empty", "right: at least one number");
    return false;
  }
  return good;
}

}  // namespace

JsonPlace opening(const JsonValue& value) {
  JsonPlace place = value.place();
  if (value.is(JsonType::kObject) || value.is(JsonType::kArray)) place.end = place.begin + 1;
  return place;
}

std::optional<std::int64_t> exact_number(const Field& field, std::string_view raw) {
  const int decimals = field.type == FieldType::kSeconds ? 9 : field.type == FieldType::kRatio ? 6 : 0;
  const double unit = decimals == 9 ? 1e9 : decimals == 6 ? 1e6 : 1;
  const Decimal decimal = read_decimal(raw, decimals);
  if (decimal.too_large || decimal.units > std::uint64_t{9'000'000'000'000'000'000}) return {};
  const auto units = static_cast<std::int64_t>(decimal.units);
  const std::int64_t value = decimal.negative ? -units : units;
  // The bounds are doubles that are exact integers of the unit; a value near them need not be a double.
  const auto least = static_cast<std::int64_t>(std::max(field.min * unit, -9e18));
  const auto most = static_cast<std::int64_t>(std::min(field.max * unit, 9e18));
  if (value < least || (field.above_min && value == 0) || value > most) return {};
  return value;
}

bool check_value(Context& context, const Field& field, const JsonValue& value) {
  const JsonType wanted = json_type(field.type);
  if (value.type() != wanted && !(field.type == FieldType::kPolicy && value.is(JsonType::kString))) {
    context.mistakes.add(opening(value),
                         backquoted(field.name) + " cannot be " + std::string(name_of(value.type())),
                         right(field));
    return false;
  }
  switch (field.type) {
    case FieldType::kInteger:
    case FieldType::kSeed:
    case FieldType::kNumber:
    case FieldType::kSeconds:
    case FieldType::kRatio:
      return check_number(context, field, value);
    case FieldType::kName:
    case FieldType::kChoice:
      return check_string(context, field, value);
    case FieldType::kNames:
    case FieldType::kTexts:
    case FieldType::kNumbers:
      return check_elements(context, field, value);
    default:
      return true;
  }
}

Reader::Reader(Context& context, JsonValue object, Section section)
    : context_(context), object_(object), section_(section) {
  if (!object.is(JsonType::kObject)) {
    context.mistakes.add(opening(object), "this cannot be " + std::string(name_of(object.type())),
                         "right: an object");
    return;
  }
  const auto fields = fields_of(section);
  DUET_CHECK(fields.size() <= values_.size());
  for (JsonValue v = object.first_child(); v; v = v.next_sibling()) {
    const std::string name = v.key();
    const auto found =
        std::find_if(fields.begin(), fields.end(), [&](const Field& f) { return f.name == name; });
    if (found == fields.end()) {
      std::vector<std::string_view> names;
      std::string all = "right:";
      for (const Field& field : fields) {
        names.push_back(field.name);
        all += (names.size() == 1 ? " " : ", ") + std::string(field.name);
      }
      context.mistakes.add(v.key_place(), "there is no field " + backquoted(name) + " here",
                           did_you_mean(name, names, all));
      continue;
    }
    const auto i = static_cast<std::size_t>(found - fields.begin());
    if (values_[i]) continue;  // given twice: reported with the syntax
    values_[i] = v;
    if (check_value(context, *found, v)) valid_ |= 1U << i;
  }
  for (std::size_t i = 0; i < fields.size(); ++i)
    if (fields[i].required && !values_[i])
      context.mistakes.add(opening(object), backquoted(fields[i].name) + " is missing",
                           fields[i].child == Section::kNone ? right(fields[i]) : std::string(fields[i].doc));
}

std::size_t Reader::index(std::string_view name) const {
  const auto fields = fields_of(section_);
  const auto found =
      std::find_if(fields.begin(), fields.end(), [&](const Field& f) { return f.name == name; });
  DUET_CHECK(found != fields.end());
  return static_cast<std::size_t>(found - fields.begin());
}

JsonValue Reader::value(std::string_view name) const { return values_[index(name)]; }
bool Reader::valid(std::string_view name) const { return ((valid_ >> index(name)) & 1U) != 0; }

JsonPlace Reader::place(std::string_view name) const {
  const JsonValue v = value(name);
  return opening(v ? v : object_);
}

JsonPlace Reader::key_place(std::string_view name) const {
  const JsonValue v = value(name);
  return v ? v.key_place() : opening(object_);
}

/// The JSON text of the value, or of the table's default.
std::string Reader::raw(std::string_view name) const {
  const std::size_t i = index(name);
  if (valid(name)) return std::string(values_[i].raw());
  return std::string(fields_of(section_)[i].fallback);
}

std::int64_t Reader::integer(std::string_view name) const {
  const std::string text = raw(name);
  return text.empty() ? 0 : exact_number(fields_of(section_)[index(name)], text).value();
}

std::uint64_t Reader::seed(std::string_view name) const { return read_decimal(raw(name), 0).units; }
double Reader::number(std::string_view name) const { return to_double(raw(name)); }
Duration Reader::seconds(std::string_view name) const { return Duration(integer(name)); }
std::uint32_t Reader::ppm(std::string_view name) const { return static_cast<std::uint32_t>(integer(name)); }
bool Reader::flag(std::string_view name) const { return raw(name) == "true"; }

std::string Reader::text(std::string_view name) const {
  const std::string text = raw(name);
  return text.size() < 2 ? "" : json_unescape(std::string_view(text).substr(1, text.size() - 2));
}

bool Reader::at_most_one(std::initializer_list<std::string_view> names) const {
  std::string_view first;
  bool good = true;
  for (const std::string_view name : names) {
    if (!given(name)) continue;
    if (first.empty()) {
      first = name;
      continue;
    }
    good = false;
    context_.mistakes.add(key_place(name),
                          backquoted(name) + " and " + backquoted(first) + " exclude each other");
  }
  return good;
}

}  // namespace duet::sim::parsing
