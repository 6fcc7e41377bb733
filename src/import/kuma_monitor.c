/*
 * kuma_monitor.c - a monitor of Uptime Kuma is a probe of the kind its type says. A backup has
 * every key for every monitor, whatever its type: those that the type does not use are told as
 * such.
 */

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/vec.h"
#include "import/condition.h"
#include "import/kuma_inside.h"

#define INTERVAL_S 60

/* --- types ------------------------------------------------------------------------------------ */

static void host_and_port(struct kuma *k, struct import_probe *p, const struct import_node *item)
{
	const struct import_node host = import_get(item, "hostname"),
				 port = import_get(item, "port");
	char key[40];
	const char *name = import_text(&host);
	snprintf(key, sizeof(key), "%s.to", p->kind);
	import_carry(p, &host, key,
		json_sprintf(strchr(name, ':') ? "[%s]:%s" : "%s:%s", name,
			import_text(&port) ? import_text(&port) : "25"));
	import_tell(k->in, &port, IMPORT_CARRIED, "probe %s: %s", p->name, key);
}

static void icmp(struct kuma *k, struct import_probe *p, const struct import_node *item)
{
	const struct import_node host = import_get(item, "hostname"),
				 size = import_get(item, "packetSize"),
				 count = import_get(item, "ping_count");
	int64_t n;
	(void)k;
	import_carry_text(p, &host, "icmp.to");
	if (import_whole(&size, &n))
		import_carry(p, &size, "icmp.size", json_integer(n));
	if (import_whole(&count, &n) && n > 0 && n <= 100)
		import_carry(p, &count, "icmp.count", json_integer(n));
}

static void dns(struct kuma *k, struct import_probe *p, const struct import_node *item)
{
	const struct import_node host = import_get(item, "hostname"),
				 port = import_get(item, "port"),
				 type = import_get(item, "dns_resolve_type"),
				 server = import_get(item, "dns_resolve_server"),
				 conditions = import_get(item, "conditions");
	const char *names = import_text(&server);
	import_carry_text(p, &host, "dns.name");
	if (type.y)
		import_carry_text(p, &type, "dns.type");
	if (names) {
		const struct slice first =
			slice_trim(slice_sub(slice_of(names), 0, strcspn(names, ",")));
		const bool v6 = slice_find(first, ':') < first.n;
		char *to = mem_printf(v6 ? "[%.*s]:%s" : "%.*s:%s", SLICE_ARG(first),
			import_text(&port) ? import_text(&port) : "53");
		if (strchr(names, ','))
			import_change(p, &server, "dns.server", json_string(to),
				"the first of them: make a probe for each");
		else
			import_carry(p, &server, "dns.server", json_string(to));
		import_tell(k->in, &port, IMPORT_CARRIED, "probe %s: dns.server", p->name);
		free(to);
	}
	if (import_size(&conditions))
		import_tell(k->in, &conditions, IMPORT_DROPPED,
			"write them as `expect`: [BODY], [ANSWERS]");
}

static void push(struct kuma *k, struct import_probe *p, const struct import_node *item)
{
	const struct import_node token = import_get(item, "pushToken");
	(void)k;
	if (token.y)
		import_carry_secret(p, &token, "push.token", "token");
}

static void mail(struct kuma *k, struct import_probe *p, const struct import_node *item)
{
	const struct import_node security = import_get(item, "smtpSecurity");
	const char *word = import_text(&security);
	host_and_port(k, p, item);
	if (word && !strcmp(word, "secure"))
		import_carry(p, &security, "smtp.tls", json_true());
	else if (word && !strcmp(word, "starttls"))
		import_carry(p, &security, "smtp.starttls", json_true());
	else
		import_tell(k->in, &security, IMPORT_NEEDLESS, "TLS is not asked for");
}

static void websocket(struct kuma *k, struct import_probe *p, const struct import_node *item)
{
	const struct import_node protocol = import_get(item, "wsSubprotocol");
	(void)k;
	if (import_text(&protocol))
		import_carry_text(p, &protocol, "websocket.subprotocol");
}

