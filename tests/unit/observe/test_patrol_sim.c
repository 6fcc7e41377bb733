/* Patrols of a simulated cloud: real runs, sweeps, journal and series, in virtual time. */
#include "../check.h"

#include <ftw.h>
#include <unistd.h>

#include "../store/series_house.h"
#include "observe/boots.h"
#include "observe/measured.h"
#include "observe/patrol.h"
#include "observe/record.h"
#include "sim/sim.h"
#include "store/facts.h"

#define MINUTE_NS (60 * NS_PER_S)
#define START_MS  1795000000000

static const char text[] =
	"scenario: basics\n"
	"deadline: 5m\n"
	"resources:\n"
	"  net:    {network: {}}\n"
	"  subnet: {subnet: {network_id: \"${net}\", ip_version: 4, cidr: 10.72.0.0/24}}\n"
	"  volume: {volume: {size: 1}}\n"
	"checks:\n"
	"  seen: {list: {service: network, path: \"/networks?id=${net}\"}, after: [subnet], timeout: 4m,"
	" expect: [\"len([BODY].networks) == 1\"], retry: {until: 4m, every: 500ms}}\n";

/* Three to a host, as the simulated cloud puts them. */
static const char many_servers[] =
	"scenario: basics\n"
	"deadline: 5m\n"
	"params: {image: auto, flavor: auto}\n"
	"resources:\n"
	"  net:    {network: {}}\n"
	"  subnet: {subnet: {network_id: \"${net}\", ip_version: 4, cidr: 10.72.0.0/24}}\n"
	"  server: {server: {imageRef: \"${image}\", flavorRef: \"${flavor}\","
	" networks: [{uuid: \"${net}\"}]}, count: 10, after: [subnet]}\n";

/* Servers too, whose boots have series of their own. */
static const char with_servers[] =
	"scenario: basics\n"
	"deadline: 5m\n"
	"params: {image: auto, flavor: auto}\n"
	"resources:\n"
	"  net:    {network: {}}\n"
	"  subnet: {subnet: {network_id: \"${net}\", ip_version: 4, cidr: 10.72.0.0/24}}\n"
	"  server: {server: {imageRef: \"${image}\", flavorRef: \"${flavor}\","
	" networks: [{uuid: \"${net}\"}]}, count: 3, after: [subnet]}\n"
	"  volume: {volume: {size: 1}, after: [server]}\n"
	"checks:\n"
	"  never:  {list: {service: network, path: \"/networks?id=${net}\"},"
	" expect: [\"len([BODY].networks) == 7\"]}\n"
	"  seen:   {list: {service: network, path: \"/networks?id=${net}\"}, after: [volume],"
	" timeout: 4m, retry: {until: 4m, every: 500ms}}\n";

static const char from_volumes[] =
	"scenario: basics\n"
	"deadline: 5m\n"
	"params: {image: auto, flavor: auto}\n"
	"resources:\n"
	"  net:    {network: {}}\n"
	"  subnet: {subnet: {network_id: \"${net}\", ip_version: 4, cidr: 10.72.0.0/24}}\n"
	"  volume: {volume: {size: 20, imageRef: \"${image}\"}}\n"
	"  server: {server: {flavorRef: \"${flavor}\", networks: [{uuid: \"${net}\"}],"
	" block_device_mapping_v2: [{boot_index: 0, uuid: \"${volume}\", source_type: volume,"
	" destination_type: volume}]}, after: [subnet]}\n";

struct place {
	char dir[64];
	struct clock clock;
	struct loop *loop;
	struct sim *sim;
	struct kinds *kinds;
	struct scenario *scenario;
	struct cloud_config *config;
	struct http_client *api, *probes;
	struct resolver *resolver;
	struct cloud *cloud;
	struct facts *facts;
	struct journal *journal;
	struct series_store *series;
	struct series_store *reported; /* of what reports say when runs are over; else NULL */
	struct schedule *schedule;
	struct check_tools tools;
	struct patrol *patrol;
	struct buf seen, told, measured;
	size_t ended, passed, left, shared;
	json_t *boot; /* of the last server that has one, as reported */
	int64_t hold_ns;
	bool stopped;
};

