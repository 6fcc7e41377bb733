/*
 * objectstore_object.c - objects: put, read in whole or in part, copied, and gone at once for who
 * asks for them, a moment later for who lists.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "net/url.h"
#include "sim/objectstore.h"
#include "sim/range.h"
#include "sim/record.h"
#include "sim/state.h"

#define NAME_LIMIT   1024
#define DEFAULT_TYPE "application/octet-stream"
#define HTML         "text/html; charset=UTF-8"

/* Headers that an object keeps beside its metadata; a POST sets them anew, all of them. */
static const char *const kept[] = {"content-encoding", "content-disposition", "content-language",
	"cache-control", "x-delete-at"};

/* --- finding -----------------------------------------------------------------------------------
 */

static bool expired(const struct object *o)
{
	const char *at = object_str(o, "x-delete-at");

	return *at && strtoll(at, NULL, 10) * 1000000 <= clock_unix_us(loop_clock(o->sim->loop));
}

/* The one that can be asked for, not what only lists still show. */
static struct object *living(struct call *c, const struct object *container, const char *name)
{
	OBJECT_EACH (c->sim, KIND_OBJECT, o)
		if (!strcmp(object_str(o, "container"), container->id) &&
			!strcmp(object_str(o, "name"), name) && !o->gone)
			return expired(o) ? NULL : o;
	return NULL;
}

static struct object *find_named(struct call *c, const char *container, const char *name)
{
	const struct object *in = objectstore_container(c, container);
	struct object *o = in ? living(c, in, name) : NULL;

	if (!o)
		objectstore_page(c, 404);
	else if (json_flag(o->doc, ".error"))
		objectstore_page(c, 503);
	return call_answered(c) ? NULL : o;
}

static struct object *find(struct call *c)
{
	return objectstore_own(c) ? find_named(c, c->params[1], c->params[2]) : NULL;
}

/* Whether a list of entity tags, quoted or not, names this one. */
static bool tags_have(const char *list, const char *hash)
{
	struct slice rest = slice_of(list), tag;

	while (slice_next(&rest, ',', &tag)) {
		tag = slice_trim(tag);
		if (tag.n >= 2 && tag.p[0] == '"')
			tag = slice_sub(tag, 1, tag.n - 2);
		if (slice_is(tag, "*") || slice_is_nocase(tag, hash))
			return true;
	}
	return false;
}

static void free_blob(struct object *o)
{
	blob_unref(o->more);
}

/* --- putting -----------------------------------------------------------------------------------
 */

static bool refuse(struct call *c, int status, const char *type, const char *text)
{
	call_text(c, status, type, text);
	return false;
}

static bool name_good(struct call *c, const char *name)
{
	const size_t n = strlen(name);

	if (n <= NAME_LIMIT)
		return true;
	char *text = mem_printf("Object name length of %zu longer than %d", n, NAME_LIMIT);
	refuse(c, 400, "text/plain", text);
	free(text);
	return false;
}

/* "x-delete-after" and "x-delete-at" as the moment in whole seconds; 0: none. */
static bool read_expiry(struct call *c, int64_t *ret)
{
	const char *after = call_sent(c, "x-delete-after"), *at = call_sent(c, "x-delete-at");
	const int64_t now = clock_unix_us(loop_clock(c->sim->loop)) / 1000000;
	char *end;

	*ret = 0;
	if (after) {
		*ret = now + strtoll(after, &end, 10);
		if (!*after || *end)
			return refuse(c, 400, "text/plain", "Non-integer X-Delete-After");
		if (*ret < now)
			return refuse(c, 400, "text/plain", "X-Delete-After in past");
	} else if (at) {
		*ret = strtoll(at, &end, 10);
		if (!*at || *end)
			return refuse(c, 400, "text/plain", "Non-integer X-Delete-At");
		if (*ret <= now)
			return refuse(c, 400, "text/plain", "X-Delete-At in past");
	}
	return true;
}