static const struct type {
	const char *name, *kind;
	const char *needs; /* keys, with spaces between */
	void (*take)(struct kuma *k, struct import_probe *p, const struct import_node *item);
} types[] = {
	{"http", "http", "url", kuma_http},
	{"keyword", "http", "url keyword", kuma_http},
	{"json-query", "http", "url", kuma_http},
	{"port", "tcp", "hostname port", host_and_port},
	{"ping", "icmp", "hostname", icmp},
	{"dns", "dns", "hostname", dns},
	{"push", "push", "pushToken", push},
	{"smtp", "smtp", "hostname", mail},
	{"websocket-upgrade", "websocket", "url", websocket},
};

/* --- keys that belong to some types only ------------------------------------------------------ */

static const struct {
	const char *key, *types;
} uses[] = {
	{"url", "http keyword json-query websocket-upgrade"},
	{"method", "http keyword json-query"},
	{"headers", "http keyword json-query"},
	{"body", "http keyword json-query"},
	{"httpBodyEncoding", "http keyword json-query"},
	{"authMethod", "http keyword json-query"},
	{"basic_auth_user", "http keyword json-query"},
	{"basic_auth_pass", "http keyword json-query"},
	{"proxyId", "http keyword json-query"},
	{"maxredirects", "http keyword json-query"},
	{"accepted_statuscodes", "http keyword json-query"},
	{"ignoreTls", "http keyword json-query"},
	{"expiryNotification", "http keyword json-query"},
	{"domainExpiryNotification", "http keyword json-query port ping dns smtp"},
	{"cacheBust", "http keyword json-query"},
	{"oauth_client_id", "http keyword json-query"},
	{"oauth_client_secret", "http keyword json-query"},
	{"oauth_token_url", "http keyword json-query"},
	{"oauth_scopes", "http keyword json-query"},
	{"oauth_auth_method", "http keyword json-query"},
	{"oauth_audience", "http keyword json-query"},
	{"tlsCa", "http keyword json-query"},
	{"tlsCert", "http keyword json-query"},
	{"tlsKey", "http keyword json-query"},
	{"authDomain", "http keyword json-query"},
	{"authWorkstation", "http keyword json-query"},
	{"keyword", "keyword"},
	{"invertKeyword", "keyword"},
	{"jsonPath", "json-query"},
	{"jsonPathOperator", "json-query"},
	{"expectedValue", "json-query"},
	{"hostname", "port ping dns smtp"},
	{"port", "port dns smtp"},
	{"packetSize", "ping"},
	{"ping_count", "ping"},
	{"ping_numeric", "ping"},
	{"ping_per_request_timeout", "ping"},
	{"dns_resolve_type", "dns"},
	{"dns_resolve_server", "dns"},
	{"conditions", "dns"},
	{"pushToken", "push"},
	{"smtpSecurity", "smtp"},
	{"wsSubprotocol", "websocket-upgrade"},
	{"wsIgnoreSecWebsocketAcceptHeader", "websocket-upgrade"},
	{"timeout", "http keyword json-query ping smtp websocket-upgrade port dns"},
};

/* Keys of types that no probe is made of. */
static const char *const foreign[] = {"docker_container", "docker_host", "mqttUsername",
	"mqttPassword", "mqttTopic", "mqttSuccessMessage", "mqttCheckType", "mqttWebsocketPath",
	"databaseConnectionString", "databaseQuery", "grpcUrl", "grpcProtobuf", "grpcBody",
	"grpcMetadata", "grpcMethod", "grpcServiceName", "grpcEnableTls", "radiusUsername",
	"radiusPassword", "radiusCalledStationId", "radiusCallingStationId", "radiusSecret", "game",
	"gamedigGivenPortOnly", "kafkaProducerTopic", "kafkaProducerBrokers", "kafkaProducerSsl",
	"kafkaProducerAllowAutoTopicCreation", "kafkaProducerMessage", "kafkaProducerSaslOptions",
	"remote_browser", "snmpOid", "snmpVersion", "snmp_v3_username", "rabbitmqNodes",
	"rabbitmqUsername", "rabbitmqPassword", "manual_status", "location", "protocol",
	"system_service_name"};

