#include "tools/duet/instant_option.h"

#include "sim/decimal.h"

namespace duet::front {

Result<Instant> instant_from(const std::string& option, const std::string& text) {
  const sim::Decimal decimal = sim::read_decimal(text, 9);
  const bool digits =
      !text.empty() && text.find_first_not_of("0123456789.") == std::string::npos && text != ".";
  if (!digits || decimal.too_large || decimal.units > static_cast<std::uint64_t>(to_ns(kNever)))
    return Problem{option, "'" + text + "' is no instant", "seconds since the run began, as in 12.5"};
  return instant_ns(static_cast<std::int64_t>(decimal.units));
}

}  // namespace duet::front