static bool room(struct call *c, int64_t size)
{
	const int64_t limit = c->sim->quota.object_bytes;
	const int64_t used = objectstore_usage(c->sim, c->project, NULL).bytes;

	if ((limit < 0 || used + size <= limit) && !call_hit(c, MISHAP_QUOTA))
		return true;
	return refuse(c, 413, HTML, "Upload exceeds quota.");
}

static void set_modified(struct object *o)
{
	const int64_t us = clock_unix_us(loop_clock(o->sim->loop));
	char text[32];

	object_set(o, ".modified", json_integer(us));
	object_set_str(o, "timestamp", objectstore_timestamp(us, text));
	object_set_str(o, "last_modified", object_now_micro(o->sim, text));
}

/* `all`: what is not sent goes. */
static void set_kept(struct call *c, struct object *o, int64_t expiry, bool all)
{
	for (size_t i = 0; i < array_len(kept); i++) {
		const char *value = call_sent(c, kept[i]);

		if (value && *value)
			object_set_str(o, kept[i], value);
		else if (all)
			json_object_del(o->doc, kept[i]);
	}
	if (expiry) {
		char text[32];
		snprintf(text, sizeof(text), "%lld", (long long)expiry);
		object_set_str(o, "x-delete-at", text);
	}
}

/* Ends what is gone, or expired, and only lists still show. */
static void forget(struct call *c, const struct object *container, const char *name)
{
	OBJECT_EACH_BACK (c->sim, KIND_OBJECT, o)
		if (!strcmp(object_str(o, "container"), container->id) &&
			!strcmp(object_str(o, "name"), name)) {
			object_remove(o);
			return;
		}
}

/* What a PUT leaves: a new object, or the same one with other bytes. Takes `meta`, `blob`. */
static struct object *write_object(struct call *c, struct object *container, const char *name,
	struct blob *blob, const char *md5, const char *type, json_t *meta)
{
	struct object *o = living(c, container, name);
	const bool made = !o;

	if (made) {
		forget(c, container, name);
		o = object_new(c->sim, KIND_OBJECT, NULL, c->project, c->user);
		o->stuck = call_hit(c, MISHAP_STUCK);
		o->visible_ns = o->stuck ? INT64_MAX
					 : loop_now_ns(c->sim->loop) +
						   draw_time_ns(&c->sim->draw, TIME_LIST_LAG);
		o->free_more = free_blob;
		object_set_str(o, "name", name);
		object_set_str(o, "container", container->id);
	} else {
		rule_changed(c, o, false);
	}
	if (call_hit(c, MISHAP_ERROR))
		object_set(o, ".error", json_true());
	blob_unref(o->more);
	o->more = blob;
	object_set(o, "bytes", json_integer(blob_size(blob)));
	object_set_str(o, "hash", md5);
	object_set_str(o, "content_type", type && *type ? type : DEFAULT_TYPE);
	object_set(o, "metadata", meta);
	set_modified(o);
	if (made)
		rule_created(c, o);
	return o;
}

static void written(struct call *c, const struct object *o)
{
	char date[CLOCK_TEXT];

	call_header(c, "Etag", "%s", object_str(o, "hash"));
	call_header(c, "Last-Modified", "%s",
		clock_http_date(json_int(o->doc, ".modified", 0) + 999999, date));
	objectstore_done(c, 201);
}

/* "container/object", with or without a slash before it, encoded. Returns the name, owned, and
 * where it is in *container, owned; NULL when it has another form. */
static char *read_place(const char *text, char **container)
{
	char *place = NULL, *name = NULL;

	*container = NULL;
	if (!url_decode(slice_of(text + (*text == '/')), false, &place))
		return NULL;
	char *slash = strchr(place, '/');
	if (slash && slash > place && slash[1]) {
		*container = mem_strndup(place, (size_t)(slash - place));
		name = mem_strdup(slash + 1);
	}
	free(place);
	return name;
}

