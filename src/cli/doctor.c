/*
 * doctor.c - `glasshouse doctor`: whether this machine and its clouds are fit for it.
 */

#include "cli/doctor.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/live.h"
#include "cli/session.h"
#include "cli/waterfall.h"

const char doctor_usage[] =
	"usage: glasshouse doctor [OPTION]...\n"
	"\n"
	"Looks at what usually is wrong: the clock, time zones, DNS, ICMP, each cloud (configuration,\n"
	"log-in, clock, catalog, quota left), the disk, permissions, ports, file descriptors, the means\n"
	"of the kernel to confine a process; of an outpost, whether its house takes its reports. Says for\n"
	"each what was found and what to do. Each has 10 s. Changes nothing, in no cloud and on no disk.\n"
	"\n"
	"  --config FILE       or -c FILE; as `glasshouse config` finds it\n"
	"  --cloud NAME        this cloud alone (default: those of the configuration, or the only one)\n"
	"  --json              as one JSON document\n"
	"\n"
	"example: glasshouse doctor --cloud mycloud\n"
	"exit: 0 all is well or only warned of, 1 something is bad, 2 could not run\n";

static const char *const words[] = {"ok", "warn", "bad", "skipped"};

/* --- printing --------------------------------------------------------------------------------- */

/* What a cloud says must not steer a terminal or break a line. */
static void put_line(struct buf *out, const char *text)
{
	for (; *text; text++)
		buf_add_char(out, (unsigned char)*text < 0x20 || *text == 0x7f ? ' ' : *text);
}

/* Text in lines of the terminal's width behind an indent. */
static void put_wrapped(struct buf *out, const char *text, size_t indent, size_t width)
{
	struct slice rest = slice_of(text), word;
	size_t column = indent;
	while (slice_next(&rest, ' ', &word)) {
		const size_t n = utf8_length(word);
		if (column > indent && column + 1 + n > width) {
			buf_printf(out, "\n%*s", (int)indent, "");
			column = indent;
		} else if (column > indent) {
			buf_add_char(out, ' ');
			column++;
		}
		buf_add_slice(out, word);
		column += n;
	}
}

static void write_table(const struct doctor *d, struct buf *out)
{
	static const char *const signs[] = {"✓", "!", "✗", "-"};
	const struct paint *p = paint_for(STDOUT_FILENO);
	const char *const colours[] = {p->good, p->warn, p->bad, p->dim};
	const size_t width = live_width();
	const char *of = "";
	for (size_t i = 0; i < d->checks.n; i++) {
		const struct doctor_check *c = d->checks.p[i];
		struct buf found = BUF(BUF_LINE);
		if (c->group && strcmp(of, c->of) != 0)
			buf_printf(out, "\n%s%s%s\n", p->strong, c->of, p->off);
		of = c->group ? c->of : "";
		put_line(&found, c->group ? "" : c->of);
		buf_add_str(&found, c->group || !*c->of ? "" : ": ");
		put_line(&found, c->found);
		buf_printf(out, "%s%s %-7s%s %-19s ", colours[c->state], signs[c->state],
			words[c->state], p->off, c->name);
		put_wrapped(out, buf_str(&found), 30, width);
		if (c->todo) {
			buf_printf(out, "\n%*s%s-> ", 30, "", p->strong);
			put_wrapped(out, c->todo, 33, width);
			buf_add_str(out, p->off);
		}
		buf_add_char(out, '\n');
		buf_fini(&found);
	}
}

static void write_lines(const struct doctor *d, struct buf *out)
{
	for (size_t i = 0; i < d->checks.n; i++) {
		const struct doctor_check *c = d->checks.p[i];
		buf_printf(out, "%s %s", words[c->state], c->name);
		if (*c->of) {
			buf_add_str(out, " (");
			put_line(out, c->of);
			buf_add_char(out, ')');
		}
		buf_add_str(out, ": ");
		put_line(out, c->found);
		if (c->todo)
			buf_printf(out, "; to do: %s", c->todo);
		buf_add_char(out, '\n');
	}
}

static void write_json(const struct doctor *d, bool fine, struct buf *out)
{
	json_t *checks = json_array();
	for (size_t i = 0; i < d->checks.n; i++) {
		const struct doctor_check *c = d->checks.p[i];
		json_array_append_new(checks,
			json_pack("{s:s, s:s, s:s, s:s, s:s?}", "check", c->name, "of", c->of,
				"state", words[c->state], "found", c->found, "todo", c->todo));
	}
	json_t *all = json_pack("{s:b, s:o}", "fine", fine, "checks", checks);
	json_write(out, all);
	buf_add_char(out, '\n');
	json_decref(all);
}

static int print(struct doctor *d, bool json)
{
	struct buf out = BUF(BUF_PAGE);
	unsigned n[array_len(words)] = {0};
	doctor_sort(d);
	for (size_t i = 0; i < d->checks.n; i++)
		n[d->checks.p[i]->state]++;
	const bool fine = n[DOCTOR_BAD] == 0;
	if (json) {
		write_json(d, fine, &out);
	} else if (isatty(STDOUT_FILENO)) {
		write_table(d, &out);
		buf_printf(&out, "\n%u ok, %u warned of, %u bad, %u skipped\n", n[DOCTOR_OK],
			n[DOCTOR_WARN], n[DOCTOR_BAD], n[DOCTOR_SKIPPED]);
	} else {
		write_lines(d, &out);
	}
	fputs(buf_str(&out), stdout);
	fflush(stdout);
	buf_fini(&out);
	return fine ? EXIT_FINE : EXIT_NOT_FINE;
}

