/*
 * plan_command.c - `glasshouse plan`: what a scenario would do, without doing it.
 */

#include "cli/commands.h"

#include <getopt.h>
#include <stdio.h>

#include "cli/params.h"
#include "cli/session.h"
#include "observe/scenario/pick.h"
#include "observe/scenario/plan.h"

const char plan_usage[] =
	"usage: glasshouse plan NAME|FILE [OPTION]...\n"
	"\n"
	"Prints the graph of a scenario, every pairing of indices, every request, the bill against the\n"
	"quota, and warnings of hidden edges. Reads from the cloud, changes nothing in it.\n"
	"\n"
	"  --param NAME=VALUE  a parameter of the scenario; repeatable\n"
	"  --document NAME     which scenario of a file that holds several\n"
	"  --json              as one JSON document\n" SESSION_USAGE
	"\n"
	"example: glasshouse plan server-login --cloud mycloud --param servers=4\n"
	"exit: 0 it fits the quota, 1 it does not, 2 could not plan\n";

struct planning {
	struct session s;
	struct scenario *scenario;
	json_t *params, *picked, *zones, *quota;
	bool done, failed, json;
};

static void stop(struct planning *p, const struct error *err)
{
	if (err)
		session_print_error(err);
	p->failed = err != NULL;
	p->done = true;
}

static void on_quota(void *arg, const json_t *quota)
{
	struct planning *p = arg;
	p->quota = json_deep_copy(quota);
	stop(p, NULL);
}

static void on_picked(
	void *arg, const json_t *picked, const struct error *err, const struct cloud_failure *f)
{
	struct planning *p = arg;
	const char *name;
	json_t *pick;
	if (err) {
		stop(p, err);
		return;
	}
	p->picked = json_deep_copy(picked);
	json_object_foreach (p->picked, name, pick)
		json_object_set(p->params, name, json_object_get(pick, "value"));
	cloud_quota(p->s.cloud, on_quota, p);
}

static void on_zones(void *arg, const struct cloud_failure *f, const json_t *zones)
{
	struct planning *p = arg;
	struct error err = {0};
	if (f) {
		error_set(&err, ERROR_CLOUD, "reading the availability zones of %s: %s", f->service,
			fault_text(f->fault));
		stop(p, &err);
		return;
	}
	p->zones = json_deep_copy(zones);
	pick_start(p->s.cloud, p->scenario, p->params, on_picked, p);
}

static void on_connected(void *arg, const struct error *err)
{
	struct planning *p = arg;
	if (err)
		stop(p, err);
	else if (scenario_names(p->scenario, "zones"))
		cloud_zones(p->s.cloud, on_zones, p);
	else
		on_zones(p, NULL, NULL);
}

static int print_plan(struct planning *p)
{
	struct error_list errors = {0};
	struct error err = {0};
	const struct world_options o = {.run = "plan-0000",
		.instance = p->s.instance,
		.region = cloud_region(p->s.cloud),
		.zones = p->zones,
		.picked = p->picked,
		.random = &random_system,
		.symbolic = true};
	struct world *w = world_new(p->scenario, p->params, &o, &errors);
	session_print_errors(&errors);
	error_list_fini(&errors);
	json_t *plan = w ? plan_make(w, p->quota, NULL, &err) : NULL;
	int code = EXIT_COULD_NOT_RUN;
	if (plan) {
		struct buf out = BUF(BUF_ANSWER);
		json_object_set(plan, "picked", p->picked);
		if (p->json) {
			json_write(&out, plan);
			buf_add_char(&out, '\n');
		} else {
			plan_write(&out, plan);
		}
		fputs(buf_str(&out), stdout);
		buf_fini(&out);
		const json_t *fits = json_at(plan, "bill", "fits", NULL);
		code = json_is_false(fits) ? EXIT_NOT_FINE : EXIT_FINE;
	} else if (w) {
		session_print_error(&err);
	}
	json_decref(plan);
	world_free(w);
	return code;
}

int plan_main(int argc, char **argv)
{
	static const struct option table[] = {{"param", required_argument, NULL, 'p'},
		{"document", required_argument, NULL, 'd'}, {"json", no_argument, NULL, 'j'},
		SESSION_LONG_OPTIONS, {0}};
	struct session_options so = {0};
	struct planning p = {.params = json_object()};
	const char *document = NULL;
	int c, code = EXIT_COULD_NOT_RUN;
	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		bool good = true;
		if (c == 'p')
			good = params_add(p.params, optarg);
		else if (c == 'd')
			document = optarg;
		else if (c == 'j')
			p.json = true;
		else
			good = session_option(&so, c, optarg);
		if (!good)
			return EXIT_COULD_NOT_RUN;
	}
	if (optind != argc - 1) {
		fputs("plan takes one scenario; see `glasshouse plan --help`\n", stderr);
		return EXIT_COULD_NOT_RUN;
	}
	if (!session_open(&p.s, &so))
		return EXIT_COULD_NOT_RUN;
	struct error_list errors = {0};
	p.scenario = scenario_load(argv[optind], document, scenario_dirs(), p.s.kinds, &errors);
	const bool good = p.scenario && world_takes(p.scenario, p.params, &errors);
	session_print_errors(&errors);
	error_list_fini(&errors);
	if (good) {
		cloud_connect(p.s.cloud, on_connected, &p);
		loop_run_until(p.s.loop, &p.done);
		code = p.failed ? EXIT_COULD_NOT_RUN : print_plan(&p);
	}
	scenario_free(p.scenario);
	json_decref(p.params);
	json_decref(p.picked);
	json_decref(p.zones);
	json_decref(p.quota);
	session_close(&p.s);
	return code;
}
