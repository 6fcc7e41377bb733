/*
 * gatus_alert.c - who is told. Of Gatus's providers two have an equivalent: `custom`, a request of
 * one's own, is a webhook, and `email` is mail. An alarm here tells of all components, and when a
 * state is believed is said once for all (judge.confirm), so what single endpoints say of their
 * alerts is told as what it is.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "import/alarm.h"
#include "import/gatus_inside.h"
#include "import/variable.h"

/* A secret of an alarm: the variable it came from, or a file to be made. */
static void set_secret(struct gatus *g, const struct import_node *n, json_t *into, const char *key,
	const char *owner)
{
	const char *text = import_text(n);
	struct variables v;
	if (!text)
		return;
	free(variables_expand(text, &v));
	char *reference = v.only ? mem_printf("env:%s", v.only) : import_secret(owner, key);
	json_object_set_new(into, key, json_string(reference));
	if (v.only)
		import_tell(g->in, n, IMPORT_CARRIED, "alarm %s: %s: %s", owner, key, reference);
	else
		import_tell(g->in, n, IMPORT_CHANGED,
			"alarm %s: %s: a secret: put it into %s (chmod 600)", owner, key,
			reference + strlen("file:"));
	free(reference);
	variables_fini(&v);
}

/* --- custom ----------------------------------------------------------------------------------- */

static const struct import_answer custom_keys[] = {
	{"body", IMPORT_DROPPED, "the body is always ours (docs/alarms.md)"},
	{"placeholders", IMPORT_DROPPED, "the body is always ours (docs/alarms.md)"},
	{"method", IMPORT_NEEDLESS, "it is always POST"},
	{"default-alert", IMPORT_DROPPED, "judge.confirm says for all when a state is believed"},
	{"overrides", IMPORT_DROPPED, "an alarm tells of all components"},
	{"insecure", IMPORT_DROPPED, "certificates of receivers are always verified"},
	{"client", IMPORT_DROPPED, "receivers are asked as docs/alarms.md says"},
};

static void take_custom_headers(struct gatus *g, const struct import_node *headers, json_t *alarm)
{
	for (size_t i = 0; i < import_size(headers); i++) {
		const struct import_node h = import_item(headers, i);
		const char *value = import_text(&h);
		if (h.key && value && slice_is_nocase(h.key->text, "authorization") &&
			!strncasecmp(value, "bearer ", 7))
			set_secret(g, &h, alarm, "token", "custom");
		else
			import_tell(g->in, &h, IMPORT_DROPPED,
				"of headers only `Authorization: Bearer` can be set: token");
	}
}

static void take_custom(struct gatus *g, const struct import_node *custom)
{
	const struct import_node url = import_get(custom, "url"),
				 headers = import_get(custom, "headers");
	char *text = gatus_text(g, &url);
	json_t *alarm = json_object();
	import_answer(g->in, custom, custom_keys, array_len(custom_keys));
	if (text && import_is_bare(text)) {
		json_object_set_new(alarm, "webhook", json_string(text));
		import_tell(g->in, &url, IMPORT_CHANGED,
			"an alarm with a webhook: what is posted is docs/alarms.md's");
		take_custom_headers(g, &headers, alarm);
		import_alarm_add(g->in, json_incref(alarm));
		g->webhook = true;
	} else if (text) {
		import_tell(g->in, &url, IMPORT_DROPPED,
			"an address with a secret in it cannot stand in a configuration");
	}
	json_decref(alarm);
	free(text);
}

/* --- email ------------------------------------------------------------------------------------ */

static const struct import_answer mail_keys[] = {
	{"default-alert", IMPORT_DROPPED, "judge.confirm says for all when a state is believed"},
	{"overrides", IMPORT_DROPPED, "an alarm tells of all components"},
	{"client", IMPORT_DROPPED, "certificates of mail servers are always verified"},
};

