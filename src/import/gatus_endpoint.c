/*
 * gatus_endpoint.c - an endpoint of Gatus is a probe: the scheme of its address says of which kind.
 */

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "import/gatus_inside.h"
#include "import/variable.h"

#define INTERVAL_NS (60 * NS_PER_S) /* unless said otherwise there */
#define TIMEOUT_NS  (10 * NS_PER_S)

/* --- what it is ------------------------------------------------------------------------------- */

static const struct scheme {
	const char *scheme, *kind, *target; /* target NULL: it is an address as it stands */
} schemes[] = {
	{"http://", "http", NULL},
	{"https://", "http", NULL},
	{"ws://", "websocket", NULL},
	{"wss://", "websocket", NULL},
	{"tcp://", "tcp", "to"},
	{"udp://", "udp", "to"},
	{"icmp://", "icmp", "to"},
	{"tls://", "tls", "to"},
	{"starttls://", "tls", "to"},
	{"ssh://", "ssh", "to"},
	{"grpc://", "grpc", "to"},
	{"grpcs://", "grpc", "to"},
};

static const struct scheme *scheme_of(const char *url)
{
	for (size_t i = 0; i < array_len(schemes); i++)
		if (!strncmp(url, schemes[i].scheme, strlen(schemes[i].scheme)))
			return &schemes[i];
	return NULL;
}

/* "host:port" alone of an address, with the port the kind has when it names none. */
static char *target_of(const char *url, const struct scheme *s)
{
	struct slice rest = slice_of(url + strlen(s->scheme));
	rest = slice_sub(rest, 0, strcspn(rest.p, "/?#"));
	char *bare = slice_dup(rest);
	const char *colon = strrchr(bare, ':');
	const bool has_port =
		colon && !strchr(colon, ']') && (strchr(bare, ':') == colon || *bare == '[');
	if (strcmp(s->kind, "ssh") != 0 || has_port)
		return bare;
	char *with = mem_printf("%s:22", bare);
	free(bare);
	return with;
}

static void take_target(struct import_probe *p, const struct import_node *url, const char *text,
	const struct scheme *s)
{
	char key[40];
	char *target = target_of(text, s);
	snprintf(key, sizeof(key), "%s.%s", s->kind, s->target);
	import_carry(p, url, key, json_string(target));
	if (!strcmp(s->scheme, "starttls://"))
		import_set(p, "tls.starttls", json_string("smtp"));
	if (!strcmp(s->scheme, "grpcs://"))
		import_set(p, "grpc.tls", json_true());
	free(target);
}

/* --- its keys --------------------------------------------------------------------------------- */

static void take_headers(struct gatus *g, struct import_probe *p, const struct import_node *headers)
{
	const bool can = !strcmp(p->kind, "http") || !strcmp(p->kind, "websocket");
	for (size_t i = 0; i < import_size(headers); i++) {
		const struct import_node h = import_item(headers, i);
		const char *text = import_text(&h);
		struct variables v;
		if (!text || !h.key)
			continue;
		if (!can) {
			import_tell(g->in, &h, IMPORT_NEEDLESS,
				"a probe of kind %s sends no headers", p->kind);
			continue;
		}
		char *value = variables_expand(text, &v);
		import_carry_header(p, &h, h.key->text.p, value, v.missing ? v.only : NULL);
		if (v.missing && !v.only && !import_is_secret(h.key->text.p))
			import_tell(g->in, &h, IMPORT_CHANGED,
				"it names a variable that is not set here: write its value");
		variables_fini(&v);
		free(value);
	}
}