static void open_cloud(struct place *p, const char *name)
{
	struct error_list errors = {0};
	p->config = cloud_config_load(name, &errors);
	assert_non_null(p->config);
	p->cloud = cloud_new(p->loop, p->api, p->config, NULL);
	p->tools = (struct check_tools){
		.loop = p->loop,
		.cloud = p->cloud,
		.probes = p->probes,
		.resolver = p->resolver,
		.random = &random_system,
	};
}

static void close_cloud(struct place *p)
{
	cloud_free(p->cloud);
	cloud_config_free(p->config);
}

static int setup(void **state)
{
	struct place *p = mem_new(struct place);
	struct error err = {0};
	struct error_list errors = {0};
	const struct http_client_options api = {.connections = 16}, fresh = {.fresh = true};
	/* Drawn times are real ones, in which the client's calls are waited for. */
	const struct sim_options sim = {.seed = 1, .speed = 1000};
	snprintf(p->dir, sizeof(p->dir), "/tmp/test-patrol-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	clock_init_virtual(&p->clock, START_MS * 1000);
	p->loop = loop_new(&p->clock, &err);
	p->sim = sim_new(p->loop, &sim, &err);
	assert_non_null(p->sim);
	char *clouds = mem_printf("%s/clouds.yaml", p->dir);
	assert_true(sim_clouds_yaml(p->sim, clouds, &err));
	setenv("OS_CLIENT_CONFIG_FILE", clouds, 1);
	free(clouds);
	p->kinds = kinds_load(NULL, &errors);
	p->scenario = scenario_parse(slice_of(text), "basics.yaml", NULL, p->kinds, &errors);
	assert_int_equal(errors.n, 0);
	p->api = http_client_new(p->loop, &api, &err);
	p->probes = http_client_new(p->loop, &fresh, &err);
	p->resolver = resolver_new(p->loop, NULL, &err);
	p->facts = facts_open(p->dir, p->loop, &err);
	assert_true(boots_prepare(p->facts, &err));
	p->journal = journal_new(p->facts, p->dir, &err);
	p->series = series_open(p->dir, p->loop, NULL, &err);
	assert_non_null(p->series);
	p->schedule = schedule_new(p->loop);
	p->seen = p->told = p->measured = BUF(BUF_PAGE);
	open_cloud(p, "sim");
	*state = p;
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static int teardown(void **state)
{
	struct place *p = *state;
	schedule_free(p->schedule);
	close_cloud(p);
	series_close(p->series);
	journal_free(p->journal);
	facts_close(p->facts);
	resolver_free(p->resolver);
	http_client_free(p->probes);
	http_client_free(p->api);
	scenario_free(p->scenario);
	kinds_free(p->kinds);
	sim_free(p->sim);
	loop_advance(p->loop, NS_PER_MS);
	loop_free(p->loop);
	unsetenv("OS_CLIENT_CONFIG_FILE");
	nftw(p->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	buf_fini(&p->seen);
	buf_fini(&p->told);
	buf_fini(&p->measured);
	json_decref(p->boot);
	free(p);
	return 0;
}

/* --- what is told ------------------------------------------------------------------------------
 */

static void on_seen(void *arg, const struct observation *o)
{
	struct place *p = arg;
	assert_string_equal(o->cloud, p->config->name);
	assert_string_equal(o->probe, "basics");
	buf_printf(&p->seen, "%s=%s %s\n", o->step ? o->step : "-",
		o->component[0] ? o->component : "-", fault_name(o->fault));
	p->shared += o->shared && strstr(o->shared, "all 3 failures of 24 h were on host ");
	if (o->step && o->fault == FAULT_NONE) {
		assert_true(o->total_us > 0);
		assert_non_null(strstr(o->series, "basics."));
	}
}

static void on_ended(void *arg, struct patrol *patrol, const struct run_report *r)
{
	struct place *p = arg;
	p->ended++;
	p->passed += r->verdict == VERDICT_PASSED;
	p->left += r->left;
	for (size_t i = 0; i < r->row_count; i++)
		if (r->rows[i].boot) {
			json_decref(p->boot);
			p->boot = json_incref(r->rows[i].boot);
		}
	const struct record record = {.store = p->reported,
		.place = {.cloud = "sim",
			.region = "RegionOne",
			.location = "outside",
			.component_prefix = ""},
		.scenario = "basics",
		.report = r};
	if (p->reported)
		record_run(&record);
}

static void on_told(void *arg, struct patrol *patrol, const char *what)
{
	struct place *p = arg;
	buf_printf(&p->told, "%s\n", what);
}

static void set_true(void *arg)
{
	*(bool *)arg = true;
}

static void on_time(struct timer *t)
{
	set_true(t->arg);
}

static void pass(struct place *p, int64_t ns)
{
	struct timer t = {0};
	bool over = false;
	timer_start(p->loop, &t, ns, on_time, &over);
	assert_true(loop_run_until(p->loop, &over));
}

/* Until so many runs have ended, but not for ever. */
static void pass_runs(struct place *p, size_t n)
{
	for (int i = 0; p->ended < n && i < 60; i++)
		pass(p, MINUTE_NS);
	assert_true(p->ended >= n);
}

static void on_measured(void *arg, const struct measure *m)
{
	static const char *const whats[] = {"call", "wait", "check", "bench", "run"};
	struct place *p = arg;
	assert_string_equal(m->cloud, "sim");
	assert_string_equal(m->region, "RegionOne");
	assert_string_equal(m->location, "outside");
	assert_true(
		m->total_us > 0 || m->what == MEASURE_RUN); /* what could not run took nothing */
	assert_true(m->at_ms >= START_MS);
	if (m->scenario)
		assert_string_equal(m->scenario, "basics");
	buf_printf(&p->measured, "%s %s of %s: %s\n", whats[m->what], m->name,
		m->step ? m->step : "-", fault_name(m->fault));
}

static void on_exchange(void *arg, const struct cloud_exchange *x)
{
	struct place *p = arg;
	measured_exchange(p->cloud, "outside", x, on_measured, p);
}

static void begin(struct place *p)
{
	const struct patrol_options o = {.instance = "here",
		.location = "outside",
		.component_prefix = "",
		.every_ns = 10 * MINUTE_NS,
		.hold_ns = p->hold_ns,
		.measured = on_measured,
		.measured_arg = p};
	p->patrol = patrol_new(p->schedule, &p->tools, p->journal, p->scenario, p->kinds, p->series,
		&o, on_seen, on_ended, on_told, p);
}

static void end(struct place *p)
{
	bool over = false;
	patrol_stop(p->patrol, 10 * MINUTE_NS, set_true, &over);
	assert_true(loop_run_until(p->loop, &over));
	patrol_free(p->patrol);
}

static size_t objects(struct place *p)
{
	json_t *left = sim_left(p->sim);
	const size_t n = json_array_size(json_object_get(left, "objects"));
	json_decref(left);
	return n;
}

static void no_violations(struct place *p)
{
	json_t *v = sim_violations(p->sim);
	assert_int_equal(json_array_size(v), 0);
	json_decref(v);
}

static void break_it(struct place *p, const char *fault)
{
	struct error err = {0};
	json_t *j = json_parse(slice_of(fault), BUF_LINE, &err);
	assert_true(sim_faults_add(p->sim, j, &err));
	json_decref(j);
}

static size_t times_seen(const struct place *p, const char *line)
{
	const char *begin = buf_str(&p->seen);
	size_t n = 0;
	for (const char *at = begin; (at = strstr(at, line)); at++)
		n += at == begin || at[-1] == '\n';
	return n;
}

/* That is what was seen, once each, in whatever order. */
static void saw(const struct place *p, const char *const *lines, size_t n)
{
	size_t length = 0;
	for (size_t i = 0; i < n; i++) {
		if (times_seen(p, lines[i]) != 1)
			fail_msg("\"%s\" is not once in %s", lines[i], buf_str(&p->seen));
		length += strlen(lines[i]);
	}
	assert_int_equal(p->seen.n, length);
}

/* The check of the scenario does not come to an end for minutes. */
static void keep_building(struct place *p)
{
	break_it(p,
		"{\"service\": \"network\", \"method\": \"GET\", \"path\": \"/v2.0/networks\","
		" \"effect\": \"status\", \"status\": 503}");
}

struct runs {
	size_t n;
	char run[32], verdict[16];
	json_t *summary, *report;
};

static bool on_run(void *arg, const struct journal_run_row *row)
{
	struct runs *r = arg;
	if (r->n++ == 0) {
		snprintf(r->run, sizeof(r->run), "%s", row->run);
		snprintf(r->verdict, sizeof(r->verdict), "%s", row->verdict);
		r->summary = json_parse(slice_of(row->summary), BUF_PAGE, NULL);
	}
	assert_string_equal(row->scenario, "basics");
	assert_string_equal(row->instance, "here");
	return true;
}

static void on_report(void *arg, const struct journal_run_row *row)
{
	struct runs *r = arg;
	r->report = json_parse(slice_of(row->report), BUF_PAGE, NULL);
}

/* All runs of the journal, and the newest one with its report. */
static struct runs read_runs(struct place *p)
{
	struct runs r = {0};
	struct error err = {0};
	assert_true(journal_runs(p->facts, "basics", NULL, 100, on_run, &r, &err));
	assert_true(journal_run(p->facts, r.run, on_report, &r, &err));
	assert_non_null(r.summary);
	assert_non_null(r.report);
	return r;
}

static void runs_fini(struct runs *r)
{
	json_decref(r->summary);
	json_decref(r->report);
}

/* --- the tests ---------------------------------------------------------------------------------
 */

static void test_an_hour(void **state)
{
	struct place *p = *state;
	begin(p);
	pass(p, 60 * MINUTE_NS);
	end(p);
	assert_in_range(p->passed, 6, 7);
	assert_int_equal(p->passed, p->ended);
	assert_int_equal(objects(p), 0);
	no_violations(p);
	assert_string_equal(buf_str(&p->told), "");
	/* Each step of each run, good for its component. */
	static const char *const lines[] = {"net=network none\n", "subnet=network none\n",
		"volume=block-storage none\n", "seen=network none\n"};
	size_t length = 0;
	for (size_t i = 0; i < array_len(lines); i++) {
		assert_non_null(strstr(buf_str(&p->seen), lines[i]));
		length += strlen(lines[i]);
	}
	assert_int_equal(p->seen.n, length * p->ended);
	struct runs r = read_runs(p);
	assert_int_equal(r.n, p->ended);
	assert_string_equal(r.verdict, "passed");
	assert_int_equal(json_array_size(json_object_get(r.report, "steps")), 4);
	assert_int_equal(json_int(r.report, "inflight", 0), 8);
	assert_int_equal(json_int(r.summary, "deleted", 0), 3);
	assert_true(json_is_null(json_object_get(r.summary, "cause")));
	runs_fini(&r);
}

static const char no_subnets[] =
	"{\"service\": \"network\", \"method\": \"POST\", \"path\": \"/v2.0/subnets\","
	" \"effect\": \"status\", \"status\": 500}";

static bool on_called(void *arg, struct series *s)
{
	struct {
		const char *name;
		struct series *found;
	} *called = arg;
	if (!strcmp(series_text(s), called->name))
		called->found = s;
	return !called->found;
}

static struct series *series_called(struct series_store *st, const char *name)
{
	struct {
		const char *name;
		struct series *found;
	} called = {name, NULL};
	series_find(st, "*", NULL, 0, on_called, &called);
	if (!called.found)
		fail_msg("there is no series %s", name);
	return called.found;
}

static void test_a_service_fails(void **state)
{
	struct place *p = *state;
	break_it(p, no_subnets);
	begin(p);
	pass_runs(p, 1);
	end(p);
	/* What waited for it says nothing. */
	assert_non_null(strstr(buf_str(&p->seen), "net=network none\n"));
	assert_non_null(strstr(buf_str(&p->seen), "volume=block-storage none\n"));
	assert_non_null(strstr(buf_str(&p->seen), "subnet=network http_5xx\n"));
	assert_null(strstr(buf_str(&p->seen), "seen="));
	assert_int_equal(objects(p), 0);
	struct runs r = read_runs(p);
	assert_string_equal(r.verdict, "failed");
	const json_t *cause = json_object_get(r.summary, "cause");
	assert_string_equal(json_str(cause, "step"), "subnet");
	assert_string_equal(json_str(cause, "fault"), "http_5xx");
	runs_fini(&r);
	static const char *const names[] = {
		"basics{cloud=\"sim\",region=\"RegionOne\",scenario=\"basics\"}",
		"basics.net{cloud=\"sim\",component=\"network\",region=\"RegionOne\","
		"scenario=\"basics\",step=\"net\"}",
		"basics.subnet{cloud=\"sim\",component=\"network\",region=\"RegionOne\","
		"scenario=\"basics\",step=\"subnet\"}",
		"basics.volume{cloud=\"sim\",component=\"block-storage\",region=\"RegionOne\","
		"scenario=\"basics\",step=\"volume\"}"};
	for (size_t i = 0; i < array_len(names); i++)
		assert_string_equal(series_location(series_called(p->series, names[i])), "outside");
	assert_int_equal(series_status(p->series).series, array_len(names));
}

/* --- while the run goes on ---------------------------------------------------------------------
 */

static size_t samples_of(struct place *p, const char *name, struct answer *ret)
{
	struct series *s = series_called(p->series, name);
	assert_true(ask_runs(s, p->loop, START_MS, START_MS + 6 * SERIES_HOUR_MS, ret));
	return ret->runs.n;
}

/* What failed is known while the broken world is held, and its sample is there. */
static void test_a_held_run_has_told_already(void **state)
{
	struct place *p = *state;
	static const char *const lines[] = {
		"net=network none\n", "subnet=network http_5xx\n", "volume=block-storage none\n"};
	static const char subnet[] =
		"basics.subnet{cloud=\"sim\",component=\"network\",region="
		"\"RegionOne\",scenario=\"basics\",step=\"subnet\"}";
	struct answer a = {0}, b = {0};
	break_it(p, no_subnets);
	p->hold_ns = 10 * MINUTE_NS;
	begin(p);
	for (int i = 0;
		p->seen.n < strlen(lines[0]) + strlen(lines[1]) + strlen(lines[2]) && i < 60; i++)
		pass(p, NS_PER_S);
	saw(p, lines, array_len(lines));
	assert_int_equal(p->ended, 0);
	assert_int_equal(samples_of(p, subnet, &a), 1);
	assert_int_equal(a.runs.p[0].fault, FAULT_HTTP_5XX);
	pass(p, 5 * MINUTE_NS);
	assert_int_equal(p->ended, 0);
	assert_true(objects(p) > 0);
	end(p);
	saw(p, lines, array_len(lines));
	assert_int_equal(samples_of(p, subnet, &b), 1);
	assert_int_equal(b.runs.p[0].at_ms, a.runs.p[0].at_ms);
	answer_fini(&a);
	answer_fini(&b);
}

static void play(struct place *p, const char *scenario)
{
	struct error_list errors = {0};
	scenario_free(p->scenario);
	p->scenario = scenario_parse(slice_of(scenario), "basics.yaml", NULL, p->kinds, &errors);
	assert_int_equal(errors.n, 0);
}

/* Servers that fail together say what they have in common, each, before the run is over. */
static void test_what_failed_together_says_so_at_once(void **state)
{
	struct place *p = *state;
	play(p, many_servers);
	break_it(p, "{\"service\": \"build\", \"host\": \"az1-host1\", \"effect\": \"error\"}");
	p->hold_ns = 10 * MINUTE_NS;
	begin(p);
	for (int i = 0; p->shared < 3 && i < 30; i++)
		pass(p, NS_PER_S);
	assert_int_equal(p->shared, 3);
	assert_int_equal(p->ended, 0);
	end(p);
	assert_int_equal(p->ended, 1);
	assert_int_equal(p->shared, 3);
	assert_int_equal(objects(p), 0);
}

static int by_time_and_phases(const void *a, const void *b)
{
	const struct series_sample *x = a, *y = b;
	if (x->at_ms != y->at_ms)
		return x->at_ms < y->at_ms ? -1 : 1;
	if (x->total_us != y->total_us)
		return x->total_us < y->total_us ? -1 : 1;
	return memcmp(x->phase_us, y->phase_us, sizeof(x->phase_us));
}

/* Those of servers that began together stand in the order in which they were told. */
static void same_samples(struct answer *x, struct answer *y, const char *name)
{
	qsort(x->runs.p, x->runs.n, sizeof(*x->runs.p), by_time_and_phases);
	qsort(y->runs.p, y->runs.n, sizeof(*y->runs.p), by_time_and_phases);
	if (x->runs.n != y->runs.n)
		fail_msg("%zu samples of %s, %zu as reported", x->runs.n, name, y->runs.n);
	for (size_t i = 0; i < x->runs.n; i++) {
		const struct series_sample *a = &x->runs.p[i], *b = &y->runs.p[i];
		assert_int_equal(a->at_ms, b->at_ms);
		assert_int_equal(a->fault, b->fault);
		assert_int_equal(a->tries, b->tries);
		assert_int_equal(a->total_us, b->total_us);
		assert_memory_equal(a->phase_us, b->phase_us, sizeof(a->phase_us));
	}
}

/* What is stored step by step is what the reports, when the runs are over, would give: the same
 * series, and in each the same samples. The last run is stopped in its middle. */
static void test_the_series_are_those_of_the_reports(void **state)
{
	struct place *p = *state;
	struct error err = {0};
	char *dir = mem_printf("%s/reported", p->dir);
	play(p, with_servers);
	p->reported = series_open(dir, p->loop, NULL, &err);
	assert_non_null(p->reported);
	free(dir);
	begin(p);
	pass_runs(p, 2);
	break_it(p,
		"{\"service\": \"build\", \"host\": \"*\", \"effect\": \"error\","
		" \"text\": \"no disk\"}");
	pass_runs(p, 4);
	assert_int_equal(times_seen(p, "server[0]=compute none\n"), 2);
	assert_true(times_seen(p, "server[0]=compute ") > 2);
	sim_faults_clear(p->sim);
	keep_building(p);
	for (int i = 0; !patrol_open(p->patrol) && i < 60; i++)
		pass(p, MINUTE_NS);
	assert_int_equal(patrol_open(p->patrol), 1);
	end(p);
	assert_int_equal(p->ended, 5);
	size_t n = 0, samples = 0, boots = 0;
	for (struct series *s; (s = series_nth(p->reported, n)); n++) {
		struct answer is = {0}, as_reported = {0};
		assert_true(ask_runs(
			s, p->loop, START_MS, START_MS + 6 * SERIES_HOUR_MS, &as_reported));
		samples_of(p, series_text(s), &is);
		same_samples(&is, &as_reported, series_text(s));
		samples += is.runs.n;
		boots += strstr(series_text(s), "basics.server.") ? is.runs.n : 0;
		answer_fini(&is);
		answer_fini(&as_reported);
	}
	assert_int_equal(series_status(p->series).series, n);
	assert_int_equal(series_status(p->series).appended, samples);
	assert_true(boots > 0);
	assert_true(samples > 5 * 6);
	series_close(p->reported);
}

/* The row of the volume is made first, and its object let go. */
static void test_a_boot_is_told_with_its_volume(void **state)
{
	struct place *p = *state;
	struct error_list errors = {0};
	scenario_free(p->scenario);
	p->scenario =
		scenario_parse(slice_of(from_volumes), "basics.yaml", NULL, p->kinds, &errors);
	assert_int_equal(errors.n, 0);
	begin(p);
	pass_runs(p, 1);
	end(p);
	assert_int_equal(p->passed, 1);
	assert_non_null(p->boot);
	assert_non_null(json_str(p->boot, "flavor"));
	assert_non_null(json_str(p->boot, "volume_type"));
}

static void test_could_not_run(void **state)
{
	struct place *p = *state;
	secret_unref(p->config->password);
	p->config->password = secret_new(SLICE("not-the-password"));
	begin(p);
	pass_runs(p, 1);
	end(p);
	assert_string_equal(buf_str(&p->seen), "-=identity unauthorized\n");
	assert_non_null(
		strstr(buf_str(&p->told), "could not sweep what dead runs left: cloud sim"));
	struct runs r = read_runs(p);
	assert_string_equal(r.verdict, "unknown");
	assert_non_null(strstr(json_str(r.report, "error"), "password was refused"));
	assert_non_null(strstr(json_str(r.summary, "error"), "password was refused"));
	runs_fini(&r);
}

static void has_once(const struct place *p, const char *line)
{
	const char *at = strstr(buf_str(&p->measured), line);
	if (!at || strstr(at + 1, line))
		fail_msg("\"%s\" is not once in %s", line, buf_str(&p->measured));
}

static void test_what_took_how_long_is_told(void **state)
{
	struct place *p = *state;
	cloud_observe(p->cloud, CLOUD_FIGURES, on_exchange, p);
	begin(p);
	pass_runs(p, 1);
	end(p);
	static const char *const lines[] = {"call POST /auth/tokens of -: none\n",
		"call POST /networks of net: none\n", "call POST /subnets of subnet: none\n",
		"call POST /volumes of volume: none\n",
		"call DELETE /volumes/{id} of volume: none\n",
		"call DELETE /networks/{id} of net: none\n", "wait volume ready of volume: none\n",
		"wait volume gone of volume: none\n", "wait network gone of net: none\n",
		"wait subnet gone of subnet: none\n", "check list of seen: none\n",
		"run basics of -: none\n"};
	for (size_t i = 0; i < array_len(lines); i++)
		has_once(p, lines[i]);
	/* What is there with its answer was not waited for. */
	assert_null(strstr(buf_str(&p->measured), "wait network ready"));
}

static void on_open(void *arg, const struct measure *m)
{
	struct buf *open = arg;
	assert_int_equal(m->what, MEASURE_WAIT);
	buf_printf(
		open, "%s of %s%s\n", m->name, m->step, m->total_us > 60000000 ? " for long" : "");
}

/* It is seen while it hangs, and ends when its time, or here that of its run, is up. */
static void test_a_wait_that_hangs_leaves_a_trace(void **state)
{
	struct place *p = *state;
	struct buf open = BUF(BUF_PAGE);
	break_it(p,
		"{\"service\": \"volume\", \"method\": \"POST\", \"path\": \"*/volumes\","
		" \"effect\": \"stuck\"}");
	begin(p);
	pass(p, 90 * NS_PER_S);
	patrol_open_waits(p->patrol, on_open, &open);
	assert_string_equal(buf_str(&open), "volume ready of volume for long\n");
	pass_runs(p, 1);
	end(p);
	assert_non_null(strstr(buf_str(&p->measured), "wait volume ready of volume: deadline\n"));
	assert_non_null(strstr(buf_str(&p->measured), "run basics of -: deadline\n"));
	buf_fini(&open);
}

static const char *const made[] = {
	"net=network none\n", "subnet=network none\n", "volume=block-storage none\n"};

/* Everything is made and told, and the check goes on. */
static void until_it_waits(struct place *p)
{
	size_t length = 0;
	for (size_t i = 0; i < array_len(made); i++)
		length += strlen(made[i]);
	for (int i = 0; p->seen.n < length && i < 60; i++)
		pass(p, NS_PER_S);
	saw(p, made, array_len(made));
	assert_true(objects(p) >= 3); /* neutron makes some of its own */
}

/* As a killed program leaves it: the next one finishes off what this one gave up. */
static void test_given_up_and_swept(void **state)
{
	struct place *p = *state;
	keep_building(p);
	begin(p);
	until_it_waits(p);
	patrol_free(p->patrol);
	assert_int_equal(p->ended, 1);
	saw(p, made, array_len(made)); /* the check we stopped ourselves */
	const size_t left = objects(p);
	assert_true(left > 0);
	sim_faults_clear(p->sim);
	begin(p);
	pass_runs(p, 2);
	end(p);
	assert_non_null(strstr(buf_str(&p->told), "dead runs had left"));
	assert_int_equal(objects(p), 0);
	no_violations(p);
	assert_true(p->passed >= 1);
}

static void test_stopped_while_building(void **state)
{
	struct place *p = *state;
	keep_building(p);
	begin(p);
	until_it_waits(p);
	assert_int_equal(patrol_open(p->patrol), 1);
	end(p);
	assert_int_equal(objects(p), 0);
	assert_int_equal(p->ended, 1);
	saw(p, made, array_len(made));
	no_violations(p);
}

int test_patrol_sim(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_an_hour, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_service_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_held_run_has_told_already, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_what_failed_together_says_so_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_the_series_are_those_of_the_reports, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_a_boot_is_told_with_its_volume, setup, teardown),
		cmocka_unit_test_setup_teardown(test_could_not_run, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_took_how_long_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_a_wait_that_hangs_leaves_a_trace, setup, teardown),
		cmocka_unit_test_setup_teardown(test_given_up_and_swept, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stopped_while_building, setup, teardown),
	};
	return cmocka_run_group_tests_name("patrol_sim", tests, NULL, NULL);
}
