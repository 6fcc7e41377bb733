/*
 * config_budget.c - `budget: {objects: 200/h, server_minutes: 60/h}` of clouds and scenarios.
 */

#include <math.h>
#include <stdio.h>

#include "base/units.h"
#include "cli/config_reader.h"

#define AN_HOUR_MAX 1e6

struct written {
	const struct yaml *objects, *server_minutes;
};

static const struct key budget_keys[] = {
	{"objects", KEY_NODE, offsetof(struct written, objects), .help = "made an hour"},
	{"server_minutes", KEY_NODE, offsetof(struct written, server_minutes),
		.help = "servers x minutes an hour"},
};

static void read_rate(
	struct config_reader *r, const struct yaml *y, const char *what, int64_t *into)
{
	double per_s;
	if (!y)
		return;
	if (y->kind != YAML_SCALAR || !units_parse_rate(y->text, &per_s) ||
		per_s * 3600 < 1 - 1e-9 || per_s * 3600 > AN_HOUR_MAX) {
		config_wrong(r, y, "%s must be a number an hour from 1/h, such as 200/h", what);
		return;
	}
	*into = llround(per_s * 3600);
}

void config_read_budget(
	struct config_reader *r, const struct yaml *map, const char *what, struct budget *into)
{
	struct written w = {0};
	char name[140];
	if (!map)
		return;
	snprintf(name, sizeof(name), "%.100s: budget", what);
	keys_read(map, r->file, name, budget_keys, array_len(budget_keys), &w, r->errors);
	snprintf(name, sizeof(name), "%.100s: objects", what);
	read_rate(r, w.objects, name, &into->objects);
	snprintf(name, sizeof(name), "%.100s: server_minutes", what);
	read_rate(r, w.server_minutes, name, &into->server_minutes);
}

json_t *config_budget_json(const struct budget *b)
{
	json_t *j = json_object();
	if (b->objects)
		json_object_set_new(j, "objects", json_sprintf("%lld/h", (long long)b->objects));
	if (b->server_minutes)
		json_object_set_new(
			j, "server_minutes", json_sprintf("%lld/h", (long long)b->server_minutes));
	return j;
}
