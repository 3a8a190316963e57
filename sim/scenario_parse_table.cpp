// /workload/table of a scenario: an imported log, a row a job, up to millions of them.
#include <algorithm>
#include <set>

#include "sim/scenario_parse_context.h"

namespace duet::sim::parsing {
namespace {

constexpr std::size_t kMaxRows = 100'000'000;

/// The columns, in the order of the rows' values; null for one that was mistaken.
std::vector<const Field*> read_columns(Context& context, const JsonValue& columns) {
  std::vector<const Field*> found;
  for (JsonValue v = columns.first_child(); v; v = v.next_sibling()) {
    const std::string name = v.string();
    const Field* const field = find_field(Section::kColumn, name);
    if (field == nullptr) {
      std::vector<std::string_view> names;
      for (const Field& f : fields_of(Section::kColumn)) names.push_back(f.name);
      context.mistakes.add(v.place(), "there is no column " + backquoted(name), did_you_mean(name, names));
    } else if (std::find(found.begin(), found.end(), field) != found.end()) {
      context.mistakes.add(v.place(), "the column " + backquoted(name) + " is given twice");
    }
    found.push_back(field);
  }
  for (const Field& field : fields_of(Section::kColumn))
    if (field.required && std::find(found.begin(), found.end(), &field) == found.end())
      context.mistakes.add(columns.place(), "the column " + backquoted(field.name) + " is missing");
  return found;
}

void store(TableJob& job, std::string_view column, std::int64_t value) {
  if (column == "submit_s") job.submit_ns = value;
  if (column == "duration_s") job.duration_ns = value;
  if (column == "operations") job.operations = value;
  if (column == "estimate_s") job.estimate_ns = value;
  if (column == "timeout_s") job.timeout_ns = value;
  if (column == "tasks") job.tasks = static_cast<std::uint32_t>(value);
  if (column == "user") job.user = static_cast<std::uint32_t>(value);
  if (column == "cores") job.cores = static_cast<std::uint32_t>(value);
}

bool read_cell(Context& context, const Field& field, const JsonValue& value, TableJob& job) {
  if (field.type == FieldType::kName) {
    const bool integer =
        value.is(JsonType::kNumber) && value.raw().find_first_of(".eE") == std::string_view::npos;
    if (!integer && !check_value(context, field, value)) return false;
    job.id = integer ? std::string(value.raw()) : value.string();
    return true;
  }
  if (!check_value(context, field, value)) return false;
  store(job, field.name, exact_number(field, value.raw()).value());
  return true;
}

class TableReader {
 public:
  TableReader(Context& context, std::vector<const Field*> columns)
      : context_(context), columns_(std::move(columns)) {
    has_id_ = std::find_if(columns_.begin(), columns_.end(),
                           [](const Field* f) { return f->type == FieldType::kName; }) != columns_.end();
  }

  void row(const JsonValue& row, std::vector<TableJob>& jobs) {
    ++number_;
    if (!row.is(JsonType::kArray)) {
      context_.mistakes.add(opening(row), "a row cannot be " + std::string(name_of(row.type())),
                            "right: an array");
      return;
    }
    TableJob job;
    std::size_t i = 0;
    bool good = true;
    for (JsonValue v = row.first_child(); v; v = v.next_sibling(), ++i)
      if (i < columns_.size()) good &= read_cell(context_, *columns_[i], v, job);
    if (i != columns_.size()) {
      context_.mistakes.add(row.place(), "the row has " + std::to_string(i) + " values",
                            "right: " + std::to_string(columns_.size()) + ", one per column");
      return;
    }
    if (!good) return;
    if ((job.duration_ns > 0) == (job.operations > 0)) {
      context_.mistakes.add(row.place(), "exactly one of `duration_s` and `operations` is above 0 in a row");
      return;
    }
    if (!has_id_) job.id = std::to_string(number_);
    count_tasks(context_, job.tasks, row.place());
    check_shape(job, row.place());
    jobs.push_back(std::move(job));
  }

 private:
  /// Logs have few different shapes: each is held against the cluster once, unless it does not fit.
  void check_shape(const TableJob& job, const JsonPlace& place) {
    const std::pair shape{job.tasks, job.cores};
    if (fits_.contains(shape)) return;
    TaskSpec spec;
    spec.need.cpu_m = kThread * static_cast<std::int64_t>(job.cores);
    if (check_fits(context_, spec, job.tasks, true, {place, place, place, place, place})) fits_.insert(shape);
  }

  Context& context_;
  std::vector<const Field*> columns_;
  bool has_id_ = false;
  std::size_t number_ = 0;
  std::set<std::pair<std::uint32_t, std::uint32_t>> fits_;
};

}  // namespace

void read_table(Context& context, const JsonValue& table) {
  const std::size_t before = context.mistakes.count();
  const Reader reader(context, table, Section::kTable);
  if (!reader.valid("columns") || !reader.valid("rows")) return;
  std::vector<const Field*> columns = read_columns(context, reader.value("columns"));
  if (context.mistakes.count() != before) return;  // the rows mean nothing then

  const std::size_t before_rows = context.mistakes.count();
  JobTable out;
  TableReader rows(context, std::move(columns));
  for (JsonValue v = reader.value("rows").first_child(); v; v = v.next_sibling()) {
    rows.row(v, out.jobs);
    if (out.jobs.size() > kMaxRows) {
      context.mistakes.add(opening(v), "more than " + std::to_string(kMaxRows) + " rows");
      break;
    }
  }
  if (!reader.value("rows").first_child())
    context.mistakes.add(reader.place("rows"), "there are no jobs", "right: at least one row");
  context.jobs_known = context.mistakes.count() == before_rows;
  const auto earlier = [](const TableJob& a, const TableJob& b) { return a.submit_ns < b.submit_ns; };
  if (!std::is_sorted(out.jobs.begin(), out.jobs.end(), earlier))
    std::stable_sort(out.jobs.begin(), out.jobs.end(), earlier);
  if (!out.jobs.empty())
    context.note_time(Instant(Duration(out.jobs.back().submit_ns)), reader.key_place("rows"));
  context.out.workload = std::move(out);
}

}  // namespace duet::sim::parsing