/* The copy has the metadata of the source and what the request says besides. */
static void copy(struct call *c, struct object *source, const char *from, const char *to_container,
	const char *to_name)
{
	struct object *container = objectstore_container(c, to_container);
	json_t *own = objectstore_meta(c, "object");
	const char *type = call_sent(c, "content-type"), *fresh = call_sent(c, "x-fresh-metadata");
	char date[CLOCK_TEXT];
	int64_t expiry;

	if (!own)
		return;
	if (!container)
		objectstore_page(c, 404);
	if (!container || !name_good(c, to_name) || !read_expiry(c, &expiry) ||
		!room(c, blob_size(source->more))) {
		json_decref(own);
		return;
	}
	json_t *meta = fresh && !strcasecmp(fresh, "true")
			       ? json_object()
			       : json_deep_copy(json_object_get(source->doc, "metadata"));
	json_object_update(meta, own);
	json_decref(own);
	call_header(c, "X-Copied-From-Account", "%s", c->params[0]);
	call_header(c, "X-Copied-From", "%s", from);
	call_header(c, "X-Copied-From-Last-Modified", "%s",
		clock_http_date(json_int(source->doc, ".modified", 0) + 999999, date));
	struct object *o = write_object(c, container, to_name, blob_ref(source->more),
		object_str(source, "hash"),
		type && *type ? type : object_str(source, "content_type"), meta);
	if (o != source)
		for (size_t i = 0; i < array_len(kept); i++)
			if (*object_str(source, kept[i]))
				object_set_str(o, kept[i], object_str(source, kept[i]));
	set_kept(c, o, expiry, false);
	if (*object_str(o, "x-delete-at"))
		call_header(c, "X-Delete-At", "%s", object_str(o, "x-delete-at"));
	objectstore_meta_show(c, "object", json_object_get(o->doc, "metadata"));
	written(c, o);
}

void objectstore_copy_object(struct call *c)
{
	const char *where = call_sent(c, "destination");
	char *container = NULL, *name = NULL;

	if (!objectstore_own(c))
		return;
	if (!where) {
		call_text(c, 412, HTML, "Destination header required");
		return;
	}
	name = read_place(where, &container);
	if (!name) {
		call_text(c, 412, HTML,
			"Destination header must be of the form <container name>/<object name>");
		return;
	}
	struct object *source = find(c);
	if (source) {
		char *from = mem_printf("%s/%s", c->params[1], c->params[2]);
		copy(c, source, from, container, name);
		free(from);
	}
	free(container);
	free(name);
}

static void put_copy(struct call *c, const char *from)
{
	char *container = NULL, *name = read_place(from, &container);
	struct object *source = name ? find_named(c, container, name) : NULL;

	if (!name)
		call_text(c, 412, HTML,
			"X-Copy-From header must be of the form <container name>/<object name>");
	if (source)
		copy(c, source, from + (*from == '/'), c->params[1], c->params[2]);
	free(container);
	free(name);
}

/* The upload as a blob, if it is what the client said it is. */
static struct blob *take_upload(struct call *c, struct upload_result *r)
{
	const char *etag = call_sent(c, "etag");

	if (upload_failed(c->upload)) {
		objectstore_page(c, 413);
		return NULL;
	}
	upload_take(c->upload, r);
	struct blob *b = blob_new(r);
	if (etag && !tags_have(etag, r->md5))
		objectstore_page(c, 422);
	else if (room(c, r->size))
		return b;
	blob_unref(b);
	return NULL;
}

void objectstore_put_object(struct call *c)
{
	const char *from = call_sent(c, "x-copy-from"), *none = call_sent(c, "if-none-match");
	struct upload_result r;
	int64_t expiry;

	if (!objectstore_own(c) || !name_good(c, c->params[2]))
		return;
	if (from && *from) {
		put_copy(c, from);
		return;
	}
	struct object *container = objectstore_container(c, c->params[1]);
	json_t *meta = objectstore_meta(c, "object");
	if (!meta)
		return;
	if (!container)
		objectstore_page(c, 404);
	else if (none && !strcmp(none, "*") && living(c, container, c->params[2]))
		objectstore_page(c, 412);
	struct blob *b = call_answered(c) || !read_expiry(c, &expiry) ? NULL : take_upload(c, &r);
	if (!b) {
		json_decref(meta);
		return;
	}
	struct object *o = write_object(
		c, container, c->params[2], b, r.md5, call_sent(c, "content-type"), meta);
	set_kept(c, o, expiry, true);
	written(c, o);
}

