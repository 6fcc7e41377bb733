/*
 * try_probe.c - see try_probe.h. Nothing is stored and nobody is told.
 */

#include "cli/try_probe.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/random.h"
#include "base/units.h"
#include "cli/command.h"
#include "cli/config.h"
#include "cli/session.h"
#include "cli/waterfall.h"
#include "observe/exec/helper.h"

#define SHOWN_MAX 160 /* bytes of a value */

struct trying {
	struct loop *loop;
	struct probe_tools tools;
	char *working, *instance;
	const struct probe_config *probe;
	const char *name; /* of the one that runs: with .ipv4 where it is both */
	bool json, done;
	int exit_code;
};

/* --- what it prints --------------------------------------------------------------------------- */

static void write_phases(struct buf *out, const struct probe_report *r)
{
	const struct {
		const char *name;
		int64_t ns;
	} phases[] = {{"resolve", r->phases.resolve_ns}, {"connect", r->phases.connect_ns},
		{"tls", r->phases.tls_ns}, {"wait", r->phases.wait_ns}, {"body", r->phases.body_ns},
		{"total", r->phases.total_ns}};
	char text[UNITS_TEXT];
	buf_printf(out, "  %s",
		*r->address                                               ? r->address
		: json_is_true(json_object_get(r->measured, "CONNECTED")) ? "connected"
									  : "not connected");
	for (size_t i = 0; i < array_len(phases); i++)
		if (phases[i].ns)
			buf_printf(out, "  %s %s", phases[i].name,
				units_time_text(phases[i].ns, text));
	buf_add_char(out, '\n');
}

static void write_conditions(struct buf *out, const json_t *list, const struct paint *p)
{
	size_t i;
	json_t *c;
	json_array_foreach (list, i, c) {
		const bool ok = json_flag(c, "ok"), expect = !strcmp(json_str(c, "of"), "expect");
		const char *colour = ok ? p->good : expect ? p->bad : p->warn;
		buf_printf(out, "  %s%-6s%s %s", colour,
			ok       ? "holds"
			: expect ? "fails"
				 : "warns",
			p->off, json_str(c, "text"));
		buf_printf(out, "%s; %s%s\n", p->dim, json_str(c, "saw"), p->off);
	}
}

static void write_measured(struct buf *out, const json_t *measured)
{
	const char *key;
	json_t *v;
	json_object_foreach ((json_t *)measured, key, v) {
		struct buf text = BUF(BUF_PAGE);
		int64_t ns;
		if (probe_measurement_type(slice_of(key)) == VALUE_TIME &&
			units_parse_time(slice_of(json_str(measured, key)), &ns)) {
			const struct value time = value_time(ns);
			value_write_for_people(&text, &time);
		} else if (json_is_string(v))
			buf_add_str(&text, json_string_value(v));
		else
			json_write(&text, v);
		for (size_t i = 0; i < text.n; i++)
			if ((unsigned char)text.p[i] < ' ')
				text.p[i] = ' ';
		const int n = (int)(text.n > SHOWN_MAX ? SHOWN_MAX : text.n);
		buf_printf(out, "  [%s]%*s %.*s%s\n", key, (int)(22 - strlen(key)), "", n,
			buf_str(&text), text.n > SHOWN_MAX ? "…" : "");
		buf_fini(&text);
	}
}

static void print_text(const struct trying *t, const struct probe_report *r)
{
	const struct probe_about *about = probe_config_about(t->probe);
	const struct paint *p = paint_for(STDOUT_FILENO);
	const bool good = r->fault == FAULT_NONE;
	struct buf out = BUF(BUF_PAGE);
	buf_printf(&out, "%s: %s%s%s", t->name, good ? r->warned ? p->warn : p->good : p->bad,
		good ? r->warned ? "good, with a warning" : "good" : fault_text(r->fault), p->off);
	const bool more = *r->detail && (good || strcmp(r->detail, fault_text(r->fault)) != 0);
	buf_printf(&out, "%s%s\n  %s %s\n", more ? ": " : "", more ? r->detail : "", about->kind,
		about->target);
	write_phases(&out, r);
	write_conditions(&out, r->conditions, p);
	write_measured(&out, r->measured);
	char *scrubbed = secret_scrubbed(buf_str(&out));
	fputs(scrubbed, stdout);
	free(scrubbed);
	buf_fini(&out);
}

static void print_json(const struct trying *t, const struct probe_report *r)
{
	const struct probe_about *about = probe_config_about(t->probe);
	json_t *phases = json_pack("{s:f, s:f, s:f, s:f, s:f, s:f}", "resolve_ms",
		(double)r->phases.resolve_ns / 1e6, "connect_ms",
		(double)r->phases.connect_ns / 1e6, "tls_ms", (double)r->phases.tls_ns / 1e6,
		"wait_ms", (double)r->phases.wait_ns / 1e6, "body_ms",
		(double)r->phases.body_ns / 1e6, "total_ms", (double)r->phases.total_ns / 1e6);
	json_t *j = json_pack("{s:s, s:s, s:s, s:s, s:b, s:s, s:i, s:i, s:s, s:o, s:O, s:O}",
		"probe", t->name, "kind", about->kind, "target", about->target, "fault",
		fault_name(r->fault), "warned", (int)r->warned, "detail", r->detail, "tries",
		(int)r->tries, "status", r->status, "address", r->address, "phases", phases,
		"conditions", r->conditions, "measured", r->measured);
	json_t *scrubbed = json_scrubbed(j);
	char *text = json_text(scrubbed);
	puts(text);
	free(text);
	json_decref(scrubbed);
	json_decref(j);
}

