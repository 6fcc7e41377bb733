/* Cinder as its members know it: the words and codes are those of a Zed. */
#include "simulated.h"

#include "base/units.h"
#include "sim/state.h"
#include "sim/volume.h"

#define V "/volume/v3/$P"

static void make_volume(struct simulated *s, int keep, const char *body)
{
	simulated_call(s, "POST", V "/volumes", body);
	simulated_said(s, 202, "creating");
	simulated_keep(s, keep, "volume");
}

/* Waits until the object is in the state; fails when that takes longer than a minute. */
static void until(struct simulated *s, const char *path, const char *wrapper, const char *status)
{
	for (int i = 0; i < 600; i++) {
		simulated_call(s, "GET", path, NULL);
		if (!strcmp(simulated_str(s, wrapper, "status", NULL), status))
			return;
		simulated_wait(s, 100 * NS_PER_MS);
	}
	fail_msg("never %s: %s", status, s->text);
}

static void until_gone(struct simulated *s, const char *path)
{
	for (int i = 0; i < 600; i++) {
		if (simulated_call(s, "GET", path, NULL) == 404)
			return;
		simulated_wait(s, 100 * NS_PER_MS);
	}
	fail_msg("never gone: %s", s->text);
}

static int set_up(void **state)
{
	int r = simulated_set_up(state);
	struct simulated *s = *state;

	s->version = "volume 3.70";
	return r;
}

/* --- versions ----------------------------------------------------------------------------------
 */

static void test_versions(void **state)
{
	struct simulated *s = *state;
	char *token = s->token;

	s->token = NULL;
	simulated_call(s, "GET", "/volume/", NULL);
	simulated_said(s, 300, "\"version\":\"3.70\"");
	simulated_call(s, "GET", "/volume/v3/", NULL);
	simulated_said(s, 401, "requires authentication");
	s->token = token;
	simulated_call(s, "GET", V "/volumes", NULL);
	assert_string_equal(simulated_header(s, "openstack-api-version"), "volume 3.70");
	s->version = "compute 2.1, volume 3.50";
	simulated_call(s, "GET", V "/volumes", NULL);
	assert_string_equal(simulated_header(s, "openstack-api-version"), "volume 3.50");
	s->version = "volume latest";
	simulated_call(s, "GET", V "/volumes", NULL);
	assert_string_equal(simulated_header(s, "openstack-api-version"), "volume 3.70");
	s->version = "volume 3.99";
	simulated_call(s, "GET", V "/volumes", NULL);
	simulated_said(s, 406,
		"Version 3.99 is not supported by the API. Minimum is 3.0 and maximum is 3.70.");
	s->version = "volume frob";
	simulated_call(s, "GET", V "/volumes", NULL);
	simulated_said(s, 400, "API Version String frob is of invalid format");
	s->version = NULL;
	simulated_call(s, "GET", V "/resource_filters", NULL);
	simulated_said(s, 404, NULL); /* comes with 3.33 */
	simulated_call(s, "GET", "/volume/v3/0123456789abcdef0123456789abcdef/volumes", NULL);
	simulated_said(s, 400, "Malformed request url");
}

static void test_members_by_version(void **state)
{
	struct simulated *s = *state;

	make_volume(s, 1, "{'volume': {'size': 1}}");
	assert_null(json_object_get(
		json_object_get(s->json, "volume"), "os-vol-tenant-attr:tenant_id"));
	assert_non_null(json_object_get(json_object_get(s->json, "volume"), "consumes_quota"));
	simulated_call(s, "GET", V "/volumes/$1", NULL);
	assert_string_equal(
		simulated_str(s, "volume", "os-vol-tenant-attr:tenant_id", NULL), s->project);
	s->version = "volume 3.12";
	simulated_call(s, "GET", V "/volumes/$1", NULL);
	assert_null(json_object_get(json_object_get(s->json, "volume"), "group_id"));
	assert_null(json_object_get(json_object_get(s->json, "volume"), "consumes_quota"));
}

/* --- POST --------------------------------------------------------------------------------------
 */

