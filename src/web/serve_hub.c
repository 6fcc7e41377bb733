/*
 * serve_hub.c - between the serving threads and the door: what is pinned, and the hub's life; cold
 * pages are in serve_cold.c.
 */

#include <assert.h>
#include <stdio.h>

#include "base/json.h"
#include "web/serve_hub.h"

#define CACHE_BYTES (32u << 20)
#define PIN_NS      NS_PER_S
#define PIN_OLD_NS  (60 * NS_PER_S)
#define TRIM_NS     (200 * NS_PER_MS) /* until nobody has the last pins any more */

static bool asked_any(const struct hub *h)
{
	return h->asked_count[SEAT_PUBLIC] || h->asked_count[SEAT_OPERATORS];
}

void hub_note_quiet(struct hub *h)
{
	h->quiet = !h->pinning && !h->cold.n && !asked_any(h);
}

static void on_ask(void *arg)
{
	cold_ask(arg);
}

void hub_ask(struct hub *h, struct ask *a)
{
	a->hub = h;
	loop_post(h->loop, on_ask, a);
}

void hub_say_failed(struct hub *h, const char *why)
{
	const int64_t now = loop_now_ns(h->loop);
	if (!why[0] || (h->said_ns && now - h->said_ns < NS_PER_S))
		return;
	h->said_ns = now;
	hub_say(h, "page_failed", json_pack("{s:s}", "why", why));
}

/* --- pinning -------------------------------------------------------------------------------------
 */

/* As a value SITE takes twenty times its text, so between two pinnings the text is kept. */
static json_t *read_site(struct pin_job *p, enum seat s)
{
	struct error err;
	json_t *site = NULL;
	if (p->raw[s]) {
		site = json_parse(slice_from(p->raw[s], p->raw_n[s]), DOOR_BODY_MAX, &err);
		if (!site)
			snprintf(p->broken, sizeof(p->broken), "%.190s", err.msg);
		free(site ? p->kept[s] : p->raw[s]);
		if (site) {
			p->kept[s] = p->raw[s];
			p->kept_n[s] = p->raw_n[s];
		}
		p->raw[s] = NULL;
	}
	if (!site && p->kept[s])
		site = json_parse(slice_from(p->kept[s], p->kept_n[s]), DOOR_BODY_MAX, &err);
	return site;
}

static void on_pin(struct render_job *j, json_t **frames)
{
	struct pin_job *p = (struct pin_job *)j;
	p->made = pins_new();
	for (enum seat s = 0; s < SEATS; s++) { /* one after the other: one value at a time */
		json_t *site = read_site(p, s);
		if (!site)
			continue;
		pins_add(p->made, s, site, p->last);
		json_decref(frames[s]);
		frames[s] = page_frame(site);
		json_decref(site);
	}
}

static void pin_when_due(struct hub *h);

static void on_trim(struct timer *t)
{
	mem_trim();
}

static void on_pinned(struct render_job *j)
{
	struct hub *h = ((struct pin_job *)j)->hub;
	h->pinning = false;
	pins_unref(h->pin.last);
	pins_unref(h->pins);
	h->pins = h->pin.made;
	if (h->pin.broken[0])
		hub_say(h, "site_broken", json_pack("{s:s}", "why", h->pin.broken));
	hub_say_failed(h, h->pins->why);
	if (!h->closing) {
		h->o.pinned(h->o.arg, h->pins);
		timer_start(h->loop, &h->trim, TRIM_NS, on_trim, h);
		pin_when_due(h);
	}
	hub_note_quiet(h);
}

static void pin_now(struct hub *h)
{
	h->pin.job.work = on_pin;
	h->pin.job.done = on_pinned;
	h->pin.hub = h;
	h->pin.broken[0] = '\0';
	h->pin.last = h->pins ? pins_ref(h->pins) : NULL;
	for (int s = 0; s < SEATS; s++) {
		h->pin.raw[s] = h->raw[s];
		h->pin.raw_n[s] = h->raw_n[s];
		h->raw[s] = NULL;
	}
	h->pinned_ns = loop_now_ns(h->loop);
	h->pinning = true;
	hub_note_quiet(h);
	render_submit(h->render, &h->pin.job, true);
}

static void on_pin_timer(struct timer *t)
{
	pin_now(t->arg);
}

/* At most once a second; but the first SITE of an audience at once. */
static void pin_when_due(struct hub *h)
{
	bool fresh = false, first = false;
	if (h->pinning || h->closing)
		return;
	for (int s = 0; s < SEATS; s++) {
		fresh = fresh || h->raw[s];
		first = first || (h->raw[s] && !(h->pins && h->pins->there[s]));
	}
	if (!fresh && !h->pins)
		return;
	const int64_t due = h->pinned_ns + (first ? 0 : fresh ? PIN_NS : PIN_OLD_NS);
	const int64_t left = due - loop_now_ns(h->loop);
	timer_start(h->loop, &h->pin_timer, left > 0 ? left : 0, on_pin_timer, h);
}

/* --- the door ------------------------------------------------------------------------------------
 */

static void on_frame(void *arg, const struct door_frame *f)
{
	struct hub *h = arg;
	struct guard g;
	if (f->kind == DOOR_SETUP) {
		guard_read(&g, f->body);
		h->o.setup(h->o.arg, &g);
	} else if (f->kind == DOOR_SITE) {
		const enum seat s =
			f->audience == AUDIENCE_OPERATORS ? SEAT_OPERATORS : SEAT_PUBLIC;
		free(h->raw[s]);
		h->raw[s] = mem_strndup(f->body.p, f->body.n);
		h->raw_n[s] = f->body.n;
		pin_when_due(h);
	}
}

static void on_ended(void *arg, const struct error *err)
{
	struct hub *h = arg;
	h->o.ended(h->o.arg, err);
}

void hub_say(struct hub *h, const char *what, json_t *details)
{
	details = details ? details : json_object(); /* a text cut inside a letter */
	char *text = json_text(details);
	if (h->door)
		door_send(h->door,
			&(struct door_frame){
				.kind = DOOR_SAY, .name = slice_of(what), .body = slice_of(text)});
	free(text);
	json_decref(details);
}

/* --- life ----------------------------------------------------------------------------------------
 */

struct hub *hub_new(const struct hub_options *o, struct error *err)
{
	struct hub *h = mem_new(struct hub);
	const struct door_options d = {.frame = on_frame, .ended = on_ended, .arg = h};
	h->o = *o;
	h->loop = o->loop;
	h->quiet = true;
	h->cache = cache_new(CACHE_BYTES);
	h->door = door_new(h->loop, o->door, &d, err);
	h->render = h->door ? render_new(h->loop, err) : NULL;
	if (h->render)
		return h;
	hub_free(h);
	return NULL;
}

void hub_close(struct hub *h)
{
	h->closing = true;
	timer_cancel(&h->pin_timer);
	timer_cancel(&h->trim);
	door_free(h->door);
	h->door = NULL;
	hub_note_quiet(h);
	loop_run_until(h->loop, &h->quiet);
}

void hub_free(struct hub *h)
{
	if (!h)
		return;
	assert(!h->pinning && !h->cold.n && !asked_any(h));
	door_free(h->door);
	render_free(h->render);
	cache_free(h->cache);
	pins_unref(h->pins);
	map_fini(&h->cold);
	for (int s = 0; s < SEATS; s++)
		free(h->raw[s]);
	for (int s = 0; s < SEATS; s++)
		free(h->pin.kept[s]);
	free(h);
}
