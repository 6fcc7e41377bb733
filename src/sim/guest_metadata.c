/*
 * guest_metadata.c - the metadata service as guests see it: 169.254.169.254, by way of the router
 * of their subnet, as neutron's L3 agent serves it. The only HTTP service that guests reach here.
 */

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "sim/guest_shell.h"

static json_t *meta_data(const struct world_guest *g)
{
	json_t *keys = json_object();
	for (size_t i = 0; i < g->disk->keys.n; i++) {
		char name[16];
		snprintf(name, sizeof(name), "key%zu", i);
		json_object_set_new(keys, name, json_string(g->disk->keys.p[i]));
	}
	return json_pack("{s:s, s:s, s:i, s:o}", "uuid", g->id, "hostname", g->disk->hostname,
		"launch_index", 0, "public_keys", keys);
}

/* Owned; NULL: there is no such path. */
static char *document(const struct world_guest *g, struct slice path, const char **ret_type)
{
	*ret_type = "text/plain; charset=UTF-8";
	if (slice_is(path, "/latest/meta-data/hostname"))
		return mem_strdup(g->disk->hostname);
	if (slice_is(path, "/latest/meta-data/local-ipv4")) {
		VEC_EACH (&g->nics, struct world_nic, nic)
			VEC_EACH (&nic->addresses, struct world_address, a)
				if (a->ip.version == 4) {
					char text[IP_TEXT];
					return mem_strdup(ip_text(a->ip, text));
				}
		return NULL;
	}
	if (!slice_is(path, "/openstack/latest/meta_data.json"))
		return NULL;
	*ret_type = "application/json";
	json_t *all = meta_data(g);
	char *text = json_text(all);
	json_decref(all);
	return text;
}

void guest_metadata(const struct world_guest *g, struct slice request, struct buf *out)
{
	struct slice rest = request, method = {0}, path = {0};
	const char *type;
	slice_next(&rest, ' ', &method);
	slice_next(&rest, ' ', &path);
	char *text = slice_is(method, "GET") ? document(g, path, &type) : NULL;
	const char *status = text                      ? "200 OK"
			     : slice_is(method, "GET") ? "404 Not Found"
						       : "405 Method Not Allowed";
	const char *body = text ? text : "";
	buf_printf(out,
		"HTTP/1.0 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: "
		"close\r\n\r\n%s",
		status, text ? type : "text/html; charset=UTF-8", strlen(body), body);
	free(text);
}
