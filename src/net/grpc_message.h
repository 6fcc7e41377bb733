/*
 * grpc_message.h - the bytes of grpc.health.v1.Health/Check: a message in gRPC's frame, and the
 * protobuf in it. No I/O; what comes is a stranger's. Thread: any.
 */
#ifndef NET_GRPC_MESSAGE_H
#define NET_GRPC_MESSAGE_H

#include <stdbool.h>

#include "base/buf.h"

#define GRPC_HEALTH_PATH "/grpc.health.v1.Health/Check"

/* Appends the framed HealthCheckRequest of a service ("": the whole server). */
void grpc_health_request(struct buf *out, struct slice service);

enum grpc_serving { GRPC_UNKNOWN, GRPC_SERVING, GRPC_NOT_SERVING, GRPC_SERVICE_UNKNOWN };

/* Reads exactly one framed HealthCheckResponse. False: it is none; `detail` says why. */
bool grpc_health_read(struct slice body, enum grpc_serving *ret, char *detail, size_t detail_n);
const char *grpc_serving_name(enum grpc_serving s); /* "NOT_SERVING" */
/* "NOT_FOUND" of 5; "?" of what is no code. */
const char *grpc_code_name(int code);
/* Undoes the percent-encoding of grpc-message; what is no printable UTF-8 is replaced. */
void grpc_message_text(struct slice s, struct buf *out);

#endif