/* --- reading -----------------------------------------------------------------------------------
 */

static void headers(struct call *c, const struct object *o)
{
	char date[CLOCK_TEXT];

	objectstore_meta_show(c, "object", json_object_get(o->doc, "metadata"));
	for (size_t i = 0; i < array_len(kept); i++)
		if (*object_str(o, kept[i]))
			call_header(c, kept[i], "%s", object_str(o, kept[i]));
	call_header(c, "Etag", "%s", object_str(o, "hash"));
	call_header(c, "Last-Modified", "%s",
		clock_http_date(json_int(o->doc, ".modified", 0) + 999999, date));
	call_header(c, "X-Timestamp", "%s", object_str(o, "timestamp"));
}

/* If-Match and If-None-Match (RFC 9110 section 13.1); false when they have been answered. */
static bool conditions_met(struct call *c, const struct object *o)
{
	const char *match = call_sent(c, "if-match"), *none = call_sent(c, "if-none-match");

	if (match && !tags_have(match, object_str(o, "hash"))) {
		call_text(c, 412, HTML, "");
		return false;
	}
	if (none && tags_have(none, object_str(o, "hash"))) {
		call_header(c, "Accept-Ranges", "bytes");
		call_text(c, 304, object_str(o, "content_type"), "");
		return false;
	}
	return true;
}

void objectstore_get_object(struct call *c)
{
	struct object *o = find(c);

	if (!o)
		return;
	headers(c, o);
	if (!conditions_met(c, o))
		return;
	const int64_t size = blob_size(o->more);
	const char *range = strcmp(c->method, "HEAD") ? c->range : NULL;
	int64_t from = 0, n = size;
	const bool there = range_read(range, size, &from, &n);
	call_header(c, "Accept-Ranges", "bytes");
	if (!there) {
		call_header(c, "Content-Range", "bytes */%lld", (long long)size);
		objectstore_page(c, 416);
		c->type = object_str(o, "content_type");
		return;
	}
	if (n != size)
		call_header(c, "Content-Range", "bytes %lld-%lld/%lld", (long long)from,
			(long long)(from + n - 1), (long long)size);
	blob_answer(c, n != size ? 206 : 200, object_str(o, "content_type"), o->more, from, n);
}

/* --- changing ----------------------------------------------------------------------------------
 */

void objectstore_post_object(struct call *c)
{
	struct object *o = find(c);
	json_t *meta = o ? objectstore_meta(c, "object") : NULL;
	const char *type = call_sent(c, "content-type");
	int64_t expiry;

	if (!meta)
		return;
	if (!read_expiry(c, &expiry)) {
		json_decref(meta);
		return;
	}
	rule_changed(c, o, false);
	object_set(o, "metadata", meta);
	set_kept(c, o, expiry, true);
	if (type && *type)
		object_set_str(o, "content_type", type);
	set_modified(o);
	objectstore_done(c, 202);
}

static void on_gone(struct timer *t)
{
	object_remove(t->arg);
}

void objectstore_delete_object(struct call *c)
{
	const struct object *in =
		objectstore_own(c) ? objectstore_container(c, c->params[1]) : NULL;
	struct object *o = in ? living(c, in, c->params[2]) : NULL;

	if (call_answered(c))
		return;
	if (!o) {
		objectstore_page(c, 404);
		return;
	}
	rule_changed(c, o, true);
	if (call_hit(c, MISHAP_ERROR)) {
		object_set(o, ".error", json_true());
	} else if (!o->stuck && !call_hit(c, MISHAP_STUCK)) {
		o->gone = true;
		object_after(o, draw_time_ns(&c->sim->draw, TIME_LIST_LAG), on_gone);
	}
	objectstore_done(c, 204);
}