/* A fault of ours says nothing of the target. */
static int code_of(enum fault fault)
{
	if (fault == FAULT_NONE)
		return EXIT_FINE;
	return fault_whose(fault) == WHOSE_OURS || fault == FAULT_EVALUATION ||
			       fault == FAULT_CONFIGURATION || fault == FAULT_NO_ICMP
		       ? EXIT_COULD_NOT_RUN
		       : 1;
}

static void on_done(void *arg, const struct probe_report *r)
{
	struct trying *t = arg;
	const int code = code_of(r->fault);
	if (t->json)
		print_json(t, r);
	else
		print_text(t, r);
	t->exit_code = code > t->exit_code ? code : t->exit_code;
	t->done = true;
}

/* --- running ---------------------------------------------------------------------------------- */

static void run_family(struct trying *t, int family)
{
	char *name = mem_printf("%s%s", probe_config_about(t->probe)->name,
		family == AF_INET    ? ".ipv4"
		: family == AF_INET6 ? ".ipv6"
				     : "");
	t->name = name;
	t->done = false;
	probe_run_once(&t->tools, t->probe, family, probe_config_longest_ns(t->probe), on_done, t);
	loop_run_until(t->loop, &t->done);
	free(name);
}

/* First of all: what starts programs must never have seen a secret. Their working copies are
 * others than those of `run`, which may be at work. */
static bool open_first(struct trying *t, const struct config *c, struct error *err)
{
	t->tools.loop = t->loop = loop_new(NULL, err);
	if (!t->loop || strcmp(probe_config_about(t->probe)->kind, "exec") != 0)
		return t->loop != NULL;
	char *state = c->state ? mem_strdup(c->state) : session_state_dir();
	t->tools.working = t->working = mem_printf("%s/exec.try", state);
	free(state);
	t->tools.instance = t->instance = session_instance();
	t->tools.helper = helper_new(t->loop, NULL, NULL, err);
	return t->tools.helper != NULL;
}

static bool open_tools(struct trying *t, struct error *err)
{
	const struct http_client_options fresh = {.fresh = true};
	struct probe_tools *tools = &t->tools;
	tools->location = "";
	tools->random = &random_system;
	tools->http = http_client_new(t->loop, &fresh, err);
	tools->resolver = tools->http ? resolver_new(t->loop, NULL, err) : NULL;
	tools->pinger = tools->resolver ? pinger_new(t->loop, err) : NULL;
	if (!tools->pinger || strcmp(probe_config_about(t->probe)->kind, "ssh") != 0)
		return tools->pinger != NULL;
	tools->ssh = ssh_pool_new(t->loop, err);
	return tools->ssh != NULL;
}

static void close_tools(struct trying *t)
{
	if (t->tools.ssh)
		ssh_pool_free(t->tools.ssh);
	if (t->tools.pinger)
		pinger_free(t->tools.pinger);
	if (t->tools.resolver)
		resolver_free(t->tools.resolver);
	http_client_free(t->tools.http);
	helper_free(t->tools.helper);
	loop_free(t->loop);
	free(t->working);
	free(t->instance);
}

/* Whether `name` is the probe, or one of the two that it is with `family: both`. */
static bool is_named(const struct probe_about *about, const char *name, int *ret_family)
{
	const size_t n = strlen(about->name);
	*ret_family = AF_UNSPEC;
	if (strncmp(name, about->name, n) != 0)
		return false;
	if (about->twice && !strcmp(name + n, ".ipv4"))
		*ret_family = AF_INET;
	else if (about->twice && !strcmp(name + n, ".ipv6"))
		*ret_family = AF_INET6;
	return !name[n] || *ret_family != AF_UNSPEC;
}

static struct probe_config *find(const struct config *c, const char *file, const char *name,
	int *ret_family, struct error_list *errors)
{
	const char **names = mem_new_array(c->probe_count + 1, sizeof(*names));
	struct probe_config *found = NULL;
	for (size_t i = 0; i < c->probe_count && !found; i++) {
		names[i] = probe_config_about(c->probes[i])->name;
		if (is_named(probe_config_about(c->probes[i]), name, ret_family))
			found = c->probes[i];
	}
	if (!found) {
		const char *near = slice_nearest(slice_of(name), names, c->probe_count);
		error_list_at(errors, file, 0, 0, "there is no probe \"%.80s\" in it%s%s%s", name,
			near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
	}
	free(names);
	return found;
}

int try_probe(const char *file, const char *name, bool json)
{
	struct trying t = {.json = json, .exit_code = EXIT_FINE};
	struct error_list errors = {0};
	struct error err = {0};
	struct config *c = config_load(file, &errors);
	int family = AF_UNSPEC;
	struct probe_config *probe = c ? find(c, file, name, &family, &errors) : NULL;
	t.probe = probe;
	if (probe && open_first(&t, c, &err) && config_probe_secrets(c, probe, &errors) &&
		open_tools(&t, &err) && probe_can_run(&t.tools, probe, &err)) {
		const bool both = probe_config_about(probe)->twice && family == AF_UNSPEC;
		run_family(&t, both ? AF_INET : family);
		if (both)
			run_family(&t, AF_INET6);
	}
	close_tools(&t);
	if (err.msg[0])
		error_list_add(&errors, &err);
	session_print_errors(&errors);
	const bool failed = errors.n > 0;
	error_list_fini(&errors);
	config_free(c);
	return failed ? EXIT_COULD_NOT_RUN : t.exit_code;
}
