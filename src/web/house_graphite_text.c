/*
 * house_graphite_text.c - answers in Graphite's formats: JSON, CSV, raw. Numbers are written as
 * short as they can be read back.
 */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "judge/graphite/curve.h"
#include "web/door.h"
#include "web/house_graphite.h"

/* Room is left for what JSON adds to a text in a frame. */
#define TEXT_MAX (DOOR_BODY_MAX - (256u << 10))

json_t *graphite_error_document(const struct error *err)
{
	const int status = err->kind == ERROR_INPUT || err->kind == ERROR_LIMIT ? 400 : 503;
	char *text = err->col ? mem_printf("column %u: %s\n", err->col, err->msg)
			      : mem_printf("%s\n", err->msg);
	json_t *d = json_object();
	put_int(d, "status", status);
	put_text(d, "type", "text/plain; charset=utf-8");
	put_text(d, "text", text);
	free(text);
	return d;
}

json_t *graphite_document(int status, const char *type, const struct buf *text)
{
	struct error err;
	if (text->over) {
		error_set(&err, ERROR_LIMIT,
			"the answer is larger than 8 MiB; ask for a shorter time, fewer series, or"
			" with maxDataPoints");
		return graphite_error_document(&err);
	}
	json_t *d = json_object();
	put_int(d, "status", status);
	put_text(d, "type", type);
	put(d, "text", json_stringn(buf_str(text), text->n));
	return d;
}

json_t *graphite_json_document(const json_t *value)
{
	struct buf text = BUF(TEXT_MAX);
	json_write(&text, value);
	json_t *d = graphite_document(200, "application/json", &text);
	buf_fini(&text);
	return d;
}

/* --- JSON --------------------------------------------------------------------------------------
 */

static void add_json_text(struct buf *out, const char *text)
{
	json_t *j = json_string(text);
	json_write(out, j);
	json_decref(j);
}

static void add_value(struct buf *out, double v)
{
	char text[CURVE_NUMBER];
	if (isnan(v))
		buf_add_str(out, "null");
	else if (isinf(v))
		buf_add_str(out, v > 0 ? "1e9999" : "-1e9999");
	else
		buf_add_str(out, curve_number(v, false, text));
}

static bool is_empty(const struct graphite_line *l)
{
	return values_count(l->values, l->n) == 0;
}

static void add_line_json(struct buf *out, const struct graphite_line *l, bool no_nulls)
{
	bool first = true;
	buf_add_str(out, "{\"target\":");
	add_json_text(out, l->name);
	buf_add_str(out, ",\"tags\":");
	json_write(out, l->tags);
	buf_add_str(out, ",\"datapoints\":[");
	for (size_t i = 0; i < l->n && !out->over; i++) {
		if (no_nulls && isnan(l->values[i]))
			continue;
		buf_add_str(out, first ? "[" : ",[");
		first = false;
		add_value(out, l->values[i]);
		buf_printf(out, ",%lld]", (long long)(l->from_s + (int64_t)i * l->step_s));
	}
	buf_add_str(out, "]}");
}

static void write_json(struct buf *out, const struct graphite_asked *g)
{
	bool first = true;
	buf_add_char(out, '[');
	for (size_t i = 0; i < g->lines->n && !out->over; i++) {
		const struct graphite_line *l = &g->lines->p[i];
		if (g->no_nulls && is_empty(l))
			continue;
		if (!first)
			buf_add_char(out, ',');
		first = false;
		add_line_json(out, l, g->no_nulls);
	}
	buf_add_char(out, ']');
}

/* --- CSV and raw --------------------------------------------------------------------------------
 */

static void add_csv_text(struct buf *out, const char *text)
{
	if (!strpbrk(text, ",\"\r\n")) {
		buf_add_str(out, text);
		return;
	}
	buf_add_char(out, '"');
	for (; *text; text++)
		buf_add_str(out, *text == '"' ? "\"\"" : (char[]){*text, '\0'});
	buf_add_char(out, '"');
}

/* 2026-11-26 08:50:00, as clocks show there. */
static void add_local_time(struct buf *out, const struct zone *zone, int64_t at_s)
{
	char text[CLOCK_TEXT];
	clock_rfc3339((at_s + zone_offset_s(zone, at_s)) * 1000000, text);
	text[10] = ' ';
	buf_add(out, text, 19);
}

static void write_csv(struct buf *out, const struct graphite_asked *g, const struct zone *zone)
{
	char text[CURVE_NUMBER];
	for (size_t k = 0; k < g->lines->n; k++) {
		const struct graphite_line *l = &g->lines->p[k];
		for (size_t i = 0; i < l->n && !out->over; i++) {
			add_csv_text(out, l->name);
			buf_add_char(out, ',');
			add_local_time(out, zone, l->from_s + (int64_t)i * l->step_s);
			buf_add_char(out, ',');
			if (!isnan(l->values[i]))
				buf_add_str(out, curve_number(l->values[i], true, text));
			buf_add_str(out, "\r\n");
		}
	}
}

/* name,begin,end,step|values */
static void write_raw(struct buf *out, const struct graphite_asked *g)
{
	char text[CURVE_NUMBER];
	for (size_t k = 0; k < g->lines->n; k++) {
		const struct graphite_line *l = &g->lines->p[k];
		buf_printf(out, "%s,%lld,%lld,%lld|", l->name, (long long)l->from_s,
			(long long)(l->from_s + (int64_t)l->n * l->step_s), (long long)l->step_s);
		for (size_t i = 0; i < l->n && !out->over; i++)
			buf_printf(out, "%s%s", i ? "," : "",
				isnan(l->values[i]) ? "None"
						    : curve_number(l->values[i], true, text));
		buf_add_char(out, '\n');
	}
}

json_t *graphite_render_document(const struct graphite_asked *g)
{
	struct buf text = BUF(TEXT_MAX);
	struct error err = {0};
	const char *type = "application/json";
	if (strcmp(g->format, "json") == 0) {
		write_json(&text, g);
	} else if (strcmp(g->format, "csv") == 0) {
		struct zone *zone = zone_load(g->zone_name, &err);
		type = "text/csv; charset=utf-8";
		if (zone)
			write_csv(&text, g, zone);
		zone_free(zone);
	} else {
		type = "text/plain; charset=utf-8";
		write_raw(&text, g);
	}
	json_t *d = err.kind ? graphite_error_document(&err) : graphite_document(200, type, &text);
	buf_fini(&text);
	return d;
}
