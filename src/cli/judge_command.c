/*
 * judge_command.c - `glasshouse judge replay`: what would have been said of what is stored.
 */

#include "cli/commands.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "cli/config.h"
#include "cli/judge_replay.h"
#include "cli/moment.h"
#include "cli/session.h"

const char judge_usage[] =
	"usage: glasshouse judge replay [OPTION]...\n"
	"\n"
	"Judges what is stored once more, in the time in which it was measured: the rules and\n"
	"objectives of the configuration (or of another file, to try them), and the judge of\n"
	"glasshouse run with what it was given then: blindness, declared work, slow answers.\n"
	"Shows what would have fired when, beside what was declared. Changes nothing.\n"
	"More: docs/rules.md\n"
	"\n"
	"  --from TIME         begin: 2h (ago), or 2026-11-24T13:00:00Z (default: 24h)\n"
	"  --to TIME           end, likewise (default: now)\n"
	"  --rules FILE        rules of that file instead: a list of them, rules: or judge: {rules:}\n"
	"  --json              one JSON document\n"
	"  -c, --config FILE   the configuration (default: as glasshouse run finds it)\n"
	"  --state DIR         where series/ and facts.db stand (default: the configuration's)\n"
	"\n"
	"example: glasshouse judge replay --from 7d --rules stricter.yaml\n"
	"exit: 0 nothing fired outside declared work, 1 something did, 2 could not run\n";

struct options {
	const char *from, *to, *rules, *config, *state;
	bool json;
};

static bool read_options(int argc, char **argv, struct options *o)
{
	static const struct option table[] = {{"from", required_argument, NULL, 'f'},
		{"to", required_argument, NULL, 't'}, {"rules", required_argument, NULL, 'r'},
		{"json", no_argument, NULL, 'j'}, {"config", required_argument, NULL, 'c'},
		{"state", required_argument, NULL, 's'}, {0}};
	int c;
	if (argc < 2 || strcmp(argv[1], "replay") != 0) {
		fputs("judge takes replay; see `glasshouse judge --help`\n", stderr);
		return false;
	}
	while ((c = getopt_long(argc - 1, argv + 1, "c:", table, NULL)) != -1) {
		switch (c) {
		case 'f': o->from = optarg; break;
		case 't': o->to = optarg; break;
		case 'r': o->rules = optarg; break;
		case 'j': o->json = true; break;
		case 'c': o->config = optarg; break;
		case 's': o->state = optarg; break;
		default: return false;
		}
	}
	if (optind < argc - 1) {
		fputs("judge replay takes options only; see `glasshouse judge --help`\n", stderr);
		return false;
	}
	return true;
}

static bool read_range(const struct options *o, struct replay *r)
{
	const int64_t now = clock_unix_us(&clock_system) / 1000;
	r->to_ms = now;
	if (!moment_option("from", o->from ? o->from : "24h", now, &r->from_ms) ||
		(o->to && !moment_option("to", o->to, now, &r->to_ms)))
		return false;
	if (r->to_ms <= r->from_ms)
		fputs("--from must be before --to\n", stderr);
	return r->to_ms > r->from_ms;
}

static bool has_fired(const struct replay *r)
{
	VEC_EACH (&r->changes, struct replay_change, c)
		if (!c->maintenance && (c->health == HEALTH_DEGRADED || c->health == HEALTH_OUTAGE))
			return true;
	return false;
}

static int play(struct replay *r, bool json)
{
	struct error err = {0};
	int code = EXIT_COULD_NOT_RUN;
	if (!replay_run(r, &err)) {
		session_print_error(&err);
	} else {
		VEC_EACH (&r->said, char *, text)
			fprintf(stderr, "%s\n", *text);
		if (json) {
			json_t *j = replay_json(r);
			char *text = json_text(j);
			puts(text);
			free(text);
			json_decref(j);
		} else {
			replay_print(r);
		}
		code = has_fired(r) ? EXIT_NOT_FINE : EXIT_FINE;
	}
	replay_fini(r);
	return code;
}

int judge_main(int argc, char **argv)
{
	struct options o = {0};
	struct replay r = {0};
	struct error_list errors = {0};
	struct rule **rules = NULL;
	size_t n = 0;
	int code = EXIT_COULD_NOT_RUN;
	if (!read_options(argc, argv, &o) || !read_range(&o, &r))
		return code;
	char *path = config_find(o.config);
	struct config *c = config_load(path, &errors);
	if (c && o.rules)
		rules = rules_load(o.rules, &n, &errors);
	if (c && (rules || !o.rules)) {
		r.state = o.state ? o.state : c->state;
		r.rules = rules ? rules : c->rules;
		r.rule_count = rules ? n : c->rule_count;
		r.slos = &c->slos;
		r.config = c;
		code = play(&r, o.json);
	}
	session_print_errors(&errors);
	error_list_fini(&errors);
	rules_unload(rules, n);
	config_free(c);
	free(path);
	return code;
}
