/*
 * kuma_notify.c - who is told by Uptime Kuma. The settings of a notification are JSON within a
 * text; two of its many types have an equivalent, and what else is in it is told in one note, for
 * it has one place.
 */

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "import/alarm.h"
#include "import/kuma_inside.h"

static bool take_webhook(
	struct kuma *k, const char *name, const json_t *settings, const struct import_node *config)
{
	const char *url = json_str(settings, "webhookURL");
	if (!url || !import_is_bare(url))
		return false;
	import_alarm_add(k->in, json_pack("{s:s, s:s}", "name", name, "webhook", url));
	import_tell(k->in, config, IMPORT_CHANGED,
		"alarm %s: webhook: what is posted is docs/alarms.md's; other headers and bodies are not "
		"carried",
		name);
	return true;
}

static bool take_mail(
	struct kuma *k, const char *name, const json_t *settings, const struct import_node *config)
{
	const char *host = json_str(settings, "smtpHost"), *to = json_str(settings, "smtpTo"),
		   *from = json_str(settings, "smtpFrom"),
		   *user = json_str(settings, "smtpUsername");
	json_t *list = to ? import_addresses(to) : NULL;
	json_t *server = host && from
				 ? import_mail_server(host, json_int(settings, "smtpPort", 587),
					   json_flag(settings, "smtpSecure"), from)
				 : NULL;
	if (!list || !server) {
		json_decref(list);
		json_decref(server);
		return false;
	}
	char *secret = import_secret(name, "password");
	if (user && import_is_line(user)) {
		json_object_set_new(server, "user", json_string(user));
		json_object_set_new(server, "password", json_string(secret));
	}
	import_alarm_add(
		k->in, json_pack("{s:s, s:o, s:o}", "name", name, "mail", list, "server", server));
	import_tell(k->in, config, IMPORT_CHANGED,
		"alarm %s: mail: put its password into %s (chmod 600); copies, subjects and templates are "
		"not carried",
		name, secret + strlen("file:"));
	free(secret);
	return true;
}

static void take(struct kuma *k, const struct import_node *item)
{
	static const struct import_answer keys[] = {
		{"id", IMPORT_NEEDLESS, "alarms go by their names"},
		{"userId", IMPORT_NEEDLESS, "alarms belong to nobody"},
		{"active", IMPORT_NEEDLESS, "what is configured is told"},
		{"isDefault", IMPORT_CHANGED, "an alarm tells of all components"},
		{"applyExisting", IMPORT_NEEDLESS, "an alarm tells of all components"},
	};
	const struct import_node name = import_get(item, "name"),
				 config = import_get(item, "config"),
				 active = import_get(item, "active");
	if (active.y && !import_flag(&active)) {
		import_tell(k->in, item, IMPORT_DROPPED, "it is switched off there");
		return;
	}
	json_t *settings = kuma_json(&config);
	const char *type = json_str(settings, "type");
	char *own = import_own_name(k->in, import_text(&name) ? import_text(&name) : "alarm");
	const bool taken =
		type && ((!strcmp(type, "webhook") && take_webhook(k, own, settings, &config)) ||
				(!strcmp(type, "smtp") && take_mail(k, own, settings, &config)));
	if (!taken)
		import_tell(k->in, item, IMPORT_DROPPED,
			"there are alarms by mail, webhook (without secrets in its address), "
			"Alertmanager and dead-man's switch: let one of them reach it");
	else {
		import_tell(k->in, &name, IMPORT_CARRIED, "alarm %s: name", own);
		import_answer(k->in, item, keys, array_len(keys));
	}
	free(own);
	json_decref(settings);
}

void kuma_notifications(struct kuma *k, const struct import_node *list)
{
	for (size_t i = 0; i < import_size(list); i++) {
		const struct import_node item = import_item(list, i);
		take(k, &item);
	}
}
