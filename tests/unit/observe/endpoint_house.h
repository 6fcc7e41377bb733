/*
 * endpoint_house.h - endpoint probes of a scripted cloud in virtual time, and what they told.
 */
#ifndef TESTS_UNIT_OBSERVE_ENDPOINT_HOUSE_H
#define TESTS_UNIT_OBSERVE_ENDPOINT_HOUSE_H

#include "../openstack/fake_cloud.h"
#include "observe/endpoint.h"

struct told { /* an observation, copied */
	char cloud[32], probe[96], component[96], detail[300], request[300], request_id[48],
		service_request_id[48], series[300];
	int64_t at_ms, total_us;
	enum fault fault;
	bool warned;
	unsigned tries;
	int status;
};

struct house {
	struct fake *fake;
	struct schedule *schedule;
	struct http_client *probes;
	struct series_store *series; /* or NULL */
	struct endpoint_options options;
	struct endpoints *endpoints;
	VEC(struct told) told;
	unsigned changes;
	char dir[64]; /* of the user's tables, empty at first */
};

/* For cmocka: *state becomes a struct house *; the cloud's services answer their versions and
 * lists. The probes begin with house_begin(). */
int house_setup(void **state);
int house_teardown(void **state);
#define house_test(f) cmocka_unit_test_setup_teardown(f, house_setup, house_teardown)
void house_begin(struct house *h);

/* Time goes on; nothing is under way at its end but requests that the cloud keeps unanswered. */
void house_pass(struct house *h, int64_t ns);
/* Keystone answers every log-in with that status from now on; 0: as usual. */
void house_keystone(struct house *h, int status);
void house_catalog(struct house *h, const char *json);
/* From now on; status as in fake_cloud.h. */
void house_says(
	struct house *h, const char *request, int status, const char *header, const char *body);
void house_write(struct house *h, const char *file, const char *text);

const struct endpoint_probe *house_probe(const struct house *h, const char *name); /* or NULL */
size_t house_waiting(const struct house *h); /* runs that wait for a token */
void house_forget(struct house *h);          /* what was told so far */
size_t house_count(const struct house *h, const char *probe);
/* With that fault. */
size_t house_faults(const struct house *h, const char *probe, enum fault fault);
const struct told *house_last(const struct house *h, const char *probe); /* must be there */

#endif
