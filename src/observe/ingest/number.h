/*
 * number.h - decimal numbers as they stand in the streams others send, quickly and right.
 *
 * Sign, digits, a point, an exponent: "12", "-0.5", "+3", ".5", "5.", "1e-3". Nothing else: no
 * white space, hexadecimals, "inf" or "nan". The value is the double nearest to what is written.
 * Thread: any.
 */
#ifndef OBSERVE_INGEST_NUMBER_H
#define OBSERVE_INGEST_NUMBER_H

#include "base/slice.h"

#define NUMBER_MAX 64 /* bytes of one */

/* All of `s` must be one; false also when it is too long or beyond what a double holds. */
bool number_read(struct slice s, double *ret);

#endif
