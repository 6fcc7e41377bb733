/*
 * config_json.c - a configuration as the document that would give it: what `config show` prints.
 *
 * Every key of the language is there with the value that is in force; config_diff.c compares two of
 * these, so that nothing can change unseen. Secrets stand as written.
 */

#include <string.h>

#include "base/units.h"
#include "cli/config_reader.h"

static json_t *time_json(int64_t ns)
{
	char text[UNITS_TEXT];
	return json_string(units_time_whole(ns, text));
}

static json_t *days_json(unsigned days)
{
	return json_sprintf("%ud", days);
}

static json_t *texts_json(const char *const *list)
{
	json_t *j = json_array();
	for (size_t i = 0; list && list[i]; i++)
		json_array_append_new(j, json_string(list[i]));
	return j;
}

/* Texts that are not there are left out. */
static void put_text(json_t *into, const char *key, const char *text)
{
	if (text)
		json_object_set_new(into, key, json_string(text));
}

static json_t *address_json(const char *address)
{
	return json_string(*address ? address : "none");
}

static json_t *site_json(const struct config *c)
{
	json_t *j = json_object();
	put_text(j, "name", c->site_name);
	put_text(j, "url", c->site_url);
	put_text(j, "timezone", c->timezone);
	json_object_set_new(j, "languages", texts_json((const char *const *)c->languages));
	json_object_set(j, "about", c->about);
	return j;
}

static json_t *listen_json(const struct config *c)
{
	json_t *j = json_object();
	json_object_set_new(j, "public", address_json(c->public_address));
	json_object_set_new(j, "intake", address_json(c->intake_address));
	json_object_set_new(j, "statsd", address_json(c->statsd_address));
	json_object_set_new(j, "graphite", address_json(c->graphite_address));
	json_object_set_new(j, "pickle", address_json(c->pickle_address));
	put_text(j, "token", c->intake_token.from);
	json_object_set_new(j, "isolate", json_boolean(c->isolate));
	json_object_set_new(j, "threads", json_integer(c->threads));
	return j;
}

static json_t *faces_json(const struct config *c)
{
	json_t *j = json_object();
	for (int f = 0; f < CONFIG_FACES; f++)
		put_text(j, config_face_name((enum config_face)f),
			c->faces & (1u << f) ? "write" : "none");
	return j;
}

static json_t *clouds_json(const struct config *c)
{
	json_t *all = json_object();
	for (size_t i = 0; i < c->cloud_count; i++) {
		const struct config_cloud *cloud = &c->clouds[i];
		json_t *j = json_object();
		put_text(j, "title", cloud->title);
		put_text(j, "endpoints", cloud->endpoints ? "auto" : "none");
		json_object_set_new(j, "every", time_json(cloud->every_ns));
		json_object_set_new(j, "timeout", time_json(cloud->timeout_ns));
		json_object_set_new(j, "slow", time_json(cloud->slow_ns));
		json_object_set_new(j, "inflight", json_integer(cloud->inflight));
		json_object_set_new(j, "compute", json_integer(cloud->compute));
		if (cloud->hosts)
			json_object_set_new(
				j, "hosts", texts_json((const char *const *)cloud->hosts));
		if (budget_is_set(&cloud->budget))
			json_object_set_new(j, "budget", config_budget_json(&cloud->budget));
		json_object_set_new(all, cloud->name, j);
	}
	return all;
}

static json_t *scenarios_json(const struct config *c)
{
	json_t *all = json_array();
	for (size_t i = 0; i < c->scenario_count; i++) {
		const struct config_scenario *s = &c->scenarios[i];
		json_t *j = json_object();
		put_text(j, "name", s->name);
		put_text(j, "use", s->use);
		put_text(j, "document", s->document);
		put_text(j, "cloud", s->cloud);
		json_object_set_new(j, "every", time_json(s->every_ns));
		if (s->runs)
			json_object_set_new(j, "runs", json_integer(s->runs));
		if (s->hold_ns)
			json_object_set_new(j, "hold", time_json(s->hold_ns));
		if (budget_is_set(&s->budget))
			json_object_set_new(j, "budget", config_budget_json(&s->budget));
		json_object_set(j, "params", s->params);
		json_array_append_new(all, j);
	}
	return all;
}

