/*
 * house_flags.c - metrics-processor's API, /api/v1: what CloudMon's rules say of a service, over a
 * time. See docs/cloudmon.md.
 *
 * Everybody may ask, so an answer is kept for a second, and few are evaluated at once.
 */

#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "judge/cloudmon/cloudmon.h"
#include "web/house_graphite.h"

#define KEPT_NS       NS_PER_S
#define KEPT_MAX      256
#define ASKED_MAX     4
#define HEALTH_POINTS 1440

struct kept_answer {
	int64_t until_ns;
	json_t *doc;
};

struct house_flags {
	struct cloudmon *const *at;
	struct map kept; /* question: struct kept_answer */
	size_t asked;
};

struct flags_asked { /* own of a question */
	char *key;
	size_t health;
	bool pairs;
};

static void own_fini(void *own)
{
	struct flags_asked *f = own;
	free(f->key);
}

/* --- what is kept -------------------------------------------------------------------------------
 */

static void forget(struct house_flags *f, int64_t now_ns)
{
	MAP_EACH (&f->kept, e) {
		struct kept_answer *k = e->value;
		if (k->until_ns > now_ns)
			continue;
		json_decref(k->doc);
		free(k);
		map_remove(&f->kept, e->key);
	}
}

static void keep(struct house *h, const char *key, json_t *doc)
{
	const int64_t now = loop_now_ns(h->loop);
	forget(h->flags, now);
	if (h->flags->kept.n >= KEPT_MAX || map_get(&h->flags->kept, key))
		return;
	struct kept_answer *k = mem_new(struct kept_answer);
	*k = (struct kept_answer){now + KEPT_NS, json_incref(doc)};
	map_put(&h->flags->kept, key, k);
}

void house_flags(struct house *h, struct cloudmon *const *at)
{
	h->flags = mem_new(struct house_flags);
	h->flags->at = at;
}

void house_flags_free(struct house *h)
{
	if (!h->flags)
		return;
	forget(h->flags, INT64_MAX);
	map_fini(&h->flags->kept);
	free(h->flags);
	h->flags = NULL;
}

/* --- answers
 * -------------------------------------------------------------------------------------- */

/* metrics-processor's {"message"}. */
static int refuse(struct house_asked *a, int status, const char *fmt, ...) like_printf(3, 4);

static int refuse(struct house_asked *a, int status, const char *fmt, ...)
{
	struct buf text = BUF(BUF_LINE);
	va_list ap;
	va_start(ap, fmt);
	char *message = mem_vprintf(fmt, ap);
	va_end(ap);
	if (status == 400) {
		buf_printf(&text, "%s\n", message);
		a->doc = graphite_document(400, "text/plain; charset=utf-8", &text);
	} else {
		json_t *body = json_pack("{s:s}", "message", message);
		json_write(&text, body);
		json_decref(body);
		a->doc = graphite_document(status, "application/json", &text);
	}
	free(message);
	buf_fini(&text);
	return 0;
}

static const char *health_of(int weight)
{
	return weight < 0    ? "unknown"
	       : weight == 0 ? "operational"
	       : weight == 1 ? "degraded"
			     : "outage";
}

static json_t *weight_json(int weight)
{
	return weight < 0 ? json_null() : json_integer(weight);
}

static json_t *detail_json(const struct cloudmon_flag *f)
{
	static const char *const ops[] = {"lt", "gt", "eq"};
	return json_pack("{s:s, s:s, s:s, s:f}", "name", f->name, "query", f->query, "op",
		ops[f->op], "threshold", f->threshold);
}

static json_t *point_json(const struct cloudmon_rules *rules, const struct cloudmon_health *h,
	const struct cloudmon_point *p)
{
	json_t *states = json_object(), *details = json_array();
	for (size_t i = 0; i < h->metric_count; i++) {
		const bool known = p->flags[i] != FLAG_UNKNOWN;
		json_object_set_new(states, h->metrics[i],
			known ? json_boolean(p->flags[i] == FLAG_TRUE) : json_null());
		if (p->flags[i] == FLAG_TRUE && h->flags[i] >= 0)
			json_array_append_new(
				details, detail_json(cloudmon_flag_at(rules, (size_t)h->flags[i])));
	}
	json_t *o = json_pack("{s:I, s:o, s:s, s:o}", "timestamp", (json_int_t)p->at_s, "weight",
		weight_json(p->weight), "health", health_of(p->weight), "metric_states", states);
	if (p->expression)
		json_object_set_new(o, "matched_expression", json_string(p->expression));
	json_object_set_new(o, "triggered_metric_details", details);
	return o;
}

static void on_points(void *arg, const struct cloudmon_point *p, size_t n, const struct error *err)
{
	struct house_asked *a = arg;
	struct flags_asked *own = a->own;
	struct cloudmon *c = a->house ? *a->house->flags->at : NULL;
	if (a->house)
		a->house->flags->asked--;
	if (err || !c) {
		refuse(a, 500, "%s", err ? err->msg : "the rules are being read again");
		asked_part_done(a);
		return;
	}
	const struct cloudmon_rules *rules = cloudmon_rules_of(c);
	const struct cloudmon_health *h = cloudmon_health_at(rules, own->health);
	json_t *metrics = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(metrics, own->pairs
						       ? json_pack("[I, o]", (json_int_t)p[i].at_s,
								 weight_json(p[i].weight))
						       : point_json(rules, h, &p[i]));
	json_t *all = json_pack("{s:s, s:s, s:s, s:o}", "name", h->key, "service_category",
		h->category, "environment", h->environment, "metrics", metrics);
	a->doc = graphite_json_document(all);
	json_decref(all);
	keep(a->house, own->key, a->doc);
	asked_part_done(a);
}