static void take_body(struct gatus *g, struct import_probe *p, const struct import_node *body)
{
	char *text = gatus_text(g, body);
	if (!text)
		return;
	if (import_is_secret(text))
		import_tell(g->in, body, IMPORT_DROPPED,
			"it may hold a secret, which a configuration must not: write it in yourself");
	else if (strstr(text, "[ENDPOINT_") || strstr(text, "[RANDOM_STRING_"))
		import_tell(
			g->in, body, IMPORT_DROPPED, "placeholders in it are not filled in here");
	else if (!strcmp(p->kind, "http"))
		import_carry(p, body, "http.body", json_string(text));
	else if (!strcmp(p->kind, "tcp")) {
		import_set(p, "tcp.talk", json_pack("[{s:s}]", "send", text));
		import_tell(g->in, body, IMPORT_CARRIED, "probe %s: tcp.talk", p->name);
	} else if (!strcmp(p->kind, "udp"))
		import_carry(p, body, "udp.send", json_string(text));
	else if (!strcmp(p->kind, "websocket"))
		import_carry(p, body, "websocket.send", json_string(text));
	else
		import_tell(
			g->in, body, IMPORT_DROPPED, "a probe of kind %s sends nothing", p->kind);
	free(text);
}

static void take_method(struct gatus *g, struct import_probe *p, const struct import_node *endpoint)
{
	const struct import_node method = import_get(endpoint, "method"),
				 graphql = import_get(endpoint, "graphql");
	if (!strcmp(p->kind, "http")) {
		import_carry_text(p, &method, "http.method");
		import_tell(g->in, &graphql,
			import_flag(&graphql) ? IMPORT_DROPPED : IMPORT_NEEDLESS,
			"a body is sent as it stands: put it into {\"query\": ...} yourself");
		return;
	}
	import_tell(g->in, &method, IMPORT_NEEDLESS, "a probe of kind %s has no method", p->kind);
	import_tell(g->in, &graphql, IMPORT_NEEDLESS, "a probe of kind %s has no body", p->kind);
}

static const struct import_answer ssh_keys[] = {
	{"username", IMPORT_DROPPED,
		"an ssh probe looks at the banner and the host key, and does not log in"},
	{"password", IMPORT_DROPPED,
		"an ssh probe looks at the banner and the host key, and does not log in"},
	{"private-key", IMPORT_DROPPED,
		"an ssh probe looks at the banner and the host key, and does not log in"},
};

/* --- its client ------------------------------------------------------------------------------- */

static const struct import_answer client_keys[] = {
	{"dns-resolver", IMPORT_DROPPED, "names are resolved as this machine does it"},
	{"oauth2", IMPORT_DROPPED,
		"no tokens are fetched: what needs one will refuse, or needs a header"},
	{"identity-aware-proxy", IMPORT_DROPPED, "no tokens are fetched"},
	{"kerberos", IMPORT_DROPPED, "there is no log-in by Kerberos"},
	{"tunnel", IMPORT_DROPPED, "probes do not go through SSH tunnels"},
};

static bool has_tls(const struct import_probe *p)
{
	static const char with[] = "http tcp tls websocket grpc smtp imap";
	return slice_in_words(slice_of(p->kind), with);
}

static void take_network(struct gatus *g, struct import_probe *p, const struct import_node *network)
{
	const char *text = import_text(network);
	if (!text)
		return;
	if (!strcmp(text, "ip4") || !strcmp(text, "ip6"))
		import_carry(p, network, "family", json_string(text[2] == '4' ? "ipv4" : "ipv6"));
	else
		import_tell(g->in, network, IMPORT_NEEDLESS, "either family is the default");
}

static void take_proxy(struct gatus *g, struct import_probe *p, const struct import_node *proxy)
{
	char *text = gatus_text(g, proxy);
	if (text && (strcmp(p->kind, "http") != 0 || strchr(text, '@')))
		import_tell(g->in, proxy, IMPORT_DROPPED,
			"only http goes through a proxy, and only without a password");
	else if (text)
		import_carry(p, proxy, "http.proxy", json_string(text));
	free(text);
}

static void take_certificate(struct import_probe *p, const struct import_node *client)
{
	static const struct import_answer keys[] = {
		{"renegotiation", IMPORT_DROPPED, "connections are not renegotiated"},
	};
	const struct import_node tls = import_get(client, "tls"),
				 cert = import_get(&tls, "certificate-file"),
				 key = import_get(&tls, "private-key-file");
	const bool can = !strcmp(p->kind, "http") || !strcmp(p->kind, "tls");
	char name[40];
	import_answer(p->in, &tls, keys, array_len(keys));
	if (!can)
		return;
	snprintf(name, sizeof(name), "%s.cert", p->kind);
	if (cert.y)
		import_carry_text(p, &cert, name);
	snprintf(name, sizeof(name), "%s.key", p->kind);
	if (key.y)
		import_carry_text(p, &key, name);
}