static bool is_empty(const struct import_node *n)
{
	return (n->y->kind != YAML_SCALAR && !n->y->n) || yaml_is_null(n->y) ||
	       (n->y->kind == YAML_SCALAR && !n->y->text.n);
}

/* Of what the type does not use, and of what says nothing. */
static void tell_unused(struct kuma *k, const struct import_node *item, const char *type)
{
	for (size_t i = 0; i < array_len(uses); i++) {
		const struct import_node n = import_get(item, uses[i].key);
		if (!n.y)
			continue;
		if (!slice_in_words(slice_of(type), uses[i].types))
			import_tell(k->in, &n, IMPORT_NEEDLESS,
				"a monitor of type %s does not use it", type);
		else if (is_empty(&n))
			import_tell(k->in, &n, IMPORT_NEEDLESS, "it is empty");
	}
	for (size_t i = 0; i < array_len(foreign); i++) {
		const struct import_node n = import_get(item, foreign[i]);
		import_tell(
			k->in, &n, IMPORT_NEEDLESS, "a monitor of type %s does not use it", type);
	}
}

/* --- what all have ---------------------------------------------------------------------------- */

static const struct import_answer common[] = {
	{"id", IMPORT_NEEDLESS, "probes go by their names"},
	{"userId", IMPORT_NEEDLESS, "probes belong to nobody"},
	{"user_id", IMPORT_NEEDLESS, "probes belong to nobody"},
	{"active", IMPORT_NEEDLESS, "what is configured is asked"},
	{"forceInactive", IMPORT_NEEDLESS, "what is configured is asked"},
	{"weight", IMPORT_NEEDLESS, "probes stand in the order of their names"},
	{"maintenance", IMPORT_NEEDLESS, "a state, not a setting"},
	{"dns_last_result", IMPORT_NEEDLESS, "what was seen there stays there"},
	{"screenshot", IMPORT_NEEDLESS, "what was seen there stays there"},
	{"childrenIDs", IMPORT_NEEDLESS, "`parent` of the others says it"},
	{"path", IMPORT_NEEDLESS, "`parent` says it"},
	{"pathName", IMPORT_NEEDLESS, "`parent` says it"},
	{"includeSensitiveData", IMPORT_NEEDLESS, "a flag of the backup"},
	{"retryOnlyOnStatusCodeFailure", IMPORT_DROPPED, "an attempt is repeated whatever failed"},
	{"ipFamily", IMPORT_DROPPED, "say `family` of the probe"},
};

/* Told of only where it says something. */
static const struct import_answer when_said[] = {
	{"description", IMPORT_DROPPED, "a probe has no text for people"},
	{"tags", IMPORT_DROPPED, "probes have no tags"},
	{"notificationIDList", IMPORT_CHANGED, "the alarms tell of all components"},
	{"resendInterval", IMPORT_DROPPED, "a change is told once"},
};

static void take_retries(struct kuma *k, struct import_probe *p, const struct import_node *item)
{
	const struct import_node retries = import_get(item, "maxretries"),
				 pause = import_get(item, "retryInterval");
	int64_t n = 0;
	if (import_whole(&retries, &n) && n >= 0 && n <= 9)
		import_carry(p, &retries, "tries", json_integer(n + 1));
	else if (n > 9)
		import_change(p, &retries, "tries", json_integer(10), "10 is the most");
	import_tell(k->in, &pause, n > 0 ? IMPORT_CHANGED : IMPORT_NEEDLESS,
		n > 0 ? "attempts of a run follow 1 s after each other (`pause`)"
		      : "nothing is tried again");
}

