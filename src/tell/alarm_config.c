/*
 * alarm_config.c - one alarm's configuration, checked before anything changes, then copied.
 *
 * Addresses are the operators' own: loopback and http are fine. Secrets are borrowed, their text
 * is never copied.
 */
#include <string.h>

#include "net/mail_text.h"
#include "net/url.h"
#include "tell/alarm_inside.h"

static const char *const kinds[] = {
	[ALARM_WEBHOOK] = "webhook",
	[ALARM_ALERTMANAGER] = "alertmanager",
	[ALARM_MAIL] = "mail",
	[ALARM_DEADMAN] = "deadman",
};

const char *alarm_kind_name(enum alarm_kind kind)
{
	return kinds[kind];
}

char *alarm_default_name(const struct alarm *c)
{
	if (c->name && c->name[0])
		return mem_strdup(c->name);
	return mem_printf("%s %s", alarm_kind_name(c->kind),
		c->kind != ALARM_MAIL ? c->url
		: c->to && c->to[0]   ? c->to[0]
				      : "");
}

static bool check_mail(const struct alarm *c, const char *name, struct error *err)
{
	size_t n = 0;

	if (!c->mail.host || !mail_address_good(c->mail.from)) {
		error_set(err, ERROR_CONFIG,
			"alarm \"%s\" needs a mail server and an address to send from", name);
		return false;
	}
	for (; c->to && c->to[n]; n++)
		if (!mail_address_good(c->to[n])) {
			error_set(err, ERROR_CONFIG,
				"alarm \"%s\": \"%.100s\" is no address like ops@example.org", name,
				c->to[n]);
			return false;
		}
	if (n == 0 || n > MAIL_RECIPIENTS_MAX) {
		error_set(err, ERROR_CONFIG, "alarm \"%s\" needs 1 to %d addresses in `to`", name,
			MAIL_RECIPIENTS_MAX);
		return false;
	}
	if (c->mail.user && !mail_keeps_password(&c->mail)) {
		error_set(err, ERROR_CONFIG, "alarm \"%s\": a password is not sent without TLS",
			name);
		return false;
	}
	return true;
}

static bool check_one(const struct alarm *c, const char *name, struct error *err)
{
	struct url url;
	struct error why = {0};

	if (c->kind == ALARM_MAIL)
		return check_mail(c, name, err);
	if (url_parse(slice_of(c->url), &url, &why) &&
		(slice_is(url.scheme, "http") || slice_is(url.scheme, "https")))
		return true;
	error_set(err, ERROR_CONFIG, "alarm \"%s\": \"%.200s\" is no http or https address%s%.200s",
		name, c->url ? c->url : "", why.msg[0] ? ": " : "", why.msg);
	return false;
}

bool alarm_config_check(const struct alarm *list, size_t n, struct error *err)
{
	struct map names = {0};
	bool good = true;

	for (size_t i = 0; i < n && good; i++) {
		char *name = alarm_default_name(&list[i]);
		good = check_one(&list[i], name, err);
		if (good && map_put(&names, name, &names)) {
			error_set(err, ERROR_CONFIG,
				"two alarms are called \"%.200s\"; give them names", name);
			good = false;
		}
		free(name);
	}
	map_fini(&names);
	return good;
}

/* --- copies ------------------------------------------------------------------------------------
 */

static const char *const *copy_list(const char *const *list)
{
	size_t n = 0;
	char **copy;

	if (!list)
		return NULL;
	while (list[n])
		n++;
	copy = mem_new_array(n + 1, sizeof(*copy));
	for (size_t i = 0; i < n; i++)
		copy[i] = mem_strdup(list[i]);
	return (const char *const *)copy;
}

static void free_text(const char *s)
{
	free((void *)(uintptr_t)s);
}

static void free_list(const char *const *list)
{
	for (size_t i = 0; list && list[i]; i++)
		free_text(list[i]);
	free((void *)(uintptr_t)list);
}

void alarm_config_copy(struct alarm *to, const struct alarm *from)
{
	*to = *from;
	to->name = alarm_default_name(from);
	to->url = mem_strdup(from->url);
	to->to = copy_list(from->to);
	to->components = copy_list(from->components);
	to->mail.host = mem_strdup(from->mail.host);
	to->mail.user = mem_strdup(from->mail.user);
	to->mail.from = mem_strdup(from->mail.from);
	to->mail.ca_file = mem_strdup(from->mail.ca_file);
	if (!to->on)
		to->on = 1u << HEALTH_DEGRADED | 1u << HEALTH_OUTAGE | 1u << HEALTH_UNKNOWN |
			 ALARM_ON_RECOVERY;
	if (to->on & 1u << HEALTH_OPERATIONAL)
		to->on |= ALARM_ON_RECOVERY;
	if (to->every_ns <= 0)
		to->every_ns = 60 * NS_PER_S;
	if (to->fold_ns <= 0)
		to->fold_ns = 60 * NS_PER_S;
	if (to->kind == ALARM_ALERTMANAGER)
		to->fold_ns = 0; /* it groups by itself */
}

void alarm_config_fini(struct alarm *c)
{
	free_text(c->name);
	free_text(c->url);
	free_list(c->to);
	free_list(c->components);
	free_text(c->mail.host);
	free_text(c->mail.user);
	free_text(c->mail.from);
	free_text(c->mail.ca_file);
	memset(c, 0, sizeof(*c));
}