static void take_client(struct gatus *g, struct import_probe *p, const struct import_node *client)
{
	const struct import_node insecure = import_get(client, "insecure"),
				 redirects = import_get(client, "ignore-redirect"),
				 timeout = import_get(client, "timeout"),
				 network = import_get(client, "network"),
				 proxy = import_get(client, "proxy-url");
	char key[40];
	int64_t ns;
	snprintf(key, sizeof(key), "%s.verify", p->kind);
	if (has_tls(p))
		import_carry_flag_not(p, &insecure, key);
	else
		import_tell(g->in, &insecure, IMPORT_NEEDLESS, "a probe of kind %s has no TLS",
			p->kind);
	if (redirects.y && import_flag(&redirects) && !strcmp(p->kind, "http"))
		import_carry(p, &redirects, "http.redirects", json_integer(0));
	else
		import_tell(g->in, &redirects, IMPORT_NEEDLESS, "http follows up to 10");
	if (import_time(&timeout, &ns))
		import_carry_timeout(p, &timeout, ns);
	take_network(g, p, &network);
	take_proxy(g, p, &proxy);
	take_certificate(p, client);
	import_answer(g->in, client, client_keys, array_len(client_keys));
}

/* --- what customers see ----------------------------------------------------------------------- */

static const struct import_answer ui_keys[] = {
	{"hide-conditions", IMPORT_NEEDLESS, "conditions are the operators' to see"},
	{"hide-hostname", IMPORT_NEEDLESS, "addresses are the operators' to see"},
	{"hide-url", IMPORT_NEEDLESS, "addresses are the operators' to see"},
	{"hide-port", IMPORT_NEEDLESS, "addresses are the operators' to see"},
	{"hide-errors", IMPORT_NEEDLESS, "what failed exactly is the operators' to see"},
	{"dont-resolve-failed-conditions", IMPORT_NEEDLESS, "values are the operators' to see"},
	{"resolve-successful-conditions", IMPORT_DROPPED,
		"values are told of conditions that fail"},
	{"badge", IMPORT_DROPPED, "badges have colours of their own"},
};

static const struct import_answer endpoint_keys[] = {
	{"extra-labels", IMPORT_DROPPED, "metrics have the labels of docs/metrics.md"},
};

/* In suites they mean something; there are no others. */
static const struct import_answer suite_keys[] = {
	{"store", IMPORT_NEEDLESS, "it is in no suite"},
	{"always-run", IMPORT_NEEDLESS, "it is in no suite"},
};

static const struct import_answer suite_endpoint_keys[] = {
	{"store", IMPORT_DROPPED, "values do not go from one probe to another"},
	{"interval", IMPORT_NEEDLESS, "that of the suite counts"},
	{"group", IMPORT_NEEDLESS, "that of the suite counts"},
};

/* A component is one for all who name it: of equal names the second gets its group in front. */
char *gatus_component(struct gatus *g, const char *text, const char *group)
{
	const bool taken = map_get(&g->components, text) != NULL;
	char *name = taken && group ? mem_printf("%s %s", group, text) : mem_strdup(text);
	map_put(&g->components, name, g);
	return name;
}

static void take_names(struct gatus *g, struct import_probe *p, const struct import_node *name,
	const char *text, const struct import_node *group, const char *heading)
{
	char *component = gatus_component(g, text, heading);
	const bool other = strcmp(component, text) != 0;
	if (other || strcmp(text, p->name) != 0)
		import_tell(g->in, name, other ? IMPORT_CHANGED : IMPORT_CARRIED,
			"probe %s: component: %s", p->name,
			other ? "with its group, for there is one of that name" : "its name");
	else
		import_tell(g->in, name, IMPORT_CARRIED, "probe %s: name, component", p->name);
	import_set(p, "component", json_string(component));
	if (heading)
		import_carry(p, group, "group", json_string(heading));
	free(component);
}

