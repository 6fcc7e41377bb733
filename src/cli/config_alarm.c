/*
 * config_alarm.c - who is told: webhooks, Alertmanagers, mail, dead-man pushes, as drafts.
 *
 * An alarm is of the kind whose key it has, and only of one.
 */

#include <string.h>

#include "base/clock.h"
#include "cli/config_reader.h"

#define DAY_NS (24 * 3600 * NS_PER_S)

struct alarm_item { /* what one map says */
	char *name, *webhook, *alertmanager, *deadman;
	char **mail, **to, **on, **components;
	int64_t every_ns, fold_ns;
	bool maintenance;
	const struct yaml *token, *server;
};

#define ITEM(name, type, field) name, type, offsetof(struct alarm_item, field)
static const struct key alarm_keys[] = {
	{ITEM("name", KEY_TEXT, name), .help = "default: kind and host"},
	{ITEM("webhook", KEY_TEXT, webhook), .max = 2048, .help = "JSON is posted there"},
	{ITEM("alertmanager", KEY_TEXT, alertmanager), .max = 2048, .help = "its base address"},
	{ITEM("mail", KEY_TEXTS, mail), .help = "addresses"},
	{ITEM("deadman", KEY_TEXT, deadman), .max = 2048, .help = "asked while we are well"},
	{ITEM("to", KEY_TEXTS, to), .help = "further addresses of mail"},
	{ITEM("server", KEY_MAP, server), .help = "that takes the mail"},
	{ITEM("on", KEY_TEXTS, on), .help = "degraded, outage, unknown, recovery"},
	{ITEM("components", KEY_TEXTS, components), .help = "ids; default all"},
	{ITEM("every", KEY_TIME, every_ns), .min = 10 * NS_PER_S, .max = DAY_NS},
	{ITEM("fold", KEY_TIME, fold_ns), .min = NS_PER_S, .max = DAY_NS},
	{ITEM("maintenance", KEY_BOOL, maintenance), .help = "what lies in declared work too"},
	{ITEM("token", KEY_NODE, token), .help = "Authorization: Bearer"},
};
#undef ITEM

/* --- the mail server -------------------------------------------------------------------------- */

static const char *const tls_words[] = {"starttls", "implicit", "plain", NULL};

#define SERVER(name, type, field) name, type, offsetof(struct server_draft, field)
static const struct key server_keys[] = {
	{SERVER("host", KEY_TEXT, host), .help = "mail.example.org:587"},
	{SERVER("tls", KEY_WORD, tls), .words = tls_words},
	{SERVER("user", KEY_TEXT, user), .help = "to log in with"},
	{SERVER("password", KEY_NODE, password), .help = "file:PATH or env:NAME"},
	{SERVER("from", KEY_TEXT, from), .help = "the sender's address"},
	{SERVER("ca", KEY_TEXT, ca), .max = 2048, .help = "authorities, PEM; default the system's"},
};
#undef SERVER

bool config_read_server(struct config_reader *r, const struct yaml *map, struct server_draft *s,
	struct config_secret *password)
{
	unsigned port;
	s->password = NULL;
	const bool good = keys_read(
		map, r->file, "a mail server", server_keys, array_len(server_keys), s, r->errors);
	const struct yaml *y = config_text(map, "host");
	if (y)
		config_check_host(r, y, "a mail server: host", &port);
	y = config_text(map, "from");
	if (y)
		config_check_mailbox(r, y, "a mail server: from");
	y = config_text(map, "user");
	if (y)
		config_check_line(r, y, "a mail server: user");
	y = config_text(map, "ca");
	if (y && s->ca) {
		free(s->ca);
		s->ca = config_path(r->config, y->text.p);
	}
	if (s->password)
		config_read_secret(r, s->password, "a mail server: password", password);
	return good;
}

/* --- lists ------------------------------------------------------------------------------------ */

