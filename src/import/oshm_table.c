/*
 * oshm_table.c - every option and variable of api_monitor.sh 1.115, and what becomes of it.
 */

#include <errno.h>
#include <stdlib.h>

#include "import/oshm_inside.h"

#define DEFAULT_SERVERS  12
#define DEFAULT_LISTENER "http://localhost:8186"

static void note(
	struct oshm *o, enum import_fate fate, const struct oshm_given *g, const char *text)
{
	char what[200];
	snprintf(what, sizeof(what), g->value ? "%s %s" : "%s", g->what, g->value);
	import_note(o->report, fate, g->line, g->col, what, "%s", text);
}

static void carried(
	struct oshm *o, const struct oshm_given *g, const char *key, const json_t *value)
{
	char *json = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	struct buf text = BUF(BUF_LINE);
	buf_printf(&text, "%s: %s", key, json);
	note(o, IMPORT_CARRIED, g, buf_str(&text));
	buf_fini(&text);
	free(json);
}

/* Takes value. */
static void set_param(struct oshm *o, const struct oshm_given *g, const char *param, json_t *value)
{
	char key[80];
	snprintf(key, sizeof(key), "params.%s", param);
	carried(o, g, key, value);
	json_object_set_new(o->params, param, value);
}

static bool whole(const char *text, int64_t min, int64_t max, int64_t *ret)
{
	char *end;
	errno = 0;
	*ret = text ? strtoll(text, &end, 10) : min - 1;
	return text && *text && !*end && !errno && *ret >= min && *ret <= max;
}

/* --- what a row can do ------------------------------------------------------------------------ */

static void needless(struct oshm *o, const struct oshm_row *row, const struct oshm_given *g)
{
	note(o, IMPORT_NEEDLESS, g, row->param);
}

static void dropped(struct oshm *o, const struct oshm_row *row, const struct oshm_given *g)
{
	note(o, IMPORT_DROPPED, g, row->param);
}

static void constant(struct oshm *o, const struct oshm_row *row, const struct oshm_given *g)
{
	set_param(o, g, row->param, json_loads(row->value, JSON_DECODE_ANY, NULL));
}

static void text(struct oshm *o, const struct oshm_row *row, const struct oshm_given *g)
{
	set_param(o, g, row->param, json_string(g->value));
}

static void number(struct oshm *o, const struct oshm_row *row, const struct oshm_given *g)
{
	int64_t n;
	if (whole(g->value, 0, 100000, &n))
		set_param(o, g, row->param, json_integer(n));
	else
		note(o, IMPORT_DROPPED, g, "expected a whole number");
}

static void batch(struct oshm *o, const struct oshm_row *row, const struct oshm_given *g)
{
	o->batch = true;
	constant(o, row, g);
}

/* `-d` beside `-D` says nothing new. */
static void image_boot(struct oshm *o, const struct oshm_row *row, const struct oshm_given *g)
{
	if (o->batch)
		note(o, IMPORT_NEEDLESS, g, "-D says so already");
	else
		constant(o, row, g);
}

static void runs(struct oshm *o, const struct oshm_row *row, const struct oshm_given *g)
{
	int64_t n;
	if (!whole(g->value, 1, 1000000, &n)) {
		note(o, IMPORT_DROPPED, g, "expected a whole number");
		return;
	}
	json_t *value = json_integer(n);
	carried(o, g, "runs", value);
	json_object_set_new(o->scenario, "runs", value);
}

/* A list of words, as AZS has it. */
static void words(struct oshm *o, const struct oshm_row *row, const struct oshm_given *g)
{
	json_t *list = json_array();
	struct slice rest = slice_of(g->value), part;
	while (slice_next(&rest, ' ', &part))
		if (part.n)
			json_array_append_new(list, json_stringn(part.p, part.n));
	set_param(o, g, row->param, list);
}

/* Two variables make one list. */
static void one_more(struct oshm *o, const struct oshm_row *row, const struct oshm_given *g)
{
	json_t *list = json_object_get(o->params, row->param);
	list = list ? json_incref(list) : json_array();
	struct slice rest = slice_of(g->value), part;
	while (slice_next(&rest, ' ', &part))
		if (part.n && json_array_size(list) < 8)
			json_array_append_new(list, json_stringn(part.p, part.n));
	set_param(o, g, row->param, list);
}

