/*
 * moment.h - times on the command line: "2h" ago, or 2026-11-24T13:00:00Z. Thread: any.
 */
#ifndef CLI_MOMENT_H
#define CLI_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

/* False: it is neither, which is said on stderr with the name of the option. */
bool moment_option(const char *option, const char *text, int64_t now_ms, int64_t *ret_ms);

#endif
