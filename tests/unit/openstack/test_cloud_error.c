/* Error bodies, as the services of a real cloud and the proxies before them send them. */
#include "../check.h"

#include "openstack/cloud_error.h"

static struct cloud_error read(int status, const char *body)
{
	struct cloud_error e;
	json_t *j = body[0] == '{' ? json_parse(slice_of(body), BUF_PAGE, NULL) : NULL;

	cloud_error_read(status, j, slice_of(body), &e);
	json_decref(j);
	return e;
}

static const struct row {
	int status;
	const char *body;
	enum fault fault;
	const char *type, *message;
} rows[] = {
	/* neutron */
	{409,
		"{\"NeutronError\": {\"type\": \"NetworkInUse\", \"message\": \"Unable to complete"
		" operation on network 5.\", \"detail\": \"\"}}",
		FAULT_HTTP_409, "NetworkInUse", "Unable to complete operation on network 5."},
	{409,
		"{\"NeutronError\": {\"type\": \"OverQuota\", \"message\": \"Quota exceeded for"
		" resources: ['port'].\", \"detail\": \"\"}}",
		FAULT_QUOTA, "OverQuota", "Quota exceeded for resources: ['port']."},
	{404, "{\"NeutronError\": \"gone\"}", FAULT_HTTP_404, "", "gone"},
	/* nova and cinder */
	{400, "{\"badRequest\": {\"code\": 400, \"message\": \"Invalid imageRef provided.\"}}",
		FAULT_HTTP_400, "badRequest", "Invalid imageRef provided."},
	{403,
		"{\"forbidden\": {\"code\": 403, \"message\": \"Quota exceeded for cores: Requested"
		" 8, but already used 4 of 10 cores\"}}",
		FAULT_QUOTA, "forbidden",
		"Quota exceeded for cores: Requested 8, but already used 4 of 10 cores"},
	{403, "{\"forbidden\": {\"code\": 403, \"message\": \"Maximum number of ports exceeded\"}}",
		FAULT_QUOTA, "forbidden", "Maximum number of ports exceeded"},
	{403, "{\"forbidden\": {\"code\": 403, \"message\": \"Policy doesn't allow it\"}}",
		FAULT_HTTP_403, "forbidden", "Policy doesn't allow it"},
	{413,
		"{\"overLimit\": {\"code\": 413, \"message\": \"VolumeLimitExceeded: Maximum number"
		" of volumes allowed (10) exceeded for quota 'volumes'.\"}}",
		FAULT_QUOTA, "overLimit",
		"VolumeLimitExceeded: Maximum number of volumes allowed (10) exceeded for quota"
		" 'volumes'."},
	{409,
		"{\"conflictingRequest\": {\"code\": 409, \"message\": \"Cannot 'attach_interface'"
		" instance 7 while it is in task_state spawning\"}}",
		FAULT_HTTP_409, "conflictingRequest",
		"Cannot 'attach_interface' instance 7 while it is in task_state spawning"},
	{500,
		"{\"computeFault\": {\"code\": 500, \"message\": \"No valid host was found. There"
		" are not enough hosts available.\"}}",
		FAULT_NO_CAPACITY, "computeFault",
		"No valid host was found. There are not enough hosts available."},
	{503, "{\"serviceUnavailable\": {\"code\": 503, \"message\": \"x\"}}", FAULT_HTTP_503,
		"serviceUnavailable", "x"},
	/* octavia; wsme puts it one level deeper, ironic as text */
	{409,
		"{\"faultcode\": \"Client\", \"faultstring\": \"Load Balancer 5 is immutable\","
		" \"debuginfo\": null}",
		FAULT_HTTP_409, "Client", "Load Balancer 5 is immutable"},
	{403,
		"{\"faultcode\": \"Client\", \"faultstring\": \"Quota has been met for resources:"
		" Load Balancer\", \"debuginfo\": null}",
		FAULT_QUOTA, "Client", "Quota has been met for resources: Load Balancer"},
	{404,
		"{\"error_message\": {\"debuginfo\": null, \"faultcode\": \"Client\","
		" \"faultstring\": \"Alarm 5 not found\"}}",
		FAULT_HTTP_404, "Client", "Alarm 5 not found"},
	{404,
		"{\"error_message\": \"{\\\"debuginfo\\\": null, \\\"faultcode\\\": \\\"Client\\\","
		" \\\"faultstring\\\": \\\"Node 5 could not be found.\\\"}\"}",
		FAULT_HTTP_404, "Client", "Node 5 could not be found."},
	{404, "{\"error_message\": \"not here\"}", FAULT_HTTP_404, "", "not here"},
	/* designate */
	{409,
		"{\"code\": 409, \"type\": \"duplicate_zone\", \"message\": \"Duplicate Zone\","
		" \"request_id\": \"req-1\"}",
		FAULT_HTTP_409, "duplicate_zone", "Duplicate Zone"},
	{400,
		"{\"code\": 400, \"type\": \"invalid_object\", \"errors\": {\"errors\": [{\"path\":"
		" [\"type\", \"email\"], \"message\": \"'email' is a required property\","
		" \"validator\": \"required\"}]}, \"request_id\": \"req-1\"}",
		FAULT_HTTP_400, "invalid_object", "'email' is a required property"},
	{413,
		"{\"code\": 413, \"type\": \"over_quota\", \"message\": \"Quota exceeded for"
		" zones.\", \"request_id\": \"req-1\"}",
		FAULT_QUOTA, "over_quota", "Quota exceeded for zones."},
	/* heat */
	{409,
		"{\"code\": 409, \"title\": \"Conflict\", \"explanation\": \"There was a conflict"
		" when trying to complete your request.\", \"error\": {\"type\": \"StackExists\","
		" \"traceback\": null, \"message\": \"The Stack (s1) already exists.\"}}",
		FAULT_HTTP_409, "StackExists", "The Stack (s1) already exists."},
	{400,
		"{\"code\": 400, \"title\": \"Bad Request\", \"explanation\": \"The server could not"
		" comply with the request since it is either malformed or otherwise incorrect.\","
		" \"error\": {\"type\": \"RequestLimitExceeded\", \"traceback\": null, \"message\":"
		" \"Request limit exceeded: You have reached the maximum stacks per tenant, 100."
		" Please delete some stacks.\"}}",
		FAULT_QUOTA, "RequestLimitExceeded",
		"Request limit exceeded: You have reached the maximum stacks per tenant, 100."
		" Please delete some stacks."},
	/* barbican */
	{403,
		"{\"code\": 403, \"title\": \"Forbidden\", \"description\": \"Quota reached for"
		" project 1. Only 5 secrets are allowed.\"}",
		FAULT_QUOTA, "Forbidden",
		"Quota reached for project 1. Only 5 secrets are allowed."},
	{404, "{\"code\": 404, \"title\": \"Not Found\", \"description\": \"Secret not found.\"}",
		FAULT_HTTP_404, "Not Found", "Secret not found."},
	/* swift */
	{409,
		"<html><h1>Conflict</h1><p>There was a conflict when trying to complete your"
		" request.</p></html>",
		FAULT_HTTP_409, "HTML",
		"Conflict There was a conflict when trying to complete your request."},
	{413, "<html><h1>Request Entity Too Large</h1><p>Upload exceeds quota.</p></html>",
		FAULT_QUOTA, "HTML", "Request Entity Too Large Upload exceeds quota."},
	/* keystone */
	{403,
		"{\"error\": {\"code\": 403, \"title\": \"Forbidden\", \"message\": \"Unable to create"
		" additional application credentials, maximum of 1 already exceeded for user.\"}}",
		FAULT_QUOTA, "Forbidden",
		"Unable to create additional application credentials, maximum of 1 already exceeded"
		" for user."},
	/* heat */
	{404,
		"{\"code\": 404, \"error\": {\"message\": \"The Stack (x) could not be found.\","
		" \"traceback\": null, \"type\": \"EntityNotFound\"}, \"explanation\": \"The"
		" resource could not be found.\", \"title\": \"Not Found\"}",
		FAULT_HTTP_404, "EntityNotFound", "The Stack (x) could not be found."},
	{400, "{\"code\": 400, \"explanation\": \"Bad thing\", \"title\": \"Bad Request\"}",
		FAULT_HTTP_400, "Bad Request", "Bad thing"},
	/* barbican */
	{404, "{\"code\": 404, \"title\": \"Not Found\", \"description\": \"Secret not found.\"}",
		FAULT_HTTP_404, "Not Found", "Secret not found."},
	/* keystone */
	{401,
		"{\"error\": {\"code\": 401, \"message\": \"The request you have made requires"
		" authentication.\", \"title\": \"Unauthorized\"}}",
		FAULT_HTTP_401, "Unauthorized",
		"The request you have made requires authentication."},
	/* placement: a list (API guidelines' own form) */
	{404,
		"{\"errors\": [{\"status\": 404, \"title\": \"Not Found\", \"detail\": \"No"
		" resource provider.\", \"code\": \"placement.undefined_code\"}]}",
		FAULT_HTTP_404, "Not Found", "No resource provider."},
	{404, "{\"code\": \"plain\", \"message\": \"simple\"}", FAULT_HTTP_404, "plain", "simple"},
	/* glance and unknown paths of others, asked for JSON */
	{404,
		"{\"message\": \"No image found with ID 5<br /><br />\\n\\n\\n\", \"code\": \"404 Not"
		" Found\", \"title\": \"Not Found\"}",
		FAULT_HTTP_404, "404 Not Found", "No image found with ID 5"},
	/* glance and swift: HTML */
	{409,
		"<html>\n <head>\n  <title>409 Conflict</title>\n </head>\n <body>\n  <h1>409"
		" Conflict</h1>\n  Image ID 5 already exists!<br /><br />\n\n\n\n </body>\n</html>",
		FAULT_HTTP_409, "HTML", "409 Conflict Image ID 5 already exists!"},
	{404,
		"<html><h1>Not Found</h1><p>The resource can&#x27;t be &lt;found&gt; &amp; so"
		" &quot;on&quot;&#46;&nosuch;</p></html>",
		FAULT_HTTP_404, "HTML",
		"Not Found The resource can't be <found> & so \"on\".&nosuch;"},
	/* proxies */
	{502,
		"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502"
		" Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
		"<!-- a padding to disable MSIE and Chrome friendly error page -->\r\n",
		FAULT_HTTP_5XX, "HTML", "502 Bad Gateway nginx"},
	{503,
		"<!DOCTYPE html><html><head><title>down</title><style>h1 > a {color: red}</style>"
		"<script>if (1 < 2) x();</script></head><body><style>b{}</style><!-- <b>no</b> -->"
		"<h1>Down</h1><script>y()</script> for now</body></html>",
		FAULT_HTTP_503, "HTML", "Down for now"},
	{503, "<html><head><title>only a title</title></head><body></body></html>", FAULT_HTTP_503,
		"HTML", "only a title"},
	{503, "<html><header>top</header><HEAD lang=en>x</HEAD>end", FAULT_HTTP_503, "HTML",
		"top end"},
	{503, "<html><style>never closed", FAULT_HTTP_503, "HTML", ""},
	{503, "upstream connect error\nor \t disconnect", FAULT_HTTP_503, "",
		"upstream connect error or disconnect"},
	{503, "", FAULT_HTTP_503, "", ""},
	{500, "{\"unknown\": [1, 2]}", FAULT_HTTP_5XX, "", ""},
	{500, "{\"message\": 5}", FAULT_HTTP_5XX, "", ""},
	/* nothing of it may command a terminal */
	{500, "\x1b[31mred\x07\x7f", FAULT_HTTP_5XX, "", "[31mred"},
	{429, "{\"overLimit\": {\"code\": 429, \"message\": \"slow\"}}", FAULT_HTTP_429,
		"overLimit", "slow"},
	{418, "x", FAULT_HTTP_4XX, "", "x"},
};

