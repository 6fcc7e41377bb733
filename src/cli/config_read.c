/*
 * config_read.c - the keys of the top of glasshouse.yaml and the small maps below them.
 */

#include <string.h>

#include "base/clock.h"
#include "cli/config_reader.h"

#define DAY_NS (24 * 3600 * NS_PER_S)

/* --- site ------------------------------------------------------------------------------------- */

static void read_languages(struct config_reader *r, const struct yaml *y, char ***list)
{
	const bool many = y->kind == YAML_LIST;
	if (many && !y->n)
		config_wrong(r, y, "the site: languages needs one at least: en, de");
	for (size_t i = 0; i < (many ? y->n : 1); i++) {
		const struct yaml *item = many ? y->items[i] : y;
		if (!config_is_language(item->text))
			config_wrong(r, item,
				"the site: languages: there are en and de, not \"%.20s\"",
				item->text.p);
		for (size_t k = 0; k < i && many; k++)
			if (slice_eq(item->text, y->items[k]->text))
				config_wrong(r, item,
					"the site: languages: \"%.20s\" is there twice",
					item->text.p);
	}
	config_texts_append(&r->languages, list);
}

struct site {
	char *name, *url, *timezone, **languages;
	const struct yaml *about;
};

static const struct key site_keys[] = {
	{"name", KEY_TEXT, offsetof(struct site, name), .help = "what the pages are called"},
	{"url", KEY_TEXT, offsetof(struct site, url), .help = "where the public sees them"},
	{"timezone", KEY_TEXT, offsetof(struct site, timezone), .help = "of the site's customers"},
	{"languages", KEY_TEXTS, offsetof(struct site, languages),
		.help = "the first is the default"},
	{"about", KEY_NODE, offsetof(struct site, about), .help = "Markdown, for the first page"},
};

static void take(char **into, char **from)
{
	if (!*from)
		return;
	free(*into);
	*into = *from;
	*from = NULL;
}

static void read_site(struct config_reader *r, const struct yaml *map)
{
	struct site s = {0};
	const struct yaml *y;
	keys_read(map, r->file, "the site", site_keys, array_len(site_keys), &s, r->errors);
	if ((y = config_text(map, "name")) && config_check_line(r, y, "the site: name"))
		take(&r->config->site_name, &s.name);
	if ((y = config_text(map, "url")) &&
		(!y->text.n || config_check_url(r, y, "the site: url")))
		take(&r->config->site_url, &s.url);
	if ((y = config_text(map, "timezone")) && config_check_zone(r, y))
		take(&r->config->timezone, &s.timezone);
	if (s.languages)
		read_languages(r, yaml_get(map, "languages"), &s.languages);
	if (s.about)
		config_read_about(r, s.about);
	keys_release(site_keys, array_len(site_keys), &s);
}

/* --- listen ----------------------------------------------------------------------------------- */

struct listen {
	char *public, *intake;
	int64_t threads;
	bool isolate;
	char *statsd, *graphite, *pickle;
	const struct yaml *token;
};

static const struct key listen_keys[] = {
	{"public", KEY_TEXT, offsetof(struct listen, public), .help = "pages and reading"},
	{"intake", KEY_TEXT, offsetof(struct listen, intake), .help = "operators and machines"},
	{"isolate", KEY_BOOL, offsetof(struct listen, isolate), .help = "serve in a child process"},
	{"threads", KEY_INT, offsetof(struct listen, threads), .min = 1, .max = 64},
	{"token", KEY_NODE, offsetof(struct listen, token), .help = "who may use the intake"},
	{"statsd", KEY_TEXT, offsetof(struct listen, statsd), .help = "StatsD, over UDP"},
	{"graphite", KEY_TEXT, offsetof(struct listen, graphite),
		.help = "lines of Graphite, over TCP and UDP"},
	{"pickle", KEY_TEXT, offsetof(struct listen, pickle), .help = "pickles of carbon"},
};

