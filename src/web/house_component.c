/*
 * house_component.c - the documents COMPONENT and AVAILABILITY: see model.h.
 */

#include <string.h>

#include "web/house_inside.h"

/* --- spans, on the worker --------------------------------------------------------------------- */

struct spans {
	json_t *list; /* oldest first; the newest MODEL_SPANS stay */
	bool operators;
};

static bool on_span(void *arg, const struct judge_span *span)
{
	struct spans *s = arg;
	json_t *j = json_object();
	put(j, "id", span->id ? json_integer(span->id) : json_null());
	put_int(j, "from_ms", span->from_ms);
	put_int(j, "to_ms", span->to_ms);
	put_text(j, "health", health_name(span->health));
	put(j, "gap", json_boolean(span->gap));
	put_text(j, "rule", span->rule);
	if (s->operators)
		put_text(j, "text", span->text);
	if (json_array_size(s->list) >= 2 * MODEL_SPANS) {
		json_t *newer = json_array();
		for (size_t i = MODEL_SPANS; i < 2 * MODEL_SPANS; i++)
			json_array_append(newer, json_array_get(s->list, i));
		json_decref(s->list);
		s->list = newer;
	}
	json_array_append_new(s->list, j);
	return true;
}

static bool read_component(struct house_asked *a)
{
	struct spans s = {json_array(), a->operators};
	const bool good = judge_history(a->facts, json_str(a->args, "id"),
		a->now_ms - MODEL_DAYS * HOUSE_DAY_MS, a->now_ms, on_span, &s, &a->err);
	a->read = json_array();
	for (size_t i = json_array_size(s.list); i-- > 0;)
		if (json_array_size(a->read) < MODEL_SPANS)
			json_array_append(a->read, json_array_get(s.list, i));
	json_decref(s.list);
	return good;
}

/* --- trends ----------------------------------------------------------------------------------- */

static int begin_component(struct house_asked *a)
{
	const struct house_lists *l = &a->house->lists;
	const char *id = json_str(a->args, "id");
	if (!id || !judge_verdict(a->house->judge, id))
		return 404;
	for (size_t i = 0; i < l->probe_count; i++) {
		const struct house_probe *p = &l->probes[i];
		if (p->component && !strcmp(p->component, id) && strcmp(p->kind, "scenario") != 0)
			trend_of(a, p->cloud, p->name, NULL, id);
	}
	trend_series(a, "component", id);
	return 0;
}

static const struct house_probe *probe_of(const struct house *h, const struct house_trend *t)
{
	for (size_t i = 0; i < h->lists.probe_count; i++) {
		const struct house_probe *p = &h->lists.probes[i];
		if (!strcmp(p->name, t->probe) && (!t->cloud || !strcmp(p->cloud, t->cloud)))
			return p;
	}
	return NULL;
}

static json_t *probe_json(const struct house_asked *a, size_t i)
{
	const struct house *h = a->house;
	const struct house_trend *t = a->trends.p[i];
	const struct house_probe *p = probe_of(h, t);
	const struct house_scenario *s = t->step ? scenario_named(h, t->probe) : NULL;
	json_t *j = json_object();
	put_text(j, "name", t->probe);
	put_text(j, "kind", t->step ? "scenario" : p ? p->kind : "endpoint");
	put_text(j, "step", t->step);
	put(j, "every_ms",
		p   ? json_integer(p->every_ms)
		: s ? json_integer(s->every_ms)
		    : json_null());
	if (a->operators && p)
		put_text(j, "target", p->target);
	put(j, "trend", json_incref(json_array_get(a->trend_docs, i)));
	return j;
}

static int end_component(struct house_asked *a)
{
	json_t *probes = json_array();
	a->doc = site_component(a->house, json_str(a->args, "id"), a->operators);
	if (!a->doc) { /* taken off the page meanwhile */
		json_decref(probes);
		return 404;
	}
	for (size_t i = 0; i < a->trends.n; i++)
		json_array_append_new(probes, probe_json(a, i));
	put(a->doc, "spans", json_incref(a->read));
	put(a->doc, "probes", probes);
	return 200;
}

const struct house_question component_question = {
	"component", false, begin_component, read_component, end_component};

/* --- availability ----------------------------------------------------------------------------- */

struct available {
	json_t *doc; /* what the loop knows: id, name, category, health */
	struct house_days days;
};

static int begin_availability(struct house_asked *a)
{
	struct house *h = a->house;
	const size_t n = judge_component_count(h->judge);
	if (!days_all_loaded(h))
		return 503;
	struct available *list = a->own = mem_new_array(n + 1, sizeof(*list));
	for (size_t i = 0; i < n; i++) {
		const struct component *c = judge_component_at(h->judge, i);
		struct house_days *d = days_of(h, c->id);
		json_t *j = list[i].doc = json_object();
		days_now(h, d);
		list[i].days = *d;
		list[i].days.past = NULL;
		put_text(j, "id", c->id);
		put_text(j, "name", c->name);
		put_text(j, "category", c->category);
		put_text(j, "health", health_name(judge_verdict(h->judge, c->id)->health));
	}
	a->read = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(a->read, list[i].doc);
	return 0;
}

static void add_days(json_t *j, struct house_days *d, int64_t now_ms)
{
	json_t *a = json_object();
	put(j, "days", days_json(d, 365, now_ms));
	put(j, "months", days_months(d, now_ms));
	put(a, "d1", days_ratio(d, 0, now_ms));
	put(a, "d7", days_ratio(d, 7, now_ms));
	put(a, "d30", days_ratio(d, 30, now_ms));
	put(a, "d90", days_ratio(d, 90, now_ms));
	put(a, "d365", days_ratio(d, 365, now_ms));
	put(j, "availability", a);
}

static bool read_availability(struct house_asked *a)
{
	struct available *list = a->own;
	for (size_t i = 0; i < json_array_size(a->read); i++)
		add_days(list[i].doc, &list[i].days, a->now_ms);
	return true;
}

static int end_availability(struct house_asked *a)
{
	a->doc = json_object();
	put(a->doc, "components", json_incref(a->read));
	put(a->doc, "slos", house_slos(a->house, a->operators));
	return 200;
}

const struct house_question availability_question = {
	"availability", false, begin_availability, read_availability, end_availability};
