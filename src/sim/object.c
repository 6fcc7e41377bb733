#include "sim/object.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "sim/state.h"

static const struct {
	const char *word, *service;
} kinds[KIND_COUNT] = {
#define KIND(name, word, service) {word, service},
#include "sim/kind.def"
#undef KIND
};

const char *kind_word(enum kind k)
{
	return kinds[k].word;
}

const char *kind_service(enum kind k)
{
	return kinds[k].service;
}

bool kind_parse(const char *word, enum kind *ret)
{
	for (int i = 0; i < KIND_COUNT; i++)
		if (!strcmp(kinds[i].word, word)) {
			*ret = (enum kind)i;
			return true;
		}
	return false;
}

struct object *object_new(
	struct sim *s, enum kind k, const char *id, const char *project, const char *user)
{
	struct object *o = mem_new(struct object);

	o->kind = k;
	o->sim = s;
	o->doc = json_object();
	if (id)
		snprintf(o->id, sizeof(o->id), "%s", id);
	else
		draw_uuid(&s->draw, kinds[k].word, o->id);
	snprintf(o->project, sizeof(o->project), "%s", project ? project : "");
	snprintf(o->user, sizeof(o->user), "%s", user ? user : "");
	o->ordinal = ++s->tables[k].ordinal;
	vec_push(&s->tables[k].list, o);
	assert(!map_get(&s->tables[k].by_id, o->id));
	map_put(&s->tables[k].by_id, o->id, o);
	return o;
}

static void object_free(struct object *o)
{
	timer_cancel(&o->timer);
	if (o->free_more)
		o->free_more(o);
	json_decref(o->doc);
	free(o->mark);
	free(o->instance);
	free(o);
}

void object_remove(struct object *o)
{
	struct table *t = &o->sim->tables[o->kind];

	map_remove(&t->by_id, o->id);
	for (size_t i = 0; i < t->list.n; i++)
		if (t->list.p[i] == o) {
			vec_remove(&t->list, i);
			break;
		}
	object_free(o);
}

struct object *object_get(struct sim *s, enum kind k, const char *id)
{
	return id ? map_get(&s->tables[k].by_id, id) : NULL;
}

void tables_fini(struct sim *s)
{
	for (int k = KIND_COUNT - 1; k >= 0; k--) {
		while (s->tables[k].list.n > 0)
			object_free(vec_pop(&s->tables[k].list));
		vec_fini(&s->tables[k].list);
		map_fini(&s->tables[k].by_id);
	}
}

void object_after(struct object *o, int64_t delay_ns, void (*cb)(struct timer *t))
{
	timer_start(o->sim->loop, &o->timer, delay_ns, cb, o);
}

bool object_listed(const struct object *o)
{
	return loop_now_ns(o->sim->loop) >= o->visible_ns;
}

const char *object_str(const struct object *o, const char *key)
{
	const char *s = json_str(o->doc, key);

	return s ? s : "";
}

void object_set(struct object *o, const char *key, json_t *value)
{
	json_object_set_new(o->doc, key, value);
}

void object_set_str(struct object *o, const char *key, const char *value)
{
	json_object_set_new(o->doc, key, value ? json_string(value) : json_null());
}

const char *object_now(const struct sim *s, char *text)
{
	time_t t = (time_t)(clock_unix_us(loop_clock(s->loop)) / 1000000);
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return text;
}

const char *object_now_micro(const struct sim *s, char *text)
{
	int64_t us = clock_unix_us(loop_clock(s->loop));
	time_t t = (time_t)(us / 1000000);
	struct tm tm;

	gmtime_r(&t, &tm);
	size_t n = strftime(text, 32, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + n, 32 - n, ".%06d", (int)(us % 1000000));
	return text;
}