static void read_address(struct config_reader *r, const struct yaml *map, const char *key,
	const char *what, char **into, struct config_place *ret_at)
{
	const struct yaml *y = config_text(map, key);
	if (!y)
		return;
	const bool none = !y->text.n || slice_is(y->text, "none");
	if (!none && !config_check_listen(r, y, what))
		return;
	free(*into);
	*into = none ? mem_strdup("") : slice_dup(y->text);
	*ret_at = config_place(r, y);
}

static void read_listen(struct config_reader *r, const struct yaml *map)
{
	struct config *c = r->config;
	struct listen l = {.isolate = c->isolate, .threads = r->threads};
	keys_read(map, r->file, "listen", listen_keys, array_len(listen_keys), &l, r->errors);
	read_address(r, map, "public", "listen: public", &c->public_address, &r->public_at);
	read_address(r, map, "intake", "listen: intake", &c->intake_address, &r->intake_at);
	struct config_place ignored;
	read_address(r, map, "statsd", "listen: statsd", &c->statsd_address, &ignored);
	read_address(r, map, "graphite", "listen: graphite", &c->graphite_address, &ignored);
	read_address(r, map, "pickle", "listen: pickle", &c->pickle_address, &ignored);
	if (l.token)
		config_read_secret(r, l.token, "listen: token", &c->intake_token);
	c->isolate = l.isolate;
	r->threads = l.threads;
	keys_release(listen_keys, array_len(listen_keys), &l);
}

/* --- faces ------------------------------------------------------------------------------------ */

const char *config_face_name(enum config_face f)
{
	static const char *const names[CONFIG_FACES] = {
		"influx", "prometheus", "alertmanager", "gatus", "uptime_kuma"};
	return names[f];
}

struct faces {
	const struct yaml *face[CONFIG_FACES];
};

#define FACE(name, place) name, KEY_NODE, offsetof(struct faces, face[place])
static const struct key face_keys[] = {
	{FACE("influx", CONFIG_FACE_INFLUX), .help = "/write, /api/v2/write"},
	{FACE("prometheus", CONFIG_FACE_PROMETHEUS), .help = "/api/v1/write"},
	{FACE("alertmanager", CONFIG_FACE_ALERTMANAGER), .help = "alerts in"},
	{FACE("gatus", CONFIG_FACE_GATUS), .help = "results of external endpoints"},
	{FACE("uptime_kuma", CONFIG_FACE_UPTIME_KUMA), .help = "/api/push/TOKEN"},
};
#undef FACE

static void read_faces(struct config_reader *r, const struct yaml *map)
{
	struct faces faces = {0};
	keys_read(map, r->file, "faces", face_keys, array_len(face_keys), &faces, r->errors);
	for (int f = 0; f < CONFIG_FACES; f++) {
		const struct yaml *y = faces.face[f];
		if (y && slice_is(y->text, "write"))
			r->config->faces |= 1u << f;
		else if (y && slice_is(y->text, "none"))
			r->config->faces &= ~(1u << f);
		else if (y)
			config_wrong(r, y, "faces: %s must be write or none",
				config_face_name((enum config_face)f));
	}
}

/* --- store, keep, judge, stop ----------------------------------------------------------------- */

static void read_store(struct config_reader *r, const struct yaml *y)
{
	if (slice_starts(y->text, "postgresql:") || slice_starts(y->text, "postgres:"))
		config_wrong(r, y,
			"store: PostgreSQL is not in this version of glasshouse; write sqlite:DIR");
	else if (!slice_starts(y->text, "sqlite:") || y->text.n == 7)
		config_wrong(r, y, "store: \"%.80s\" must be sqlite:DIR, a directory", y->text.p);
	else if (y->text.n > 2048)
		config_wrong(r, y, "store: the path is longer than 2048 bytes");
	else {
		free(r->config->state);
		r->config->state = config_path(r->config, y->text.p + 7);
	}
}

#define KEEP(name, field)                                                                          \
	{                                                                                          \
		name, KEY_TIME, offsetof(struct config_reader, field), false, DAY_NS,              \
			36500 * DAY_NS, NULL, NULL                                                 \
	}
static const struct key keep_keys[] = {
	KEEP("raw", raw_ns), KEEP("ten_minutes", ten_minute_ns), KEEP("hours", hour_ns)};
#undef KEEP

