/*
 * plan_write.c - a plan for people: the steps in order with their pairings and requests, the bill,
 * the warnings.
 */

#include <stdio.h>
#include <string.h>

#include "observe/scenario/plan.h"

#define NAME_WIDTH_MAX 28

static const char *str(const json_t *object, const char *key)
{
	const char *text = json_str(object, key);
	return text ? text : "";
}

static void write_picked(struct buf *out, const json_t *picked)
{
	const char *name;
	json_t *pick;
	json_object_foreach ((json_t *)picked, name, pick) {
		char *value = json_text(json_object_get(pick, "value"));
		buf_printf(out, "  %s = %s: %s\n", name, value, str(pick, "why"));
		free(value);
	}
}

static int name_width(const json_t *steps)
{
	size_t i, k;
	json_t *step, *element;
	int width = 8;
	json_array_foreach ((json_t *)steps, i, step)
		json_array_foreach (json_object_get(step, "elements"), k, element) {
			const int n = (int)strlen(str(element, "name"));
			width = n > width ? n : width;
		}
	return width < NAME_WIDTH_MAX ? width : NAME_WIDTH_MAX;
}

static void write_element(struct buf *out, const json_t *e, const char *verb, int width)
{
	const json_t *requests = json_object_get(e, "requests");
	const json_t *needs = json_object_get(e, "needs");
	size_t i;
	json_t *item;
	buf_printf(out, "  %-*s  %s%s", width, str(e, "name"), verb,
		json_flag(e, "must_fail") ? " (must fail)" : "");
	json_array_foreach (needs, i, item)
		buf_printf(out, "%s%s", i ? ", " : "  after ", json_string_value(item));
	buf_add_char(out, '\n');
	json_array_foreach (requests, i, item) {
		buf_printf(out, "  %-*s    %s%s%s", width, "", str(e, "service"),
			*str(e, "service") ? " " : "", json_string_value(item));
		if (i == 0 && json_is_object(json_object_get(e, "body"))) {
			char *body = json_text(json_object_get(e, "body"));
			buf_printf(out, " %s", body);
			free(body);
		}
		buf_add_char(out, '\n');
	}
	json_array_foreach (json_object_get(e, "teardown"), i, item)
		buf_printf(out, "  %-*s    %s %s at the end\n", width, "", str(e, "service"),
			json_string_value(item));
}

static void write_steps(struct buf *out, const json_t *steps)
{
	const int width = name_width(steps);
	size_t i, k;
	json_t *step, *element;
	buf_add_str(out, "\nsteps, in an order they can run in\n");
	json_array_foreach ((json_t *)steps, i, step) {
		const json_t *elements = json_object_get(step, "elements");
		if (!json_array_size(elements))
			buf_printf(out, "  %-*s  %s: absent\n", width, str(step, "name"),
				str(step, "verb"));
		json_array_foreach (elements, k, element)
			write_element(out, element, str(step, "verb"), width);
	}
}

static void write_quota(struct buf *out, const char *name, const json_t *row)
{
	const json_t *left = json_object_get(row, "free");
	const int64_t need = json_int(row, "need", 0);
	buf_printf(out, "  %-20s %lld", name, (long long)need);
	if (!json_is_integer(left))
		buf_add_str(out, ", the quota is not known\n");
	else if (json_integer_value(left) < 0)
		buf_add_str(out, " without a limit\n");
	else
		buf_printf(out, " of %lld free%s\n", (long long)json_integer_value(left),
			need > json_integer_value(left) ? "  <- not enough" : "");
}

static void write_budget(struct buf *out, const char *whose, const json_t *budget)
{
	const char *what;
	json_t *b;
	json_object_foreach ((json_t *)budget, what, b)
		buf_printf(out,
			"  budget of the %s: %lld %s an hour, %.4g used, a run takes %.4g%s\n",
			whose, (long long)json_int(b, "limit", 0),
			strcmp(what, "objects") ? "server-minutes" : "objects",
			json_number_value(json_object_get(b, "used")),
			json_number_value(json_object_get(b, "need")),
			json_is_false(json_object_get(b, "fits")) ? ": it does not fit" : "");
}

static void write_bill(struct buf *out, const json_t *bill)
{
	const char *name;
	json_t *value;
	size_t i;
	bool first = true;
	const int64_t total = json_int(bill, "total", 0);
	buf_printf(out, "\nthe bill\n  %lld object%s%s", (long long)total, total == 1 ? "" : "s",
		total ? ":" : "");
	json_object_foreach (json_object_get(bill, "objects"), name, value) {
		buf_printf(out, "%s %lld %s", first ? "" : ",",
			(long long)json_integer_value(value), name);
		first = false;
	}
	const double minutes = json_number_value(json_object_get(bill, "server_minutes"));
	buf_add_str(out, "\n");
	if (minutes > 0)
		buf_printf(out, "  at most %.0f server minutes a run\n", minutes);
	json_object_foreach (json_object_get(bill, "quota"), name, value)
		write_quota(out, name, value);
	json_object_foreach (json_object_get(bill, "budget"), name, value)
		write_budget(out, name, value);
	json_array_foreach (json_object_get(bill, "unknown"), i, value)
		buf_printf(out, "  not counted: %s\n", json_string_value(value));
	buf_printf(out, "  it %s the quota\n",
		json_is_true(json_object_get(bill, "fits")) ? "fits" : "does not fit");
}

void plan_write(struct buf *out, const json_t *plan)
{
	const json_t *warnings = json_object_get(plan, "warnings");
	size_t i;
	json_t *w;
	buf_printf(out, "%s%s%s\n", str(plan, "scenario"), *str(plan, "title") ? ": " : "",
		str(plan, "title"));
	buf_printf(out, "  at most %s, then at most %s of teardown\n", str(plan, "deadline"),
		str(plan, "teardown"));
	write_picked(out, json_object_get(plan, "picked"));
	write_steps(out, json_object_get(plan, "steps"));
	write_bill(out, json_object_get(plan, "bill"));
	if (json_array_size(warnings))
		buf_add_str(out, "\nwarnings\n");
	json_array_foreach (warnings, i, w)
		buf_printf(out, "  %s:%lld: %s\n", str(w, "file"),
			(long long)json_int(w, "line", 0), str(w, "text"));
}