static void cloud(struct oshm *o, const struct oshm_row *row, const struct oshm_given *g)
{
	json_t *value = json_string(g->value);
	carried(o, g, "scenarios[0].cloud", value);
	json_decref(value);
	free(o->cloud);
	o->cloud = mem_strdup(g->value);
}

static void add_mails(struct oshm *o, const struct oshm_given *g, json_t *to, const char *key)
{
	char copy[1024];
	snprintf(copy, sizeof(copy), "%s", g->value);
	for (char *p = copy; *p; p++)
		*p = *p == ',' || *p == ';' ? ' ' : *p;
	struct slice rest = slice_of(copy), part;
	while (slice_next(&rest, ' ', &part))
		if (part.n && json_array_size(to) < OSHM_MAILS_MAX)
			json_array_append_new(to, json_stringn(part.p, part.n));
	carried(o, g, key, to);
}

/* The first -e is for alarms and, without a second one, for everything. */
static void mail(struct oshm *o, const struct oshm_row *row, const struct oshm_given *g)
{
	const bool notes = json_array_size(o->alarm_mails) > 0;
	add_mails(o, g, notes ? o->note_mails : o->alarm_mails,
		notes ? "reports[0].mail" : "alarms[0].mail");
}

static void alarm_mail(struct oshm *o, const struct oshm_row *row, const struct oshm_given *g)
{
	add_mails(o, g, o->alarm_mails, "alarms[0].mail");
}

static void note_mail(struct oshm *o, const struct oshm_row *row, const struct oshm_given *g)
{
	add_mails(o, g, o->note_mails, "reports[0].mail");
}

static void sender(struct oshm *o, const struct oshm_row *row, const struct oshm_given *g)
{
	json_t *value = json_string(g->value);
	carried(o, g, "alarms[0].server.from", value);
	json_decref(value);
	free(o->from);
	o->from = mem_strdup(g->value);
}

static void quiet(struct oshm *o, const struct oshm_row *row, const struct oshm_given *g)
{
	o->quiet = true;
	note(o, IMPORT_CARRIED, g, "no alarms and no reports are written");
}

static void statistics(struct oshm *o, const struct oshm_row *row, const struct oshm_given *g)
{
	o->statistics = true;
	o->statistics_hours = 24;
	if (g->value)
		whole(g->value, 1, 168, &o->statistics_hours);
	note(o, IMPORT_CARRIED, g,
		"reports: statistics by mail, to the second -e or else the first");
}

static void metrics(struct oshm *o, const struct oshm_row *row, const struct oshm_given *g)
{
	free(o->metrics);
	o->metrics = mem_strdup(g->value ? g->value : "");
	note(o, IMPORT_CARRIED, g,
		"metrics: the same lines to the same listener (docs/oshm-metrics.md says where numbers now "
		"mean something else)");
}

/* A volume that nova makes for its server; it is journalled the moment the server names it. */
static void size_of_volumes(struct oshm *o, const struct oshm_row *row, const struct oshm_given *g)
{
	if (!o->batch)
		json_object_set_new(
			o->params, "boot", json_loads(row->value, JSON_DECODE_ANY, NULL));
	number(o, row, g);
}

/* Load balancers are TCP unless -L came before. */
static void with_balancer(struct oshm *o)
{
	if (!json_object_get(o->params, "lb"))
		json_object_set_new(o->params, "lb", json_string("TCP"));
}

static void provider(struct oshm *o, const struct oshm_row *row, const struct oshm_given *g)
{
	with_balancer(o);
	text(o, row, g);
}

static void ovn(struct oshm *o, const struct oshm_row *row, const struct oshm_given *g)
{
	with_balancer(o);
	constant(o, row, g);
}

static void reshuffle(struct oshm *o, const struct oshm_row *row, const struct oshm_given *g)
{
	json_object_set_new(o->params, "nic2", json_true());
	constant(o, row, g);
}

static void no_name_servers(struct oshm *o, const struct oshm_row *row, const struct oshm_given *g)
{
	set_param(o, g, row->param, json_null());
}

/* NAZS=" " turns hints off. */
static void hints(struct oshm *o, const struct oshm_row *row, const struct oshm_given *g)
{
	if (slice_trim(slice_of(g->value)).n)
		words(o, row, g);
	else
		set_param(o, g, "hints", json_false());
}

/* --- the rows --------------------------------------------------------------------------------- */

#define NATIVE "requests go straight to the APIs over connections that stay open, with one token"
#define OTC    "belongs to one provider's own tool"
#define HOLD                                                                                         \
	"`glasshouse try oshm --hold` keeps the world and prints how to log in; a watched scenario " \
	"takes `hold: 30m`"