static void read_keep(struct config_reader *r, const struct yaml *map)
{
	keys_read(map, r->file, "keep", keep_keys, array_len(keep_keys), r, r->errors);
	const int64_t *const kept[] = {&r->raw_ns, &r->ten_minute_ns, &r->hour_ns};
	for (size_t i = 0; i < array_len(kept); i++) {
		const struct yaml *y = yaml_get(map, keep_keys[i].name);
		if (y && *kept[i] % DAY_NS)
			config_wrong(r, y, "keep: %s must be whole days, such as 14d",
				keep_keys[i].name);
	}
}

struct judging {
	int64_t confirm, minimum_ns;
	int maintenance; /* index into words */
	const struct yaml *quorum, *flapping, *depends;
	const struct yaml *cloudmon;
	const struct yaml *rules, *slos;
	char **slo_files;
};

static const char *const maintenance_words[] = {"exclude", "count", NULL};

static const struct key judge_keys[] = {
	{"confirm", KEY_INT, offsetof(struct judging, confirm), .min = 1, .max = 100},
	{"minimum", KEY_TIME, offsetof(struct judging, minimum_ns), .min = NS_PER_S, .max = DAY_NS},
	{"maintenance", KEY_WORD, offsetof(struct judging, maintenance),
		.words = maintenance_words},
	{"quorum", KEY_NODE, offsetof(struct judging, quorum), .help = "majority, or a number"},
	{"flapping", KEY_NODE, offsetof(struct judging, flapping), .help = "a map, or off"},
	{"depends", KEY_MAP, offsetof(struct judging, depends), .help = "ids to ids"},
	{"cloudmon", KEY_NODE, offsetof(struct judging, cloudmon), .help = "CloudMon's rules"},
	{"rules", KEY_LIST, offsetof(struct judging, rules), .help = "conditions over series"},
	{"slo", KEY_TEXTS, offsetof(struct judging, slo_files), .help = "files of OpenSLO"},
	{"slos", KEY_LIST, offsetof(struct judging, slos), .help = "objectives"},
};

static void read_judge(struct config_reader *r, const struct yaml *map)
{
	struct judging j = {.confirm = r->confirm,
		.minimum_ns = r->config->minimum_ns,
		.maintenance = r->config->maintenance_counts};
	keys_read(map, r->file, "judge", judge_keys, array_len(judge_keys), &j, r->errors);
	r->confirm = j.confirm;
	r->config->minimum_ns = j.minimum_ns;
	r->config->maintenance_counts = j.maintenance;
	config_read_judging(r, j.quorum, j.flapping, j.depends);
	if (j.cloudmon)
		config_read_flags(r, j.cloudmon);
	config_read_rules(r, j.rules, j.slos, &j.slo_files);
	keys_release(judge_keys, array_len(judge_keys), &j);
}

#define WITNESSES_MAX 32

static void read_witnesses(struct config_reader *r, const struct yaml *y, char ***list)
{
	const bool many = y->kind == YAML_LIST;
	for (size_t i = 0; i < (many ? y->n : 1); i++)
		config_check_witness(r, many ? y->items[i] : y);
	config_texts_append(&r->witnesses, list);
	size_t n = 0;
	while (r->witnesses[n])
		n++;
	if (n > WITNESSES_MAX)
		config_wrong(r, y, "witnesses: at most %d of them", WITNESSES_MAX);
}

/* --- the top ---------------------------------------------------------------------------------- */

struct top {
	char *instance, *location, *store, **witnesses;
	int64_t stop_ns;
	const struct yaml *site, *listen, *faces, *keep, *judge, *clouds, *scenarios, *components,
		*alarms;
	const struct yaml *metrics, *cloudmon, *reports, *probes, *report, *outposts;
	const struct yaml *events;
	const struct yaml *maintenance, *dashboards;
};

