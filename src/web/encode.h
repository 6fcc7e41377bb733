/*
 * encode.h - content codings: which one a client wants (RFC 9110 12.5.3), and making them.
 *
 * Thread: any.
 */
#ifndef WEB_ENCODE_H
#define WEB_ENCODE_H

#include <stdbool.h>

#include "base/buf.h"

enum coding { CODING_IDENTITY, CODING_GZIP, CODING_BROTLI, CODING_COUNT };

const char *coding_name(enum coding c); /* "br"; NULL for identity */
/* The best for an Accept-Encoding header (NULL: identity) of those in `have`, a set of 1 << coding.
 * With equal weights the smaller wins: brotli, gzip, identity. What nobody offers is answered in
 * identity, as the RFC allows. */
enum coding encode_choose(const char *accept, unsigned have);
/* Appends to out; false when that is not worth it: it did not become 5 % smaller. Of a
 * strength for what is made each second. */
bool encode_body(enum coding c, struct slice plain, struct buf *out);

#endif
