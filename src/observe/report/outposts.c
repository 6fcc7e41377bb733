/*
 * outposts.c - who the outposts are, and how they are; see outposts.h.
 */

#include "base/json.h"
#include "base/units.h"
#include "observe/report/outposts_inside.h"

#define LOOK_NS    (5 * NS_PER_S)
#define DOUBLED_MS 600000 /* so long two that say they are one are told of */

enum trouble { TROUBLE_NONE, TROUBLE_SILENT, TROUBLE_DOUBLED, TROUBLE_CLOCK };

int64_t outposts_now_ms(const struct outposts *all)
{
	return clock_unix_us(loop_clock(all->loop)) / 1000;
}

struct outpost *outposts_find(const struct outposts *all, const char *location)
{
	VEC_EACH (&all->list, struct outpost *, o) {
		if (!strcmp((*o)->location, location))
			return *o;
	}
	return NULL;
}

/* --- how they are ----------------------------------------------------------------------------- */

static enum trouble trouble_of(const struct outpost *o)
{
	const int64_t now_ms = outposts_now_ms(o->all);
	const int64_t since_ms = o->heard_ms > o->listed_ms ? o->heard_ms : o->listed_ms;
	if (now_ms - since_ms > OUTPOST_SILENT_NS / NS_PER_MS)
		return TROUBLE_SILENT;
	if (o->doubled_ms && now_ms - o->doubled_ms < DOUBLED_MS)
		return TROUBLE_DOUBLED;
	if (o->clock_ms > OUTPOST_CLOCK_MS || o->clock_ms < -OUTPOST_CLOCK_MS)
		return TROUBLE_CLOCK;
	return TROUBLE_NONE;
}

/* Owned; NULL: nothing is wrong. */
static char *why_of(const struct outpost *o, enum trouble t)
{
	char text[CLOCK_TEXT], off[UNITS_TEXT];
	const int64_t ns = (o->clock_ms < 0 ? -o->clock_ms : o->clock_ms) * NS_PER_MS;
	switch (t) {
	case TROUBLE_NONE: return NULL;
	case TROUBLE_SILENT:
		return o->heard_ms ? mem_printf("nothing was heard of it since %s",
					     clock_rfc3339(o->heard_ms * 1000, text))
				   : mem_strdup("nothing was ever heard of it");
	case TROUBLE_DOUBLED:
		return mem_strdup("two instances report as this location; give each its own");
	case TROUBLE_CLOCK:
		return mem_printf("its clock is %s %s", units_time_text(ns, off),
			o->clock_ms > 0 ? "ahead of ours" : "behind ours");
	}
	return NULL;
}

void outpost_look(struct outpost *o)
{
	const struct outposts *all = o->all;
	const enum trouble now = trouble_of(o);
	if ((int)now == o->trouble)
		return;
	o->trouble = (int)now;
	free(o->why);
	o->why = why_of(o, now);
	all->options.trouble(all->options.arg, o->location, o->why);
}

static void on_look(struct timer *t)
{
	struct outposts *all = t->arg;
	VEC_EACH (&all->list, struct outpost *, o) {
		outpost_look(*o);
	}
	timer_start(all->loop, &all->look, LOOK_NS, on_look, all);
}

void outposts_stored(struct outposts *all)
{
	VEC_EACH (&all->list, struct outpost *, o) {
		taking_stored(*o);
	}
}

/* --- what they run ---------------------------------------------------------------------------- */

static void forget_probes(struct outpost *o)
{
	MAP_EACH (&o->probes, e)
		free(e->value);
	map_fini(&o->probes);
}

void outpost_set_about(struct outpost *o, const char *id, json_t *about)
{
	size_t i;
	json_t *p;
	forget_probes(o);
	json_decref(o->about);
	o->about = about;
	mem_replace(&o->about_id, id);
	json_array_foreach (json_object_get(about, "probes"), i, p) {
		char *key = mem_printf("%s\n%s", json_str(p, "cloud"), json_str(p, "probe"));
		struct paced *paced = mem_new(struct paced);
		*paced = (struct paced){json_int(p, "every_ms", 0), json_int(p, "timeout_ms", 0)};
		free(map_put(&o->probes, key, paced));
		free(key);
	}
}