static void test_create_refused(void **state)
{
	static const struct {
		const char *body, *text;
		int status;
	} cases[] = {
		{"{'volume': {'size': 1, 'frob': 2, 'glob': 1}}",
			"Invalid input for field/attribute volume. Value: {'size': 1, 'frob': 2, "
			"'glob': 1}. Additional properties are not allowed ('frob', 'glob' were "
			"unexpected)",
			400},
		{"{'volume': {'size': 'x'}}",
			"Invalid input for field/attribute size. Value: x. 'x' does not match "
			"'^[0-9]+$'",
			400},
		{"{'volume': {'size': 0}}", "0 is less than the minimum of 1", 400},
		{"{'volume': {}}", "either malformed or otherwise incorrect", 400},
		{"{'volume': {'size': 1, 'name': 5}}", "5 is not of type 'string', 'null'", 400},
		{"{'volume': {'size': 1, 'metadata': {'a': 1}}}",
			"Invalid input for field/attribute a. Value: 1. 1 is not of type 'string'",
			400},
		{"{'volume': {'size': 1, 'metadata': []}}", "[] is not of type 'object', 'null'",
			400},
		{"{'volume': {'size': 1, 'source_volid': 'x'}}",
			"'x' is not valid under any of the given schemas", 400},
		{"{'volumes': {'size': 1}}", "'volume' is a required property", 400},
		{"{'volume': {'size': 1, 'volume_type': 'nope'}}",
			"Volume type with name nope could not be found.", 404},
		{"{'volume': {'size': 1, 'imageRef': 'x'}}",
			"Invalid image identifier or unable to access requested image.", 400},
		{"{'volume': {'size': 1, 'snapshot_id': '00000000-0000-4000-8000-000000000000'}}",
			"Snapshot 00000000-0000-4000-8000-000000000000 could not be found.", 404},
		{"{'volume': {'size': 1, 'availability_zone': 'nope'}}",
			"Availability zone 'nope' is invalid.", 400},
	};
	struct simulated *s = *state;

	for (size_t i = 0; i < array_len(cases); i++) {
		simulated_call(s, "POST", V "/volumes", cases[i].body);
		simulated_said(s, cases[i].status, cases[i].text);
	}
	simulated_send(s, "POST", V "/volumes", "{x", 2);
	simulated_said(s, 400, "Malformed request body");
	/* before 3.53 what is not known is ignored */
	s->version = "volume 3.52";
	simulated_call(s, "POST", V "/volumes", "{'volume': {'size': 1, 'frob': 2}}");
	simulated_said(s, 202, NULL);
}

static void test_life(void **state)
{
	struct simulated *s = *state;

	make_volume(s, 1,
		"{'volume': {'size': '2', 'name': 'a', 'description': 'd', 'availability_zone': "
		"'az2', 'volume_type': 'files', 'metadata': {'k': 'v'}}}");
	assert_string_equal(simulated_str(s, "volume", "availability_zone", NULL), "az2");
	simulated_call(s, "DELETE", V "/volumes/$1", NULL);
	simulated_said(s, 400, "Invalid volume: Volume status must be available or error");
	until(s, V "/volumes/$1", "volume", "available");
	simulated_call(s, "PUT", V "/volumes/$1", "{'volume': {'name': 'b'}}");
	simulated_said(s, 200, "\"name\":\"b\"");
	simulated_call(s, "PUT", V "/volumes/$1", "{'volume': {}}");
	simulated_said(s, 400, "{} is not valid under any of the given schemas");
	simulated_call(s, "PUT", V "/volumes/$1", "{'volume': {'size': 3}}");
	simulated_said(s, 400, "('size' was unexpected)");
	simulated_call(s, "DELETE", V "/volumes/$1", NULL);
	simulated_said(s, 202, NULL);
	simulated_call(s, "DELETE", V "/volumes/$1", NULL);
	simulated_said(s, 400, "must not be migrating, attached");
	until_gone(s, V "/volumes/$1");
	simulated_said(s, 404, "could not be found.");
	simulated_call(s, "DELETE", V "/volumes/$1", NULL);
	simulated_said(s, 404, "itemNotFound");
}

static void test_other_project(void **state)
{
	struct simulated *s = *state;

	make_volume(s, 1, "{'volume': {'size': 1}}");
	simulated_login(s, "other", "other");
	simulated_call(s, "GET", V "/volumes/$1", NULL);
	simulated_said(s, 404, NULL);
	simulated_call(s, "DELETE", V "/volumes/$1", NULL);
	simulated_said(s, 404, NULL);
	simulated_call(s, "GET", V "/volumes", NULL);
	assert_int_equal(simulated_count(s, "volumes"), 0);
}

