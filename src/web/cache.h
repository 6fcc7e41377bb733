/*
 * cache.h - answers kept: a document in all its codings, and the least recently used of them.
 *
 * A document is immutable and counted; its answers are made once, with all their headers, and
 * queued many times. The entity tag is strong: a hash of the content, and the coding.
 * Thread: documents any; a cache one.
 */
#ifndef WEB_CACHE_H
#define WEB_CACHE_H

#include <stdint.h>

#include "base/slice.h"
#include "net/http_server.h"
#include "web/encode.h"

struct cache_doc;

enum cache_keep {
	KEEP_ASK,     /* may be kept by everybody who asks each time whether it still holds */
	KEEP_FOREVER, /* its name changes with its content */
	KEEP_DAY,
	KEEP_PRIVATE, /* the same as KEEP_ASK, by the reader alone */
	KEEP_NOT,     /* private, no-store */
};

struct cache_recipe {
	int status;
	const char *type;     /* Content-Type */
	const char *language; /* Content-Language, and that the answer depends on it; or NULL */
	enum cache_keep keep;
	bool cross_origin;    /* other sites' scripts may read it */
	bool plain;           /* in identity only */
	unsigned retry_s;     /* Retry-After; 0: none */
	const char *allow;    /* Allow; or NULL */
	const char *location; /* Location; or NULL */
	const char *login;    /* WWW-Authenticate: the realm; or NULL */
	const char *id;       /* X-Request-Id, of what is made for one request; or NULL */
	bool influx;          /* as InfluxDB's clients expect it: X-Influxdb-Version */
	struct slice body;
	struct slice packed[CODING_COUNT]; /* of it, made before; empty: made here */
};

struct cache_doc *cache_doc_new(const struct cache_recipe *recipe); /* copies; returns owned */
struct cache_doc *cache_doc_ref(struct cache_doc *d);
void cache_doc_unref(struct cache_doc *d); /* NULL is fine */
size_t cache_doc_bytes(const struct cache_doc *d);
/* Whether this is the document of these bytes (of the same recipe otherwise). */
bool cache_doc_is(const struct cache_doc *d, struct slice body);
/* Answers with it: in the coding the client wants, or 304 when it has that. */
void cache_doc_reply(const struct cache_doc *d, struct http_exchange *x);

/* The headers that stand on everything. */
extern const struct http_header cache_headers[];
extern const size_t cache_header_count;

/* Whether an If-None-Match header (RFC 9110 13.1.2, compared weakly) names this tag. */
bool cache_tag_matches(const char *if_none_match, const char *tag);

/* --- the least recently used ------------------------------------------------------------------ */

struct cache;

struct cache *cache_new(size_t bytes_max);
void cache_free(struct cache *c);
/* Borrows, until the next call; NULL: none, or too old, or of another revision (a document kept
 * with revision -1 holds for all). */
struct cache_doc *cache_get(struct cache *c, const char *key, int64_t revision, int64_t now_ns);
/* Copies the key, refs the document; takes the place of what was there. */
void cache_put(
	struct cache *c, const char *key, struct cache_doc *d, int64_t revision, int64_t until_ns);
size_t cache_bytes(const struct cache *c);

#endif