#define CLEANUP                                                                                     \
	"every object is journalled before it is made, and each start finishes off what was left; " \
	"what "                                                                                     \
	"api_monitor.sh itself left behind, its own CLEANUP has to remove"

static const struct oshm_row options[] = {
	{"--debug", ARGUMENT_NONE, needless, "`glasshouse try --log FILE` writes every exchange",
		NULL},
	{"-n", ARGUMENT_ONE, number, "servers", NULL},
	{"-N", ARGUMENT_ONE, number, "nets", NULL},
	{"-i", ARGUMENT_ONE, runs, NULL, NULL},
	{"-l", ARGUMENT_ONE, needless,
		"the report of every run is kept and shown at /runs/ID; `glasshouse try --log FILE` "
		"writes every exchange",
		NULL},
	{"-a", ARGUMENT_ONE, needless,
		"what follows a change within a minute is told in one message (`fold`), and only first "
		"causes are told",
		NULL},
	{"-R", ARGUMENT_NONE, needless, "recovery is always told, with how long it took", NULL},
	{"-e", ARGUMENT_ONE, mail, NULL, NULL},
	{"-m", ARGUMENT_ONE, dropped,
		"its SMN topics: that " OTC "; alarms go to a webhook, an Alertmanager or by mail",
		NULL},
	{"-q", ARGUMENT_NONE, quiet, NULL, NULL},
	{"-s", ARGUMENT_MAYBE, statistics, NULL, NULL},
	{"-S", ARGUMENT_MAYBE, metrics, NULL, NULL},
	{"-d", ARGUMENT_NONE, image_boot, "boot", "\"image\""},
	{"-z", ARGUMENT_ONE, size_of_volumes, "size", "\"inline\""},
	{"-g", ARGUMENT_ONE, number, "add_size", NULL},
	{"-Z", ARGUMENT_NONE, constant, "jh_boot", "\"inline\""},
	{"-G", ARGUMENT_ONE, number, "jh_add_size", NULL},
	{"-vt", ARGUMENT_ONE, text, "volume_type", NULL},
	{"-P", ARGUMENT_NONE, constant, "ports", "false"},
	{"-D", ARGUMENT_NONE, batch, "boot", "\"batch\""},
	{"-r", ARGUMENT_ONE, constant, "keep_router", "true"},
	{"-p", ARGUMENT_ONE, dropped, "a new project every N iterations: that " OTC, NULL},
	{"-w", ARGUMENT_ONE, needless, HOLD, NULL},
	{"-W", ARGUMENT_ONE, needless, HOLD, NULL},
	{"-V", ARGUMENT_ONE, needless, HOLD, NULL},
	{"-c", ARGUMENT_NONE, needless, "colours are for terminals only", NULL},
	{"-C", ARGUMENT_NONE, constant, "mesh", "true"},
	{"-o", ARGUMENT_NONE, needless, NATIVE, NULL},
	{"-O", ARGUMENT_NONE, needless, NATIVE, NULL},
	{"-x", ARGUMENT_NONE, dropped,
		"deletes every floating IP of the project, whoever made it: glasshouse removes only what "
		"it can prove to be its own",
		NULL},
	{"-I", ARGUMENT_NONE, needless,
		"a floating IP that cannot be deleted stays in the ledger and is tried again",
		NULL},
	{"-L", ARGUMENT_NONE, constant, "lb", "\"HTTP\""},
	{"-LL", ARGUMENT_NONE, constant, "lb", "\"TCP\""},
	{"-LP", ARGUMENT_ONE, provider, "provider", NULL},
	{"-LO", ARGUMENT_NONE, ovn, "provider", "\"ovn\""},
	{"-LR", ARGUMENT_NONE, needless,
		"a load balancer takes its members and monitor along; ports its provider leaves behind "
		"are found and removed",
		NULL},
	{"-X", ARGUMENT_NONE, constant, "catalog", "true"},
	{"-b", ARGUMENT_NONE, constant, "pi", "true"},
	{"-B", ARGUMENT_NONE, constant, "iperf", "true"},
	{"-M", ARGUMENT_NONE, constant, "disk", "true"},
	{"-t", ARGUMENT_NONE, dropped,
		"there is no factor for all timeouts: each step of the scenario has its own `timeout`, "
		"two to ten times as long as those of "
		"api_monitor.sh",
		NULL},
	{"-T", ARGUMENT_NONE, needless,
		"every object carries our mark from the request that makes it", NULL},
	{"-2", ARGUMENT_NONE, constant, "nic2", "true"},
	{"-3", ARGUMENT_NONE, reshuffle, "reshuffle", "true"},
	{"-4", ARGUMENT_NONE, reshuffle, "reshuffle", "true"},
	{"-R2", ARGUMENT_NONE, needless, "second ports are attached anew where `reshuffle` is set",
		NULL},
	{"-E", ARGUMENT_NONE, needless, "`glasshouse try` ends with 1 when something failed", NULL},
	{"-f", ARGUMENT_NONE, needless, "teardown goes on whatever fails, within its time", NULL},
	{"--os-cloud", ARGUMENT_ONE, cloud, NULL, NULL},
	{"CLEANUP", ARGUMENT_MAYBE, dropped, CLEANUP, NULL},
	{"CONNTEST", ARGUMENT_MAYBE, dropped,
		"a standing environment is not taken over: give steps `keep`, or run the scenario more "
		"often",
		NULL},
	{"DEPLOY", ARGUMENT_MAYBE, needless, "that is what the scenario does", NULL},
};

