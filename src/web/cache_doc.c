/*
 * cache_doc.c - a document in all its codings; see cache.h.
 *
 * Every answer of this program is made here, so that the headers which keep a page from being
 * framed, scripted or guessed at stand on all of them.
 */

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "web/cache.h"

#define TAG_TEXT    48
#define HEADERS_MAX 24

struct cache_doc {
	atomic_uint refs;
	int status;
	bool tagged;
	unsigned have; /* set of 1 << coding */
	size_t bytes;
	uint8_t hash[SHA256_BYTES];
	char tags[CODING_COUNT][TAG_TEXT];
	struct http_response *responses[CODING_COUNT];
};

static const char *const keep_texts[] = {
	[KEEP_ASK] = "public, no-cache",
	[KEEP_FOREVER] = "public, max-age=31536000, immutable",
	[KEEP_DAY] = "public, max-age=86400",
	[KEEP_PRIVATE] = "private, no-cache",
	[KEEP_NOT] = "private, no-store",
};

const struct http_header cache_headers[] = {
	{"Content-Security-Policy",
		"default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
		"connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"},
	{"X-Content-Type-Options", "nosniff"},
	{"Referrer-Policy", "no-referrer"},
	{"Cross-Origin-Opener-Policy", "same-origin"},
};
const size_t cache_header_count = array_len(cache_headers);

struct headers {
	struct http_header p[HEADERS_MAX];
	size_t n;
};

static void add(struct headers *h, const char *name, const char *value)
{
	assert(h->n < HEADERS_MAX);
	if (value)
		h->p[h->n++] = (struct http_header){name, value};
}

static struct http_response *make(
	const struct cache_doc *d, const struct cache_recipe *r, enum coding c, struct slice body)
{
	struct headers h = {0};
	char retry[16], bearer[64], basic[64];
	for (size_t i = 0; i < cache_header_count; i++)
		add(&h, cache_headers[i].name, cache_headers[i].value);
	add(&h, "Cross-Origin-Resource-Policy", r->cross_origin ? "cross-origin" : "same-origin");
	add(&h, "Access-Control-Allow-Origin", r->cross_origin ? "*" : NULL);
	add(&h, "Content-Type", r->type);
	add(&h, "Content-Language", r->language);
	add(&h, "Content-Encoding", coding_name(c));
	add(&h, "Vary", r->language ? "Accept-Encoding, Accept-Language" : "Accept-Encoding");
	add(&h, "Cache-Control", keep_texts[r->keep]);
	add(&h, "ETag", d->tagged ? d->tags[c] : NULL);
	add(&h, "Allow", r->allow);
	add(&h, "Location", r->location);
	const char *realm = r->login ? r->login : "";
	snprintf(bearer, sizeof(bearer), "Bearer realm=\"%s\"", realm);
	snprintf(basic, sizeof(basic), "Basic realm=\"%s\", charset=\"UTF-8\"", realm);
	add(&h, "WWW-Authenticate", r->login ? bearer : NULL);
	add(&h, "WWW-Authenticate", r->login ? basic : NULL);
	add(&h, "X-Influxdb-Version", r->influx ? "1.8-glasshouse" : NULL);
	add(&h, "X-Request-Id", r->id);
	snprintf(retry, sizeof(retry), "%u", r->retry_s);
	add(&h, "Retry-After", r->retry_s ? retry : NULL);
	return http_response_new(h.p, h.n, body);
}

static void add_coding(struct cache_doc *d, const struct cache_recipe *r, enum coding c)
{
	struct buf b = BUF(r->body.n + 1);
	struct slice body = c == CODING_IDENTITY ? r->body : r->packed[c];
	if (c != CODING_IDENTITY && !body.n && encode_body(c, r->body, &b))
		body = buf_slice(&b);
	if (c == CODING_IDENTITY || body.n) {
		char *hex = hex_encode(d->hash, 12);
		snprintf(d->tags[c], TAG_TEXT, "\"%s%s%s\"", hex, c ? "-" : "",
			c ? coding_name(c) : "");
		free(hex);
		d->responses[c] = make(d, r, c, body);
		d->have |= 1u << c;
		d->bytes += body.n;
	}
	buf_fini(&b);
}

struct cache_doc *cache_doc_new(const struct cache_recipe *recipe)
{
	struct cache_doc *d = mem_new(struct cache_doc);
	atomic_init(&d->refs, 1);
	d->status = recipe->status;
	d->tagged = recipe->status == 200 && recipe->keep != KEEP_NOT;
	d->bytes = sizeof(*d);
	digest_sha256(recipe->body.p, recipe->body.n, d->hash);
	for (enum coding c = 0; c < CODING_COUNT; c++)
		if (c == CODING_IDENTITY || !recipe->plain)
			add_coding(d, recipe, c);
	return d;
}

struct cache_doc *cache_doc_ref(struct cache_doc *d)
{
	atomic_fetch_add_explicit(&d->refs, 1, memory_order_relaxed);
	return d;
}

void cache_doc_unref(struct cache_doc *d)
{
	if (!d || atomic_fetch_sub_explicit(&d->refs, 1, memory_order_acq_rel) > 1)
		return;
	for (enum coding c = 0; c < CODING_COUNT; c++)
		http_response_unref(d->responses[c]);
	free(d);
}

size_t cache_doc_bytes(const struct cache_doc *d)
{
	return d->bytes;
}

bool cache_doc_is(const struct cache_doc *d, struct slice body)
{
	uint8_t hash[SHA256_BYTES];
	digest_sha256(body.p, body.n, hash);
	return memcmp(hash, d->hash, sizeof(hash)) == 0;
}

bool cache_tag_matches(const char *if_none_match, const char *tag)
{
	struct slice rest = slice_of(if_none_match), part;
	while (rest.n && slice_next(&rest, ',', &part)) {
		part = slice_trim(part);
		if (slice_starts(part, "W/"))
			part = slice_sub(part, 2, part.n);
		if (slice_is(part, tag) || slice_is(part, "*"))
			return true;
	}
	return false;
}

void cache_doc_reply(const struct cache_doc *d, struct http_exchange *x)
{
	const enum coding c = encode_choose(http_header(x, "Accept-Encoding"), d->have);
	const char *had = d->tagged ? http_header(x, "If-None-Match") : NULL;
	const bool same = had && cache_tag_matches(had, d->tags[c]);
	http_reply_response(x, same ? 304 : d->status, d->responses[c]);
}