static json_t *components_json(const struct config *c)
{
	json_t *all = json_object();
	for (size_t i = 0; i < c->component_count; i++) {
		const struct config_component *p = &c->components[i];
		json_t *j = json_object();
		put_text(j, "name", p->name);
		put_text(j, "category", p->category);
		put_text(j, "region", p->region);
		json_object_set_new(j, "hidden", json_boolean(p->hidden));
		json_object_set_new(all, p->id, j);
	}
	return all;
}

static json_t *on_json(unsigned on)
{
	json_t *j = json_array();
	for (int h = 0; h < HEALTH_COUNT; h++)
		if (on & (1u << h))
			json_array_append_new(j, json_string(health_name((enum health)h)));
	if (on & ALARM_ON_RECOVERY)
		json_array_append_new(j, json_string("recovery"));
	return j;
}

static json_t *server_json(const struct mail_server *m, const struct config_secret *password)
{
	static const char *const tls[] = {"starttls", "implicit", "plain"};
	json_t *j = json_object();
	put_text(j, "host", m->host);
	put_text(j, "tls", tls[m->tls]);
	put_text(j, "user", m->user);
	put_text(j, "password", password->from);
	put_text(j, "from", m->from);
	put_text(j, "ca", m->ca_file);
	return j;
}

static json_t *alarm_json(const struct config_alarm *a)
{
	static const char *const kinds[] = {"webhook", "alertmanager", "mail", "deadman"};
	const struct alarm *t = &a->alarm;
	json_t *j = json_object();
	put_text(j, "name", t->name);
	if (t->kind == ALARM_MAIL)
		json_object_set_new(j, "mail", texts_json(t->to));
	else
		put_text(j, kinds[t->kind], t->url);
	put_text(j, "token", a->token.from);
	if (t->kind == ALARM_DEADMAN) {
		json_object_set_new(j, "every", time_json(t->every_ns));
		return j;
	}
	if (t->kind == ALARM_MAIL)
		json_object_set_new(j, "server", server_json(&t->mail, &a->password));
	json_object_set_new(j, "on", on_json(t->on));
	if (t->components)
		json_object_set_new(j, "components", texts_json(t->components));
	json_object_set_new(j, "fold", time_json(t->fold_ns));
	json_object_set_new(j, "maintenance", json_boolean(t->maintenance));
	return j;
}

static json_t *alarms_json(const struct config *c)
{
	json_t *all = json_array();
	for (size_t i = 0; i < c->alarm_count; i++)
		json_array_append_new(all, alarm_json(&c->alarms[i]));
	return all;
}

static json_t *reports_json(const struct config *c)
{
	json_t *all = json_array();
	for (size_t i = 0; i < c->report_count; i++) {
		const struct report *t = &c->reports[i].report;
		json_t *j = json_object();
		put_text(j, "name", t->name);
		json_object_set_new(j, "mail", texts_json(t->to));
		json_object_set_new(j, "every", time_json(t->every_ns));
		if (t->at_minute >= 0)
			json_object_set_new(j, "at",
				json_sprintf("%02d:%02d", t->at_minute / 60, t->at_minute % 60));
		json_object_set_new(j, "server", server_json(&t->mail, &c->reports[i].password));
		json_array_append_new(all, j);
	}
	return all;
}

static json_t *influx_json(const struct config_metrics *m)
{
	static const char *const precisions[] = {"ns", "us", "ms", "s"};
	const struct metrics_receiver *t = &m->receiver;
	json_t *j = json_object();
	char spool[UNITS_TEXT];
	put_text(j, "name", t->name);
	put_text(j, "influx", t->url);
	put_text(j, "dialect", t->dialect == METRICS_OSHM ? "oshm" : "own");
	put_text(j, "database", t->database);
	if (*t->measurement)
		put_text(j, "measurement", t->measurement);
	put_text(j, "username", t->username);
	put_text(j, "password", m->password.from);
	put_text(j, "precision", precisions[t->precision]);
	json_object_set_new(j, "gzip", json_boolean(t->gzip));
	json_object_set_new(j, "every", time_json(t->every_ns));
	put_text(j, "spool", units_size_exact(t->spool_size, spool));
	return j;
}

/* Of those that are asked over HTTP and have headers. */
static json_t *headers_json(const struct config_metrics *m)
{
	const struct metrics_receiver *t = &m->receiver;
	json_t *j = json_object(), *headers = json_object();
	put_text(j, "name", t->name);
	put_text(j, metrics_kind_name(t->kind), t->url);
	for (size_t i = 0; i < t->header_count; i++)
		put_text(headers, t->headers[i].name, m->headers[i].from);
	json_object_set_new(j, "headers", headers);
	if (t->kind == METRICS_OTLP)
		json_object_set_new(j, "gzip", json_boolean(t->gzip));
	json_object_set_new(j, "every", time_json(t->every_ns));
	return j;
}

