#include "sim/scenario_fields.h"

#include <algorithm>
#include <vector>

#include "sim/scenario_field_makers.h"

namespace duet::sim {

std::span<const Field> scenario_fields() {
  static const std::vector<Field> all = [] {
    std::vector<Field> joined;
    for (const auto part : {fields::cluster_fields(), fields::job_fields(), fields::event_fields()})
      joined.insert(joined.end(), part.begin(), part.end());
    return joined;
  }();
  return all;
}

std::span<const Field> fields_of(Section section) {
  const std::span<const Field> all = scenario_fields();
  const auto begin =
      std::find_if(all.begin(), all.end(), [&](const Field& f) { return f.section == section; });
  const auto end = std::find_if(begin, all.end(), [&](const Field& f) { return f.section != section; });
  return {begin, end};
}

const Field* find_field(Section section, std::string_view name) {
  for (const Field& field : fields_of(section))
    if (field.name == name) return &field;
  return nullptr;
}

}  // namespace duet::sim
