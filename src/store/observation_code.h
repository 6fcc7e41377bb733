/*
 * observation_code.h - an observation as bytes, as it goes from an outpost to its house.
 *
 * All of it but the location, which the house knows better. Pure. Thread: any.
 */
#ifndef STORE_OBSERVATION_CODE_H
#define STORE_OBSERVATION_CODE_H

#include "store/code.h"
#include "store/observation.h"

/* Bytes of each text; longer ones are cut where a letter ends. */
#define OBSERVATION_TEXT_MAX 4096

/* Appends. Texts that are no UTF-8 are left out. */
void observation_write(struct buf *out, const struct observation *o);
/* The next one; its texts are borrowed of the input. False: there is no more, or in->bad. */
bool observation_read(struct code_in *in, struct observation *ret);
/* Whether all of it are observations. */
bool observations_valid(struct slice bytes);

#endif