#define TOP(name, type, field) name, type, offsetof(struct top, field)
static const struct key top_keys[] = {
	{TOP("site", KEY_MAP, site), .help = "name, url, timezone, languages, about"},
	{TOP("instance", KEY_TEXT, instance), .help = "in every mark we leave in a cloud"},
	{TOP("location", KEY_TEXT, location), .help = "where this instance stands"},
	{TOP("listen", KEY_MAP, listen), .help = "public, intake, statsd, graphite, pickle"},
	{TOP("faces", KEY_MAP, faces), .help = "what may write in over HTTP"},
	{TOP("store", KEY_TEXT, store), .help = "sqlite:DIR"},
	{TOP("keep", KEY_MAP, keep), .help = "how long what was measured is kept"},
	{TOP("stop", KEY_TIME, stop_ns), .min = NS_PER_S, .max = 3600 * NS_PER_S},
	{TOP("witnesses", KEY_TEXTS, witnesses), .help = "what always answers, outside"},
	{TOP("judge", KEY_MAP, judge), .help = "confirm, minimum, depends ..."},
	{TOP("clouds", KEY_MAP, clouds), .help = "what is watched, by its name in clouds.yaml"},
	{TOP("scenarios", KEY_LIST, scenarios), .help = "what is run"},
	{TOP("components", KEY_MAP, components), .help = "names for customers"},
	{TOP("alarms", KEY_LIST, alarms), .help = "who is told"},
	{TOP("metrics", KEY_LIST, metrics), .help = "where numbers go"},
	{TOP("cloudmon", KEY_MAP, cloudmon), .help = "environment, zone, own: CloudMon's names"},
	{TOP("reports", KEY_LIST, reports), .help = "what happened, by mail"},
	{TOP("maintenance", KEY_LIST, maintenance), .help = "windows that come again"},
	{TOP("probes", KEY_LIST, probes), .help = "what else customers touch"},
	{TOP("report", KEY_MAP, report), .help = "the house that this outpost reports to"},
	{TOP("outposts", KEY_LIST, outposts), .help = "who reports here"},
	{TOP("dashboards", KEY_LIST, dashboards), .help = "of others, that are told"},
	{TOP("events", KEY_MAP, events), .help = "suspect: that open and close themselves"},
};
#undef TOP

static void read_names(struct config_reader *r, const struct yaml *root, struct top *t)
{
	const struct yaml *y = config_text(root, "instance");
	if (y && config_check_name(r, y, "instance"))
		take(&r->config->instance, &t->instance);
	y = config_text(root, "location");
	if (y && (!y->text.n || config_check_name(r, y, "location")))
		take(&r->config->location, &t->location);
	y = config_text(root, "store");
	if (y)
		read_store(r, y);
}

void config_read_root(struct config_reader *r, const struct yaml *root)
{
	struct top t = {.stop_ns = r->config->stop_ns};
	keys_read(root, r->file, "the configuration", top_keys, array_len(top_keys), &t, r->errors);
	read_names(r, root, &t);
	r->config->stop_ns = t.stop_ns;
	if (t.site)
		read_site(r, t.site);
	if (t.listen)
		read_listen(r, t.listen);
	if (t.faces)
		read_faces(r, t.faces);
	if (t.keep)
		read_keep(r, t.keep);
	if (t.judge)
		read_judge(r, t.judge);
	if (t.witnesses)
		read_witnesses(r, yaml_get(root, "witnesses"), &t.witnesses);
	if (t.clouds)
		config_read_clouds(r, t.clouds);
	if (t.scenarios)
		config_read_scenarios(r, t.scenarios);
	if (t.components)
		config_read_components(r, t.components);
	if (t.alarms)
		config_read_alarms(r, t.alarms);
	if (t.metrics)
		config_read_metrics(r, t.metrics);
	if (t.cloudmon)
		config_read_cloudmon(r, t.cloudmon);
	if (t.reports)
		config_read_reports(r, t.reports);
	if (t.maintenance)
		config_read_maintenance(r, t.maintenance);
	if (t.probes)
		config_read_probes(r, t.probes);
	if (t.report)
		config_read_upstream(r, t.report);
	if (t.outposts)
		config_read_outposts(r, t.outposts);
	if (t.dashboards)
		config_read_dashboards(r, t.dashboards);
	if (t.events)
		config_read_events(r, t.events);
	keys_release(top_keys, array_len(top_keys), &t);
}