static const struct oshm_row variables[] = {
	{"OS_CLOUD", ARGUMENT_ONE, cloud, NULL, NULL},
	{"OS_CACERT", ARGUMENT_ONE, dropped, "put it into clouds.yaml as `cacert`", NULL},
	{"OS_EXTRA_PARAMS", ARGUMENT_ONE, dropped, "there is no client to pass it to", NULL},
	{"OS_AUTH_URL", ARGUMENT_ONE, dropped, "put it into clouds.yaml", NULL},
	{"AZS", ARGUMENT_ONE, words, "zones.compute", NULL},
	{"VAZS", ARGUMENT_ONE, words, "zones.volume", NULL},
	{"NAZS", ARGUMENT_ONE, hints, "zones.network", NULL},
	{"IMG", ARGUMENT_ONE, text, "image", NULL},
	{"JHIMG", ARGUMENT_ONE, text, "jh_image", NULL},
	{"IMGFILT", ARGUMENT_ONE, needless, "images are looked for by name, whatever their number",
		NULL},
	{"JHIMGFILT", ARGUMENT_ONE, needless,
		"images are looked for by name, whatever their number", NULL},
	{"FLAVOR", ARGUMENT_ONE, text, "flavor", NULL},
	{"JHFLAVOR", ARGUMENT_ONE, text, "jh_flavor", NULL},
	{"DEFLTUSER", ARGUMENT_ONE, text, "user", NULL},
	{"JHDEFLTUSER", ARGUMENT_ONE, text, "jh_user", NULL},
	{"ADDVMVOLSIZE", ARGUMENT_ONE, number, "add_size", NULL},
	{"ADDJHVOLSIZE", ARGUMENT_ONE, number, "jh_add_size", NULL},
	{"VOLUMETYPE", ARGUMENT_ONE, text, "volume_type", NULL},
	{"NAMESERVER", ARGUMENT_ONE, one_more, "dns", NULL},
	{"DEFAULTNAMESERVER", ARGUMENT_ONE, no_name_servers, "dns", NULL},
	{"PINGTARGET", ARGUMENT_ONE, one_more, "targets", NULL},
	{"PINGTARGET2", ARGUMENT_ONE, one_more, "targets", NULL},
	{"RPRE", ARGUMENT_ONE, needless, "names are gh-RUN-STEP-CHECK and prove whose they are",
		NULL},
	{"DATADIR", ARGUMENT_ONE, needless, "`store` says where the state directory is", NULL},
	{"KPTYPE", ARGUMENT_ONE, needless,
		"key pairs are ed25519, and their private half stays in memory", NULL},
	{"SUCCWAIT", ARGUMENT_ONE, needless, HOLD, NULL},
	{"WAITLB", ARGUMENT_ONE, needless,
		"it waits until the pool says DEGRADED, and measures how long", NULL},
	{"SKIPKILLLB", ARGUMENT_ONE, constant, "lb_kill", "false"},
	{"LB_ALGO", ARGUMENT_ONE, text, "lb_algorithm", NULL},
	{"LB_FLAVOR", ARGUMENT_ONE, text, "lb_flavor", NULL},
	{"OLD_OCTAVIA", ARGUMENT_ONE, dropped, "the dialect of an API older than Octavia v2", NULL},
	{"EXTSEARCH", ARGUMENT_ONE, text, "external", NULL},
	{"FIPWAITPORTDEVOWNER", ARGUMENT_ONE, needless,
		"a floating IP is waited for until it is ACTIVE, however long its port takes",
		NULL},
	{"ALARMPRE", ARGUMENT_ONE, needless, "messages are named after `site: {name}`", NULL},
	{"FROM", ARGUMENT_ONE, sender, NULL, NULL},
	{"EMAIL", ARGUMENT_ONE, needless, "-e says it", NULL},
	{"ALARM_EMAIL_ADDRESSES", ARGUMENT_ONE, alarm_mail, NULL, NULL},
	{"NOTE_EMAIL_ADDRESSES", ARGUMENT_ONE, note_mail, NULL, NULL},
	{"ALARM_MOBILE_NUMBERS", ARGUMENT_ONE, dropped,
		"text messages: use a webhook of your gateway", NULL},
	{"NOTE_MOBILE_NUMBERS", ARGUMENT_ONE, dropped,
		"text messages: use a webhook of your gateway", NULL},
	{"SWIFTCONTAINER", ARGUMENT_ONE, dropped,
		"logs are not uploaded; `glasshouse series` and /runs/ID have what was measured",
		NULL},
	{"S3BUCKET", ARGUMENT_ONE, dropped,
		"logs are not uploaded; `glasshouse series` and /runs/ID have what was measured",
		NULL},
	{"PUBLIC", ARGUMENT_ONE, dropped, "put it into clouds.yaml as `interface`", NULL},
	{"PATCHOSTACK", ARGUMENT_ONE, needless, NATIVE, NULL},
	{"INJECTFIPERR", ARGUMENT_ONE, dropped, "`glasshouse simulate --faults` is for that", NULL},
	{"DEBUG", ARGUMENT_ONE, needless, "`glasshouse try --log FILE` writes every exchange",
		NULL},
	{"GRAFANANM", ARGUMENT_ONE, metrics, NULL, NULL},
};