static void tell_server(struct gatus *g, const struct import_node *mail, json_t *server)
{
	static const char *const carried[] = {"host", "port", "from", "to"};
	const struct import_node user = import_get(mail, "username"),
				 password = import_get(mail, "password"),
				 from = import_get(mail, "from");
	char *login = gatus_text(g, user.y ? &user : &from);
	for (size_t i = 0; i < array_len(carried); i++) {
		const struct import_node n = import_get(mail, carried[i]);
		import_tell(g->in, &n, IMPORT_CARRIED, "alarm email: mail, server");
	}
	if (login && import_is_line(login) && (user.y || password.y)) {
		json_object_set_new(server, "user", json_string(login));
		import_tell(g->in, &user, IMPORT_CARRIED, "alarm email: server.user");
		set_secret(g, &password, server, "password", "email");
	}
	free(login);
}

static void take_mail(struct gatus *g, const struct import_node *mail)
{
	const struct import_node to = import_get(mail, "to"), from = import_get(mail, "from"),
				 host = import_get(mail, "host"), port = import_get(mail, "port");
	char *all = gatus_text(g, &to), *sender = gatus_text(g, &from),
	     *name = gatus_text(g, &host);
	int64_t n = 587;
	import_whole(&port, &n);
	json_t *list = all ? import_addresses(all) : NULL;
	json_t *server = name && sender ? import_mail_server(name, n, n == 465, sender) : NULL;
	if (list && server) {
		import_answer(g->in, mail, mail_keys, array_len(mail_keys));
		tell_server(g, mail, server);
		import_alarm_add(g->in, json_pack("{s:O, s:O}", "mail", list, "server", server));
		g->mail = true;
	} else {
		import_tell(g->in, mail, IMPORT_DROPPED,
			"mail needs `host`, `from` and `to`, addresses of mail");
	}
	json_decref(list);
	json_decref(server);
	free(all);
	free(sender);
	free(name);
}

void gatus_alerting(struct gatus *g, const struct import_node *alerting)
{
	for (size_t i = 0; i < import_size(alerting); i++) {
		const struct import_node provider = import_item(alerting, i);
		if (provider.key && slice_is(provider.key->text, "custom"))
			take_custom(g, &provider);
		else if (provider.key && slice_is(provider.key->text, "email"))
			take_mail(g, &provider);
		else
			import_tell(g->in, &provider, IMPORT_DROPPED,
				"there are alarms by mail, webhook, Alertmanager and dead-man's switch: "
				"let one of them reach it");
	}
}

/* --- of an endpoint --------------------------------------------------------------------------- */

static const struct import_answer alert_keys[] = {
	{"failure-threshold", IMPORT_DROPPED, "judge.confirm says it for all probes"},
	{"success-threshold", IMPORT_DROPPED, "judge.confirm says it for all probes"},
	{"send-on-resolved", IMPORT_NEEDLESS, "the end is always told; `on` of the alarm"},
	{"description", IMPORT_DROPPED, "messages say what was seen"},
	{"minimum-reminder-interval", IMPORT_DROPPED, "a change is told once"},
	{"provider-override", IMPORT_DROPPED, "an alarm tells of all components"},
	{"enabled", IMPORT_DROPPED, "an alarm tells of all components"},
};

void gatus_alerts(struct gatus *g, const struct import_node *list)
{
	for (size_t i = 0; i < import_size(list); i++) {
		const struct import_node alert = import_item(list, i),
					 type = import_get(&alert, "type");
		const char *text = import_text(&type);
		const bool there = text && ((g->webhook && !strcmp(text, "custom")) ||
						   (g->mail && !strcmp(text, "email")));
		import_tell(g->in, &type, there ? IMPORT_CHANGED : IMPORT_DROPPED,
			there ? "the alarm tells of all components; say `components` there to have fewer"
			      : "there is no alarm of that kind");
		import_answer(g->in, &alert, alert_keys, array_len(alert_keys));
	}
}
