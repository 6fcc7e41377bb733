/*
 * dns.h - designate v2 and the name server of its zones. Thread: the loop's.
 *
 * What the API took is PENDING first and gets ACTIVE (or is gone) after a drawn time; another drawn
 * time (dns_served) passes until the name server answers accordingly. Neither waits for the other:
 * a name server that lags behind is a fault that can be simulated.
 */
#ifndef SIM_DNS_H
#define SIM_DNS_H

#include <jansson.h>

#include "base/buf.h"
#include "base/error.h"
#include "sim/call.h"

/* --- the name server ---------------------------------------------------------------------------
 */

struct name_server;

/* UDP and TCP on one free port of 127.0.0.1. Returns owned, or NULL. */
struct name_server *name_server_new(struct sim *s, struct error *err) must_check;
void name_server_free(struct name_server *n); /* NULL is fine */
unsigned name_server_port(const struct name_server *n);

#define NAME_QUERY_MAX 4096 /* bytes of a question that is looked at */

/* Appends the answer to one question; nothing when it deserves none. `udp`: cut to what the asker
 * takes (512 or what its EDNS says), with TC set. */
void name_answer(struct sim *s, const void *query, size_t n, bool udp, struct buf *out);
/* "A" and "www.example.org." of a question, for the rules of faults; false when it is no question.
 * Both owned. */
bool name_question(const void *query, size_t n, char **ret_type, char **ret_name);
/* The answer to it that says SERVFAIL. */
void name_failure(const void *query, size_t n, struct buf *out);

/* --- for the files of this service -------------------------------------------------------------
 */

#define DNS_NAME_MAX    255
#define DNS_SOA_MINIMUM 3600 /* how long it stays known that a name does not exist, seconds */
#define DNS_NAME_SERVER "ns1.sim.example."

/* dns.c */
/* By id, the project's; answers 400 or 404 otherwise. */
struct object *dns_zone_find(struct call *c, const char *id);
struct object *dns_recordset_find(struct call *c, const char *zone, const char *id);
json_t *dns_view(struct call *c, const struct object *o); /* with its links */
/* The body, which must be an object with no other keys than `keys` (with spaces between); answers
 * otherwise. Borrows. */
json_t *dns_body(struct call *c, const char *what, const char *keys);
/* 400 invalid_object in the words of the service: "Provided object is not valid. Got a …". */
void dns_invalid(struct call *c, const char *fmt, ...) like_printf(2, 3);
/* 400 invalid_object with one entry in `errors`. Takes path and value. */
void dns_invalid_at(struct call *c, json_t *path, const char *message, const char *validator,
	json_t *validator_value);
/* The same with several: [{path, message, validator, validator_value}]. Takes. */
void dns_invalid_list(struct call *c, json_t *errors);
void dns_over_quota(struct call *c, const char *resource);

/* dns_check.c; each answers and returns false when it is wrong. Absent values are fine. */
bool dns_check_zone_name(struct call *c, const json_t *name);
bool dns_check_host_name(struct call *c, const json_t *name);
bool dns_check_email(struct call *c, const json_t *email);
bool dns_check_common(struct call *c, const json_t *in); /* description, ttl */
/* The type is one of the service and each record is one of that type. */
bool dns_check_records(struct call *c, const json_t *type, const json_t *records);

/* dns_zone.c, dns_recordset.c, dns_list.c: the requests. */
void dns_zone_create(struct call *c);
void dns_zone_show(struct call *c);
void dns_zone_update(struct call *c);
void dns_zone_delete(struct call *c);
void dns_recordset_create(struct call *c);
void dns_recordset_show(struct call *c);
void dns_recordset_update(struct call *c);
void dns_recordset_delete(struct call *c);
void dns_zone_list(struct call *c);
void dns_recordset_list(struct call *c);      /* of one zone */
void dns_all_recordsets_list(struct call *c); /* of all the project's zones */

/* dns_life.c: what happens by itself. */
struct served { /* object.more of a zone */
	struct timer timer;
	json_t *sets; /* [{id, name, type, ttl, records}] as the name server has them; NULL: no zone
		       */
};

/* created_at, version and so on of a new zone or recordset: PENDING, CREATE. */
void dns_begin(struct object *o);
/* Something about the zone or in it changed: a new serial, and the name server will know. */
void dns_zone_touch(struct object *zone);
/* PENDING with that action; after a drawn time ACTIVE, or gone for DELETE. `error`: ERROR then. */
void dns_pending(struct object *o, const char *action, bool error);
/* The data of its SOA record, owned. */
char *dns_soa_text(const struct object *zone);
struct object *dns_zone_of(const struct object *recordset);
struct served *dns_served(struct object *zone);
const char *dns_now(const struct sim *s, char *text); /* "2026-11-26T09:51:07.000000" */

#endif
