// The policies that this program has beside Duet's.
#pragma once

#include "core/policy.h"

duet::OwnPolicies own_policies();
