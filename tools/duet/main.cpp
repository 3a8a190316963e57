// duet: the front. Parses the command line and carries the command out, here or in a program of libexec/.
#include "tools/duet/front.h"

int main(int argc, char** argv) { return duet::front::main(argc, argv); }