static void test_sources(void **state)
{
	struct simulated *s = *state;

	simulated_call(s, "GET", "/image/v2/images?name=lab-guest", NULL);
	snprintf(s->kept[9], sizeof(s->kept[9]), "%s", simulated_str(s, "images", "0", "id", NULL));
	make_volume(s, 1, "{'volume': {'size': 2, 'imageRef': '$9'}}");
	assert_string_equal(simulated_str(s, "volume", "bootable", NULL), "false");
	simulated_call(s, "POST", V "/volumes", "{'volume': {'source_volid': '$1'}}");
	simulated_said(s, 400,
		"Originating source volume status must be one of 'available, in-use' values");
	until(s, V "/volumes/$1", "volume", "available");
	assert_string_equal(simulated_str(s, "volume", "bootable", NULL), "true");
	assert_string_equal(simulated_str(s, "volume", "volume_image_metadata", "image_name", NULL),
		"lab-guest");
	make_volume(s, 2, "{'volume': {'source_volid': '$1'}}");
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(s->json, "volume"), "size")), 2);
	simulated_call(s, "POST", V "/volumes", "{'volume': {'source_volid': '$1', 'size': 1}}");
	simulated_said(s, 400,
		"Volume size '1'GB cannot be smaller than original volume size  2GB. They must be "
		">= original volume size.");
	simulated_call(s, "POST", V "/volumes",
		"{'volume': {'source_volid': '$1', 'imageRef': '$9', 'size': 2}}");
	simulated_said(s, 400, "mutually exclusive");
}

/* --- lists -------------------------------------------------------------------------------------
 */

static void test_filters(void **state)
{
	static const struct {
		const char *query;
		size_t n;
	} cases[] = {
		{"", 3},
		{"?name=a", 1},
		{"?status=available", 3},
		{"?status=error", 0},
		{"?metadata=%7B%22k%22%3A%22v%22%7D", 2},
		{"?metadata=%7B%27k%27%3A%20%27v%27%7D", 2},
		{"?metadata=%7B%27k%27%3A%27v%27%2C%27l%27%3A%22it%27s%22%7D", 1},
		{"?metadata=x", 0},
		{"?bootable=false", 3},
		{"?bootable=true", 0},
		{"?availability_zone=az2", 1},
		{"?size=2", 1},
		{"?size=1&name=c", 1},
		{"?all_tenants=1&name=c", 1},
		{"?created_at=gt:2020-01-01T00:00:00", 3},
		{"?created_at=lt:2020-01-01T00:00:00", 0},
	};
	static const char quoted[] =
		"{\"volume\": {\"size\": 2, \"name\": \"b\", \"metadata\": "
		"{\"k\": \"v\", \"l\": \"it's\"}}}";
	struct simulated *s = *state;
	char path[256];

	make_volume(s, 1, "{'volume': {'size': 1, 'name': 'a', 'metadata': {'k': 'v'}}}");
	simulated_send(s, "POST", V "/volumes", quoted, strlen(quoted));
	simulated_said(s, 202, NULL);
	make_volume(s, 3, "{'volume': {'size': 1, 'name': 'c', 'availability_zone': 'az2'}}");
	simulated_wait(s, 30 * NS_PER_S);
	for (size_t i = 0; i < array_len(cases); i++) {
		snprintf(path, sizeof(path), V "/volumes/detail%s", cases[i].query);
		simulated_call(s, "GET", path, NULL);
		simulated_said(s, 200, NULL);
		if (simulated_count(s, "volumes") != cases[i].n)
			fail_msg("%s: %s", cases[i].query, s->text);
	}
	simulated_call(s, "GET", V "/volumes?frob=1&description=2", NULL);
	simulated_said(s, 400, "Invalid filters frob,description are found in query options.");
	simulated_call(s, "GET", V "/snapshots?frob=1", NULL);
	simulated_said(s, 400, "Invalid filters frob are found in query options.");
	s->version = "volume 3.30";
	simulated_call(s, "GET", V "/volumes?frob=1", NULL);
	simulated_said(s, 200, NULL);
}