void outposts_each(const struct outposts *all,
	void (*cb)(void *arg, const char *location, const json_t *about), void *arg)
{
	VEC_EACH (&all->list, struct outpost *, o) {
		if ((*o)->about)
			cb(arg, (*o)->location, (*o)->about);
	}
}

/* --- for operators ---------------------------------------------------------------------------- */

static json_t *text_or_null(const char *text)
{
	return text ? json_string(text) : json_null();
}

static json_t *outpost_json(const struct outpost *o)
{
	json_t *j = json_object();
	const struct {
		const char *key;
		int64_t value;
	} numbers[] = {{"lag_ms", o->lag_ms}, {"items", o->items}, {"bytes", o->bytes},
		{"samples", o->samples}, {"clock_ms", o->clock_ms},
		{"probes", (int64_t)o->probes.n}, {"taken", (int64_t)o->taken},
		{"refused", (int64_t)o->refused}, {"too_old", o->too_old},
		{"too_many", o->too_many}, {"lost_notes", o->lost_notes}};
	json_object_set_new(j, "location", json_string(o->location));
	json_object_set_new(j, "instance", json_string(o->instance ? o->instance : ""));
	json_object_set_new(j, "version", json_string(o->version ? o->version : ""));
	json_object_set_new(j, "heard_ms", o->heard_ms ? json_integer(o->heard_ms) : json_null());
	for (size_t i = 0; i < array_len(numbers); i++)
		json_object_set_new(j, numbers[i].key, json_integer(numbers[i].value));
	json_object_set_new(j, "blind", text_or_null(o->blind));
	json_object_set_new(j, "trouble", text_or_null(o->why));
	return j;
}

json_t *outposts_json(const struct outposts *all)
{
	json_t *list = json_array();
	VEC_EACH (&all->list, struct outpost *, o) {
		json_array_append_new(list, outpost_json(*o));
	}
	return list;
}

/* --- life ------------------------------------------------------------------------------------- */

static void outpost_free(struct outpost *o)
{
	if (o->taking)
		taking_end(o, 503, "the house is closing");
	timer_cancel(&o->turn);
	forget_probes(o);
	json_decref(o->about);
	char *const texts[] = {o->location, o->instance, o->version, o->stream, o->stream_before,
		o->blind, o->about_id, o->why};
	for (size_t i = 0; i < array_len(texts); i++)
		free(texts[i]);
	free(o);
}

static struct outpost *outpost_new(struct outposts *all, const char *location)
{
	struct outpost *o = mem_new(struct outpost);
	o->all = all;
	o->location = mem_strdup(location);
	o->listed_ms = outposts_now_ms(all);
	outpost_read(o);
	return o;
}

static bool is_listed(const struct outpost *o, const char *const *locations, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(o->location, locations[i]))
			return true;
	return false;
}

void outposts_configure(struct outposts *all, const char *const *locations, size_t n)
{
	for (size_t i = all->list.n; i-- > 0;) {
		struct outpost *o = all->list.p[i];
		if (is_listed(o, locations, n))
			continue;
		if (o->trouble)
			all->options.trouble(all->options.arg, o->location, NULL);
		vec_remove(&all->list, i);
		outpost_free(o);
	}
	for (size_t i = 0; i < n; i++)
		if (!outposts_find(all, locations[i]))
			vec_push(&all->list, outpost_new(all, locations[i]));
}

struct outposts *outposts_new(struct loop *l, struct facts *f, struct series_store *store,
	const struct outposts_options *options, struct error *err)
{
	struct outposts *all = mem_new(struct outposts);
	all->loop = l;
	all->facts = f;
	all->store = store;
	all->options = *options;
	if (!outposts_rows_open(all, err)) {
		free(all);
		return NULL;
	}
	timer_start(l, &all->look, LOOK_NS, on_look, all);
	return all;
}

void outposts_free(struct outposts *all)
{
	if (!all)
		return;
	timer_cancel(&all->look);
	VEC_EACH (&all->list, struct outpost *, o) {
		outpost_free(*o);
	}
	vec_fini(&all->list);
	free(all);
}
