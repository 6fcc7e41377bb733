/* blackbox_module.c - a module of blackbox_exporter as a probe that lacks its target. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import/blackbox_inside.h"
#include "import/condition.h"

/* --- what several probers share --------------------------------------------------------------- */

void blackbox_family(struct import_probe *p, const struct import_node *options)
{
	const struct import_node family = import_get(options, "preferred_ip_protocol"),
				 fallback = import_get(options, "ip_protocol_fallback");
	const char *text = import_text(&family);
	const bool alone = fallback.y && !import_flag(&fallback);
	if (alone) {
		const char *word = text && !strcmp(text, "ip4") ? "ipv4" : "ipv6";
		import_set(p, "family", json_string(word));
		import_tell(p->in, &family, IMPORT_CARRIED, "probe %s: family", p->name);
		import_tell(p->in, &fallback, IMPORT_CARRIED, "probe %s: family", p->name);
		return;
	}
	import_tell(p->in, &family, IMPORT_CHANGED,
		"either family, as the system prefers; `family: both` makes a probe of each");
	import_tell(p->in, &fallback, IMPORT_NEEDLESS, "either family is the default");
}

void blackbox_tls(struct import_probe *p, const struct import_node *config)
{
	static const struct import_answer keys[] = {
		{"min_version", IMPORT_DROPPED, "say `minimum` of a probe of kind tls"},
		{"max_version", IMPORT_DROPPED, "there is no highest version"},
		{"ca", IMPORT_DROPPED, "put it into a file, and say `ca`"},
		{"cert", IMPORT_DROPPED, "put it into a file, and say `cert`"},
		{"key", IMPORT_DROPPED, "put it into a file, and say `key`"},
		{"ca_ref", IMPORT_DROPPED, "put it into a file, and say `ca`"},
		{"cert_ref", IMPORT_DROPPED, "put it into a file, and say `cert`"},
		{"key_ref", IMPORT_DROPPED, "put it into a file, and say `key`"},
	};
	static const struct {
		const char *there, *here, *kinds;
	} texts[] = {{"ca_file", "ca", "http tcp grpc websocket"}, {"cert_file", "cert", "http"},
		{"key_file", "key", "http"}, {"server_name", "name", "tcp grpc"}};
	const struct import_node insecure = import_get(config, "insecure_skip_verify");
	char key[40];
	snprintf(key, sizeof(key), "%s.verify", p->kind);
	import_carry_flag_not(p, &insecure, key);
	for (size_t i = 0; i < array_len(texts); i++) {
		const struct import_node n = import_get(config, texts[i].there);
		snprintf(key, sizeof(key), "%s.%s", p->kind, texts[i].here);
		if (n.y && slice_in_words(slice_of(p->kind), texts[i].kinds))
			import_carry_text(p, &n, key);
		else
			import_tell(p->in, &n, IMPORT_DROPPED, "a probe of kind %s has no `%s`",
				p->kind, texts[i].here);
	}
	import_answer(p->in, config, keys, array_len(keys));
}

static void talk(struct import_probe *p, json_t *list, const struct import_node *n, const char *key,
	json_t *value)
{
	json_array_append_new(list, json_pack("{s:o}", key, value));
	import_tell(p->in, n, IMPORT_CARRIED, "probe %s: %s.talk: %s", p->name, p->kind, key);
}

/* The exporter looks at line after line, without its end. "^+OK", the greeting of POP3 as many have
 * it, repeats the beginning of a line: it is taken for what it was meant to be. */
static void take_expect(struct import_probe *p, json_t *list, const struct import_node *n)
{
	const char *text = import_text(n);
	if (!text)
		return;
	const char *lines = strchr(text, '$') ? "(*ANYCRLF)(?m)" : strchr(text, '^') ? "(?m)" : "";
	const bool plus = !strncmp(text, "^+", 2);
	if (!*lines) {
		talk(p, list, n, "expect", json_string(text));
		return;
	}
	json_array_append_new(list,
		json_pack("{s:o}", "expect",
			json_sprintf("%s%s%s", lines, plus ? "^\\+" : "", text + (plus ? 2 : 0))));
	import_tell(p->in, n, IMPORT_CHANGED, "probe %s: %s.talk: expect: of each line%s", p->name,
		p->kind, plus ? ", and + is a character here" : "");
}

/* The exporter ends what it sends with a newline. */
static void take_send(struct import_probe *p, json_t *list, const struct import_node *n)
{
	json_array_append_new(
		list, json_pack("{s:o}", "send", json_sprintf("%s\n", import_text(n))));
	import_tell(p->in, n, IMPORT_CHANGED,
		"probe %s: %s.talk: send: with the newline at its end", p->name, p->kind);
}