/* Of those that take CloudMon's names. */
static json_t *names_json(const struct config_metrics *m)
{
	const struct metrics_receiver *t = &m->receiver;
	const struct {
		const char *key, *value;
	} parts[] = {{"prefix", t->prefix}, {"environment", t->environment}, {"zone", t->zone}};
	json_t *j = json_object();
	char spool[UNITS_TEXT];
	put_text(j, "name", t->name);
	put_text(j, metrics_kind_name(t->kind), t->url);
	for (size_t i = 0; i < array_len(parts); i++)
		if (*parts[i].value)
			put_text(j, parts[i].key, parts[i].value);
	json_object_set_new(j, "every", time_json(t->every_ns));
	if (t->kind == METRICS_GRAPHITE)
		put_text(j, "spool", units_size_exact(t->spool_size, spool));
	return j;
}

static json_t *receiver_json(const struct config_metrics *m)
{
	const enum metrics_kind kind = m->receiver.kind;
	if (kind == METRICS_INFLUX)
		return influx_json(m);
	return kind == METRICS_OTLP || kind == METRICS_REMOTE_WRITE ? headers_json(m)
								    : names_json(m);
}

static json_t *metrics_json(const struct config *c)
{
	json_t *all = json_array();
	for (size_t i = 0; i < c->metrics_count; i++)
		json_array_append_new(all, receiver_json(&c->metrics[i]));
	return all;
}

static json_t *cloudmon_json(const struct config *c)
{
	json_t *j = json_object();
	if (*c->cloudmon_environment)
		put_text(j, "environment", c->cloudmon_environment);
	if (*c->cloudmon_zone)
		put_text(j, "zone", c->cloudmon_zone);
	json_object_set_new(j, "own", json_boolean(c->cloudmon_own));
	return j;
}

static json_t *probes_json(const struct config *c)
{
	json_t *all = json_array();
	for (size_t i = 0; i < c->probe_count; i++)
		json_array_append_new(all, probe_config_json(c->probes[i]));
	return all;
}

json_t *config_json(const struct config *c)
{
	json_t *j = json_object();
	json_object_set_new(j, "site", site_json(c));
	put_text(j, "instance", c->instance);
	put_text(j, "location", c->location);
	json_object_set_new(j, "listen", listen_json(c));
	json_object_set_new(j, "faces", faces_json(c));
	json_object_set_new(j, "store", json_sprintf("sqlite:%s", c->state));
	json_object_set_new(j, "keep",
		json_pack("{s:o, s:o, s:o}", "raw", days_json(c->raw_days), "ten_minutes",
			days_json(c->ten_minute_days), "hours", days_json(c->hour_days)));
	json_object_set_new(j, "stop", time_json(c->stop_ns));
	json_object_set_new(j, "witnesses", texts_json((const char *const *)c->witnesses));
	json_object_set_new(j, "judge",
		json_pack("{s:I, s:o, s:o, s:O, s:o}", "confirm", (json_int_t)c->confirm, "minimum",
			time_json(c->minimum_ns), "rules", config_rules_json(c), "slos",
			c->slo_texts, "slo", texts_json((const char *const *)c->slo_files)));
	config_judging_json(c, json_object_get(j, "judge"));
	json_object_set_new(json_object_get(j, "judge"), "cloudmon", config_flags_json(&c->flags));
	json_object_set_new(j, "clouds", clouds_json(c));
	json_object_set_new(j, "scenarios", scenarios_json(c));
	json_object_set_new(j, "components", components_json(c));
	json_object_set_new(j, "alarms", alarms_json(c));
	json_object_set_new(j, "metrics", metrics_json(c));
	json_object_set_new(j, "cloudmon", cloudmon_json(c));
	json_object_set_new(j, "reports", reports_json(c));
	json_object_set_new(j, "events", config_events_json(c));
	json_object_set_new(j, "maintenance", config_maintenance_json(c));
	json_object_set_new(j, "dashboards", config_dashboards_json(c));
	json_object_set_new(j, "probes", probes_json(c));
	config_outposts_json(c, j);
	return j;
}
