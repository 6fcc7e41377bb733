/*
 * health.h - the state of a component. The numbers stand in files and must not change.
 */
#ifndef JUDGE_HEALTH_H
#define JUDGE_HEALTH_H

#include <stdbool.h>

enum health {
#define HEALTH(id, name, weight, severity, statuspage, google) HEALTH_##id,
#include "judge/health.def"
#undef HEALTH
	HEALTH_COUNT
};

const char *health_name(enum health h); /* "operational" */
bool health_parse(const char *name, enum health *ret);
int health_weight(enum health h);   /* CloudMon's; -1: null */
int health_severity(enum health h); /* SCS's; -1: null */
const char *health_statuspage(enum health h);
const char *health_google(enum health h);
/* Order of alarm for "the worst of": outage, degraded, unknown, maintenance, operational. */
enum health health_worse(enum health a, enum health b);

/* What counts where it lies within declared work: that explains what is not operational. */
enum health health_counts(enum health h, bool in_maintenance);

#endif