void blackbox_talk(struct import_probe *p, const struct import_node *of)
{
	static const struct import_answer keys[] = {
		{"expect_bytes", IMPORT_DROPPED, "say `expect`, a regular expression"},
		{"labels", IMPORT_DROPPED, "what was received is [OUTPUT]"}};
	json_t *list = json_array();
	for (size_t i = 0; i < import_size(of); i++) {
		const struct import_node step = import_item(of, i),
					 expect = import_get(&step, "expect"),
					 send = import_get(&step, "send"),
					 starttls = import_get(&step, "starttls");
		take_expect(p, list, &expect);
		if (send.y && !import_text(&send))
			import_tell(p->in, &send, IMPORT_DROPPED,
				"only text is sent; a tls probe has `starttls: postgres`");
		else if (import_text(&send))
			take_send(p, list, &send);
		if (import_flag(&starttls))
			talk(p, list, &starttls, "starttls", json_true());
		else
			import_tell(p->in, &starttls, IMPORT_NEEDLESS, "it is the default");
		import_answer(p->in, &step, keys, array_len(keys));
	}
	if (json_array_size(list))
		json_object_set(p->map, "talk", list);
	json_decref(list);
}

void blackbox_switches(struct import_probe *p, const struct import_node *options,
	const struct import_answer *table, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct import_node it = import_get(options, table[i].key);
		const bool on = import_flag(&it);
		import_tell(p->in, &it, on ? table[i].fate : IMPORT_NEEDLESS, "%s",
			on ? table[i].why : "it is switched off there");
	}
}

static const struct import_answer source_address[] = {
	{"source_ip_address", IMPORT_DROPPED, "the system chooses the address to ask from"}};

/* --- probers ---------------------------------------------------------------------------------- */

static void tcp(struct import_probe *p, const struct import_node *options)
{
	const struct import_node tls = import_get(options, "tls"),
				 config = import_get(options, "tls_config"),
				 steps = import_get(options, "query_response");
	blackbox_family(p, options);
	import_answer(p->in, options, source_address, array_len(source_address));
	blackbox_talk(p, &steps);
	import_carry_flag(p, &tls, "tcp.tls");
	blackbox_tls(p, &config);
}

static void icmp(struct import_probe *p, const struct import_node *options)
{
	static const struct import_answer switches[] = {
		{"dont_fragment", IMPORT_DROPPED, "an echo may be fragmented"}};
	static const struct import_answer keys[] = {
		{"ttl", IMPORT_DROPPED, "the system chooses the hop limit"}};
	const struct import_node size = import_get(options, "payload_size");
	int64_t n;
	blackbox_family(p, options);
	import_answer(p->in, options, source_address, array_len(source_address));
	if (import_whole(&size, &n))
		import_carry(p, &size, "icmp.size", json_integer(n));
	blackbox_switches(p, options, switches, array_len(switches));
	import_answer(p->in, options, keys, array_len(keys));
}

static void grpc(struct import_probe *p, const struct import_node *options)
{
	static const struct import_answer keys[] = {
		{"metadata", IMPORT_DROPPED, "a health check sends none"}};
	const struct import_node service = import_get(options, "service"),
				 tls = import_get(options, "tls"),
				 config = import_get(options, "tls_config");
	blackbox_family(p, options);
	if (service.y)
		import_carry_text(p, &service, "grpc.service");
	import_carry_flag(p, &tls, "grpc.tls");
	blackbox_tls(p, &config);
	import_answer(p->in, options, keys, array_len(keys));
}

/* One message each way; where there are more, the first. */
static void one_of(
	struct import_probe *p, const struct import_node *steps, const char *there, const char *key)
{
	bool taken = false;
	for (size_t i = 0; i < import_size(steps); i++) {
		const struct import_node step = import_item(steps, i), n = import_get(&step, there);
		const char *text = import_text(&n);
		if (!text)
			continue;
		if (taken || strstr(text, "${"))
			import_tell(p->in, &n, IMPORT_DROPPED,
				"one message is sent and one is expected, as they are written");
		else
			import_carry(p, &n, key, json_string(text));
		taken = true;
	}
}

static void websocket(struct import_probe *p, const struct import_node *options)
{
	static const struct import_answer keys[] = {
		{"basic_auth", IMPORT_DROPPED, "write the header Authorization"},
		{"proxy_url", IMPORT_DROPPED, "only http goes through a proxy"}};
	const struct import_node headers = import_get(options, "headers"),
				 http = import_get(options, "http_config"),
				 config = import_get(&http, "tls_config"),
				 steps = import_get(options, "query_response");
	blackbox_family(p, options);
	blackbox_headers(p, &headers);
	blackbox_authorization(p, &http);
	blackbox_tls(p, &config);
	one_of(p, &steps, "expect", "websocket.expect");
	one_of(p, &steps, "send", "websocket.send");
	import_answer(p->in, &http, keys, array_len(keys));
}

