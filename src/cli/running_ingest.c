/*
 * running_ingest.c - streams from outside: where they come in, and what is said of them.
 */

#include "cli/running.h"

#include <stdio.h>
#include <string.h>

static void on_tell(void *arg, const char *text)
{
	struct running *r = arg;
	running_say(r, "%s", text);
	if (r->house)
		house_changed(r->house);
}

static void say_port(
	struct running *r, enum ingest_source source, const char *scheme, const char *address)
{
	const char *colon = strrchr(address, ':');
	char label[32];
	if (!colon)
		return;
	snprintf(label, sizeof(label), "%s:", ingest_source_name(source));
	printf("%-10s %s://%.*s:%u\n", label, scheme, (int)(colon - address), address,
		ingest_port(r->ingest, source));
}

void running_ingest_say(struct running *r)
{
	const struct config *c = r->now->config;
	say_port(r, INGEST_STATSD, "udp", c->statsd_address);
	say_port(r, INGEST_GRAPHITE, "tcp", c->graphite_address);
	say_port(r, INGEST_PICKLE, "tcp", c->pickle_address);
}

static const char *if_set(const char *address)
{
	return *address ? address : NULL;
}

static bool open_ingest(struct running *r, const struct config *c, struct error *err)
{
	const struct ingest_options o = {
		.statsd = if_set(c->statsd_address),
		.graphite = if_set(c->graphite_address),
		.pickle = if_set(c->pickle_address),
		.location = c->location ? c->location : "",
		.tell = on_tell,
		.tell_arg = r,
	};
	r->ingest = ingest_open(r->session.loop, r->series, &o, err);
	return r->ingest != NULL;
}

static bool same_addresses(const struct config *a, const struct config *b)
{
	return !strcmp(a->statsd_address, b->statsd_address) &&
	       !strcmp(a->graphite_address, b->graphite_address) &&
	       !strcmp(a->pickle_address, b->pickle_address);
}

bool running_ingest(struct running *r, struct error *err)
{
	r->ingest_of = generation_ref(r->now);
	return open_ingest(r, r->now->config, err);
}

void running_ingest_reload(struct running *r)
{
	if (!r->ingest_of || (r->ingest && same_addresses(r->ingest_of->config, r->now->config)))
		return;
	r->reopen = true;
	loop_stop(r->session.loop);
}

void running_ingest_reopen(struct running *r)
{
	struct error err = {0};
	struct ingest *old = r->ingest;
	r->reopen = false;
	r->ingest = NULL;
	house_ingest(r->house, NULL);
	ingest_close(old);
	struct generation *before = r->ingest_of;
	if (open_ingest(r, r->now->config, &err)) {
		r->ingest_of = generation_ref(r->now);
		generation_unref(before);
	} else { /* the next reload tries it again, also with the same addresses */
		running_say(r, "reload: %s", err.msg);
		if (!open_ingest(r, before->config, NULL))
			running_say(r, "ingest: what comes from outside is not taken any more");
	}
	house_ingest(r->house, r->ingest);
}

void running_ingest_site(const struct running *r, json_t *site)
{
	if (!r->ingest)
		return;
	json_t *all = json_array();
	const struct ingest_state s = ingest_state(r->ingest);
	for (int k = 0; k < INGEST_SOURCES; k++) {
		const enum ingest_source source = (enum ingest_source)k;
		if (!s.source[k].points && !s.source[k].bad && !s.source[k].refused &&
			!ingest_port(r->ingest, source))
			continue;
		json_array_append_new(all,
			json_pack("{s:s, s:I, s:I, s:I, s:I, s:s}", "name",
				ingest_source_name(source), "points",
				(json_int_t)s.source[k].points, "bad", (json_int_t)s.source[k].bad,
				"refused", (json_int_t)s.source[k].refused, "lost",
				(json_int_t)s.source[k].lost, "first_bad", s.source[k].first_bad));
	}
	json_object_set_new(site, "ingest", all);
}

/* --- over HTTP -------------------------------------------------------------------------------- */

void running_answer(struct web_answer *answer, int status, const char *fmt, ...)
{
	struct buf why = BUF(BUF_LINE);
	va_list ap;
	va_start(ap, fmt);
	buf_vprintf(&why, fmt, ap);
	va_end(ap);
	web_answer(answer, 200, json_pack("{s:i, s:s}", "status", status, "why", buf_str(&why)));
	buf_fini(&why);
}

bool running_face(const struct running *r, enum config_face face, struct web_answer *answer)
{
	if (r->now->config->faces & (1u << face))
		return true;
	running_answer(answer, 403, "the configuration does not allow it: faces: {%s: write}",
		config_face_name(face));
	return false;
}

/* As InfluxDB says it: what was good of the body is there. */
static void answer_influx(struct web_answer *answer, size_t taken, const struct bad_lines *bad)
{
	if (!bad->n)
		running_answer(answer, 204, "%s", "");
	else if (taken)
		running_answer(answer, 400, "partial write: %s dropped=%llu", bad->first,
			(unsigned long long)bad->n);
	else
		running_answer(answer, 400, "%s", bad->first);
}

void running_points(void *arg, const char *source, struct points *points,
	const struct bad_lines *bad, struct web_answer *answer)
{
	struct running *r = arg;
	const bool influx = !strcmp(source, ingest_source_name(INGEST_INFLUX));
	const enum ingest_source from = influx ? INGEST_INFLUX : INGEST_REMOTE_WRITE;
	const size_t n = points_count(points);
	if (!running_face(r, influx ? CONFIG_FACE_INFLUX : CONFIG_FACE_PROMETHEUS, answer)) {
		points_free(points);
		return;
	}
	if (!r->ingest || r->stopping) {
		points_free(points);
		running_answer(answer, 503, "the house is not open");
		return;
	}
	ingest_bad(r->ingest, from, bad);
	if (!ingest_points(r->ingest, from, points))
		running_answer(answer, 429, "%d values wait already: send it again later",
			INGEST_WAITING_MAX);
	else if (influx)
		answer_influx(answer, n, bad);
	else if (bad->n)
		running_answer(answer, 400, "%s", bad->first);
	else
		running_answer(answer, 204, "%s", "");
}
