/*
 * outline.c - what a scenario makes, known without asking a cloud: its plan on a world in which
 * every zone is one and what is `auto` stands for itself.
 */

#include "cli/running.h"

#include <string.h>

#include "observe/scenario/plan.h"

static json_t *stand_ins(const struct scenario *s, json_t *params)
{
	json_t *picked = json_object();
	for (size_t i = 0; i < s->param_count; i++) {
		const struct param *p = &s->params[i];
		if (!p->is_auto || json_object_get(params, p->name))
			continue;
		json_t *value = json_string(p->name);
		json_object_set_new(picked, p->name,
			json_pack("{s:O, s:s}", "value", value, "why", "stands for what is found"));
		json_object_set_new(params, p->name, value);
	}
	return picked;
}

static json_t *bill_of(const struct scenario *s, const json_t *given)
{
	struct error_list errors = {0};
	json_t *params = given ? json_deep_copy(given) : json_object();
	json_t *picked = stand_ins(s, params);
	json_t *zones = json_pack(
		"{s:[s], s:[s], s:[s]}", "compute", "zone", "volume", "zone", "network", "zone");
	const struct world_options o = {.run = "outline-0000",
		.instance = "outline",
		.region = "region",
		.zones = zones,
		.picked = picked,
		.random = &random_system,
		.symbolic = true};
	struct world *w = world_new(s, params, &o, &errors);
	json_t *plan = w ? plan_make(w, NULL, NULL, NULL) : NULL;
	json_t *bill = json_incref(json_object_get(plan, "bill"));
	json_decref(plan);
	world_free(w);
	error_list_fini(&errors);
	json_decref(zones);
	json_decref(picked);
	json_decref(params);
	return bill;
}

char **outline_makes(const struct scenario *s, const json_t *params, struct cost *ret_bill)
{
	VEC(char *) makes = {0};
	json_t *bill = bill_of(s, params);
	const char *kind;
	json_t *count;
	ret_bill->objects = json_int(bill, "total", 0);
	ret_bill->server_minutes = json_number_value(json_object_get(bill, "server_minutes"));
	json_object_foreach (json_object_get(bill, "objects"), kind, count) {
		char *name = mem_strdup(kind);
		for (char *p = name; *p; p++)
			*p = *p == '_' ? ' ' : *p;
		vec_push(&makes, mem_printf("%lld %s", json_integer_value(count), name));
		free(name);
	}
	json_decref(bill);
	vec_push(&makes, NULL);
	return makes.p;
}

void outline_free(char **makes)
{
	for (char **m = makes; m && *m; m++)
		free(*m);
	free(makes);
}

void outline_components(
	const struct scenario *s, void (*cb)(void *arg, const char *name), void *arg)
{
	for (size_t i = 0; i < s->step_count; i++) {
		const struct step *step = &s->steps[i];
		const char *name = step->component ? step->component
				   : step->kind    ? step->kind->component
						   : NULL;
		if (name && *name && step->grade != GRADE_NOTE)
			cb(arg, name);
	}
}
