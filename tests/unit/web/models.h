/*
 * models.h - documents of model.h as a house would give them, made up but possible: a cloud with
 * all five states, outages, gaps of our own observing, slow days, steps that fail.
 */
#ifndef TESTS_UNIT_WEB_MODELS_H
#define TESTS_UNIT_WEB_MODELS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define MODELS_NOW_MS 1795675282000LL /* 2026-11-26 06:41:22 UTC */

enum mood {
	MOOD_MIXED, /* all five states */
	MOOD_GOOD,
	MOOD_UNKNOWN, /* nothing fresh */
	MOOD_BLIND,
	MOOD_HOSTILE, /* names that want to break out */
	MOOD_WILD,    /* no two days alike */
};

/* All owned. `n` components. */
json_t *model_site(enum mood mood, size_t n, bool operators);
json_t *model_component(enum mood mood, bool operators);
json_t *model_availability(enum mood mood, size_t n);
json_t *model_scenario(enum mood mood, bool operators);
json_t *model_run(enum mood mood); /* a report of `try --json`: tests/unit/web/run.json */
json_t *model_hosts(enum mood mood);
json_t *model_calls(enum mood mood);
/* Three series drawn; MOOD_UNKNOWN: a question that is wrong. */
json_t *model_explore(enum mood mood);
json_t *model_evidence(enum mood mood, bool operators);
/* An incident of which all is there: corrections, a machine, components that came and went. */
json_t *model_event(enum mood mood, bool operators);
json_t *model_history(enum mood mood, bool operators);
json_t *model_alerts(enum mood mood);
json_t *model_problem(int status, const char *path);

extern const char *const hostile_name; /* also stands in the hostile models */

#endif
