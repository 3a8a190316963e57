// THE TABLE: every operation there is. One line each; nothing else needs to know them.
#include <array>

#include "live/operations/operation.h"

namespace duet::live::operations {

#define DUET_OPERATION(maker) Result<std::unique_ptr<Operation>> maker(const nlohmann::json&)
DUET_OPERATION(make_matrix_multiplication);
DUET_OPERATION(make_monte_carlo_pi);
DUET_OPERATION(make_primes);
DUET_OPERATION(make_sha256_chain);
DUET_OPERATION(make_sleep);
#undef DUET_OPERATION

namespace {

constexpr std::array kOperations{
    Entry{"matrix_multiplication", "Multiplies two matrices of random numbers; the trace of the product.",
          R"({"size":512,"seed":1})", make_matrix_multiplication},
    Entry{"monte_carlo_pi", "Pi, by random points in a square.", R"({"iterations":1000000,"seed":1})",
          make_monte_carlo_pi},
    Entry{"primes", "How many prime numbers there are up to a limit.", R"({"limit":1000000})", make_primes},
    Entry{"sha256_chain", "The hash of the hash of ... of a text.", R"({"iterations":100000,"text":"duet"})",
          make_sha256_chain},
    Entry{"sleep", "Lets time pass.", R"({"seconds":1.5})", make_sleep},
};

}  // namespace

std::span<const Entry> all() { return kOperations; }

}  // namespace duet::live::operations
