/*
 * kind_exchange.h - between rows and the cloud: the requests of a row as calls, and what their
 * answers say of an object; the one place where runs and sweeps read them. Thread: any.
 */
#ifndef OPENSTACK_KIND_EXCHANGE_H
#define OPENSTACK_KIND_EXCHANGE_H

#include "openstack/cloud.h"
#include "openstack/kind.h"

/* Borrows of both; good as long as they are. */
struct cloud_request kind_call(
	const struct kind *k, const struct kind_request *q, int64_t deadline_ns);

/* The object a good answer tells of, without its wrapper; where answers are headers, these in lower
 * case beside what `path` says. Owned reference; NULL: it tells of none. */
json_t *kind_answer_object(const struct kind *k, const json_t *path, const struct cloud_answer *a);
/* Whether an answer to the kind's `get` says that the object of `path` is no more. */
bool kind_answer_gone(const struct kind *k, const json_t *path, const struct cloud_answer *a);
/* Whether a refusal only says "not now", in the row's own words. */
bool kind_answer_busy(const struct kind *k, const struct cloud_answer *a);
/* Whether a condition of a row holds for an object; an answer's status may be part of it. */
bool kind_holds(const struct expr *condition, const json_t *object, int status);

#endif