static void test_pages(void **state)
{
	struct simulated *s = *state;
	const char *next;

	for (int i = 1; i <= 3; i++)
		make_volume(s, i, "{'volume': {'size': 1, 'name': 'a b'}}");
	simulated_wait(s, NS_PER_S);
	simulated_call(s, "GET", V "/volumes?limit=2&name=a%20b", NULL);
	assert_int_equal(simulated_count(s, "volumes"), 2);
	assert_string_equal(simulated_str(s, "volumes", "0", "id", NULL), s->kept[3]);
	next = simulated_str(s, "volumes_links", "0", "href", NULL);
	char *path = mem_strdup(next + strlen(sim_url(s->sim)));
	simulated_call(s, "GET", path, NULL);
	free(path);
	assert_int_equal(simulated_count(s, "volumes"), 1);
	assert_string_equal(simulated_str(s, "volumes", "0", "id", NULL), s->kept[1]);
	assert_null(json_object_get(s->json, "volumes_links"));
	simulated_call(s, "GET", V "/volumes?offset=1&sort=created_at:asc", NULL);
	assert_string_equal(simulated_str(s, "volumes", "0", "id", NULL), s->kept[2]);
	simulated_call(s, "GET", V "/volumes?limit=3", NULL); /* a full page has a link */
	assert_non_null(json_object_get(s->json, "volumes_links"));
	simulated_call(s, "GET", V "/volumes?limit=0&with_count=true", NULL);
	assert_int_equal(simulated_count(s, "volumes"), 0);
	assert_int_equal(json_integer_value(json_object_get(s->json, "count")), 3);
	simulated_call(s, "GET", V "/volumes?limit=x", NULL);
	simulated_said(s, 400, "limit param must be an integer");
	simulated_call(s, "GET", V "/volumes?limit=-1", NULL);
	simulated_said(s, 400, "limit param must be positive");
	simulated_call(s, "GET", V "/volumes?marker=x", NULL);
	simulated_said(s, 404, "Volume x could not be found.");
	simulated_call(s, "GET", V "/volumes?sort=frob", NULL);
	simulated_said(s, 400, "Invalid input received: Invalid sort key");
	simulated_call(s, "GET", V "/volumes?sort=name:up", NULL);
	simulated_said(s, 400, "Unknown sort direction, must be 'desc' or 'asc'.");
}

static void test_lists_lag(void **state)
{
	struct simulated *s = *state;

	simulated_restart(s, 1, "times: {list_lag: 5s}\n");
	make_volume(s, 1, "{'volume': {'size': 1}}");
	simulated_call(s, "GET", V "/volumes", NULL);
	assert_int_equal(simulated_count(s, "volumes"), 0);
	simulated_call(s, "GET", V "/volumes/$1", NULL);
	simulated_said(s, 200, NULL);
	simulated_wait(s, 20 * NS_PER_S);
	simulated_call(s, "GET", V "/volumes", NULL);
	assert_int_equal(simulated_count(s, "volumes"), 1);
}

/* --- metadata, actions, summary ----------------------------------------------------------------
 */

static void test_metadata(void **state)
{
	struct simulated *s = *state;

	make_volume(s, 1, "{'volume': {'size': 1, 'metadata': {'a': 'b'}}}");
	simulated_call(s, "POST", V "/volumes/$1/metadata", "{'metadata': {'k': 'v'}}");
	simulated_said(s, 200, "\"a\":\"b\"");
	simulated_call(s, "PUT", V "/volumes/$1/metadata", "{'metadata': {'k2': 'v'}}");
	simulated_said(s, 200, "{\"metadata\":{\"k2\":\"v\"}}");
	simulated_call(s, "PUT", V "/volumes/$1/metadata/k2", "{'meta': {'k2': 'w'}}");
	simulated_said(s, 200, "{\"meta\":{\"k2\":\"w\"}}");
	simulated_call(s, "PUT", V "/volumes/$1/metadata/k2", "{'meta': {'k3': 'w'}}");
	simulated_said(s, 400, "Request body and URI mismatch");
	simulated_call(s, "POST", V "/volumes/$1/metadata", "{'metadata': {'k': 3}}");
	simulated_said(s, 400, "3 is not of type 'string'");
	simulated_call(s, "DELETE", V "/volumes/$1/metadata/k2", NULL);
	simulated_said(s, 200, NULL);
	simulated_call(s, "GET", V "/volumes/$1/metadata/k2", NULL);
	simulated_said(s, 404, "has no metadata with key k2.");
	simulated_call(s, "GET", V "/volumes/$1/metadata", NULL);
	simulated_said(s, 200, "{\"metadata\":{}}");
	simulated_call(s, "GET", V "/backups/$1/metadata", NULL);
	simulated_said(s, 404, NULL);
}

static void act(struct simulated *s, const char *body, int status, const char *text)
{
	simulated_call(s, "POST", V "/volumes/$1/action", body);
	simulated_said(s, status, text);
}

