/*
 * explore.c - series looked at by people: a form that asks, links that move the time, pictures on
 * one scale a unit, so that locations can be compared.
 */

#include <math.h>
#include <string.h>

#include "base/json.h"
#include "net/url.h"
#include "web/model.h"
#include "web/pages/view.h"

/* --- links ------------------------------------------------------------------------------------ */

static void add_parameter(struct buf *out, const char *name, const char *value)
{
	buf_printf(out, "%c%s=", out->n && memchr(out->p, '?', out->n) ? '&' : '?', name);
	url_encode(out, slice_of(value ? value : ""));
}

/* The same question of another time, or in another language; NULL: as it is. */
static const char *link_at(
	struct view *v, const char *path, const char *from, const char *until, const char *lang)
{
	const json_t *m = v->model, *chosen = json_object_get(m, "chosen"), *text;
	struct buf out = BUF(BUF_PAGE);
	size_t i;
	buf_add_str(&out, path);
	if (lang)
		add_parameter(&out, "lang", lang);
	add_parameter(&out, "pattern", json_str(m, "pattern"));
	json_array_foreach (chosen, i, text)
		add_parameter(&out, "series", json_string_value(text));
	add_parameter(&out, "from", from ? from : json_str(m, "from"));
	add_parameter(&out, "until", until ? until : json_str(m, "until"));
	add_parameter(&out, "columns",
		view_keep(v, mem_printf("%lld", (long long)json_int(m, "columns", 0))));
	return view_keep(v, buf_take(&out));
}

static const char *link_to(struct view *v, const char *from, const char *until, const char *lang)
{
	return link_at(v, v->path, from, until, lang);
}

/* NULL: the reader has not chosen among languages. */
static const char *own_language(const struct view *v)
{
	return json_array_size(json_object_get(v->root, "languages")) ? v->lang : NULL;
}

static void add_link(struct view *v, json_t *all, const char *key, const char *from,
	const char *until, bool current)
{
	json_t *o = json_object();
	view_put(o, "text", say(v, key, NULL));
	view_put(o, "href", link_to(v, from, until, own_language(v)));
	json_object_set_new(o, "current", json_boolean(current));
	json_array_append_new(all, o);
}

static void add_move(struct view *v, json_t *all, const char *key, int64_t from_ms, int64_t to_ms)
{
	const char *from = view_keep(v, mem_printf("%lld", (long long)(from_ms / 1000)));
	const char *until = view_keep(v, mem_printf("%lld", (long long)(to_ms / 1000)));
	add_link(v, all, key, from, until, false);
}

static json_t *spans(struct view *v)
{
	static const char *const rows[][2] = {{"explore_1h", "-1h"}, {"explore_6h", "-6h"},
		{"explore_1d", "-1d"}, {"explore_7d", "-7d"}, {"explore_30d", "-30d"},
		{"explore_365d", "-365d"}};
	const char *from = json_str(v->model, "from"), *until = json_str(v->model, "until");
	json_t *all = json_array();
	for (size_t i = 0; i < array_len(rows); i++)
		add_link(v, all, rows[i][0], rows[i][1], "now",
			from && until && !strcmp(from, rows[i][1]) && !strcmp(until, "now"));
	return all;
}

/* Nearer ends where single samples would be all there is; later ends now. */
static json_t *moves(struct view *v)
{
	const int64_t from = json_int(v->model, "from_ms", 0), to = json_int(v->model, "to_ms", 0);
	const int64_t span = to - from, now = v->now_ms;
	json_t *all = json_array();
	if (span >= 120000)
		add_move(v, all, "explore_in", from + span / 4, to - span / 4);
	const int64_t wider = to + span / 2 < now ? to + span / 2 : (to > now ? to : now);
	if (wider - 2 * span > 0)
		add_move(v, all, "explore_out", wider - 2 * span, wider);
	if (from - span / 2 > 0)
		add_move(v, all, "explore_earlier", from - span / 2, to - span / 2);
	if (to < now)
		add_move(v, all, "explore_later", from + span / 2, to + span / 2);
	return all;
}

