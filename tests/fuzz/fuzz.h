/* What a fuzz target is: one function over bytes. libFuzzer calls it with inputs it makes up,
 * replay.c with the files of a corpus. */
#ifndef FNSCOPE_TESTS_FUZZ_H
#define FNSCOPE_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
