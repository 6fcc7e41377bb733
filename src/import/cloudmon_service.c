/* cloudmon_service.c - GlobalMon's addresses and the load balancer plugin's listeners, as probes.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "import/cloudmon_inside.h"

#define GLOBALMON_EVERY_NS  (10 * NS_PER_S) /* its period unless said otherwise */
#define BALANCER_EVERY_NS   (5 * NS_PER_S)
#define BALANCER_TIMEOUT_NS (2 * NS_PER_S)

/* --- GlobalMon -------------------------------------------------------------------------------- */

static void take_address(struct cloudmon *c, const char *service, const struct import_node *n)
{
	const char *url = import_text(n);
	const struct cloudmon_component *component = cloudmon_component(c, service);
	if (!url)
		return;
	const char *host = strstr(url, "://") ? strstr(url, "://") + 3 : url;
	char *name = mem_printf("%s-%.*s", service, (int)strcspn(host, "?#@"), host);
	struct import_probe p = import_probe_new(c->in, "http", name);
	if (import_carry_url(&p, n, "http.url", url)) {
		import_set_time(&p, "every", GLOBALMON_EVERY_NS);
		import_set_time(&p, "timeout", 10 * NS_PER_S);
		import_set(&p, "component", json_string(component ? component->name : service));
		import_set(&p, "globalmon", json_string(service));
		if (component && component->category)
			import_set(&p, "category", json_string(component->category));
		import_probe_add(&p, n);
	} else {
		import_probe_abandon(&p);
	}
	free(name);
}

void cloudmon_globalmon(struct cloudmon *c, const struct import_node *root)
{
	static const struct import_answer keys[] = {{"statsd", IMPORT_DROPPED,
		"numbers are kept here; `metrics` says where else they go"}};
	const struct import_node services = import_get(root, "services");
	if (!services.y)
		return;
	import_answer(c->in, root, keys, array_len(keys));
	for (size_t i = 0; i < import_size(&services); i++) {
		const struct import_node service = import_item(&services, i),
					 urls = import_get(&service, "urls");
		for (size_t k = 0; service.key && k < import_size(&urls); k++) {
			const struct import_node n = import_item(&urls, k);
			take_address(c, service.key->text.p, &n);
		}
	}
}

/* --- the load balancer plugin ----------------------------------------------------------------- */

struct balancer {
	struct cloudmon *c;
	const char *name, *address;
	int64_t every_ns, timeout_ns;
};

static void take_listener(const struct balancer *b, const struct import_node *listener)
{
	const struct import_node port = import_get(listener, "port"),
				 mode = import_get(listener, "mode");
	const char *word = import_text(&mode) ? import_text(&mode) : "http",
		   *at = import_text(&port);
	const bool tcp = !strcmp(word, "tcp"), tls = !strcmp(word, "https");
	const bool v6 = strchr(b->address, ':') != NULL;
	if (!at || (!tcp && !tls && strcmp(word, "http") != 0)) {
		import_tell(b->c->in, listener, IMPORT_DROPPED,
			"a listener needs `port` and a mode http, https or tcp");
		return;
	}
	char *wanted = mem_printf("%s-%s-%s", b->name, word, at);
	struct import_probe p = import_probe_new(b->c->in, tcp ? "tcp" : "http", wanted);
	import_set_time(&p, "every", b->every_ns);
	import_set_time(&p, "timeout", b->timeout_ns);
	import_set(&p, "group", json_string(b->name));
	if (tcp)
		import_change(&p, &mode, "tcp.to",
			json_sprintf(v6 ? "[%s]:%s" : "%s:%s", b->address, at),
			"a connection; there it was a GET");
	else
		import_set(&p, "http.url",
			json_sprintf(v6 ? "%s://[%s]:%s/" : "%s://%s:%s/", word, b->address, at));
	if (tls)
		import_change(&p, &mode, "http.verify", json_false(),
			"an address is asked, which no certificate is for; no zone is read from headers");
	else if (!tcp)
		import_tell(b->c->in, &mode, IMPORT_CHANGED,
			"probe %s: http.url; no zone is read from headers", p.name);
	import_tell(b->c->in, &port, IMPORT_CARRIED, "probe %s: %s", p.name,
		tcp ? "tcp.to" : "http.url");
	import_probe_add(&p, listener);
	free(wanted);
}

/* Whole seconds, or what is usual there. */
static int64_t seconds(
	struct cloudmon *c, const struct import_node *n, int64_t usual, const char *key)
{
	int64_t s;
	if (!import_whole(n, &s) || s < 1 || s > 86400)
		return usual;
	import_tell(c->in, n, IMPORT_CARRIED, "%s of the probes of balancers", key);
	return s * NS_PER_S;
}

void cloudmon_balancers(struct cloudmon *c, const struct import_node *root)
{
	static const struct import_answer keys[] = {{"statsd", IMPORT_DROPPED,
		"numbers are kept here; `metrics` says where else they go"}};
	const struct import_node list = import_get(root, "loadbalancers"),
				 interval = import_get(root, "interval"),
				 timeout = import_get(root, "timeout");
	if (!list.y)
		return;
	const int64_t every = seconds(c, &interval, BALANCER_EVERY_NS, "every"),
		      wait = seconds(c, &timeout, BALANCER_TIMEOUT_NS, "timeout");
	import_answer(c->in, root, keys, array_len(keys));
	for (size_t i = 0; i < import_size(&list); i++) {
		const struct import_node item = import_item(&list, i),
					 name = import_get(&item, "name"),
					 address = import_get(&item, "address"),
					 listeners = import_get(&item, "listeners");
		if (!import_text(&address) || !import_size(&listeners)) {
			import_tell(c->in, &item, IMPORT_DROPPED,
				"a balancer needs `address` and `listeners`");
			continue;
		}
		const struct balancer b = {c, import_text(&name) ? import_text(&name) : "balancer",
			import_text(&address), every, wait};
		import_tell(c->in, &name, IMPORT_CARRIED, "group of its probes");
		import_tell(c->in, &address, IMPORT_CARRIED, "where its probes ask");
		for (size_t k = 0; k < import_size(&listeners); k++) {
			const struct import_node listener = import_item(&listeners, k);
			take_listener(&b, &listener);
		}
	}
}
