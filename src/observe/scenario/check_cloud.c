/*
 * check_cloud.c - what is measured through the API itself: download, list, token, value.
 */

#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "observe/scenario/checks.h"

/* --- download: an image's data, hashed as it comes, never held ----------------------------------
 */

struct download {
	struct digest_sha512 hash;
	int64_t size;
};

static bool on_piece(void *arg, const void *p, size_t n)
{
	struct check_call *c = arg;
	struct download *d = c->data;
	digest_sha512_add(&d->hash, p, n);
	d->size += (int64_t)n;
	return true;
}

static void free_data(struct check_call *c)
{
	free(c->data);
}

static void on_download(void *arg, const struct cloud_answer *a)
{
	struct check_call *c = arg;
	struct download *d = c->data;
	char hex[2 * SHA512_BYTES + 1];
	c->cloud = NULL;
	c->requests += a->tries;
	c->phases = a->phases;
	digest_sha512_hex(&d->hash, hex);
	check_measure_int(c, "STATUS", a->status);
	check_measure_int(c, "SIZE", d->size);
	check_measure_text(c, "SHA512", slice_of(hex));
	check_measure_time(c, "RESPONSE_TIME", a->phases.total_ns);
	check_finish(c, a->fault, "%.200s", a->error.message);
}

void check_download(struct check_call *c)
{
	char *id = check_text(c, "of", "of");
	if (!id) {
		check_finish_later(c, FAULT_EVALUATION, "download needs `of`: an image");
		return;
	}
	struct download *d = mem_new(struct download);
	digest_sha512_init(&d->hash);
	c->data = d;
	c->cleanup = free_data;
	char *path = mem_printf("/images/%s/file", id);
	const struct cloud_request q = {
		.service = "image",
		.method = "GET",
		.path = path,
		.deadline_ns = c->deadline_ns,
		.sink = on_piece,
		.stream_arg = c,
		.purpose = c->tools.purpose,
	};
	c->cloud = cloud_call(c->tools.cloud, &q, on_download, c);
	free(path);
	free(id);
}

/* --- list: does the service answer a harmless read? ---------------------------------------------
 */

struct harmless {
	const char *service, *path;
};

static const struct harmless reads[] = {
	{"compute", "/flavors"},
	{"network", "/networks"},
	{"block-storage", "/volumes"},
	{"image", "/images?limit=20"},
	{"identity", "/auth/projects"},
	{"load-balancer", "/lbaas/loadbalancers"},
	{"key-manager", "/secrets?limit=20"},
	{"dns", "/zones"},
	{"orchestration", "/stacks"},
	{"object-store", "?limit=20"},
	{"shared-file-system", "/shares"},
	{"alarming", "/v2/alarms"},
	{"metric", "/v1/resource/generic?limit=20"},
	{"container-infrastructure-management", "/clusters"},
	{"clustering", "/v1/clusters"},
	{"baremetal", "/v1/nodes"},
};

static void on_list(void *arg, const struct cloud_answer *a)
{
	struct check_call *c = arg;
	c->cloud = NULL;
	c->requests += a->tries;
	c->phases = a->phases;
	check_measure_int(c, "STATUS", a->status);
	check_measure_time(c, "RESPONSE_TIME", a->phases.total_ns);
	if (a->json)
		json_object_set(c->measured, "BODY", a->json);
	else
		check_measure_text(c, "BODY", a->body);
	check_finish(c, a->fault, "%.200s", a->error.message);
}

void check_list(struct check_call *c)
{
	char *service = check_text(c, "service", "service");
	char *path = check_text(c, "path", NULL), *type = check_text(c, "accept", NULL);
	for (size_t i = 0; service && !path && i < array_len(reads); i++)
		if (!strcmp(reads[i].service, service))
			path = mem_strdup(reads[i].path);
	if (!service || !path) {
		check_finish_later(c, FAULT_EVALUATION,
			service ? "list needs `path` for the service %.60s"
				: "list needs a service%.0s",
			service ? service : "");
	} else if (!cloud_endpoint(c->tools.cloud, service)) {
		/* With `optional` a service that is not offered is no fault. */
		json_object_set_new(c->measured, "ABSENT", json_true());
		check_finish_later(c, c->step->optional ? FAULT_NONE : FAULT_NO_SERVICE,
			"the catalog has no %.60s", service);
	} else {
		const struct http_header accept = {"Accept", type};
		const struct cloud_request q = {.service = service,
			.method = "GET",
			.path = path,
			.headers = &accept,
			.header_count = type ? 1 : 0,
			.deadline_ns = c->deadline_ns};
		c->cloud = cloud_call(c->tools.cloud, &q, on_list, c);
	}
	free(service);
	free(type);
	free(path);
}

/* --- token: how long a log-in takes --------------------------------------------------------------
 */

static void on_token(void *arg, const struct cloud_answer *a)
{
	struct check_call *c = arg;
	c->log_in = NULL;
	c->requests += a->tries;
	c->phases = a->phases;
	check_measure_int(c, "STATUS", a->status);
	check_measure_time(c, "RESPONSE_TIME", a->phases.total_ns);
	json_object_set(c->measured, "BODY", a->json ? a->json : json_null());
	check_finish(c, a->fault, "%.200s", a->error.message);
}

void check_token(struct check_call *c)
{
	char *from = check_text(c, "from", "from");
	const bool by_token = from && !strcmp(from, "token");
	char id[REQUEST_ID_TEXT], uuid[UUID_TEXT];
	unsigned generation;
	bool renew;
	const struct secret *token =
		by_token ? cloud_token(c->tools.cloud, &generation, &renew) : NULL;
	snprintf(id, sizeof(id), "req-%s", random_uuid(c->tools.random, uuid));
	if (!by_token && (!from || strcmp(from, "credentials") != 0))
		check_finish_later(c, FAULT_EVALUATION,
			"token comes from `credentials` or from `token`, not \"%.60s\"",
			from ? from : "");
	else if (by_token && !token)
		check_finish_later(c, FAULT_LOCAL, "%s", "the session has no token at this moment");
	else
		c->log_in = cloud_log_in(
			c->tools.cloud, c->tools.probes, token, id, c->deadline_ns, on_token, c);
	free(from);
}

/* --- value: something computed, for expectations ------------------------------------------------
 */

void check_value(struct check_call *c)
{
	struct world_scope scope;
	struct value v = value_copy(*c->body);
	if (v.type == VALUE_REF) {
		struct error err = {0};
		world_scope_init(&scope, c->world, c->element, NULL);
		value_drop(&v);
		if (scope.scope.plain(scope.scope.arg, c->body->ref, &v, &err) != EXPR_OK) {
			check_finish_later(c, FAULT_EVALUATION, "%.200s", err.msg);
			return;
		}
	}
	json_object_set_new(c->measured, "VALUE", value_json(&v));
	value_drop(&v);
	check_finish_later(c, FAULT_NONE, "%s", "");
}