static void test_actions(void **state)
{
	struct simulated *s = *state;

	make_volume(s, 1, "{'volume': {'size': 1}}");
	act(s, "{'os-extend': {'new_size': 2}}", 400, "to extend, currently creating.");
	until(s, V "/volumes/$1", "volume", "available");
	act(s, "{'os-frob': {}}", 400, "There is no such action: os-frob.");
	act(s, "{'os-extend': {}}", 400, "'new_size' is a required property");
	act(s, "{'os-extend': {'new_size': 1}}", 400,
		"New size for extend must be greater than current size. (current: 1, extended: 1).");
	act(s, "{'os-extend': {'new_size': 5000}}", 413, "exceeds allowed gigabytes quota");
	act(s, "{'os-extend': {'new_size': 2}}", 202, NULL);
	until(s, V "/volumes/$1", "volume", "extending");
	until(s, V "/volumes/$1", "volume", "available");
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(s->json, "volume"), "size")), 2);
	act(s, "{'os-set_bootable': {'bootable': true}}", 200, NULL);
	act(s, "{'os-set_bootable': {'bootable': 'maybe'}}", 400, "'maybe' is not one of [True");
	act(s, "{'os-reset_status': {'status': 'available'}}", 403,
		"Policy doesn't allow volume_extension:volume_admin_actions:reset_status to be "
		"performed.");
	act(s, "{'os-reserve': null}", 202, NULL);
	act(s, "{'os-reserve': null}", 400,
		"Volume status must be available to reserve, but the status is attaching.");
	simulated_call(s, "DELETE", V "/volumes/$1", NULL);
	simulated_said(s, 400, "Invalid volume");
	act(s, "{'os-unreserve': null}", 202, NULL);
	act(s, "{'os-begin_detaching': null}", 400, "Unable to detach volume.");
	act(s,
		"{'os-attach': {'instance_uuid': '00000000-0000-4000-8000-000000000000', "
		"'mountpoint': '/dev/vdb'}}",
		202, NULL);
	until(s, V "/volumes/$1", "volume", "in-use");
	assert_string_equal(
		simulated_str(s, "volume", "attachments", "0", "device", NULL), "/dev/vdb");
	simulated_call(s, "DELETE", V "/volumes/$1", NULL);
	simulated_said(s, 400, "attached");
	act(s, "{'os-detach': {}}", 202, NULL);
	act(s, "{'os-update_readonly_flag': {'readonly': true}}", 202, NULL);
	act(s, "{'os-attach': {'mountpoint': '/dev/vdb'}}", 400, "Invalid attaching mode 'rw'");
}

static void test_summary(void **state)
{
	struct simulated *s = *state;

	make_volume(s, 1, "{'volume': {'size': 1, 'metadata': {'k': 'v'}}}");
	make_volume(s, 2, "{'volume': {'size': 2}}");
	simulated_call(s, "GET", V "/volumes/summary", NULL);
	simulated_said(s, 200,
		"{\"volume-summary\":{\"total_count\":2,\"total_size\":3,\"metadata\":{\"k\":[\"v\"]"
		"}}}");
}

/* --- snapshots ---------------------------------------------------------------------------------
 */

static void test_snapshots(void **state)
{
	struct simulated *s = *state;

	simulated_call(s, "POST", V "/snapshots", "{'snapshot': {}}");
	simulated_said(s, 400, "Value: {}. 'volume_id' is a required property");
	simulated_call(s, "POST", V "/snapshots",
		"{'snapshot': {'volume_id': '00000000-0000-4000-8000-000000000000'}}");
	simulated_said(s, 404, "Volume 00000000-0000-4000-8000-000000000000 could not be found.");
	make_volume(s, 1, "{'volume': {'size': 1}}");
	simulated_call(s, "POST", V "/snapshots", "{'snapshot': {'volume_id': '$1'}}");
	simulated_said(
		s, 400, "status must be available, in-use, but current status is: creating.");
	until(s, V "/volumes/$1", "volume", "available");
	simulated_call(s, "POST", V "/snapshots",
		"{'snapshot': {'volume_id': '$1', 'name': 'n', 'metadata': {'k': 'v'}}}");
	simulated_said(s, 202, "creating");
	simulated_keep(s, 2, "snapshot");
	simulated_call(s, "DELETE", V "/volumes/$1", NULL);
	simulated_said(s, 400, "have snapshots");
	until(s, V "/snapshots/$2", "snapshot", "available");
	assert_string_equal(
		simulated_str(s, "snapshot", "os-extended-snapshot-attributes:progress", NULL),
		"100%");
	simulated_call(s, "GET",
		V "/snapshots?volume_id=$1&name=n&status=available&metadata=%7B%22k%22:%22v%22%7D",
		NULL);
	assert_int_equal(simulated_count(s, "snapshots"), 1);
	simulated_call(s, "DELETE", V "/snapshots/$2", NULL);
	simulated_said(s, 202, NULL);
	simulated_call(s, "DELETE", V "/snapshots/$2", NULL);
	simulated_said(s, 400,
		"Invalid snapshot: Snapshot status must be available or error and must not be part "
		"of a group.");
	until_gone(s, V "/snapshots/$2");
	simulated_call(s, "DELETE", V "/volumes/$1", NULL);
	simulated_said(s, 202, NULL);
}

