/*
 * try_metrics.c - see try_metrics.h.
 */

#include "cli/try_metrics.h"

#include <stdio.h>
#include <string.h>

#include "observe/measured.h"

#define END_NS (10 * NS_PER_S)

struct try_metrics {
	struct session *session;
	struct metrics *metrics;
	const struct run *run;
};

/* --- options ---------------------------------------------------------------------------------- */

static bool set_url(struct try_metrics_options *o, enum metrics_kind kind, const char *url)
{
	if (o->receiver.url) {
		fputs("try: one of --influx and --otlp, once\n", stderr);
		return false;
	}
	o->receiver.kind = kind;
	o->receiver.url = url;
	return true;
}

bool try_metrics_option(struct try_metrics_options *o, int c, const char *value)
{
	switch (c) {
	case 300: return set_url(o, METRICS_INFLUX, value);
	case 301: return set_url(o, METRICS_OTLP, value);
	case 302:
		if (strcmp(value, "own") != 0 && strcmp(value, "oshm") != 0) {
			fprintf(stderr, "--dialect: \"%s\" is neither own nor oshm\n", value);
			return false;
		}
		o->receiver.dialect = !strcmp(value, "oshm") ? METRICS_OSHM : METRICS_OWN;
		break;
	case 303: o->receiver.measurement = value; break;
	case 304: o->receiver.database = value; break;
	default: return false;
	}
	o->influx_only = true;
	return true;
}

bool try_metrics_good(const struct try_metrics_options *o)
{
	if (!o->influx_only || (o->receiver.url && o->receiver.kind == METRICS_INFLUX))
		return true;
	fputs("try: --dialect, --measurement and --database go with --influx URL\n", stderr);
	return false;
}

/* --- what is measured --------------------------------------------------------------------------
 */

void try_metrics_take(void *arg, const struct measure *m)
{
	struct try_metrics *t = arg;
	if (t)
		metrics_take(t->metrics, m);
}

static void on_exchange(void *arg, const struct cloud_exchange *x)
{
	struct try_metrics *t = arg;
	measured_exchange(t->session->cloud, NULL, x, try_metrics_take, t);
}

static void open_waits(void *arg, measure_signal *cb, void *cb_arg)
{
	const struct try_metrics *t = arg;
	if (t->run)
		run_open_waits(t->run, cb, cb_arg);
}

void try_metrics_run(struct try_metrics *t, const struct run *r)
{
	if (t)
		t->run = r;
}

/* --- life ------------------------------------------------------------------------------------- */

struct try_metrics *try_metrics_open(
	struct session *s, const struct try_metrics_options *o, struct error *err)
{
	if (!o->receiver.url)
		return NULL;
	struct try_metrics *t = mem_new(struct try_metrics);
	const struct metrics_site site = {
		.instance = s->instance, .open_waits = open_waits, .arg = t};
	t->session = s;
	t->metrics = metrics_new(s->loop, s->api, &site);
	if (!metrics_configure(t->metrics, &o->receiver, 1, err)) {
		metrics_free(t->metrics);
		free(t);
		return NULL;
	}
	cloud_observe(s->cloud, CLOUD_FIGURES, on_exchange, t);
	return t;
}

static void on_drained(void *arg)
{
	*(bool *)arg = true;
}

void try_metrics_close(struct try_metrics *t)
{
	bool drained = false;
	const struct metrics_state *state;
	if (!t)
		return;
	cloud_unobserve(t->session->cloud, t);
	metrics_drain(t->metrics, END_NS, on_drained, &drained);
	loop_run_until(t->session->loop, &drained);
	metrics_states(t->metrics, &state);
	if (state->lost || !state->sent)
		fprintf(stderr, "%s: %llu points sent, %llu lost%s%s\n", state->name,
			(unsigned long long)state->sent, (unsigned long long)state->lost,
			state->trouble ? ": " : "", state->trouble ? state->trouble : "");
	metrics_free(t->metrics);
	free(t);
}
