/*
 * config_finish_alarm.c - drafts of alarms, judged as a whole, become the room's own structure.
 */

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/map.h"
#include "cli/config_reader.h"
#include "net/url.h"

#define RECIPIENTS_MAX 50 /* of a message, as net/mail.h takes them */

/* False: it is of none, or of several. */
static bool kind_of(struct config_reader *r, const struct alarm_draft *a, enum alarm_kind *ret)
{
	const bool has[] = {a->webhook, a->alertmanager, a->mail, a->deadman};
	unsigned n = 0;
	for (size_t i = 0; i < array_len(has); i++) {
		n += has[i];
		if (has[i])
			*ret = (enum alarm_kind)i;
	}
	if (n > 1 || (n == 0 && !a->broken))
		config_wrong_at(r, &a->at,
			"an alarm needs %s of webhook, alertmanager, mail, deadman",
			n ? "only one" : "one");
	return n == 1;
}

static void misplaced(
	struct config_reader *r, const struct alarm_draft *a, enum alarm_kind kind, const char *key)
{
	config_wrong_at(r, &a->at, "an alarm of kind %s takes no %s", alarm_kind_name(kind), key);
}

static void check_keys(struct config_reader *r, const struct alarm_draft *a, enum alarm_kind kind)
{
	const bool dead = kind == ALARM_DEADMAN, mail = kind == ALARM_MAIL;
	if (!dead && a->every_ns)
		misplaced(r, a, kind, "every");
	if (dead && a->fold_ns)
		misplaced(r, a, kind, "fold");
	if (dead && a->maintenance)
		misplaced(r, a, kind, "maintenance");
	if (dead && a->on)
		misplaced(r, a, kind, "on");
	if (dead && a->components)
		misplaced(r, a, kind, "components");
	if (mail && a->token.from)
		misplaced(r, a, kind, "token (the server has a password)");
	if (!mail && a->has_server)
		misplaced(r, a, kind, "server");
}

/* Nobody's password goes over a wire in the clear. */
static bool leaves_machine(const char *host)
{
	return !slice_starts(slice_of(host), "127.") && !slice_starts(slice_of(host), "[::1]") &&
	       !slice_starts(slice_of(host), "localhost:") && strcmp(host, "localhost") != 0;
}

void config_check_server(struct config_reader *r, const struct config_place *at, const char *what,
	char *const *mail, const struct server_draft *s, const struct config_secret *password,
	bool has_server, bool broken)
{
	size_t n = 0;
	while (mail && mail[n])
		n++;
	if (!n || n > RECIPIENTS_MAX)
		config_wrong_at(r, at, "%s by mail goes to 1 to %d addresses, not %zu", what,
			RECIPIENTS_MAX, n);
	if (!has_server && broken)
		return;
	if (!has_server) {
		config_wrong_at(r, at, "%s by mail needs a server: {host, from}", what);
		return;
	}
	if (!s->host && !broken)
		config_wrong_at(r, at, "a mail server: host is missing");
	if (!s->from && !broken)
		config_wrong_at(r, at, "a mail server: from is missing (the sender's address)");
	if (!s->user != !password->from)
		config_wrong_at(r, at, "a mail server: user and password belong together");
	if (s->tls == MAIL_PLAIN && password->from && s->host && leaves_machine(s->host))
		config_wrong_at(r, at,
			"a mail server: a password is not sent without TLS; tls: starttls or implicit");
}

/* With the port of RFC 6409, RFC 8314 or RFC 5321 where none is written. Owned. */
static char *with_port(const struct server_draft *s)
{
	static const unsigned ports[] = {587, 465, 25};
	const char *behind = strrchr(s->host, ']');
	if (strchr(behind ? behind : s->host, ':'))
		return mem_strdup(s->host);
	return mem_printf("%s:%u", s->host, ports[s->tls]);
}

static const char *moved(char **p)
{
	const char *text = *p;
	*p = NULL;
	return text;
}

struct mail_server config_move_server(struct server_draft *s)
{
	return (struct mail_server){
		.host = s->host ? with_port(s) : NULL,
		.tls = (enum mail_tls)s->tls,
		.user = moved(&s->user),
		.from = moved(&s->from),
		.ca_file = moved(&s->ca),
	};
}

/* Kind and host: the path of an address may be a secret, and names are shown. Owned. */
static char *default_name(const struct alarm_draft *a, enum alarm_kind kind, const char *url)
{
	struct url u;
	if (kind == ALARM_MAIL)
		return mem_printf("mail %s", a->mail[0] ? a->mail[0] : "");
	if (!url_parse(slice_of(url), &u, NULL))
		return mem_strdup(alarm_kind_name(kind)); /* refused where it stands */
	return mem_printf("%s %.*s", alarm_kind_name(kind), SLICE_ARG(u.host));
}

static void move_alarm(struct alarm_draft *a, enum alarm_kind kind, struct config_alarm *to)
{
	char **const urls[] = {&a->webhook, &a->alertmanager, NULL, &a->deadman};
	const unsigned all = 1u << HEALTH_DEGRADED | 1u << HEALTH_OUTAGE | 1u << HEALTH_UNKNOWN |
			     ALARM_ON_RECOVERY;
	struct alarm *t = &to->alarm;
	t->kind = kind;
	t->url = urls[kind] ? moved(urls[kind]) : NULL;
	t->name = moved(&a->name);
	t->on = a->on ? a->on : all;
	t->components = (const char *const *)a->components;
	a->components = NULL;
	t->every_ns = a->every_ns ? a->every_ns : 60 * NS_PER_S;
	t->fold_ns = a->fold_ns ? a->fold_ns : 60 * NS_PER_S;
	t->maintenance = a->maintenance;
	if (kind == ALARM_MAIL) {
		t->to = (const char *const *)a->mail;
		a->mail = NULL;
		t->mail = config_move_server(&a->server);
	}
	to->token = a->token;
	to->password = a->password;
	a->token.from = a->password.from = NULL;
	to->line = a->at.line;
	to->col = a->at.col;
	to->file = a->at.file;
}

void config_finish_alarms(struct config_reader *r)
{
	struct config *c = r->config;
	struct map seen = {0};
	c->alarms = mem_new_array(r->alarms.n + 1, sizeof(*c->alarms));
	VEC_EACH (&r->alarms, struct alarm_draft, a) {
		enum alarm_kind kind = ALARM_WEBHOOK;
		if (!kind_of(r, a, &kind))
			continue;
		const char *const urls[] = {a->webhook, a->alertmanager, NULL, a->deadman};
		check_keys(r, a, kind);
		if (kind == ALARM_MAIL)
			config_check_server(r, &a->at, "an alarm", a->mail, &a->server,
				&a->password, a->has_server, a->broken);
		if (!a->name)
			a->name = default_name(a, kind, urls[kind]);
		if (map_put(&seen, a->name, a))
			config_wrong_at(r, &a->at,
				"two alarms are called \"%.80s\"; give one another name", a->name);
		move_alarm(a, kind, &c->alarms[c->alarm_count++]);
	}
	map_fini(&seen);
}
