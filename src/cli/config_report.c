/*
 * config_report.c - reports by mail, as drafts, then as the room takes them.
 */

#include <stdio.h>
#include <string.h>

#include "base/map.h"
#include "cli/config_reader.h"

#define HOUR_NS (3600 * NS_PER_S)
#define DAY_NS  (24 * HOUR_NS)

struct report_item { /* what one map says */
	char *name, *at;
	char **mail;
	int64_t every_ns;
	const struct yaml *server;
};

#define ITEM(name, type, field) name, type, offsetof(struct report_item, field)
static const struct key report_keys[] = {
	{ITEM("name", KEY_TEXT, name), .help = "default: mail and the first address"},
	{ITEM("mail", KEY_TEXTS, mail), .help = "addresses"},
	{ITEM("every", KEY_TIME, every_ns), .min = REPORT_EVERY_MIN, .max = REPORT_EVERY_MAX},
	{ITEM("at", KEY_TEXT, at), .help = "07:00, in the site's time zone"},
	{ITEM("server", KEY_MAP, server), .help = "that takes the mail"},
};
#undef ITEM

/* --- reading ---------------------------------------------------------------------------------- */

static struct report_draft *earlier(struct config_reader *r, const struct yaml *map)
{
	const struct yaml *name = config_text(map, "name");
	VEC_EACH (&r->reports, struct report_draft, d) {
		if (name && d->name && slice_is(name->text, d->name) && d->touched != r->file)
			return d;
	}
	return NULL;
}

static bool is_digits(const char *p)
{
	return p[0] >= '0' && p[0] <= '9' && p[1] >= '0' && p[1] <= '9';
}

static void read_at(struct config_reader *r, const struct yaml *y, int *into)
{
	const char *p = y->text.p;
	const bool form = y->text.n == 5 && is_digits(p) && p[2] == ':' && is_digits(p + 3);
	const int hour = form ? (p[0] - '0') * 10 + p[1] - '0' : 24;
	const int minute = form ? (p[3] - '0') * 10 + p[4] - '0' : 60;
	if (hour > 23 || minute > 59)
		config_wrong(
			r, y, "a report: at: \"%.20s\" is no hour of the day such as \"07:00\"", p);
	else
		*into = hour * 60 + minute;
}

static void take_item(struct config_reader *r, struct report_draft *d, struct report_item *item,
	const struct yaml *map)
{
	const struct yaml *name = config_text(map, "name"), *at = config_text(map, "at");
	if (name)
		config_check_line(r, name, "a report's name");
	if (item->name) {
		free(d->name);
		d->name = item->name;
		item->name = NULL;
	}
	if (item->mail) {
		config_check_mailboxes(r, yaml_get(map, "mail"), "mail");
		config_texts_append(&d->mail, &item->mail);
	}
	if (item->every_ns)
		d->every_ns = item->every_ns;
	if (at)
		read_at(r, at, &d->at_minute);
	if (item->server) {
		d->has_server = true;
		if (!config_read_server(r, item->server, &d->server, &d->password))
			d->broken = true;
	}
}

static void read_one(struct config_reader *r, const struct yaml *map)
{
	struct report_item item = {0};
	struct report_draft *d = earlier(r, map);
	if (!d && !config_room(r, map))
		return;
	if (!d) {
		d = vec_add(&r->reports);
		d->at = config_place(r, map);
		d->at_minute = -1;
	}
	d->touched = r->file;
	if (!keys_read(map, r->file, "a report", report_keys, array_len(report_keys), &item,
		    r->errors))
		d->broken = true;
	take_item(r, d, &item, map);
	keys_release(report_keys, array_len(report_keys), &item);
}

void config_read_reports(struct config_reader *r, const struct yaml *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (config_is_item(r, list->items[i], "a report"))
			read_one(r, list->items[i]);
}

/* --- finishing -------------------------------------------------------------------------------- */

static void check_every(struct config_reader *r, const struct report_draft *d)
{
	const int64_t every = d->every_ns;
	if (every % HOUR_NS)
		config_wrong_at(r, &d->at, "a report: every is a number of whole hours");
	else if (d->at_minute >= 0 && (every < DAY_NS ? DAY_NS % every : every % DAY_NS))
		config_wrong_at(r, &d->at,
			"a report: with at, every divides a day (1h 2h 3h 4h 6h 8h 12h) or is whole"
			" days");
}

static void move_report(struct report_draft *d, struct config_report *to)
{
	to->report = (struct report){
		.name = d->name,
		.to = (const char *const *)d->mail,
		.mail = config_move_server(&d->server),
		.every_ns = d->every_ns,
		.at_minute = d->at_minute,
	};
	d->name = NULL;
	d->mail = NULL;
	to->password = d->password;
	d->password.from = NULL;
	to->line = d->at.line;
	to->col = d->at.col;
	to->file = d->at.file;
}

void config_finish_reports(struct config_reader *r)
{
	struct config *c = r->config;
	struct map seen = {0};
	c->reports = mem_new_array(r->reports.n + 1, sizeof(*c->reports));
	VEC_EACH (&r->reports, struct report_draft, d) {
		if (!d->every_ns)
			d->every_ns = DAY_NS;
		if (!d->name)
			d->name = mem_printf("mail %s", d->mail && d->mail[0] ? d->mail[0] : "");
		if (!d->mail)
			d->mail = mem_new_array(1, sizeof(*d->mail));
		check_every(r, d);
		config_check_server(r, &d->at, "a report", d->mail, &d->server, &d->password,
			d->has_server, d->broken);
		if (map_put(&seen, d->name, d))
			config_wrong_at(r, &d->at,
				"two reports are called \"%.80s\"; give one another name", d->name);
		move_report(d, &c->reports[c->report_count++]);
	}
	map_fini(&seen);
}

/* --- the end ---------------------------------------------------------------------------------- */

void config_reports_drafts_free(struct config_reader *r)
{
	VEC_EACH (&r->reports, struct report_draft, d) {
		char *texts[] = {d->name, d->password.from, d->server.host, d->server.user,
			d->server.from, d->server.ca};
		for (size_t i = 0; i < array_len(texts); i++)
			free(texts[i]);
		config_texts_free(d->mail);
	}
	vec_fini(&r->reports);
}

void config_report_free(struct config_report *p)
{
	const char *const texts[] = {p->report.name, p->report.mail.host, p->report.mail.user,
		p->report.mail.from, p->report.mail.ca_file};
	for (size_t i = 0; i < array_len(texts); i++)
		free((char *)(uintptr_t)texts[i]);
	config_texts_free((char **)(uintptr_t)p->report.to);
	free(p->password.from);
	secret_unref(p->password.value);
}
