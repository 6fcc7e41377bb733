/*
 * plan_command.c - `glasshouse plan`: what a scenario would do, without doing it.
 */

#include "cli/commands.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cli/config.h"
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
	"  -c, --config FILE   whose budgets count (default: as for `glasshouse run`, if it is there)\n"
	"  --json              as one JSON document\n" SESSION_USAGE
	"\n"
	"example: glasshouse plan server-login --cloud mycloud --param servers=4\n"
	"exit: 0 it fits the quota and the budgets, 1 it does not, 2 could not plan\n";

struct planning {
	struct session s;
	struct scenario *scenario;
	struct config *config; /* NULL: no budgets */
	const char *named;     /* the scenario, as it was given */
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

/* --- budgets ---------------------------------------------------------------------------------- */

/* A file that is not asked for counts only if it can be read. */
static bool read_config(struct planning *p, const char *given)
{
	struct error_list errors = {0};
	char *path = config_find(given);
	p->config = path ? config_load(path, &errors) : NULL;
	if (given)
		session_print_errors(&errors);
	const bool good = p->config || !given;
	error_list_fini(&errors);
	free(path);
	return good;
}

static const struct budget *budget_of_scenario(const struct planning *p, const char *cloud)
{
	for (size_t i = 0; i < p->config->scenario_count; i++) {
		const struct config_scenario *s = &p->config->scenarios[i];
		char *a = realpath(s->use, NULL), *b = realpath(p->named, NULL);
		const bool same = !strcmp(s->use, p->named) || (a && b && !strcmp(a, b));
		free(a);
		free(b);
		if (same && s->cloud && !strcmp(s->cloud, cloud) && budget_is_set(&s->budget))
			return &s->budget;
	}
	return NULL;
}

static const struct budget *budget_of_cloud(const struct planning *p, const char *cloud)
{
	for (size_t i = 0; i < p->config->cloud_count; i++)
		if (!strcmp(p->config->clouds[i].name, cloud) &&
			budget_is_set(&p->config->clouds[i].budget))
			return &p->config->clouds[i].budget;
	return NULL;
}

static void add_budget(const struct planning *p, json_t *budgets, const char *key,
	const struct budget *b, const char *scenario, const struct cost *need)
{
	const char *cloud = p->s.config->name;
	struct cost used;
	struct error err = {0};
	if (!b)
		return;
	if (budget_used(p->s.facts, cloud, p->s.instance, scenario, clock_unix_us(&clock_system),
		    &used, &err))
		json_object_set_new(budgets, key, budget_json(b, &used, need));
	else
		session_print_error(&err);
}

/* Counted as a run is: what the last one took, or else the bill. */
static void add_budgets(const struct planning *p, json_t *bill)
{
	const char *cloud = p->s.config->name;
	struct cost need = {.objects = json_int(bill, "total", 0),
			    .server_minutes =
				    json_number_value(json_object_get(bill, "server_minutes"))},
		    last;
	json_t *budgets = json_object();
	if (!p->config) {
		json_decref(budgets);
		return;
	}
	if (budget_last_cost(p->s.facts, cloud, p->scenario->name, &last))
		need = last;
	add_budget(p, budgets, "cloud", budget_of_cloud(p, cloud), NULL, &need);
	add_budget(p, budgets, "scenario", budget_of_scenario(p, cloud), p->scenario->name, &need);
	if (json_object_size(budgets))
		json_object_set(bill, "budget", budgets);
	json_decref(budgets);
}

static bool budgets_fit(const json_t *bill)
{
	const char *whose, *what;
	json_t *budget, *limit;
	json_object_foreach (json_object_get(bill, "budget"), whose, budget)
		json_object_foreach (budget, what, limit)
			if (json_is_false(json_object_get(limit, "fits")))
				return false;
	return true;
}

/* --- printing --------------------------------------------------------------------------------- */

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
		json_t *bill = json_object_get(plan, "bill");
		add_budgets(p, bill);
		if (p->json) {
			json_write(&out, plan);
			buf_add_char(&out, '\n');
		} else {
			plan_write(&out, plan);
		}
		fputs(buf_str(&out), stdout);
		buf_fini(&out);
		const bool fits = !json_is_false(json_object_get(bill, "fits"));
		code = fits && budgets_fit(bill) ? EXIT_FINE : EXIT_NOT_FINE;
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
		{"config", required_argument, NULL, 'c'}, SESSION_LONG_OPTIONS, {0}};
	struct session_options so = {0};
	struct planning p = {.params = json_object()};
	const char *document = NULL, *config = NULL;
	int c, code = EXIT_COULD_NOT_RUN;
	while ((c = getopt_long(argc, argv, "c:", table, NULL)) != -1) {
		bool good = true;
		if (c == 'p')
			good = params_add(p.params, optarg);
		else if (c == 'd')
			document = optarg;
		else if (c == 'j')
			p.json = true;
		else if (c == 'c')
			config = optarg;
		else
			good = session_option(&so, c, optarg);
		if (!good)
			return EXIT_COULD_NOT_RUN;
	}
	if (optind != argc - 1) {
		fputs("plan takes one scenario; see `glasshouse plan --help`\n", stderr);
		return EXIT_COULD_NOT_RUN;
	}
	p.named = argv[optind];
	if (!read_config(&p, config) || !session_open(&p.s, &so)) {
		config_free(p.config);
		json_decref(p.params);
		return EXIT_COULD_NOT_RUN;
	}
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
	config_free(p.config);
	scenario_free(p.scenario);
	json_decref(p.params);
	json_decref(p.picked);
	json_decref(p.zones);
	json_decref(p.quota);
	session_close(&p.s);
	return code;
}