static void test_snapshot_in_use(void **state)
{
	struct simulated *s = *state;

	make_volume(s, 1, "{'volume': {'size': 1}}");
	until(s, V "/volumes/$1", "volume", "available");
	act(s, "{'os-attach': {'mountpoint': '/dev/vdb'}}", 202, NULL);
	simulated_call(
		s, "POST", V "/snapshots", "{'snapshot': {'volume_id': '$1', 'force': false}}");
	simulated_said(s, 400, "Since microversion 3.66 the 'force' flag is invalid");
	s->version = "volume 3.50";
	simulated_call(s, "POST", V "/snapshots", "{'snapshot': {'volume_id': '$1'}}");
	simulated_said(s, 400, "status must be available, but current status is: in-use.");
	simulated_call(
		s, "POST", V "/snapshots", "{'snapshot': {'volume_id': '$1', 'force': true}}");
	simulated_said(s, 202, NULL);
}

static void test_cascade(void **state)
{
	struct simulated *s = *state;

	make_volume(s, 1, "{'volume': {'size': 1}}");
	until(s, V "/volumes/$1", "volume", "available");
	simulated_call(s, "POST", V "/snapshots", "{'snapshot': {'volume_id': '$1'}}");
	simulated_keep(s, 2, "snapshot");
	until(s, V "/snapshots/$2", "snapshot", "available");
	simulated_call(s, "DELETE", V "/volumes/$1?cascade=true", NULL);
	simulated_said(s, 202, NULL);
	until_gone(s, V "/volumes/$1");
	simulated_call(s, "GET", V "/snapshots/$2", NULL);
	simulated_said(s, 404, NULL);
}

/* --- backups -----------------------------------------------------------------------------------
 */

static void test_backups(void **state)
{
	struct simulated *s = *state;

	make_volume(s, 1, "{'volume': {'size': 1, 'name': 'old', 'metadata': {'k': 'v'}}}");
	until(s, V "/volumes/$1", "volume", "available");
	simulated_call(
		s, "POST", V "/backups", "{'backup': {'volume_id': '$1', 'incremental': true}}");
	simulated_said(s, 400, "No backups available to do an incremental backup.");
	simulated_call(s, "POST", V "/backups", "{'backup': {'volume_id': '$1', 'name': 'n'}}");
	simulated_said(s, 202, "\"name\":\"n\"");
	assert_null(json_object_get(json_object_get(s->json, "backup"), "status"));
	simulated_keep(s, 2, "backup");
	until(s, V "/volumes/$1", "volume", "backing-up");
	until(s, V "/backups/$2", "backup", "available");
	simulated_call(s, "GET", V "/volumes/$1", NULL);
	simulated_said(s, 200, "\"status\":\"available\"");
	simulated_call(s, "GET", V "/backups?volume_id=$1&name=n", NULL);
	assert_int_equal(simulated_count(s, "backups"), 1);
	simulated_call(s, "POST", V "/backups/$2/restore", "{'restore': {}}");
	simulated_said(s, 202, "\"volume_name\":\"restore_backup_");
	snprintf(s->kept[3], sizeof(s->kept[3]), "%s",
		simulated_str(s, "restore", "volume_id", NULL));
	until(s, V "/volumes/$3", "volume", "restoring-backup");
	simulated_call(s, "DELETE", V "/backups/$2", NULL);
	simulated_said(s, 400, "Backup status must be available or error");
	until(s, V "/volumes/$3", "volume", "available");
	assert_string_equal(simulated_str(s, "volume", "name", NULL), "old");
	assert_string_equal(simulated_str(s, "volume", "metadata", "k", NULL), "v");
	simulated_call(s, "DELETE", V "/backups/$2", NULL);
	simulated_said(s, 202, NULL);
	until_gone(s, V "/backups/$2");
	assert_int_equal(simulated_violations(s, "double_create"), 0);
}

static void test_no_backup_service(void **state)
{
	struct simulated *s = *state;

	simulated_restart(s, 1, "services: {backup: false}\n");
	make_volume(s, 1, "{'volume': {'size': 1}}");
	until(s, V "/volumes/$1", "volume", "available");
	simulated_call(s, "POST", V "/backups", "{'backup': {'volume_id': '$1'}}");
	simulated_said(s, 202, NULL);
	simulated_keep(s, 2, "backup");
	until(s, V "/backups/$2", "backup", "error");
	assert_string_equal(simulated_str(s, "backup", "fail_reason", NULL),
		"Service not found for creating backup.");
	simulated_call(s, "DELETE", V "/backups/$2", NULL);
	simulated_said(s, 404, "Service cinder-backup could not be found.");
	simulated_call(s, "GET", V "/backups/$2", NULL);
	simulated_said(s, 200, "error");
	simulated_call(s, "GET", V "/volumes/$1", NULL);
	simulated_said(s, 200, "\"status\":\"available\"");
}

