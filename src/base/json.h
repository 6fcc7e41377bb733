/*
 * json.h - the few things jansson does not do. Values are jansson's json_t: counted references.
 *
 * Parsing refuses duplicate keys and more than the given bytes. Thread: any, but a value is
 * changed by one thread only.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/error.h"

/* Returns owned, or NULL with line and column in *err. Any top-level value. */
json_t *json_parse(struct slice text, size_t max, struct error *err) must_check;
/* Of what others send and we only look at: of a key that is there twice the last counts, and an
 * integer beyond 64 bits makes all numbers of the document reals; a byte order mark before it is
 * passed over. Returns owned, or NULL. */
json_t *json_parse_foreign(struct slice text, size_t max) must_check;
/* Compact, keys in insertion order. */
void json_write(struct buf *out, const json_t *value);
bool json_has_text(const json_t *list, struct slice text); /* as one of its items */
char *json_text(const json_t *value);                      /* returns owned compact text */
/* Follows keys: json_at(j, "server", "fault", NULL). Borrows; NULL when any is absent. */
json_t *json_at(const json_t *value, ...) __attribute__((sentinel));
const char *json_str(
	const json_t *object, const char *key); /* borrows; NULL if absent or no string */
int64_t json_int(const json_t *object, const char *key, int64_t otherwise);
bool json_flag(const json_t *object, const char *key);
/* A deep copy in which the values of secret-named fields and known secret values are "***". */
json_t *json_scrubbed(const json_t *value);

#endif