static const struct import_answer dns_keys[] = {
	{"query_class", IMPORT_DROPPED, "the class is IN"},
	{"tls_config", IMPORT_DROPPED, "DNS goes over UDP and TCP"},
	{"validate_answer_rrs", IMPORT_DROPPED,
		"records are compared by conditions: write them with [BODY] and [ANSWERS]"},
	{"validate_authority_rrs", IMPORT_DROPPED, "only answers are compared"},
	{"validate_additional_rrs", IMPORT_DROPPED, "only answers are compared"},
};
static const struct import_answer dns_switches[] = {
	{"dns_over_tls", IMPORT_DROPPED, "DNS goes over UDP and TCP"},
};

static void rcodes(struct import_probe *p, const struct import_node *list)
{
	struct buf condition = BUF(BUF_LINE);
	struct error err = {0};
	for (size_t i = 0; i < import_size(list); i++) {
		const struct import_node n = import_item(list, i);
		if (import_text(&n))
			buf_printf(&condition, "%s%s", condition.n ? ", " : "[RCODE] == any(",
				import_text(&n));
	}
	if (condition.n) {
		buf_add_char(&condition, ')');
		if (condition_check("dns", buf_str(&condition), &err)) {
			import_expect(p, buf_str(&condition));
			import_tell(p->in, list, IMPORT_CARRIED, "probe %s: expect", p->name);
		} else {
			import_tell(p->in, list, IMPORT_DROPPED, "%s", err.msg);
		}
	}
	buf_fini(&condition);
}

static void dns(struct import_probe *p, const struct import_node *options)
{
	const struct import_node name = import_get(options, "query_name"),
				 type = import_get(options, "query_type"),
				 transport = import_get(options, "transport_protocol"),
				 recursion = import_get(options, "recursion_desired"),
				 valid = import_get(options, "valid_rcodes");
	blackbox_family(p, options);
	import_answer(p->in, options, source_address, array_len(source_address));
	import_carry_text(p, &name, "dns.name");
	if (type.y)
		import_carry_text(p, &type, "dns.type");
	else
		import_set(p, "dns.type", json_string("ANY"));
	if (import_text(&transport) && !strcmp(import_text(&transport), "tcp"))
		import_carry(p, &transport, "dns.tcp", json_true());
	else
		import_tell(p->in, &transport, IMPORT_NEEDLESS, "it is the default");
	import_carry_flag(p, &recursion, "dns.recursion");
	rcodes(p, &valid);
	import_answer(p->in, options, dns_keys, array_len(dns_keys));
	blackbox_switches(p, options, dns_switches, array_len(dns_switches));
}

static const struct prober {
	const char *name;
	void (*take)(struct import_probe *p, const struct import_node *options);
} probers[] = {{"http", blackbox_http}, {"tcp", tcp}, {"icmp", icmp}, {"dns", dns}, {"grpc", grpc},
	{"websocket", websocket}};

static const struct prober *prober_of(const char *name)
{
	for (size_t i = 0; name && i < array_len(probers); i++)
		if (!strcmp(probers[i].name, name))
			return &probers[i];
	return NULL;
}

/* A template has its module's name, and is in no configuration. */
static struct import_probe template_of(struct blackbox *b, const char *kind, const char *name)
{
	struct import_probe p = {
		.in = b->in, .json = json_object(), .map = json_object(), .kind = kind};
	json_object_set_new(p.json, "name", json_string(name));
	json_object_set_new(p.json, kind, p.map);
	p.name = json_string_value(json_object_get(p.json, "name"));
	return p;
}

bool blackbox_module(struct blackbox *b, const struct import_node *module, struct import_probe *ret)
{
	const struct import_node prober = import_get(module, "prober"),
				 timeout = import_get(module, "timeout");
	const struct prober *which = prober_of(import_text(&prober));
	const struct import_node options = which ? import_get(module, which->name) : *module,
				 name = import_get(&options, "query_name");
	int64_t ns;
	if (!which || (!strcmp(which->name, "dns") && !import_text(&name))) {
		import_tell(b->in, module, IMPORT_DROPPED,
			which ? "a dns module needs `query_name`"
			      : "there is no kind of probe for its prober");
		return false;
	}
	struct import_probe p = template_of(b, which->name, module->key->text.p);
	import_tell(b->in, &prober, IMPORT_CARRIED, "probe %s: %s", p.name, p.kind);
	import_set(&p, "every", json_string("1m"));
	if (import_time(&timeout, &ns))
		import_carry_timeout(&p, &timeout, ns);
	which->take(&p, &options);
	for (size_t i = 0; i < array_len(probers); i++) {
		const struct import_node other = import_get(module, probers[i].name);
		if (probers + i != which)
			import_tell(
				b->in, &other, IMPORT_NEEDLESS, "its prober is %s", which->name);
	}
	if (!import_size(&options))
		import_tell(b->in, &options, IMPORT_NEEDLESS, "nothing is said in it");
	*ret = p;
	return true;
}
