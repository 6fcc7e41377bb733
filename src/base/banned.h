/*
 * banned.h - functions this program does not use, refused by the compiler.
 *
 * The build includes it first in every file (meson.build, -include), after the headers that declare
 * them, which must not be poisoned. strcpy and its kind have no size; strtok, gmtime and the like
 * keep state between threads; atoi cannot fail; rand is no randomness (base/random.h).
 */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#pragma GCC poison strcpy strcat sprintf vsprintf strtok atoi atol gmtime localtime asctime ctime
#pragma GCC poison gets

/* OpenSSL has parameters of this name, so only a call is refused (by GCC; clang wants the attribute
 * on the first declaration). */
#ifndef __clang__
extern int rand(void) __attribute__((error("use base/random.h")));
extern void srand(unsigned) __attribute__((error("use base/random.h")));
#endif

#endif
