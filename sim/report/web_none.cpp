// TEMP
#include "sim/report/page_parts.h"
namespace duet::sim::report {
std::string_view web_script() { return {}; }
std::string_view web_style() { return {}; }
}  // namespace duet::sim::report