#define COUNT(rows) (sizeof(rows) / sizeof(*(rows)))

const struct oshm_row *oshm_option(const char *name)
{
	for (size_t i = 0; i < COUNT(options); i++)
		if (!strcmp(options[i].name, name))
			return &options[i];
	return NULL;
}

const struct oshm_row *oshm_variable(const char *name)
{
	for (size_t i = 0; i < COUNT(variables); i++)
		if (!strcmp(variables[i].name, name))
			return &variables[i];
	/* API_MONITOR_ALARM_EMAIL_1 ... */
	static const struct oshm_row numbered[] = {
		{"API_MONITOR_ALARM_EMAIL_", ARGUMENT_ONE, alarm_mail, NULL, NULL},
		{"API_MONITOR_NOTE_EMAIL_", ARGUMENT_ONE, note_mail, NULL, NULL},
		{"API_MONITOR_ALARM_MOBILE_NUMBER_", ARGUMENT_ONE, dropped,
			"text messages: use a webhook of your gateway", NULL},
		{"API_MONITOR_NOTE_MOBILE_NUMBER_", ARGUMENT_ONE, dropped,
			"text messages: use a webhook of your gateway", NULL},
	};
	for (size_t i = 0; i < COUNT(numbered); i++)
		if (!strncmp(numbered[i].name, name, strlen(numbered[i].name)))
			return &numbered[i];
	return NULL;
}

const char *oshm_option_near(const char *name)
{
	const char *names[COUNT(options)];
	for (size_t i = 0; i < COUNT(options); i++)
		names[i] = options[i].name;
	return slice_nearest(slice_of(name), names, COUNT(options));
}

static void without(struct oshm *o, const char *what, const char *param, json_t *value)
{
	const struct oshm_given unasked = {.what = what};
	if (json_object_get(o->params, param))
		json_decref(value);
	else
		set_param(o, &unasked, param, value);
}

void oshm_defaults(struct oshm *o)
{
	without(o, "without -n", "servers", json_integer(DEFAULT_SERVERS));
	without(o, "without -d and -D", "boot", json_string("volume"));
	without(o, "without -C", "mesh", json_false());
	without(o, "without -b", "pi", json_false());
	without(o, "without -B", "iperf", json_false());
	without(o, "without -M", "disk", json_false());
	without(o, "without -X", "catalog", json_false());
	without(o, "without -L", "lb", json_null());
}