static void take_parent(struct kuma *k, struct import_probe *p, const struct import_node *item)
{
	const struct import_node parent = import_get(item, "parent");
	const char *wanted = import_text(&parent);
	for (size_t i = 0; wanted && i < import_size(k->monitors); i++) {
		const struct import_node other = import_item(k->monitors, i),
					 id = import_get(&other, "id"),
					 name = import_get(&other, "name");
		if (!import_text(&id) || strcmp(import_text(&id), wanted) != 0 ||
			!import_text(&name))
			continue;
		import_carry(p, &parent, "group", json_string(import_text(&name)));
		return;
	}
	import_tell(k->in, &parent, wanted ? IMPORT_DROPPED : IMPORT_NEEDLESS,
		wanted ? "there is no such group" : "it is in no group");
}

static void take_times(struct kuma *k, struct import_probe *p, const struct import_node *item)
{
	const struct import_node interval = import_get(item, "interval"),
				 timeout = import_get(item, "timeout");
	int64_t every = INTERVAL_S, n;
	if (import_whole(&interval, &n) && n > 0) {
		every = n < IMPORT_EVERY_MAX_S ? n : IMPORT_EVERY_MAX_S;
		import_carry_every(p, &interval, n < 1000000000 ? n * NS_PER_S : INT64_MAX);
	} else {
		import_set_time(p, "every", INTERVAL_S * NS_PER_S);
	}
	if (!strcmp(p->kind, "push"))
		return;
	if (import_whole(&timeout, &n) && n > 0 && n < 1000000)
		import_carry_timeout(p, &timeout, n * NS_PER_S);
	else /* as it was before there was a key for it */
		import_set_time(p, "timeout",
			every * 4 / 5 < 3600 ? every * NS_PER_S * 4 / 5 : 3600 * NS_PER_S);
	(void)k;
}

static void take_common(struct kuma *k, struct import_probe *p, const struct import_node *item)
{
	const struct import_node name = import_get(item, "name"), type = import_get(item, "type");
	import_tell(k->in, &name, IMPORT_CARRIED,
		"probe %s: name; no page shows it before it has a `component`", p->name);
	import_tell(k->in, &type, IMPORT_CARRIED, "probe %s: %s", p->name, p->kind);
	take_times(k, p, item);
	take_retries(k, p, item);
	take_parent(k, p, item);
	import_answer(k->in, item, common, array_len(common));
	for (size_t i = 0; i < array_len(when_said); i++) {
		const struct import_node n = import_get(item, when_said[i].key);
		const bool said = n.y && !is_empty(&n) &&
				  (n.y->kind != YAML_SCALAR || strcmp(n.y->text.p, "0") != 0);
		import_tell(k->in, &n, said ? when_said[i].fate : IMPORT_NEEDLESS, "%s",
			said ? when_said[i].why : "it says nothing");
	}
}

/* --- a monitor -------------------------------------------------------------------------------- */

static const struct type *type_of(const char *name)
{
	for (size_t i = 0; name && i < array_len(types); i++)
		if (!strcmp(types[i].name, name))
			return &types[i];
	return NULL;
}

/* Types no kind of probe stands for, and what a probe of kind exec would run. */
static const struct {
	const char *type, *why;
} instead[] = {
	{"docker",
		"no probe asks a Docker daemon, since who may do that commands its whole machine: ask "
		"what runs in the container (http, tcp); or, with a user who may, a probe of kind exec, "
		"run: [docker, inspect, --format, \"{{.State.Running}}\", CONTAINER], expect: "
		"\"[OUTPUT] == re(^true)\""},
	{"mqtt",
		"no probe speaks MQTT: a tcp probe says whether the broker's port is there; a probe of "
		"kind exec whether a message comes, run: [mosquitto_sub, -h, HOST, -t, TOPIC, -C, "
		"\"1\", -W, \"10\"], expect: \"[OUTPUT] == re(...)\""},
};

