/*
 * outposts_take.c - a parcel, from its head to its answer; see outposts.h.
 */

#include <stdio.h>

#include "base/json.h"
#include "observe/report/outposts_inside.h"
#include "store/observation_code.h"

#define FRESH_MS    60000 /* of a probe that nobody told of */
#define TRAVEL_MS   15000 /* what an observation may be on its way besides */
#define STORED_MS   60000 /* between two times that it is written that one was heard */
#define WAITING_MAX (SERIES_WAITING_MAX / 2)
#define SENT_MAX_MS 4102444800000LL /* 2100: no clock is that wrong */

/* --- answers ---------------------------------------------------------------------------------- */

static void answer(outposts_done *done, void *arg, int status, const char *why, int64_t accepted)
{
	done(arg, &(struct outposts_answer){.status = status, .why = why, .accepted = accepted});
}

void taking_end(struct outpost *o, int status, const char *why)
{
	struct taking *t = o->taking;
	const struct outposts_answer a = {.status = status,
		.why = why,
		.accepted = inbox_taken(o->all->store, t->source),
		.want_about = !o->about};
	timer_cancel(&o->turn);
	o->taking = NULL;
	t->done(t->arg, &a);
	parcel_free(t->parcel);
	free(t->series);
	free(t);
}

void taking_stored(struct outpost *o)
{
	const struct taking *t = o->taking;
	if (t && t->whole && inbox_taken(o->all->store, t->source) >= t->wanted)
		taking_end(o, 200, "");
}

/* --- items ------------------------------------------------------------------------------------ */

static struct series *series_of(struct outpost *o, size_t place)
{
	struct taking *t = o->taking;
	const struct parcel_series *s = &t->parcel->series.p[place];
	if (!t->series[place])
		t->series[place] = series_get(o->all->store, &(struct series_key){.kind = s->kind,
								     .unit = s->unit,
								     .location = o->location,
								     .name = s->name,
								     .tags = s->tags,
								     .tag_count = s->tag_count});
	return t->series[place];
}

static void on_sample(void *arg, const struct row_series *row, const struct series_sample *sample)
{
	struct outpost *o = arg;
	struct series *s = series_of(o, parcel_series_place(o->taking->parcel, row->id));
	if (s && series_append(s, sample))
		o->taken++;
	else
		o->refused++;
}

/* Nor ahead of the clock by more than samples may be. */
static bool is_fresh(const struct outpost *o, const struct observation *seen, int64_t now_ms)
{
	char *key = mem_printf("%s\n%s", seen->cloud, seen->probe);
	const struct paced *p = map_get(&o->probes, key);
	const int64_t fresh_ms = p ? 3 * p->every_ms + p->timeout_ms + TRAVEL_MS : FRESH_MS;
	free(key);
	return seen->at_ms >= 0 && seen->at_ms <= now_ms + SERIES_HOUR_MS &&
	       seen->at_ms + seen->total_us / 1000 >= now_ms - fresh_ms;
}

static void take_note(struct outpost *o, struct slice bytes)
{
	struct code_in in = code_in(bytes.p, bytes.n);
	struct observation seen;
	const int64_t now_ms = outposts_now_ms(o->all);
	const bool wrong = o->clock_ms > OUTPOST_CLOCK_MS || o->clock_ms < -OUTPOST_CLOCK_MS;
	while (observation_read(&in, &seen)) {
		seen.location = o->location;
		if (wrong && __builtin_sub_overflow(seen.at_ms, o->clock_ms, &seen.at_ms))
			continue;
		if (is_fresh(o, &seen, now_ms))
			o->all->options.seen(o->all->options.arg, &seen);
	}
}

/* Samples and their mark in one turn of the loop: no transaction can come between. */
static void take_item(struct outpost *o, const struct parcel_item *item)
{
	struct error err = {0};
	if (item->note)
		take_note(o, item->bytes);
	else if (!row_read(item->bytes, on_sample, o, &err)) /* it was read once before */
		o->refused++;
	o->appended = item->seq;
	inbox_take(o->all->store, o->taking->source, item->seq);
}

static void on_turn(struct timer *timer)
{
	struct outpost *o = timer->arg;
	struct taking *t = o->taking;
	while (t->next < t->parcel->items.n) {
		const struct parcel_item *item = &t->parcel->items.p[t->next++];
		if (item->seq <= o->appended)
			continue;
		take_item(o, item);
		timer_start(o->all->loop, &o->turn, 0, on_turn, o);
		return;
	}
	t->whole = true;
	if (t->behind && t->parcel->items.n)
		inbox_hurry(o->all->store);
	taking_stored(o);
}