/* A suite is one component; its probes come after each other. */
static void take_suite(struct gatus *g, struct import_probe *p, const struct import_node *item)
{
	const struct import_node name = import_get(item, "name"),
				 always = import_get(item, "always-run");
	const bool some = json_array_size(g->suite->before) > 0, runs = import_flag(&always);
	import_tell(g->in, &name, IMPORT_CARRIED, "probe %s: name", p->name);
	import_set(p, "component", json_string(g->suite->component));
	if (g->suite->group)
		import_set(p, "group", json_string(g->suite->group));
	if (some && !runs)
		import_set(p, "after", json_copy(g->suite->before));
	if (some)
		import_tell(g->in, &always, IMPORT_CARRIED, "probe %s: %s", p->name,
			runs ? "without `after`" : "after");
	else
		import_tell(g->in, &always, IMPORT_NEEDLESS, "no probe comes before it");
	import_answer(g->in, item, suite_endpoint_keys, array_len(suite_endpoint_keys));
}

bool gatus_is_on(const struct import_node *item)
{
	const struct import_node enabled = import_get(item, "enabled");
	return !enabled.y || import_flag(&enabled);
}

static void skip(struct gatus *g, const struct import_node *item, const char *why)
{
	import_tell(g->in, item, IMPORT_DROPPED, "%s", why);
}

/* --- endpoints -------------------------------------------------------------------------------- */

static struct import_probe begin(
	struct gatus *g, const struct import_node *item, const char *kind, const char *name)
{
	static const struct import_answer enabled[] = {
		{"enabled", IMPORT_NEEDLESS, "what is configured is asked"}};
	const struct import_node group = import_get(item, "group"), it = import_get(item, "name");
	char *heading = g->suite ? mem_strdup(g->suite->group) : gatus_text(g, &group);
	const char *in = g->suite ? g->suite->name : NULL;
	char *wanted = mem_printf("%s%s%s%s%s", heading ? heading : "", heading ? "_" : "",
		in ? in : "", in ? "_" : "", name);
	struct import_probe p = import_probe_new(g->in, kind, wanted);
	if (g->suite) {
		take_suite(g, &p, item);
	} else {
		take_names(g, &p, &it, name, &group, heading);
		import_answer(g->in, item, suite_keys, array_len(suite_keys));
	}
	import_answer(g->in, item, enabled, array_len(enabled));
	free(wanted);
	free(heading);
	return p;
}

/* And what is known of it once it is there. */
static void add(struct gatus *g, struct import_probe *p, const struct import_node *item)
{
	if (!import_probe_add(p, item))
		return;
	gatus_windows(g, item, p);
	if (g->suite)
		json_array_append_new(g->suite->before, json_string(p->name));
}

static void take_dns(struct gatus *g, struct import_probe *p, const struct import_node *dns,
	const struct import_node *url, const char *server)
{
	const struct import_node name = import_get(dns, "query-name"),
				 type = import_get(dns, "query-type");
	char *text = gatus_text(g, &name);
	if (text && *text && text[strlen(text) - 1] == '.')
		text[strlen(text) - 1] = '\0'; /* names are whole here anyway */
	import_carry(p, &name, "dns.name", json_string(text ? text : "."));
	if (type.y)
		import_carry_text(p, &type, "dns.type");
	import_carry(p, url, "dns.server", json_string(server));
	free(text);
}

static void take_rest(struct gatus *g, struct import_probe *p, const struct import_node *item)
{
	const struct import_node interval = import_get(item, "interval"),
				 conditions = import_get(item, "conditions"),
				 headers = import_get(item, "headers"),
				 body = import_get(item, "body"),
				 client = import_get(item, "client"), ui = import_get(item, "ui"),
				 ssh = import_get(item, "ssh"), alerts = import_get(item, "alerts");
	int64_t ns;
	import_set_time(p, "every", g->suite ? g->suite->every_ns : INTERVAL_NS);
	import_set_time(p, "timeout", TIMEOUT_NS);
	if (!g->suite && import_time(&interval, &ns)) {
		import_carry_every(p, &interval, ns);
		if (ns < TIMEOUT_NS)
			import_set_time(p, "timeout", ns < NS_PER_S ? NS_PER_S : ns);
	}
	take_method(g, p, item);
	take_headers(g, p, &headers);
	take_body(g, p, &body);
	take_client(g, p, &client);
	gatus_conditions(g, p, &conditions);
	gatus_alerts(g, &alerts);
	import_answer(g->in, &ssh, ssh_keys, array_len(ssh_keys));
	import_answer(g->in, &ui, ui_keys, array_len(ui_keys));
	import_answer(g->in, item, endpoint_keys, array_len(endpoint_keys));
}

