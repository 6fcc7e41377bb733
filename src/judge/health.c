/*
 * health.c - see health.h.
 */

#include "judge/health.h"

#include <string.h>

static const struct {
	const char *name;
	int weight, severity;
	const char *statuspage, *google;
} rows[] = {
#define HEALTH(id, name, weight, severity, statuspage, google)                                     \
	{name, weight, severity, statuspage, google},
#include "judge/health.def"
#undef HEALTH
};

const char *health_name(enum health h)
{
	return rows[h].name;
}

bool health_parse(const char *name, enum health *ret)
{
	for (int h = 0; h < HEALTH_COUNT; h++) {
		if (strcmp(rows[h].name, name))
			continue;
		*ret = (enum health)h;
		return true;
	}
	return false;
}

int health_weight(enum health h)
{
	return rows[h].weight;
}

int health_severity(enum health h)
{
	return rows[h].severity;
}

const char *health_statuspage(enum health h)
{
	return rows[h].statuspage;
}

const char *health_google(enum health h)
{
	return rows[h].google;
}

enum health health_worse(enum health a, enum health b)
{
	static const int order[] = {[HEALTH_OPERATIONAL] = 0,
		[HEALTH_MAINTENANCE] = 1,
		[HEALTH_UNKNOWN] = 2,
		[HEALTH_DEGRADED] = 3,
		[HEALTH_OUTAGE] = 4};
	return order[a] >= order[b] ? a : b;
}

enum health health_counts(enum health h, bool in_maintenance)
{
	return in_maintenance && h != HEALTH_OPERATIONAL ? HEALTH_MAINTENANCE : h;
}
