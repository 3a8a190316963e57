// duet-sim, with the same ones: runs on SimGrid.
#include "sim/simgrid/simgrid_main.h"

#include "own_policies.h"

int main(int argc, char** argv) { return duet::sim::simgrid_main(argc, argv, own_policies()); }