/* --- quota, types, zones -----------------------------------------------------------------------
 */

static void test_quota(void **state)
{
	struct simulated *s = *state;

	simulated_restart(s, 1, "quota: {volumes: 1, gigabytes: 4, snapshots: 1}\n");
	simulated_call(s, "POST", V "/volumes", "{'volume': {'size': 5}}");
	simulated_said(s, 413,
		"{\"overLimit\":{\"code\":413,\"message\":\"VolumeSizeExceedsAvailableQuota: Requested "
		"volume or snapshot exceeds allowed gigabytes quota. Requested 5G, quota is 4G and "
		"0G has been consumed.\",\"retryAfter\":\"0\"}}");
	assert_string_equal(simulated_header(s, "retry-after"), "0");
	make_volume(s, 1, "{'volume': {'size': 1}}");
	simulated_call(s, "POST", V "/volumes", "{'volume': {'size': 1}}");
	simulated_said(s, 413,
		"VolumeLimitExceeded: Maximum number of volumes allowed (1) exceeded for quota "
		"'volumes'.");
	until(s, V "/volumes/$1", "volume", "available");
	simulated_call(s, "POST", V "/snapshots", "{'snapshot': {'volume_id': '$1'}}");
	simulated_said(s, 202, NULL);
	simulated_call(s, "POST", V "/snapshots", "{'snapshot': {'volume_id': '$1'}}");
	simulated_said(
		s, 413, "SnapshotLimitExceeded: Maximum number of snapshots allowed (1) exceeded");
	simulated_call(s, "GET", V "/os-quota-sets/$P?usage=True", NULL);
	simulated_said(s, 200, "\"gigabytes\":{\"limit\":4,\"in_use\":2,\"reserved\":0}");
	simulated_said(s, 200, "\"gigabytes_files\":{\"limit\":-1,\"in_use\":2,\"reserved\":0}");
	simulated_call(s, "GET", V "/os-quota-sets/$P", NULL);
	simulated_said(s, 200, "\"gigabytes\":4");
	simulated_call(s, "GET", V "/os-quota-sets/other", NULL);
	simulated_said(s, 403, "volume_extension:quotas:show");
	simulated_call(s, "GET", V "/limits", NULL);
	simulated_said(s, 200, "\"totalVolumesUsed\":1");
}

static void test_types_and_zones(void **state)
{
	struct simulated *s = *state;

	simulated_call(s, "GET", V "/types", NULL);
	assert_int_equal(simulated_count(s, "volume_types"), 2);
	simulated_call(s, "GET", V "/types/default", NULL);
	assert_string_equal(simulated_str(s, "volume_type", "name", NULL), "files");
	simulated_keep(s, 1, "volume_type");
	simulated_call(s, "GET", V "/types/$1", NULL);
	simulated_said(s, 200, "files");
	simulated_call(s, "GET", V "/types/nope", NULL);
	simulated_said(s, 404, "Volume type nope could not be found.");
	simulated_call(s, "GET", V "/os-availability-zone", NULL);
	simulated_said(s, 200,
		"{\"availabilityZoneInfo\":[{\"zoneName\":\"az1\",\"zoneState\":{\"available\":true}},"
		"{\"zoneName\":\"az2\",\"zoneState\":{\"available\":true}}]}");
	simulated_call(s, "GET", V "/resource_filters?resource=backup", NULL);
	simulated_said(s, 200,
		"{\"resource\":\"backup\",\"filters\":[\"name\",\"status\",\"volume_id\"]}");
}

/* --- what nova does ----------------------------------------------------------------------------
 */

static int ended;

static void on_done(struct object *v)
{
	ended++;
}