static void test_forms(void **state)
{
	for (size_t i = 0; i < array_len(rows); i++) {
		const struct row *r = &rows[i];
		const struct cloud_error e = read(r->status, r->body);

		if (e.fault != r->fault || strcmp(e.type, r->type) || strcmp(e.message, r->message))
			fail_msg("%s\ngives %s, \"%s\", \"%s\"", r->body, fault_name(e.fault),
				e.type, e.message);
	}
}

/* Whatever its length, what is kept is whole characters and NUL-terminated. */
static void test_cuts(void **state)
{
	static const char *const wraps[][2] = {{"", ""}, {"<p>", "</p>"},
		{"{\"badRequest\": {\"message\": \"", "\"}}"},
		{"{\"code\": 1, \"message\": \"m\", \"type\": \"", "\"}"}};

	for (size_t w = 0; w < array_len(wraps); w++)
		for (size_t shift = 0; shift < 4; shift++) {
			struct buf body = BUF(BUF_PAGE);

			buf_add_str(&body, wraps[w][0]);
			for (size_t i = 0; i < shift; i++)
				buf_add_char(&body, 'x');
			for (size_t i = 0; i < 1000; i++)
				buf_add_str(&body, i % 2 ? "€" : "😀");
			buf_add_str(&body, wraps[w][1]);
			const struct cloud_error e = read(500, buf_str(&body));
			assert_true(utf8_valid(slice_of(e.message)));
			assert_true(utf8_valid(slice_of(e.type)));
			if (w == 3)
				assert_true(strlen(e.type) > 88);
			else
				assert_true(strlen(e.message) > 500);
			buf_fini(&body);
		}
	/* Latin-1 of an old proxy */
	const struct cloud_error e = read(500, "caf\xe9 ferm\xe9");
	assert_true(utf8_valid(slice_of(e.message)));
	assert_non_null(strstr(e.message, "caf"));
}

/* Cut anywhere, bodies are read without a crash. */
static void test_cut_bodies(void **state)
{
	for (size_t i = 0; i < array_len(rows); i++)
		for (size_t n = 0; n <= strlen(rows[i].body); n++) {
			char *cut = mem_strndup(rows[i].body, n);
			const struct cloud_error e = read(rows[i].status, cut);

			assert_true(utf8_valid(slice_of(e.message)));
			free(cut);
		}
}

int test_cloud_error(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_cuts),
		cmocka_unit_test(test_cut_bodies),
	};

	return cmocka_run_group_tests_name("openstack/error", tests, NULL, NULL);
}
