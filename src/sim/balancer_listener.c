/*
 * balancer_listener.c - listeners.
 */

#include <stddef.h>
#include <string.h>

#include "base/json.h"
#include "sim/balancer.h"
#include "sim/ip.h"
#include "sim/state.h"

#define POST        BALANCER_POST
#define POST_PUT    (BALANCER_POST | BALANCER_PUT)
#define TIMEOUT_MAX (24ll * 24 * 60 * 60 * 1000) /* ms: 24 days of 24 hours */
#define PROTOCOLS   "TCP PROMETHEUS SCTP TERMINATED_HTTPS UDP HTTPS HTTP"

static const struct balancer_attr attrs[] = {
	{"name", BALANCER_TEXT, POST_PUT, "\"\""},
	{"description", BALANCER_TEXT, POST_PUT, "\"\""},
	{"admin_state_up", BALANCER_BOOL, POST_PUT, "true"},
	{"protocol", BALANCER_WORDS, POST | BALANCER_REQUIRED, .words = PROTOCOLS},
	{"protocol_port", BALANCER_INT, POST | BALANCER_REQUIRED, .min = 1, .max = 65535},
	{"connection_limit", BALANCER_INT, POST_PUT, "-1", .min = -1},
	{"default_tls_container_ref", BALANCER_TEXT, POST_PUT},
	{"sni_container_refs", BALANCER_TAGS, POST_PUT, "[]"},
	{"project_id", BALANCER_TEXT, POST | BALANCER_INNER, .max = 36},
	{"tenant_id", BALANCER_TEXT, POST | BALANCER_INNER, .max = 36},
	{"default_pool_id", BALANCER_UUID, POST_PUT},
	{"default_pool", BALANCER_MAP, POST | BALANCER_INNER},
	{"l7policies", BALANCER_LIST, POST | BALANCER_INNER, "[]"},
	{"insert_headers", BALANCER_HEADERS, POST_PUT, "{}"},
	{"loadbalancer_id", BALANCER_UUID, POST | BALANCER_REQUIRED | BALANCER_INNER},
	{"timeout_client_data", BALANCER_INT, POST_PUT, "50000", .max = TIMEOUT_MAX},
	{"timeout_member_connect", BALANCER_INT, POST_PUT, "5000", .max = TIMEOUT_MAX},
	{"timeout_member_data", BALANCER_INT, POST_PUT, "50000", .max = TIMEOUT_MAX},
	{"timeout_tcp_inspect", BALANCER_INT, POST_PUT, "0", .max = TIMEOUT_MAX},
	{"tags", BALANCER_TAGS, POST_PUT, "[]"},
	{"client_ca_tls_container_ref", BALANCER_TEXT, POST_PUT},
	{"client_authentication", BALANCER_WORDS, POST_PUT, "\"NONE\"",
		.words = "NONE OPTIONAL MANDATORY"},
	{"client_crl_container_ref", BALANCER_TEXT, POST_PUT},
	{"allowed_cidrs", BALANCER_CIDRS, POST_PUT},
	{"tls_ciphers", BALANCER_TEXT, POST_PUT, .max = 2048},
	{"tls_versions", BALANCER_TAGS, POST_PUT},
	{"alpn_protocols", BALANCER_TAGS, POST_PUT},
};

/* Which protocols of pools a listener can talk to. */
static const struct {
	const char *listener, *pools;
} fitting[] = {
	{"TCP", "HTTP HTTPS PROXY PROXYV2 TCP"},
	{"HTTP", "HTTP PROXY PROXYV2"},
	{"HTTPS", "HTTPS PROXY PROXYV2 TCP"},
	{"TERMINATED_HTTPS", "HTTP PROXY PROXYV2"},
	{"UDP", "UDP"},
	{"SCTP", "SCTP"},
};

bool balancer_protocols_fit(struct call *c, const char *listener, const char *pool)
{
	for (size_t i = 0; i < array_len(fitting); i++)
		if (!strcmp(fitting[i].listener, listener) &&
			slice_in_words(slice_of(pool), fitting[i].pools))
			return true;
	return balancer_invalid(c,
		"The pool protocol '%s' is invalid while the listener protocol is '%s'.", pool,
		listener);
}

/* A pool of the same load balancer that speaks a fitting protocol. */
static bool pool_good(struct call *c, const struct object *lb, const char *id, const char *protocol)
{
	const struct object *pool = balancer_find(c, &pool_resource, id);

	if (!pool)
		return false;
	if (balancer_of(pool) == lb)
		return balancer_protocols_fit(c, protocol, object_str(pool, "protocol"));
	call_fail(c, 404, NULL, "Pool %s not found.", id);
	return false;
}

static bool is_datagram(const char *protocol)
{
	return !strcmp(protocol, "UDP") || !strcmp(protocol, "SCTP");
}

