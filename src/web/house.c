/*
 * house.c - when SITE is published; see house.h.
 *
 * What it is made of lies at hand: verdicts in the judge, days and last runs as of the last
 * refresh, which runs beside it. A change publishes at once what is known and starts a refresh;
 * when that brings something new, it is published again, at most once a second in all.
 */

#include "web/house.h"

#include <string.h>

#include "web/house_inside.h"

#define GAP_MS     1000  /* between two */
#define EVERY_MS   30000 /* without any change: "as of" */
#define REFRESH_NS (30 * NS_PER_S)

int64_t house_now_ms(const struct house *h)
{
	return clock_unix_us(loop_clock(h->loop)) / 1000;
}

void put(json_t *object, const char *key, json_t *value)
{
	if (value)
		json_object_set_new(object, key, value);
}

void put_text(json_t *object, const char *key, const char *text)
{
	json_t *value = text ? json_string(text) : NULL;
	put(object, key, value ? value : json_null());
}

void put_int(json_t *object, const char *key, int64_t i)
{
	put(object, key, json_integer(i));
}

/* --- publishing ------------------------------------------------------------------------------- */

static void on_due(struct timer *t);

static void publish_in(struct house *h, int64_t ms)
{
	timer_start(h->loop, &h->due, ms > 0 ? ms * NS_PER_MS : 0, on_due, h);
}

static void publish_soon(struct house *h)
{
	if (!h->publish || !h->publishing || !days_all_loaded(h))
		return;
	const int64_t wait_ms = h->published_ms ? h->published_ms + GAP_MS - house_now_ms(h) : 0;
	if (!timer_running(&h->due) || timer_left_ns(&h->due) > wait_ms * NS_PER_MS)
		publish_in(h, wait_ms > GAP_MS ? GAP_MS : wait_ms);
}

/* The same but for the time it was made. */
static bool same(const json_t *a, const json_t *b)
{
	const char *key;
	json_t *value;
	if (!b || json_object_size(a) != json_object_size(b))
		return false;
	json_object_foreach ((json_t *)a, key, value)
		if (strcmp(key, "at_ms") != 0 && strcmp(key, "revision") != 0 &&
			!json_equal(value, json_object_get(b, key)))
			return false;
	return true;
}

static void publish_to(struct house *h, enum audience audience)
{
	json_t *site = site_json(h, audience);
	put_int(site, "revision", h->revision[audience]);
	if (!same(site, h->last[audience]))
		h->revision[audience]++;
	put_int(site, "revision", h->revision[audience]);
	json_decref(h->last[audience]);
	h->last[audience] = json_incref(site);
	h->publish(h->publish_arg, audience, site, h->probes[audience]);
}

static void note_observing(struct house *h)
{
	const bool storing = series_status(h->series).storing;
	const bool blind = judge_is_blind(h->judge, NULL);
	if (storing == h->storing && blind == h->blind)
		return;
	h->storing = storing;
	h->blind = blind;
	h->observing_since_ms = house_now_ms(h);
}

static void on_due(struct timer *t)
{
	struct house *h = t->arg;
	note_observing(h);
	h->published_ms = house_now_ms(h);
	publish_to(h, AUDIENCE_PUBLIC);
	publish_to(h, AUDIENCE_OPERATORS);
	publish_in(h, EVERY_MS);
}

static void on_refresh(struct timer *t)
{
	struct house *h = t->arg;
	refresh_start(h);
	timer_start(h->loop, &h->refresh_due, REFRESH_NS, on_refresh, h);
}

void house_refreshed(struct house *h)
{
	publish_soon(h);
}

void house_changed(struct house *h)
{
	publish_soon(h);
	/* a little later, so that what belongs together is read together */
	if (!timer_running(&h->refresh_due) || timer_left_ns(&h->refresh_due) > NS_PER_S)
		timer_start(h->loop, &h->refresh_due, NS_PER_S, on_refresh, h);
}

void house_publish_with(struct house *h, house_publish *publish, void *arg)
{
	h->publish = publish;
	h->publish_arg = arg;
	refresh_start(h);
	publish_soon(h);
}

void house_configure(
	struct house *h, const struct house_site *site, const struct house_lists *lists)
{
	h->site = site;
	h->lists = *lists;
	site_probes_make(h);
	house_changed(h);
}

/* --- life ------------------------------------------------------------------------------------- */

struct house *house_new(struct loop *l, struct facts *f, struct series_store *series,
	struct judge *j, struct alarms *a, house_more *more, void *arg)
{
	static const struct house_site nobody = {
		.name = "", .url = "", .timezone = "UTC", .location = "", .instance = ""};
	struct house *h = mem_new(struct house);
	struct error err = {0};
	h->loop = l;
	h->facts = f;
	h->series = series;
	h->judge = j;
	h->alarms = a;
	h->more = more;
	h->arg = arg;
	h->site = &nobody;
	site_probes_make(h);
	h->started_ms = h->observing_since_ms = house_now_ms(h);
	h->storing = true;
	h->worker = worker_new(l, 1, &err);
	if (!h->worker)
		mem_panic("%s", err.msg);
	timer_start(l, &h->refresh_due, 0, on_refresh, h);
	return h;
}

void house_outposts(struct house *h, const struct outposts *all, const struct reporter *r)
{
	h->outposts = all;
	h->reporter = r;
}

void house_ingest(struct house *h, const struct ingest *i)
{
	h->ingest = i;
}

void house_graphite(struct house *h, struct graphite *g)
{
	h->graphite = g;
}

void house_measures(struct house *h, struct metrics *m)
{
	h->metrics = m;
}

void house_free(struct house *h)
{
	if (!h)
		return;
	timer_cancel(&h->due);
	timer_cancel(&h->refresh_due);
	asks_end(h);
	refresh_forget(h);
	days_forget(h);
	worker_settle(h->worker);
	worker_free(h->worker);
	for (size_t i = 0; i < array_len(h->last); i++)
		json_decref(h->last[i]);
	site_probes_forget(h);
	house_flags_free(h);
	free(h);
}