/* --- questions
 * ------------------------------------------------------------------------------------ */

static const char *parameter(const struct house_asked *a, const char *name)
{
	const char *text = json_str(a->args, name);
	return text && text[0] ? text : NULL;
}

/* RFC 3339 with its offset (in a query a `+` arrives as a space), or as Graphite. */
static bool read_moment(struct house_asked *a, const char *name, int64_t *ret, struct error *err)
{
	int64_t us;
	char *text = mem_strdup(parameter(a, name));
	char *space = strrchr(text, ' ');
	if (strchr(text, 'T') && space)
		*space = '+';
	const bool good = clock_parse_rfc3339(text, &us) ||
			  graphite_moment(parameter(a, name), a->now_ms / 1000, NULL, ret, err);
	if (good && clock_parse_rfc3339(text, &us))
		*ret = us / 1000000;
	free(text);
	return good;
}

static int begin_evaluation(struct house_asked *a, struct cloudmon *c, const char *service,
	const char *environment, int64_t from_s, int64_t to_s)
{
	struct house *h = a->house;
	struct flags_asked *own = a->own;
	const char *points = parameter(a, "max_data_points");
	int64_t max = 100;
	const int64_t health = cloudmon_health_find(cloudmon_rules_of(c), service, environment);
	if (points && (!units_parse_int(slice_of(points), &max) || max < 1 || max > HEALTH_POINTS))
		return refuse(
			a, 400, "max_data_points: expected a whole number, 1 to %d", HEALTH_POINTS);
	if (health < 0)
		return refuse(a, 409,
			"there is no health metric \"%.80s\" of environment \"%.80s\"", service,
			environment);
	if (h->flags->asked >= ASKED_MAX)
		return 503;
	own->health = (size_t)health;
	h->flags->asked++;
	a->parts_due++;
	cloudmon_evaluate(c, own->health, from_s, to_s, (size_t)max, on_points, a);
	return 0;
}

static int begin_health(struct house_asked *a)
{
	static const char *const needed[] = {"service", "environment", "from", "to"};
	struct house *h = a->house;
	struct error err = {0};
	int64_t from_s = 0, to_s = 0;
	for (size_t i = 0; i < array_len(needed); i++)
		if (!parameter(a, needed[i]))
			return refuse(a, 400, "%s is missing", needed[i]);
	struct cloudmon *c = h->flags ? *h->flags->at : NULL;
	if (!c)
		return refuse(a, 409, "no rules of metrics-processor are configured here");
	if (!read_moment(a, "from", &from_s, &err) || !read_moment(a, "to", &to_s, &err))
		return refuse(a, 400, "%s", err.msg);
	if (to_s < from_s)
		return refuse(a, 400, "to lies before from");
	struct flags_asked *own = mem_new(struct flags_asked);
	a->own = own;
	a->own_fini = own_fini;
	own->key = json_text(a->args);
	own->pairs = parameter(a, "format") && strcmp(parameter(a, "format"), "pairs") == 0;
	const struct kept_answer *kept = map_get(&h->flags->kept, own->key);
	if (kept && kept->until_ns > loop_now_ns(h->loop)) {
		a->doc = json_incref(kept->doc);
		return 0;
	}
	return begin_evaluation(
		a, c, parameter(a, "service"), parameter(a, "environment"), from_s, to_s);
}

static int begin_root(struct house_asked *a)
{
	json_t *root = json_pack("{s:s}", "name", "v1");
	a->doc = graphite_json_document(root);
	json_decref(root);
	return 0;
}

static int begin_info(struct house_asked *a)
{
	struct cloudmon *c = a->house->flags ? *a->house->flags->at : NULL;
	const struct cloudmon_rules *rules = c ? cloudmon_rules_of(c) : NULL;
	const struct error *trouble = c ? cloudmon_trouble(c) : NULL;
	struct buf text = BUF(BUF_LINE);
	buf_add_str(&text, "CloudMon's rules, judged by glasshouse\n");
	if (rules)
		buf_printf(&text, "%zu flags, %zu health metrics\n", cloudmon_flag_count(rules),
			cloudmon_health_count(rules));
	else
		buf_add_str(&text, "none are configured\n");
	if (trouble)
		buf_add_str(&text, "their source does not answer: what it knows is unknown\n");
	a->doc = graphite_document(200, "text/plain; charset=utf-8", &text);
	buf_fini(&text);
	return 0;
}

static int end_document(struct house_asked *a)
{
	return a->doc ? 200 : 503;
}

const struct house_question flags_health_question = {
	.name = "flags_health", .begin = begin_health, .end = end_document};
const struct house_question flags_root_question = {
	.name = "flags_root", .begin = begin_root, .end = end_document};
const struct house_question flags_info_question = {
	.name = "flags_info", .begin = begin_info, .end = end_document};
