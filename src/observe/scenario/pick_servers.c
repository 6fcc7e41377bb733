/*
 * pick_servers.c - the cloud's name servers: what its configuration says, else those of designate's
 * pools (which only administrators may read), else those of a zone of the project.
 */

#include <string.h>

#include "observe/scenario/picker.h"

#define ASK_NS (60 * NS_PER_S)

/* Takes the list; goes on with the next picker. */
static void put(struct pick *p, json_t *servers, const char *why)
{
	for (size_t i = 0; i < p->wanted.n; i++)
		if (p->wanted.p[i].picker == PICK_SERVERS)
			pick_put(p, &p->wanted.p[i], json_incref(servers), NULL, "%s", why);
	json_decref(servers);
	p->at++;
	pick_next(p);
}

static void none(struct pick *p)
{
	struct error err = {0};

	for (size_t i = 0; i < p->wanted.n && !err.msg[0]; i++)
		if (p->wanted.p[i].picker == PICK_SERVERS)
			pick_none(&p->wanted.p[i], &err,
				"name server: the cloud tells none to this project; say `dns: "
				"[\"ADDRESS\"]` at the cloud in clouds.yaml");
	pick_finish(p, &err, NULL);
}

/* Adds what [{hostname}] names, each once. */
static void add_names(json_t *servers, const json_t *records)
{
	size_t i;
	json_t *record;

	json_array_foreach (records, i, record) {
		const char *name = json_str(record, "hostname");
		if (name && *name && !json_has_text(servers, slice_of(name)))
			json_array_append_new(servers, json_string(name));
	}
}

static struct cloud_call *ask(struct pick *p, const char *path, cloud_done *done)
{
	const struct cloud_request q = {
		.service = "dns", .method = "GET", .path = path, .deadline_ns = ASK_NS};

	return cloud_call(p->cloud, &q, done, p);
}

static void on_zone_servers(void *arg, const struct cloud_answer *a)
{
	struct pick *p = arg;
	json_t *servers;

	p->call = NULL;
	if (a->fault != FAULT_NONE) {
		pick_failed(p, a);
		return;
	}
	servers = json_array();
	add_names(servers, json_object_get(a->json, "nameservers"));
	if (json_array_size(servers) > 0) {
		put(p, servers, "the name servers of a zone of the project");
		return;
	}
	json_decref(servers);
	none(p);
}

static void on_zones(void *arg, const struct cloud_answer *a)
{
	struct pick *p = arg;
	const char *id = json_str(json_array_get(json_object_get(a->json, "zones"), 0), "id");

	p->call = NULL;
	if (a->fault != FAULT_NONE) {
		pick_failed(p, a);
	} else if (!id) {
		none(p);
	} else {
		char *path = mem_printf("/zones/%s/nameservers", id);
		p->call = ask(p, path, on_zone_servers);
		free(path);
	}
}

static void on_pools(void *arg, const struct cloud_answer *a)
{
	struct pick *p = arg;
	json_t *servers = json_array(), *pool;
	size_t i;

	p->call = NULL;
	json_array_foreach (json_object_get(a->json, "pools"), i, pool)
		add_names(servers, json_object_get(pool, "ns_records"));
	if (a->fault == FAULT_NONE && json_array_size(servers) > 0) {
		put(p, servers, "the name servers of designate's pools");
		return;
	}
	json_decref(servers);
	if (a->fault == FAULT_NONE || a->fault == FAULT_HTTP_403 || a->fault == FAULT_HTTP_404)
		p->call = ask(p, "/zones?limit=1", on_zones);
	else
		pick_failed(p, a);
}

void pick_servers(struct pick *p)
{
	const struct cloud_config *config = cloud_configuration(p->cloud);
	json_t *servers;

	if (!config->dns_count) {
		p->call = ask(p, "/pools", on_pools);
		return;
	}
	servers = json_array();
	for (size_t i = 0; i < config->dns_count; i++)
		json_array_append_new(servers, json_string(config->dns[i]));
	put(p, servers, "as the cloud's configuration says (`dns`)");
}