static void relink_languages(struct view *v)
{
	json_t *o;
	size_t i;
	json_array_foreach (json_object_get(v->root, "languages"), i, o)
		view_put(o, "href", link_to(v, NULL, NULL, json_str(o, "lang")));
}

/* --- the list --------------------------------------------------------------------------------- */

static const char *say_kind(struct view *v, const char *kind)
{
	static const char *const keys[][2] = {{"probe", "explore_probe"},
		{"gauge", "explore_gauge"}, {"sum", "explore_sum"}, {"dist", "explore_dist"}};
	for (size_t i = 0; kind && i < array_len(keys); i++)
		if (!strcmp(keys[i][0], kind))
			return say(v, keys[i][1], NULL);
	return "";
}

static json_t *list_view(struct view *v)
{
	json_t *all = json_array(), *row;
	size_t i;
	json_array_foreach (json_object_get(v->model, "list"), i, row) {
		const int64_t locations = json_int(row, "locations", 0);
		json_t *o = json_object();
		view_put(o, "text", json_str(row, "text"));
		json_object_set_new(o, "id", json_sprintf("s%zu", i));
		view_put(o, "kind", say_kind(v, json_str(row, "kind")));
		view_put(o, "locations",
			locations > 1 ? say(v, "explore_locations", say_number(v, locations), NULL)
				      : NULL);
		json_object_set_new(o, "chosen", json_boolean(json_flag(row, "chosen")));
		json_array_append_new(all, o);
	}
	return all;
}

/* --- what is drawn ---------------------------------------------------------------------------- */

/* The scale of all drawn series of its unit; round at its ends. */
static void scale(const json_t *drawn, const json_t *like, double *low, double *high)
{
	const char *unit = json_str(like, "unit"), *kind = json_str(like, "kind");
	const bool rate = kind && !strcmp(kind, "sum");
	const json_t *d;
	size_t i;
	*low = *high = 0;
	json_array_foreach (drawn, i, d) {
		const char *its_kind = json_str(d, "kind"), *its_unit = json_str(d, "unit");
		if (unit && its_unit && !strcmp(unit, its_unit) &&
			rate == (its_kind && !strcmp(its_kind, "sum")))
			smoke_range(d, low, high);
	}
	static const double rounds[] = {1, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10};
	const double quarter = (*high > *low ? *high - *low : 1) / 4;
	const double ten = pow(10, floor(log10(quarter)));
	const double bottom = *low;
	for (i = 0; i < array_len(rounds); i++) {
		const double step = rounds[i] * ten;
		*low = floor(bottom / step) * step;
		if (*low + 4 * step >= *high || i + 1 == array_len(rounds)) {
			*high = fmax(*high, *low + 4 * step);
			return;
		}
	}
}

static json_t *drawn_view(struct view *v, const json_t *drawn, const json_t *d)
{
	const char *location = json_str(d, "location"), *why = json_str(d, "why");
	double low, high;
	scale(drawn, d, &low, &high);
	json_t *o = smoke_view(v, d, low, high);
	view_put(o, "text", json_str(d, "text"));
	view_put(o, "location", location && *location ? location : NULL);
	view_put(o, "why", why);
	return o;
}

/* One row a series: what it was over all of the time. */
static json_t *compared_view(struct view *v, const json_t *d)
{
	const json_t *total = json_object_get(d, "total"), *smoke = json_object_get(total, "smoke");
	const char *unit = json_str(d, "unit"), *kind = json_str(d, "kind");
	const char *location = json_str(d, "location");
	const int64_t n = json_int(total, "n", 0), ok = json_int(total, "ok", 0);
	const bool rate = kind && !strcmp(kind, "sum");
	static const struct {
		const char *key;
		size_t at;
	} columns[] = {{"p10", 1}, {"p50", 3}, {"p90", 5}, {"p95", 6}};
	json_t *o = json_object();
	view_put(o, "text", json_str(d, "text"));
	view_put(o, "location", location && *location ? location : NULL);
	view_put(o, "n", say_number(v, n));
	view_put(o, "failed",
		n > ok ? say(v, "explore_part", say_number(v, n - ok),
				 say_percent(v, (double)(n - ok) / (double)n, ROUND_UP), NULL)
		       : say_number(v, 0));
	json_object_set_new(o, "bad", json_boolean(n > ok));
	for (size_t i = 0; i < array_len(columns); i++) {
		const json_t *x = json_array_get(smoke, columns[i].at);
		if (!x && columns[i].at == 3)
			x = json_object_get(total, "value");
		view_put(o, columns[i].key,
			json_is_number(x)
				? say_value(v, json_number_value(x), unit ? unit : "", rate)
				: NULL);
	}
	return o;
}

