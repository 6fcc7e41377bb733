/*
 * evidence_told.c - what rules, imported flags and burn rates concluded, as it stands in evidence.
 *
 * Each of them brings figures of its own kind, so that they are shown as what they are called: a
 * member after the other, lists as rows. What stands under "operators" is shown to them alone.
 */

#include <string.h>

#include "base/json.h"
#include "web/pages/view.h"

#define ROWS 50 /* of a list */

/* Scalars as they are; what is deeper as JSON. */
static void add_value(struct buf *out, const json_t *value)
{
	if (json_is_string(value)) {
		buf_add_str(out, json_string_value(value));
	} else if (json_is_integer(value)) {
		buf_printf(out, "%lld", (long long)json_integer_value(value));
	} else if (json_is_real(value)) {
		buf_printf(out, "%.6g", json_real_value(value));
	} else if (json_is_null(value)) {
		buf_add_str(out, "\xe2\x80\x93");
	} else {
		char *text = json_text(value);
		buf_add_str(out, text);
		free(text);
	}
}

static const char *row_of(struct view *v, const json_t *item)
{
	struct buf out = BUF(BUF_LINE);
	const char *key;
	json_t *value;
	if (!json_is_object(item)) {
		add_value(&out, item);
		return view_keep(v, buf_take(&out));
	}
	json_object_foreach ((json_t *)item, key, value) {
		buf_printf(&out, "%s%s: ", out.n ? "; " : "", key);
		add_value(&out, value);
	}
	return view_keep(v, buf_take(&out));
}

static void add_member(struct view *v, json_t *all, const char *key, const json_t *value)
{
	json_t *rows = json_array();
	const json_t *item;
	size_t i;
	if (!json_is_array(value))
		json_array_append_new(rows, json_string(row_of(v, value)));
	json_array_foreach (value, i, item) {
		if (i < ROWS)
			json_array_append_new(rows, json_string(row_of(v, item)));
	}
	json_array_append_new(all, json_pack("{s:s, s:o}", "key", key, "rows", rows));
}

static json_t *member_views(struct view *v, const json_t *evidence)
{
	json_t *all = json_array(), *value;
	const char *key;
	json_object_foreach ((json_t *)evidence, key, value) {
		if (strcmp(key, "window") != 0 && strcmp(key, "operators") != 0)
			add_member(v, all, key, value);
	}
	if (v->operators) {
		json_object_foreach ((json_t *)json_object_get(evidence, "operators"), key, value)
			add_member(v, all, key, value);
	}
	return all;
}

static json_t *told_view(struct view *v, const json_t *told)
{
	const json_t *evidence = json_object_get(told, "evidence");
	const json_t *window = json_object_get(evidence, "window");
	json_t *o = json_object();
	view_put(o, "by", json_str(told, "by"));
	json_object_set_new(o, "state", state_view(v, view_health(told)));
	view_put(o, "text", v->operators ? json_str(told, "text") : NULL);
	put_time(v, o, "at", json_object_get(told, "at_ms"));
	put_time(v, o, "from", json_object_get(window, "from_ms"));
	put_time(v, o, "to", json_object_get(window, "to_ms"));
	json_object_set_new(o, "members", member_views(v, evidence));
	return o;
}

json_t *told_views(struct view *v, const json_t *told)
{
	json_t *all = json_array();
	const json_t *one;
	size_t i;
	json_array_foreach (told, i, one)
		json_array_append_new(all, told_view(v, one));
	return all;
}
