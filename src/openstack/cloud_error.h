/*
 * cloud_error.h - what an OpenStack service says when it refuses: every service's own form, read.
 *
 * NeutronError{type,message,detail} · nova and cinder {<any>: {code,message}} · octavia
 * {faultcode,faultstring,debuginfo} · designate {code,type,message,request_id} · heat
 * {code,title,explanation,error{type,message}} · barbican {code,title,description} · keystone
 * {error:{code,title,message}} · webob (glance and unknown paths) {code,title,message} with HTML in
 * it · placement {errors:[{title,detail}]} · wsme {error_message:…} · swift HTML · proxies HTML or
 * nothing.
 * Thread: any.
 */
#ifndef OPENSTACK_CLOUD_ERROR_H
#define OPENSTACK_CLOUD_ERROR_H

#include "base/fault.h"
#include "base/json.h"

struct cloud_error {
	enum fault fault;  /* the HTTP status' own, sharpened: QUOTA, NO_CAPACITY … */
	char type[96];     /* "SecurityGroupRuleExists", "badRequest", "" */
	char message[512]; /* plain text, HTML stripped, one line */
};

/* `json` NULL when the body is none. `body` is the raw text. */
void cloud_error_read(int status, const json_t *json, struct slice body, struct cloud_error *ret);

#endif
