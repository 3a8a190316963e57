// duet, with policies of its own.
#include "own_policies.h"
#include "tools/duet/front.h"

int main(int argc, char** argv) { return duet::front::main(argc, argv, own_policies()); }
