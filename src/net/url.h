/*
 * url.h - building and reading http(s) addresses (RFC 3986). Thread: any.
 */
#ifndef NET_URL_H
#define NET_URL_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/error.h"

struct url { /* slices borrow from the text given to url_parse() */
	struct slice scheme, host, path, query; /* host without [] of IPv6; path "" or "/…" */
	unsigned port; /* the scheme's default when absent; 0: none known */
};

/* Refuses white space, control characters, user names and passwords; a fragment is left out. */
bool url_parse(struct slice text, struct url *ret, struct error *err) must_check;
/* The host of it as it is looked up: in ASCII (RFC 5890), escapes decoded. Returns owned. */
char *url_ascii_host(const char *url, const struct url *u);
/* Appends with everything but unreserved characters percent-encoded. */
void url_encode(struct buf *out, struct slice s);
/* Returns owned; false when an escape is broken or stands for NUL. '+' stays '+' unless `form`. */
bool url_decode(struct slice s, bool form, char **ret);
/* Appends ?name=value or &name=value, encoding both. */
void url_add_query(struct buf *url, const char *name, struct slice value);
/* What a reference (the Location of an answer) means at `base` (RFC 3986 section 5), without its
 * fragment. Returns owned; NULL: it is none, or not http or https. */
char *url_follow(const char *base, const char *reference);
/* "a/" + "/b" -> "a/b": exactly one slash between; nothing is added for an empty path. */
void url_join(struct buf *out, struct slice base, struct slice path);

#endif
