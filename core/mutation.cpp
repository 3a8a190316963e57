#include "core/mutation.h"

namespace duet {
#ifdef DUET_MUTATIONS
namespace {
Mutant chosen = Mutant::kNone;
}
Mutant active_mutant() { return chosen; }
void set_active_mutant(Mutant mutant) { chosen = mutant; }
#endif
}  // namespace duet
