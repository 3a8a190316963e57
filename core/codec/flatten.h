// A record is encoded by nested calls that must become straight code: a trace costs a fifth more otherwise.
// Not under a sanitizer, whose checks make of that a function which takes minutes and gigabytes to compile.
#pragma once

#ifdef DUET_SANITIZED
#define DUET_FLATTEN
#define DUET_FLATTEN_LAMBDA
#else
#define DUET_FLATTEN [[gnu::always_inline]]
#define DUET_FLATTEN_LAMBDA __attribute__((always_inline))
#endif
