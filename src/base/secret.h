/*
 * secret.h - a password, token or key: locked memory, wiped when freed, no formatter.
 *
 * Every secret also enters the process's list of known values, which secret_scrub() masks, so
 * that a log, plan, journal or evidence cannot show it. Values under 6 characters are not masked
 * (they would mask ordinary text). Thread: any (the list has a lock).
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct secret;

struct secret *secret_new(struct slice value); /* copies; returns owned */
struct secret *secret_ref(struct secret *s);
void secret_unref(struct secret *s); /* NULL is fine; wiped at the last */
/* Borrows, NUL-terminated. For handing to a library or a request only. */
const char *secret_reveal(const struct secret *s);
size_t secret_length(const struct secret *s);

/* Appends `text` to `out` with every known secret value replaced by "***". */
void secret_scrub(struct buf *out, struct slice text);
char *secret_scrubbed(const char *text); /* the same as owned text; NULL gives NULL */
/* Whether a header, JSON field or environment variable of that name is masked whole
 * (authorization, x-auth-token, x-subject-token, password, secret, user_data, private_key ...). */
bool secret_name(struct slice name);

#endif
