/*
 * objectstore_container.c - containers: made as often as one likes, gone only when they are empty.
 *
 * Listings and counts lag: an object shows TIME_LIST_LAG after its PUT and as long after its
 * DELETE, and until then the container is not empty. A fault `stuck` makes that for ever; one that
 * ends in `error` is there, but cannot be read: 503, as when too many of its replicas are away.
 */

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "sim/objectstore.h"
#include "sim/record.h"
#include "sim/state.h"

#define NAME_LIMIT 256

struct object *objectstore_container(struct call *c, const char *name)
{
	OBJECT_EACH (c->sim, KIND_CONTAINER, o)
		if (!strcmp(o->project, c->project) && !strcmp(object_str(o, "name"), name))
			return o;
	return NULL;
}

/* That of the path; answers 404, or 503 when a fault broke it, and returns NULL otherwise. */
static struct object *find(struct call *c)
{
	struct object *o = objectstore_own(c) ? objectstore_container(c, c->params[1]) : NULL;

	if (call_answered(c))
		return NULL;
	if (!o)
		objectstore_page(c, 404);
	else if (json_flag(o->doc, ".error") && strcmp(c->method, "DELETE"))
		objectstore_page(c, 503);
	return call_answered(c) ? NULL : o;
}

/* Access lists are kept; nobody else's requests are let in by them. */
static void keep_lists(struct call *c, struct object *o)
{
	static const char *const names[] = {"x-container-read", "x-container-write"};

	for (size_t i = 0; i < array_len(names); i++) {
		const char *value = call_sent(c, names[i]);

		if (value && *value)
			object_set_str(o, names[i], value);
		else if (value)
			json_object_del(o->doc, names[i]);
	}
}

static bool room(struct call *c)
{
	const int64_t limit = c->sim->quota.containers,
		      have = objectstore_usage(c->sim, c->project, NULL).containers;

	if ((limit < 0 || have < limit) && !call_hit(c, MISHAP_QUOTA))
		return true;
	char *text = mem_printf(
		"Reached container limit of %lld", (long long)(limit < 0 ? have : limit));
	call_text(c, 403, "text/html; charset=UTF-8", text);
	free(text);
	return false;
}

static void make(struct call *c)
{
	struct object *o = object_new(c->sim, KIND_CONTAINER, NULL, c->project, c->user);
	const int64_t us = clock_unix_us(loop_clock(c->sim->loop));
	char text[32];

	o->stuck = call_hit(c, MISHAP_STUCK);
	o->visible_ns =
		o->stuck ? INT64_MAX
			 : loop_now_ns(c->sim->loop) + draw_time_ns(&c->sim->draw, TIME_LIST_LAG);
	if (call_hit(c, MISHAP_ERROR))
		object_set(o, ".error", json_true());
	object_set_str(o, "name", c->params[1]);
	object_set_str(o, "timestamp", objectstore_timestamp(us, text));
	object_set_str(o, "last_modified", object_now_micro(c->sim, text));
	object_set(o, ".modified", json_integer(us));
	object_set(o, "metadata", objectstore_meta(c, "container"));
	keep_lists(c, o);
	rule_created(c, o);
}

void objectstore_put_container(struct call *c)
{
	const size_t n = strlen(c->params[1]);

	if (!objectstore_own(c))
		return;
	if (n > NAME_LIMIT) {
		char *text =
			mem_printf("Container name length of %zu longer than %d", n, NAME_LIMIT);
		call_text(c, 400, "text/html; charset=UTF-8", text);
		free(text);
		return;
	}
	json_t *meta = objectstore_meta(c, "container");
	if (!meta)
		return;
	json_decref(meta);
	struct object *o = objectstore_container(c, c->params[1]);
	if (!o && !room(c))
		return;
	objectstore_account(c, true);
	if (o) {
		rule_changed(c, o, false);
		objectstore_meta_merge(c, "container", json_object_get(o->doc, "metadata"));
		keep_lists(c, o);
	} else {
		make(c);
	}
	objectstore_done(c, o ? 202 : 201);
}

/* --- reading -----------------------------------------------------------------------------------
 */

static void headers(struct call *c, const struct object *o)
{
	const struct usage u = objectstore_usage(c->sim, c->project, o);
	char date[CLOCK_TEXT];

	call_header(c, "X-Container-Object-Count", "%lld", (long long)u.objects);
	call_header(c, "X-Container-Bytes-Used", "%lld", (long long)u.bytes);
	call_header(c, "X-Timestamp", "%s", object_str(o, "timestamp"));
	objectstore_meta_show(c, "container", json_object_get(o->doc, "metadata"));
	if (*object_str(o, "x-container-read"))
		call_header(c, "X-Container-Read", "%s", object_str(o, "x-container-read"));
	if (*object_str(o, "x-container-write"))
		call_header(c, "X-Container-Write", "%s", object_str(o, "x-container-write"));
	/* whole seconds, rounded up as swift does */
	call_header(c, "Last-Modified", "%s",
		clock_http_date(json_int(o->doc, ".modified", 0) + 999999, date));
	call_header(c, "Accept-Ranges", "bytes");
	call_header(c, "X-Storage-Policy", "Policy-0");
}

static json_t *row(const struct object *o)
{
	return json_pack("{s:O, s:s, s:s, s:s, s:s}", "bytes", json_object_get(o->doc, "bytes"),
		"hash", object_str(o, "hash"), "name", object_str(o, "name"), "content_type",
		object_str(o, "content_type"), "last_modified", object_str(o, "last_modified"));
}

void objectstore_get_container(struct call *c)
{
	const struct object *container = find(c);
	const enum listing form = container ? objectstore_listing(c) : LISTING_NONE;
	VEC(struct entry) list = {0};

	if (form == LISTING_NONE)
		return;
	headers(c, container);
	if (!strcmp(c->method, "HEAD")) {
		call_text(c, 204, "text/plain; charset=utf-8", "");
		return;
	}
	OBJECT_EACH (c->sim, KIND_OBJECT, o)
		if (!strcmp(object_str(o, "container"), container->id) && object_listed(o))
			vec_push(&list, ((struct entry){object_str(o, "name"), row(o)}));
	objectstore_list(c, form, "container", c->params[1], list.p, list.n);
	vec_fini(&list);
}

/* --- changing ----------------------------------------------------------------------------------
 */

void objectstore_post_container(struct call *c)
{
	struct object *o = find(c);
	json_t *meta = o ? objectstore_meta(c, "container") : NULL;

	if (!meta)
		return;
	json_decref(meta);
	rule_changed(c, o, false);
	objectstore_meta_merge(c, "container", json_object_get(o->doc, "metadata"));
	keep_lists(c, o);
	objectstore_done(c, 204);
}

void objectstore_delete_container(struct call *c)
{
	struct object *container = find(c);

	if (!container)
		return;
	OBJECT_EACH (c->sim, KIND_OBJECT, o)
		if (!strcmp(object_str(o, "container"), container->id)) {
			objectstore_page(c, 409);
			return;
		}
	rule_changed(c, container, true);
	if (call_hit(c, MISHAP_ERROR))
		object_set(container, ".error", json_true());
	else if (!container->stuck && !call_hit(c, MISHAP_STUCK))
		object_remove(container);
	objectstore_done(c, 204);
}