static void read_on(struct config_reader *r, struct alarm_draft *a, const struct yaml *y)
{
	static const struct {
		const char *word;
		unsigned bit;
	} states[] = {{"degraded", 1u << HEALTH_DEGRADED}, {"outage", 1u << HEALTH_OUTAGE},
		{"unknown", 1u << HEALTH_UNKNOWN}, {"recovery", ALARM_ON_RECOVERY}};
	const bool many = y->kind == YAML_LIST;
	if (many && !y->n)
		config_wrong(r, y, "an alarm: on needs one state at least");
	for (size_t i = 0; i < (many ? y->n : 1); i++) {
		const struct yaml *item = many ? y->items[i] : y;
		const char *names[array_len(states)];
		unsigned bit = 0;
		for (size_t k = 0; k < array_len(states); k++) {
			names[k] = states[k].word;
			if (slice_is(item->text, states[k].word))
				bit = states[k].bit;
		}
		const char *near = slice_nearest(item->text, names, array_len(names));
		if (!bit)
			config_wrong(r, item,
				"an alarm: on: \"%.40s\" is none of degraded, outage, unknown,"
				" recovery%s%s%s",
				item->text.p, near ? "; did you mean \"" : "", near ? near : "",
				near ? "\"?" : "");
		a->on |= bit;
	}
}

static void check_components(struct config_reader *r, const struct yaml *y)
{
	const bool many = y->kind == YAML_LIST;
	if (many && !y->n)
		config_wrong(r, y, "an alarm: components needs one id at least, or leave it out");
	for (size_t i = 0; i < (many ? y->n : 1); i++) {
		const struct yaml *item = many ? y->items[i] : y;
		if (!config_component_id(item->text))
			config_wrong(r, item,
				"an alarm: components: \"%.80s\" is no id such as compute",
				item->text.p);
	}
}

void config_check_mailboxes(struct config_reader *r, const struct yaml *y, const char *what)
{
	const bool many = y->kind == YAML_LIST;
	for (size_t i = 0; i < (many ? y->n : 1); i++)
		config_check_mailbox(r, many ? y->items[i] : y, what);
}

/* --- alarms ----------------------------------------------------------------------------------- */

static struct alarm_draft *earlier_alarm(struct config_reader *r, const struct yaml *map)
{
	const struct yaml *name = config_text(map, "name");
	VEC_EACH (&r->alarms, struct alarm_draft, a) {
		if (name && a->name && slice_is(name->text, a->name) && a->touched != r->file)
			return a;
	}
	return NULL;
}

static void take(char **into, char **from)
{
	if (!*from)
		return;
	free(*into);
	*into = *from;
	*from = NULL;
}

static void take_item(struct config_reader *r, struct alarm_draft *a, struct alarm_item *item,
	const struct yaml *map)
{
	take(&a->name, &item->name);
	take(&a->webhook, &item->webhook);
	take(&a->alertmanager, &item->alertmanager);
	take(&a->deadman, &item->deadman);
	if (item->mail) {
		config_check_mailboxes(r, yaml_get(map, "mail"), "mail");
		config_texts_append(&a->mail, &item->mail);
	}
	if (item->to) {
		config_check_mailboxes(r, yaml_get(map, "to"), "to");
		config_texts_append(&a->mail, &item->to);
	}
	if (item->on)
		read_on(r, a, yaml_get(map, "on"));
	if (item->components) {
		check_components(r, yaml_get(map, "components"));
		config_texts_append(&a->components, &item->components);
	}
	if (item->every_ns)
		a->every_ns = item->every_ns;
	if (item->fold_ns)
		a->fold_ns = item->fold_ns;
	if (yaml_get(map, "maintenance"))
		a->maintenance = item->maintenance;
	if (item->token)
		config_read_secret(r, item->token, "an alarm: token", &a->token);
	if (item->server) {
		a->has_server = true;
		if (!config_read_server(r, item->server, &a->server, &a->password))
			a->broken = true;
	}
}

static void read_alarm(struct config_reader *r, const struct yaml *map)
{
	static const char *const urls[] = {"webhook", "alertmanager", "deadman"};
	struct alarm_item item = {0};
	struct alarm_draft *a = earlier_alarm(r, map);
	if (!a && !config_room(r, map))
		return;
	if (!a) {
		a = vec_add(&r->alarms);
		a->at = config_place(r, map);
	}
	a->touched = r->file;
	if (!keys_read(
		    map, r->file, "an alarm", alarm_keys, array_len(alarm_keys), &item, r->errors))
		a->broken = true;
	for (size_t i = 0; i < array_len(urls); i++) {
		const struct yaml *y = config_text(map, urls[i]);
		if (y)
			config_check_url(r, y, urls[i]);
	}
	const struct yaml *name = config_text(map, "name");
	if (name)
		config_check_line(r, name, "an alarm's name");
	take_item(r, a, &item, map);
	keys_release(alarm_keys, array_len(alarm_keys), &item);
}

void config_read_alarms(struct config_reader *r, const struct yaml *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (config_is_item(r, list->items[i], "an alarm"))
			read_alarm(r, list->items[i]);
}
