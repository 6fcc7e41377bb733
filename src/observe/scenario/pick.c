/*
 * pick.c - what `auto` means on this cloud; one list after the other, each only if a param asks.
 *
 * Images and flavors that were given by name get their id here too, since requests want ids.
 */

#include "observe/scenario/picker.h"

#include <string.h>

#define LIST_NS (60 * NS_PER_S)

static const struct {
	const char *suffix, *service, *path, *collection, *what;
} pickers[PICK_COUNT] = {
	[PICK_IMAGE] = {"image", "image", "/images?status=active", "images", "image"},
	[PICK_FLAVOR] = {"flavor", "compute", "/flavors/detail", "flavors", "flavor"},
	[PICK_EXTERNAL] = {"external", "network", "/networks?router%3Aexternal=true", "networks",
		"external network"},
	[PICK_VOLUME_TYPE] = {"volume_type", "block-storage", "/types", "volume_types",
		"volume type"},
	[PICK_DNS] = {"dns", "network", "/subnets", "subnets", "subnet"},
	[PICK_SERVERS] = {"servers", "dns", "/pools", "pools", "name server"},
};

static bool picker_of(struct slice name, enum picker *ret)
{
	for (int i = 0; i < PICK_COUNT; i++) {
		const char *suffix = pickers[i].suffix;
		const size_t n = strlen(suffix);
		if (!slice_ends(name, suffix) || (name.n > n && name.p[name.n - n - 1] != '_'))
			continue;
		*ret = (enum picker)i;
		return true;
	}
	return false;
}

bool pick_known(struct slice param)
{
	enum picker p;
	return picker_of(param, &p);
}

/* --- one list after the other ----------------------------------------------------------------- */

static void pick_free(struct pick *p)
{
	VEC_EACH (&p->wanted, struct wanted, w) {
		free(w->given);
	}
	vec_fini(&p->wanted);
	json_decref(p->picked);
	free(p);
}

void pick_finish(struct pick *p, const struct error *err, const struct cloud_failure *f)
{
	p->done(p->arg, err ? NULL : p->picked, err, f);
	pick_free(p);
}

void pick_failed(struct pick *p, const struct cloud_answer *a)
{
	struct error err = {0};
	struct cloud_failure f;
	cloud_failure_of(a, pickers[p->at].service, &f);
	error_set(&err, p->cancelled ? ERROR_CANCELLED : ERROR_CLOUD, "reading the %ss: %s%s%s",
		pickers[p->at].what, fault_text(a->fault), a->error.message[0] ? ": " : "",
		a->error.message);
	pick_finish(p, &err, p->cancelled ? NULL : &f);
}

static void on_list(void *arg, const struct cloud_answer *a, json_t *items)
{
	struct pick *p = arg;
	struct error err = {0};
	p->call = NULL;
	if (a->fault != FAULT_NONE) {
		pick_failed(p, a);
		return;
	}
	if (!pick_choose(p, items, &err)) {
		pick_finish(p, &err, NULL);
		return;
	}
	p->at++;
	pick_next(p);
}

static void list(struct pick *p)
{
	p->call = cloud_list(p->cloud, pickers[p->at].service, pickers[p->at].path,
		pickers[p->at].collection, NULL, LIST_NS, on_list, p);
}

/* The default volume type settles it where there are several; old releases do not tell it. */
static void on_default_type(void *arg, const struct cloud_answer *a)
{
	struct pick *p = arg;
	p->call = NULL;
	const json_t *type = json_object_get(a->json, "volume_type");
	if (a->fault == FAULT_CANCELLED) {
		pick_failed(p, a);
		return;
	}
	if (a->fault != FAULT_NONE || !json_str(type, "name")) {
		list(p);
		return;
	}
	for (size_t i = 0; i < p->wanted.n; i++)
		if (p->wanted.p[i].picker == PICK_VOLUME_TYPE)
			pick_put(p, &p->wanted.p[i], json_string(json_str(type, "name")), type,
				"\"%.100s\", the default volume type", json_str(type, "name"));
	p->at++;
	pick_next(p);
}

void pick_next(struct pick *p)
{
	for (; p->at < PICK_COUNT; p->at++) {
		for (size_t i = 0; i < p->wanted.n; i++) {
			if (p->wanted.p[i].picker != p->at)
				continue;
			const struct cloud_request q = {.service = "block-storage",
				.method = "GET",
				.path = "/types/default",
				.deadline_ns = LIST_NS};
			if (p->at == PICK_SERVERS)
				pick_servers(p);
			else if (p->at == PICK_VOLUME_TYPE)
				p->call = cloud_call(p->cloud, &q, on_default_type, p);
			else
				list(p);
			return;
		}
	}
	pick_finish(p, NULL, NULL);
}

static void on_connected(void *arg, const struct error *err)
{
	struct pick *p = arg;
	struct error cancelled = {0};
	error_set(&cancelled, ERROR_CANCELLED, "cancelled");
	if (p->cancelled || err)
		pick_finish(p, err ? err : &cancelled, NULL);
	else
		pick_next(p);
}

/* What a param is given as, or has as its plain default. */
static char *given_text(const struct param *param, const json_t *given)
{
	const json_t *j = json_object_get(given, param->name);
	if (j)
		return mem_strdup(json_string_value(j));
	static const struct expr_scope nothing = {0};
	struct value v = VALUE_NOTHING;
	char *text = NULL;
	if (param->value && interp_constant(param->value) &&
		interp_eval(param->value, &nothing, &v, NULL) == EXPR_OK && v.type == VALUE_TEXT)
		text = slice_dup(value_slice(&v));
	value_drop(&v);
	return text;
}

struct pick *pick_start(struct cloud *c, const struct scenario *s, const json_t *given,
	void (*done)(void *arg, const json_t *picked, const struct error *err,
		const struct cloud_failure *f),
	void *arg)
{
	struct pick *p = mem_new(struct pick);
	p->cloud = c;
	p->scenario = s;
	p->done = done;
	p->arg = arg;
	p->picked = json_object();
	for (size_t i = 0; i < s->param_count; i++) {
		const struct param *param = &s->params[i];
		struct wanted w = {.param = param};
		if (!picker_of(slice_of(param->name), &w.picker))
			continue;
		w.given = given_text(param, given);
		const bool is_auto = w.given && !strcmp(w.given, "auto");
		const bool has_ids = w.picker == PICK_IMAGE || w.picker == PICK_FLAVOR ||
				     w.picker == PICK_EXTERNAL;
		if (is_auto) {
			free(w.given);
			w.given = NULL;
		} else if (!w.given || !has_ids) {
			free(w.given);
			continue;
		}
		vec_push(&p->wanted, w);
	}
	cloud_connect(c, on_connected, p);
	return p;
}

void pick_cancel(struct pick *p)
{
	p->cancelled = true;
	if (p->call)
		cloud_cancel(p->call);
}