/* --- what is looked at ------------------------------------------------------------------------ */

/* A configuration with errors is told and the rest is looked at with the defaults. */
static bool load(struct doctor *d, const char *path, struct error_list *errors)
{
	if (path && access(path, R_OK) != 0) {
		fprintf(stderr, "%s: cannot read: %s\n", path, strerror(errno));
		return false;
	}
	d->config = config_load(path, errors);
	if (d->config)
		return true;
	struct error_list more = {0};
	d->config = config_load(NULL, &more);
	error_list_fini(&more);
	return d->config != NULL;
}

static void say_configuration(struct doctor *d, const char *path, const struct error_list *errors)
{
	char text[ERROR_TEXT + 300];
	if (errors->n)
		doctor_say(d, "configuration", NULL, DOCTOR_BAD,
			"run `glasshouse config check`; what follows is about the defaults",
			"%zu errors; the first: %s", errors->n + errors->dropped,
			error_text(&errors->p[0], text, sizeof(text)));
	else if (path)
		doctor_say(d, "configuration", NULL, DOCTOR_OK, NULL, "%s", path);
	else
		doctor_say(d, "configuration", NULL, DOCTOR_OK, NULL, "no file: all is default");
}

/* --cloud: this one and no other. */
static void choose_cloud(struct doctor *d, const char *name)
{
	struct error_list errors = {0};
	struct config *c = d->config;
	size_t kept = 0;
	for (size_t i = 0; i < c->cloud_count; i++) {
		if (!strcmp(c->clouds[i].name, name)) {
			c->clouds[kept++] = c->clouds[i];
			continue;
		}
		free(c->clouds[i].name);
		free(c->clouds[i].title);
	}
	c->cloud_count = kept;
	(void)!config_add_cloud(c, name, &errors); /* a bad name is told by cloud_config_load() */
	error_list_fini(&errors);
}

static bool open_net(struct doctor *d, struct error *err)
{
	const struct http_client_options o = {.use_proxy = true, .connections = 64};
	d->client = http_client_new(d->loop, &o, err);
	if (!d->client)
		return false;
	d->resolver = resolver_new(d->loop, NULL, err);
	if (!d->resolver)
		return false;
	d->pinger = pinger_new(d->loop, err);
	return d->pinger != NULL;
}

static void close_all(struct doctor *d)
{
	d->closing = true;
	if (d->stuck) /* the process ends now, and its thread with it */
		return;
	doctor_clouds_free(d);
	if (d->pinger)
		pinger_free(d->pinger);
	if (d->resolver)
		resolver_free(d->resolver);
	if (d->client)
		http_client_free(d->client);
	doctor_checks_free(d);
	map_fini(&d->hosts);
	if (d->loop)
		loop_free(d->loop);
	config_free(d->config);
}

static int examine(struct doctor *d, const char *path, const struct error_list *errors, bool json)
{
	struct error err = {0};
	d->loop = loop_new(NULL, &err);
	if (!d->loop || !open_net(d, &err)) {
		session_print_error(&err);
		return EXIT_COULD_NOT_RUN;
	}
	say_configuration(d, path, errors);
	doctor_disk(d);
	doctor_clouds(d);
	doctor_machine(d);
	doctor_files(d);
	doctor_ports(d);
	doctor_metrics(d);
	doctor_report(d);
	d->done = d->waiting == 0;
	while (!d->done)
		if (!loop_run_until(d->loop, &d->done))
			break;
	return print(d, json);
}

int doctor_main(int argc, char **argv)
{
	static const struct option table[] = {{"config", required_argument, NULL, 'c'},
		{"cloud", required_argument, NULL, 'n'}, {"json", no_argument, NULL, 'j'}, {0}};
	struct doctor d = {.progress = isatty(STDERR_FILENO) && isatty(STDOUT_FILENO)};
	struct error_list errors = {0};
	const char *given = NULL, *cloud = NULL;
	bool json = false;
	int c;
	while ((c = getopt_long(argc, argv, "c:", table, NULL)) != -1) {
		switch (c) {
		case 'c': given = optarg; break;
		case 'n': cloud = optarg; break;
		case 'j': json = true; break;
		default: return EXIT_COULD_NOT_RUN;
		}
	}
	if (optind != argc) {
		fputs("doctor takes options only; see `glasshouse doctor --help`\n", stderr);
		return EXIT_COULD_NOT_RUN;
	}
	char *path = config_find(given);
	int code = EXIT_COULD_NOT_RUN;
	if (load(&d, path, &errors)) {
		if (cloud)
			choose_cloud(&d, cloud);
		code = examine(&d, path, &errors, json);
	}
	close_all(&d);
	error_list_fini(&errors);
	free(path);
	return code;
}