static void put_drawn(struct view *v, const json_t *drawn)
{
	json_t *views = json_array(), *compared = json_array(), *d;
	size_t i;
	json_array_foreach (drawn, i, d) {
		json_t *view = drawn_view(v, drawn, d);
		json_object_set_new(view, "place", json_integer((json_int_t)i));
		json_array_append_new(views, view);
		json_array_append_new(compared, compared_view(v, d));
	}
	json_object_set_new(v->root, "some", json_boolean(i > 0));
	json_object_set_new(v->root, "several", json_boolean(i > 1));
	json_object_set_new(v->root, "drawn", views);
	json_object_set_new(v->root, "compared", compared);
}

static void put_time_span(struct view *v)
{
	const int64_t from = json_int(v->model, "from_ms", 0), to = json_int(v->model, "to_ms", 0);
	view_put(v->root, "span",
		say(v, "explore_span", say_moment(v, from), say_moment(v, to),
			say_duration(v, (double)json_int(v->model, "step_ms", 0)), NULL));
	json_object_set_new(v->root, "from_ms", json_integer(from));
	json_object_set_new(v->root, "to_ms", json_integer(to));
	json_object_set_new(v->root, "spans", spans(v));
	json_object_set_new(v->root, "moves", moves(v));
}

bool view_explore(struct view *v)
{
	const json_t *m = v->model, *list = json_object_get(m, "list");
	const json_t *drawn = json_object_get(m, "drawn");
	const char *wrong = json_str(m, "wrong");
	const int64_t more = json_int(m, "more", 0), not_drawn = json_int(m, "not_drawn", 0);
	json_t *o = v->root;
	if (!v->operators || !json_is_array(list) || !json_is_array(drawn) ||
		!json_str(m, "pattern") || !json_str(m, "from") || !json_str(m, "until"))
		return false;
	view_put(o, "title", say(v, "explore_title", NULL));
	view_put(o, "heading", say(v, "explore_title", NULL));
	view_put(o, "pattern", json_str(m, "pattern"));
	view_put(o, "from", json_str(m, "from"));
	view_put(o, "until", json_str(m, "until"));
	json_object_set_new(o, "columns", json_integer(json_int(m, "columns", 0)));
	view_put(o, "language", own_language(v));
	view_put(o, "wrong", wrong);
	/* for the script, which puts in what is drawn at the pointer */
	view_put(o, "read", say(v, "explore_read", "%1", "%2", "%3", "%4", NULL));
	view_put(o, "unread", say(v, "explore_unread_at", "%1", NULL));
	view_put(o, "json", link_at(v, "/api/ops/v1/explore.json", NULL, NULL, NULL));
	relink_languages(v);
	json_object_set_new(o, "absent", json_deep_copy(json_object_get(m, "absent")));
	json_object_set_new(o, "any", json_boolean(json_array_size(list) > 0));
	json_object_set_new(o, "none", json_boolean(!wrong && !json_array_size(list)));
	json_object_set_new(o, "list", list_view(v));
	view_put(o, "more",
		more ? say_count(v, "explore_more_one", "explore_more_many", more) : NULL);
	view_put(o, "not_drawn",
		not_drawn ? say_count(v, "explore_left_one", "explore_left_many", not_drawn)
			  : NULL);
	put_drawn(v, drawn);
	if (!wrong)
		put_time_span(v);
	return true;
}