static void test_attachment(void **state)
{
	struct simulated *s = *state;

	make_volume(s, 1, "{'volume': {'size': 1}}");
	struct object *v = object_get(s->sim, KIND_VOLUME, s->kept[1]);
	assert_false(volume_reserve(v)); /* still creating */
	until(s, V "/volumes/$1", "volume", "available");
	assert_true(volume_reserve(v));
	assert_false(volume_reserve(v));
	until(s, V "/volumes/$1", "volume", "reserved");
	ended = 0;
	volume_attach(v, "server", "attachment", "/dev/vdb", "lab1", on_done);
	assert_int_equal(ended, 0);
	until(s, V "/volumes/$1", "volume", "in-use");
	assert_int_equal(ended, 1);
	assert_string_equal(
		simulated_str(s, "volume", "attachments", "0", "server_id", NULL), "server");
	assert_string_equal(simulated_str(s, "volume", "attachments", "0", "attachment_id", NULL),
		"attachment");
	volume_detach(v, on_done);
	until(s, V "/volumes/$1", "volume", "detaching");
	until(s, V "/volumes/$1", "volume", "available");
	assert_int_equal(ended, 2);
	assert_string_equal(simulated_str(s, "volume", "attachments", "0", "server_id", NULL), "");
	/* a reservation is taken back at once */
	assert_true(volume_reserve(v));
	volume_detach(v, on_done);
	assert_int_equal(ended, 3);
	assert_string_equal(volume_status(v), "available");
	/* and so is an attachment that is under way: its end is not told */
	assert_true(volume_reserve(v));
	volume_attach(v, "server", "attachment", "/dev/vdb", "lab1", on_done);
	volume_detach(v, NULL);
	simulated_wait(s, 60 * NS_PER_S);
	assert_int_equal(ended, 3);
	assert_string_equal(volume_status(v), "available");
}

static void test_by_nova(void **state)
{
	struct simulated *s = *state;
	const struct volume_plan plan = {
		.project = s->project, .user = "user", .name = "", .gib = 3, .by = MADE_BY_NOVA};
	struct object *v = volume_make(s->sim, &plan);

	snprintf(s->kept[1], sizeof(s->kept[1]), "%s", v->id);
	until(s, V "/volumes/$1", "volume", "available");
	assert_string_equal(simulated_str(s, "volume", "volume_type", NULL), "files");
	assert_true(volume_reserve(v));
	volume_attach(v, "server", "attachment", "/dev/vda", "lab1", NULL);
	until(s, V "/volumes/$1", "volume", "in-use");
	volume_delete(v);
	until(s, V "/volumes/$1", "volume", "deleting");
	until_gone(s, V "/volumes/$1");
	/* one with snapshots stays */
	make_volume(s, 2, "{'volume': {'size': 1}}");
	until(s, V "/volumes/$2", "volume", "available");
	simulated_call(s, "POST", V "/snapshots", "{'snapshot': {'volume_id': '$2'}}");
	simulated_said(s, 202, NULL);
	volume_delete(object_get(s->sim, KIND_VOLUME, s->kept[2]));
	simulated_wait(s, 60 * NS_PER_S);
	until(s, V "/volumes/$2", "volume", "available");
}

/* --- faults ------------------------------------------------------------------------------------
 */

static void test_faults(void **state)
{
	struct simulated *s = *state;

	simulated_fault(
		s, "{'service': 'volume', 'method': 'POST', 'effect': 'stuck', 'times': 1}");
	make_volume(s, 1, "{'volume': {'size': 1}}");
	simulated_fault(
		s, "{'service': 'volume', 'method': 'POST', 'effect': 'error', 'times': 1}");
	make_volume(s, 2, "{'volume': {'size': 1}}");
	simulated_wait(s, 3600 * NS_PER_S);
	simulated_call(s, "GET", V "/volumes/$1", NULL);
	simulated_said(s, 200, "\"status\":\"creating\"");
	simulated_call(s, "GET", V "/volumes/$2", NULL);
	simulated_said(s, 200, "\"status\":\"error\"");
	simulated_fault(
		s, "{'service': 'volume', 'method': 'DELETE', 'effect': 'error', 'times': 1}");
	simulated_call(s, "DELETE", V "/volumes/$2", NULL);
	simulated_said(s, 202, NULL);
	until(s, V "/volumes/$2", "volume", "error_deleting");
}

int test_volume(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, simulated_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_versions),
		TEST(test_members_by_version),
		TEST(test_create_refused),
		TEST(test_life),
		TEST(test_other_project),
		TEST(test_sources),
		TEST(test_filters),
		TEST(test_pages),
		TEST(test_lists_lag),
		TEST(test_metadata),
		TEST(test_actions),
		TEST(test_summary),
		TEST(test_snapshots),
		TEST(test_snapshot_in_use),
		TEST(test_cascade),
		TEST(test_backups),
		TEST(test_no_backup_service),
		TEST(test_quota),
		TEST(test_types_and_zones),
		TEST(test_attachment),
		TEST(test_by_nova),
		TEST(test_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
