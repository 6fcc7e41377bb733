/*
 * record.c - see record.h.
 */

#include "observe/record.h"

#include <string.h>

#include "base/json.h"
#include "base/vec.h"
#include "observe/component.h"

#define TAGS_MAX 24

struct tags {
	struct series_tag p[TAGS_MAX];
	size_t n;
	char *owned[TAGS_MAX];
	size_t owned_count;
};

/* A key that is there keeps its first value: a dimension cannot pose as another step. */
static void add_tag(struct tags *t, const char *key, const char *value)
{
	for (size_t i = 0; i < t->n; i++)
		if (!strcmp(t->p[i].key, key))
			return;
	if (t->n < TAGS_MAX && value)
		t->p[t->n++] = (struct series_tag){key, value};
}

static void add_dimensions(struct tags *t, const json_t *dimensions)
{
	const char *key;
	json_t *value;
	json_object_foreach ((json_t *)dimensions, key, value) {
		if (t->n == TAGS_MAX)
			return;
		const char *text = json_string_value(value);
		if (!text)
			text = t->owned[t->owned_count++] = json_text(value);
		add_tag(t, key, text);
	}
}

static void tags_fini(struct tags *t)
{
	for (size_t i = 0; i < t->owned_count; i++)
		free(t->owned[i]);
}

static struct series *append(const struct record *r, const char *name, const struct tags *tags,
	const struct series_sample *sample)
{
	const struct record_place *place = &r->place;
	const struct series_key key = {
		.kind = SERIES_PROBE,
		.unit = "us",
		.location = place->location ? place->location : "",
		.name = name,
		.tags = tags->p,
		.tag_count = tags->n,
	};
	struct series *s = r->store ? series_get(r->store, &key) : NULL;
	if (s)
		series_append(s, sample);
	return s;
}

static void store(const struct record *r, const struct run_row *row, const char *name,
	const struct tags *tags, const struct series_sample *sample)
{
	const struct series *s = append(r, name, tags, sample);
	if (r->stored)
		r->stored(r->arg, row, sample, s ? series_text(s) : NULL);
}

static int64_t us_between(int64_t from_ns, int64_t to_ns)
{
	return from_ns >= 0 && to_ns > from_ns ? (to_ns - from_ns) / NS_PER_US : 0;
}

/* Its name up to the index: "server" of "server[1]". */
static char *step_of(const struct run_row *row)
{
	return mem_strndup(row->name, strcspn(row->name, "["));
}

/* What its series are called. Owned. */
static char *name_of(const struct record *r, const struct run_row *row, const char *step)
{
	return strcmp(row->metric, step) ? mem_strdup(row->metric)
					 : mem_printf("%s.%s", r->scenario, step);
}

/* When it began; what failed before it could, when it failed. */
static int64_t at_ms_of(const struct record *r, const struct run_row *row)
{
	const int64_t at_ns = row->start_ns >= 0   ? row->start_ns
			      : row->ready_ns >= 0 ? row->ready_ns
						   : 0;
	return (r->report->began_unix_us + at_ns / NS_PER_US) / 1000;
}

/* How long each phase of a server's boot took: series beside that of the step, without a component,
 * of which a build is one thing. */
void record_boot(const struct record *r, const struct run_row *row)
{
	const json_t *phases = json_object_get(row->boot, "phases"), *phase;
	if (row->state != ELEMENT_READY || row->start_ns < 0 || !json_array_size(phases))
		return;
	char *step = step_of(row), *name = name_of(r, row, step);
	size_t i;
	json_array_foreach (phases, i, phase) {
		const double ms = json_number_value(json_object_get(phase, "ms"));
		char *word = mem_strdup(json_str(phase, "name"));
		for (char *c = word; *c; c++)
			*c = *c == ' ' ? '_' : *c;
		char *of_step = mem_printf("%s.%s", step, word);
		char *series = mem_printf("%s.%s", name, word);
		struct tags tags = {0};
		add_tag(&tags, "cloud", r->place.cloud);
		add_tag(&tags, "region", r->place.region);
		add_tag(&tags, "scenario", r->scenario);
		add_tag(&tags, "step", of_step);
		add_dimensions(&tags, row->dimensions);
		const struct series_sample sample = {
			.at_ms = at_ms_of(r, row), .tries = 1, .total_us = (int64_t)(ms * 1000)};
		append(r, series, &tags, &sample);
		tags_fini(&tags);
		free(series);
		free(of_step);
		free(word);
	}
	free(name);
	free(step);
}

static void store_step(
	const struct record *r, const struct run_row *row, const struct series_sample *sample)
{
	char *step = step_of(row), *name = name_of(r, row, step);
	char *component =
		row->component[0] ? component_id(r->place.component_prefix, row->component) : NULL;
	struct tags tags = {0};
	add_tag(&tags, "cloud", r->place.cloud);
	add_tag(&tags, "region", r->place.region);
	add_tag(&tags, "scenario", r->scenario);
	add_tag(&tags, "step", step);
	add_tag(&tags, "component", component);
	add_dimensions(&tags, row->dimensions);
	store(r, row, name, &tags, sample);
	tags_fini(&tags);
	free(component);
	free(name);
	free(step);
}

void record_step(const struct record *r, const struct run_row *row)
{
	const bool failed = row->state == ELEMENT_FAILED;
	if (row->state != ELEMENT_READY && !failed)
		return;
	const struct series_sample sample = {
		.at_ms = at_ms_of(r, row),
		.fault = failed && row->fault == FAULT_NONE ? FAULT_EXPECTATION
			 : failed                           ? row->fault
							    : FAULT_NONE,
		.tries = 1,
		.phase_us = {[SERIES_WAIT] = us_between(row->start_ns, row->answer_ns),
			[SERIES_READY] = us_between(row->answer_ns, row->ready_ns)},
		.total_us = us_between(row->start_ns, row->ready_ns),
	};
	if (row->start_ns < 0) { /* nothing was measured */
		if (failed && r->stored)
			r->stored(r->arg, row, &sample, NULL);
		return;
	}
	store_step(r, row, &sample);
}

static void record_whole(const struct record *r)
{
	struct tags tags = {0};
	const struct series_sample sample = {
		.at_ms = r->report->began_unix_us / 1000,
		.fault = run_fault(r->report),
		.tries = 1,
		.total_us = us_between(0, r->report->built_ns),
	};
	add_tag(&tags, "cloud", r->place.cloud);
	add_tag(&tags, "region", r->place.region);
	add_tag(&tags, "scenario", r->scenario);
	store(r, NULL, r->scenario, &tags, &sample);
}

bool record_piece(const struct record *r, size_t i)
{
	if (i > r->report->row_count)
		return false;
	if (i == 0) {
		record_whole(r);
		return true;
	}
	record_step(r, &r->report->rows[i - 1]);
	record_boot(r, &r->report->rows[i - 1]);
	return true;
}

void record_run(const struct record *r)
{
	for (size_t i = 0; record_piece(r, i); i++)
		;
}