/* --- the head --------------------------------------------------------------------------------- */

/* Two that say they are the same one send over each other: each has a stream of its own. */
static void take_stream(struct outpost *o, const char *stream)
{
	if (o->stream && !strcmp(o->stream, stream))
		return;
	if (o->stream_before && !strcmp(o->stream_before, stream))
		o->doubled_ms = outposts_now_ms(o->all);
	free(o->stream_before);
	o->stream_before = o->stream;
	o->stream = mem_strdup(stream);
}

static void take_head(struct outpost *o, const json_t *head)
{
	const int64_t now_ms = outposts_now_ms(o->all);
	const int64_t sent_ms = json_int(head, "sent_ms", now_ms);
	const int64_t oldest_ms = json_int(head, "oldest_ms", 0);
	const char *id = json_str(head, "about_id");
	mem_replace(&o->instance, json_str(head, "instance"));
	mem_replace(&o->version, json_str(head, "version"));
	mem_replace(&o->blind, json_str(head, "blind"));
	o->heard_ms = now_ms;
	o->clock_ms = sent_ms - now_ms;
	o->lag_ms = oldest_ms > 0 && oldest_ms < sent_ms ? sent_ms - oldest_ms : 0;
	o->items = json_int(head, "items", 0);
	o->bytes = json_int(head, "bytes", 0);
	o->samples = json_int(head, "samples", 0);
	o->too_old = json_int(head, "too_old", 0);
	o->too_many = json_int(head, "too_many", 0);
	o->lost_notes = json_int(head, "lost_notes", 0);
	const json_t *about = json_object_get(head, "about");
	const bool other = !o->about || !o->about_id || !id || strcmp(o->about_id, id) != 0;
	if (other && json_is_object(about))
		outpost_set_about(o, id ? id : "", outposts_about(about));
	else if (other)
		outpost_set_about(o, NULL, NULL);
	if (other && o->about) {
		outpost_write(o, true);
		o->all->options.about(o->all->options.arg);
	} else if (now_ms - o->stored_ms >= STORED_MS) {
		outpost_write(o, false);
	}
}

/* NULL, or why the parcel cannot be taken now. */
static const char *look(
	const struct outpost *o, const char *location, const json_t *head, int *ret_status)
{
	const char *said = json_str(head, "location"), *stream = json_str(head, "stream");
	const bool check = json_flag(head, "check");
	const int64_t sent_ms = json_int(head, "sent_ms", 0);
	const struct series_status s = series_status(o->all->store);
	*ret_status = 403;
	if (!said || strcmp(said, location) != 0)
		return "the token is that of another location";
	*ret_status = 400;
	if (!check && (!stream || !*stream || strlen(stream) >= OUTBOX_STREAM))
		return "the head of the parcel has no stream";
	if (!check && (sent_ms < 0 || sent_ms > SENT_MAX_MS))
		return "the head of the parcel says no time at which it can have been sent";
	*ret_status = check ? 200 : 503;
	if (check)
		return NULL;
	if (o->taking)
		return "the parcel before this one is not stored yet";
	if (!s.storing)
		return "the house cannot store anything now";
	if (s.waiting > WAITING_MAX)
		return "too much waits to be stored: send it again later";
	*ret_status = 200;
	return NULL;
}

void outposts_take(struct outposts *all, const char *location, struct parcel *p,
	outposts_done *done, void *arg)
{
	struct outpost *o = outposts_find(all, location);
	int status = 403;
	const char *why = o ? look(o, location, p->head, &status)
			    : "the configuration has no outpost of this location any more";
	if (why || json_flag(p->head, "check")) {
		answer(done, arg, status, why ? why : "", 0);
		parcel_free(p);
		return;
	}
	struct taking *t = mem_new(struct taking);
	take_stream(o, json_str(p->head, "stream"));
	snprintf(t->source, sizeof(t->source), "%.150s/%s", location, o->stream);
	o->appended = inbox_taken(all->store, t->source);
	t->parcel = p;
	t->series = mem_new_array(p->series.n + 1, sizeof(*t->series));
	t->wanted = p->items.n ? p->items.p[p->items.n - 1].seq : 0;
	t->done = done;
	t->arg = arg;
	o->taking = t;
	take_head(o, p->head);
	t->behind = o->items > (int64_t)p->items.n;
	timer_start(all->loop, &o->turn, 0, on_turn, o);
	outpost_look(o);
}