static const char *why_no_kind(const char *type)
{
	for (size_t i = 0; type && i < array_len(instead); i++)
		if (!strcmp(instead[i].type, type))
			return instead[i].why;
	return "there is no kind of probe for it: an exec probe runs a program that asks, a tcp "
	       "probe says whether its port is there";
}

/* Those whose failures conditions can expect. */
static const char upside_kinds[] = "http tcp icmp";

static void turn_over(struct import_probe *p, const struct import_node *upside_down)
{
	const json_t *now = json_object_get(p->json, "expect"), *one;
	VEC(const char *) list = {0};
	size_t i;
	json_array_foreach ((json_t *)now, i, one)
		vec_push(&list, json_string_value(one));
	char *condition = condition_upside_down(list.p, list.n);
	struct error err = {0};
	if (condition_check(p->kind, condition, &err))
		import_change(p, upside_down, "expect", json_pack("[s]", condition),
			"it must not be reached, or not be as it is expected else");
	else
		import_tell(p->in, upside_down, IMPORT_DROPPED, "%s", err.msg);
	free(condition);
	vec_fini(&list);
}

/* Why there is no probe of it; NULL: there can be one. */
static const char *why_not(const struct import_node *item, const struct type *t)
{
	const struct import_node active = import_get(item, "active"),
				 off = import_get(item, "forceInactive"),
				 upside_down = import_get(item, "upsideDown");
	if (active.y && !import_flag(&active))
		return "it is switched off there";
	if (import_flag(&off))
		return "its group is switched off there";
	if (t && import_flag(&upside_down) && !slice_in_words(slice_of(t->kind), upside_kinds))
		return "upside down: what should fail cannot be said of a probe of its kind";
	if (!t) {
		const struct import_node type = import_get(item, "type");
		return why_no_kind(import_text(&type));
	}
	struct slice rest = slice_of(t->needs), key;
	while (slice_next(&rest, ' ', &key)) {
		char *name = slice_dup(key);
		const struct import_node n = import_get(item, name);
		const bool there = import_text(&n) && *import_text(&n);
		free(name);
		if (!there)
			return "what it is to ask is not there";
	}
	return NULL;
}

static bool is_group(struct kuma *k, const struct import_node *item, const char *type)
{
	if (!type || strcmp(type, "group") != 0)
		return false;
	import_tell(
		k->in, item, IMPORT_CHANGED, "the group of the probes that name it as `parent`");
	return true;
}

void kuma_monitor(struct kuma *k, const struct import_node *item)
{
	const struct import_node type = import_get(item, "type"), name = import_get(item, "name"),
				 url = import_get(item, "url");
	const struct type *t = type_of(import_text(&type));
	if (is_group(k, item, import_text(&type)))
		return;
	const char *why = why_not(item, t);
	if (why) {
		import_tell(k->in, item, IMPORT_DROPPED, "%s", why);
		return;
	}
	struct import_probe p =
		import_probe_new(k->in, t->kind, import_text(&name) ? import_text(&name) : t->name);
	const bool addressed = slice_in_words(SLICE("url"), t->needs);
	char key[40];
	snprintf(key, sizeof(key), "%s.url", t->kind);
	if (addressed && !import_carry_url(&p, &url, key, import_text(&url))) {
		import_tell(k->in, item, IMPORT_DROPPED, "without an address there is no probe");
		import_probe_abandon(&p);
		return;
	}
	take_common(k, &p, item);
	t->take(k, &p, item);
	const struct import_node upside_down = import_get(item, "upsideDown");
	if (import_flag(&upside_down))
		turn_over(&p, &upside_down);
	else
		import_tell(k->in, &upside_down, IMPORT_NEEDLESS, "it is not upside down");
	tell_unused(k, item, t->name);
	const struct import_node id = import_get(item, "id");
	if (import_probe_add(&p, item) && import_text(&id))
		map_put(&k->probes, import_text(&id), (char *)(uintptr_t)p.name);
}