void gatus_endpoint(struct gatus *g, const struct import_node *item)
{
	const struct import_node name = import_get(item, "name"), url = import_get(item, "url"),
				 dns = import_get(item, "dns");
	if (!import_text(&name) || !import_text(&url)) {
		skip(g, item, "an endpoint needs `name` and `url`");
		return;
	}
	if (!gatus_is_on(item)) {
		skip(g, item, "it is switched off there");
		return;
	}
	char *address = gatus_text(g, &url), *text = gatus_text(g, &name);
	const struct import_node query = import_get(&dns, "query-name");
	const struct scheme *s = address && !dns.y ? scheme_of(address) : NULL;
	if (!address || !text || (dns.y && !import_text(&query)) || (!dns.y && !s)) {
		skip(g, item,
			!address || !text
				? "it cannot be asked without its variables: set them and "
				  "import again"
			: dns.y ? "a dns probe needs `query-name`"
				: "there is no kind of probe for that scheme");
		free(address);
		free(text);
		return;
	}
	struct import_probe p = begin(g, item, dns.y ? "dns" : s->kind, text);
	bool good = true;
	if (dns.y)
		take_dns(g, &p, &dns, &url, address);
	else if (s->target)
		take_target(&p, &url, address, s);
	else
		good = import_carry_url(
			&p, &url, !strcmp(s->kind, "http") ? "http.url" : "websocket.url", address);
	if (good) {
		take_rest(g, &p, item);
		add(g, &p, item);
	} else {
		skip(g, item, "without an address there is no probe");
		import_probe_abandon(&p);
	}
	free(address);
	free(text);
}

/* --- external endpoints ----------------------------------------------------------------------- */

static void take_token(struct gatus *g, struct import_probe *p, const struct import_node *token)
{
	struct variables v;
	free(variables_expand(import_text(token), &v));
	if (v.only) {
		json_object_set_new(p->map, "token", json_sprintf("env:%s", v.only));
		import_tell(g->in, token, IMPORT_CARRIED, "probe %s: push.token: env:%s", p->name,
			v.only);
	} else {
		import_carry_secret(p, token, "push.token", "token");
	}
	variables_fini(&v);
}

void gatus_external(struct gatus *g, const struct import_node *item)
{
	const struct import_node name = import_get(item, "name"), token = import_get(item, "token"),
				 heartbeat = import_get(item, "heartbeat"),
				 interval = import_get(&heartbeat, "interval"),
				 alerts = import_get(item, "alerts");
	int64_t ns;
	if (!import_text(&name) || !import_text(&token)) {
		skip(g, item, "an external endpoint needs `name` and `token`");
		return;
	}
	if (!gatus_is_on(item)) {
		skip(g, item, "it is switched off there");
		return;
	}
	char *text = gatus_text(g, &name);
	if (!text)
		return;
	struct import_probe p = begin(g, item, "push", text);
	take_token(g, &p, &token);
	if (import_time(&interval, &ns)) {
		import_carry_every(&p, &interval, ns);
	} else {
		import_set_time(&p, "every", IMPORT_EVERY_MAX_S * NS_PER_S);
		import_tell(g->in, &name, IMPORT_CHANGED,
			"probe %s: every: nothing was expected without `heartbeat`; here a push is missed "
			"after 7 days",
			p.name);
	}
	gatus_alerts(g, &alerts);
	import_answer(g->in, item, endpoint_keys, array_len(endpoint_keys));
	add(g, &p, item);
	free(text);
}