/* Headers that haproxy can add; those of certificates need TLS, which is not ended here. */
static bool headers_good(struct call *c, const json_t *headers, const char *protocol)
{
	static const char *const known[] = {
		"X-Forwarded-For", "X-Forwarded-Port", "X-Forwarded-Proto"};
	struct buf names = BUF(BUF_LINE);
	const char *key;
	json_t *value;
	bool good = true;

	json_object_foreach ((json_t *)headers, key, value) {
		bool found = false;
		for (size_t i = 0; i < array_len(known); i++)
			found = found || !strcmp(key, known[i]);
		good = good && found;
		buf_printf(&names, "%s'%s'", names.n ? ", " : "", key);
	}
	if (json_object_size(headers) && strcmp(protocol, "HTTP")) {
		call_fail(c, 400, NULL,
			"insert-headers is not a valid option for a %s protocol listener.",
			protocol);
		good = false;
	} else if (!good) {
		call_fail(c, 400, NULL, "dict_keys([%s]) is not a valid option for insert_headers",
			buf_str(&names));
	}
	buf_fini(&names);
	return good;
}

static bool cidrs_good(struct call *c, const struct object *lb, const json_t *cidrs)
{
	const char *vip = object_str(lb, "vip_address");
	struct prefix p;
	json_t *item;
	struct ip a;
	size_t i;

	json_array_foreach (cidrs, i, item)
		if (ip_parse(vip, &a) && prefix_parse(json_string_value(item), &p, NULL) &&
			p.base.version != a.version)
			return balancer_invalid(c,
				"CIDR %s IP version incompatible with VIP %s IP version.",
				json_string_value(item), vip);
	return true;
}

static bool port_free(struct call *c, const struct object *lb, const json_t *in)
{
	const int64_t port = json_int(in, "protocol_port", 0);
	const bool datagram = is_datagram(json_str(in, "protocol"));

	OBJECT_EACH (c->sim, KIND_LISTENER, o)
		if (balancer_of(o) == lb && json_int(o->doc, "protocol_port", 0) == port &&
			is_datagram(object_str(o, "protocol")) == datagram) {
			call_fail(c, 409, NULL,
				"Another Listener on this Load Balancer is already using protocol "
				"%s and protocol_port %d",
				object_str(o, "protocol"), (int)port);
			return false;
		}
	return true;
}

static bool protocol_good(struct call *c, const struct object *lb, const char *protocol)
{
	if (!strcmp(protocol, "TERMINATED_HTTPS")) { /* as in the lab, which cannot end TLS */
		call_fail(c, 400, NULL,
			"The selected protocol is not allowed in this deployment: %s", protocol);
		return false;
	}
	return !strcmp(protocol, "TCP") || !strcmp(protocol, "UDP") || !strcmp(protocol, "SCTP") ||
	       !balancer_ovn_refuses(c, lb, "%s protocol", protocol);
}

static bool check(struct call *c, json_t *in)
{
	struct object *lb =
		balancer_find(c, &loadbalancer_resource, json_str(in, "loadbalancer_id"));
	const char *protocol = json_str(in, "protocol"), *pool = json_str(in, "default_pool_id");

	if (!lb || (pool && !pool_good(c, lb, pool, protocol)) || !balancer_mutable(c, lb, NULL) ||
		!headers_good(c, json_object_get(in, "insert_headers"), protocol) ||
		!protocol_good(c, lb, protocol) || !port_free(c, lb, in) ||
		!cidrs_good(c, lb, json_object_get(in, "allowed_cidrs")))
		return false;
	json_object_set_new(in, ".loadbalancer", json_string(lb->id));
	return true;
}

static bool change(struct call *c, struct object *o, json_t *in)
{
	const char *pool = json_str(in, "default_pool_id"), *protocol = object_str(o, "protocol");

	return (!pool || pool_good(c, balancer_of(o), pool, protocol)) &&
	       headers_good(c, json_object_get(in, "insert_headers"), protocol) &&
	       cidrs_good(c, balancer_of(o), json_object_get(in, "allowed_cidrs"));
}

static void created(struct call *c, struct object *o, json_t *in)
{
	balancer_touch(o); /* the real one writes it twice */
}

static void show(const struct object *o, json_t *view)
{
	json_object_set_new(
		view, "loadbalancers", json_pack("[{s:s}]", "id", object_str(o, ".loadbalancer")));
	json_object_set_new(
		view, "l7policies", balancer_ids(o->sim, KIND_L7POLICY, "listener_id", o->id));
}

const struct balancer_resource listener_resource = {
	.kind = KIND_LISTENER,
	.name = "listener",
	.collection = "listeners",
	.title = "Listener",
	.argument = "listener_",
	.attrs = attrs,
	.n = array_len(attrs),
	.filters = "loadbalancer_id load_balancer_id",
	.quota = offsetof(struct quota, listener),
	.check = check,
	.created = created,
	.change = change,
	.show = show,
};
