/*
 * measured.c - see measured.h.
 */

#include "observe/measured.h"

void measured_exchange(const struct cloud *c, const char *location, const struct cloud_exchange *x,
	measure_signal *cb, void *arg)
{
	const struct cloud_config *config = cloud_configuration(c);
	const struct cloud_purpose none = {0}, *p = x->purpose ? x->purpose : &none;
	const struct measure m = {
		.what = MEASURE_CALL,
		.cloud = config->name ? config->name : "",
		.region = config->region ? config->region : "",
		.location = location ? location : "",
		.scenario = p->scenario,
		.run = p->run,
		.step = p->step,
		.index = -1,
		.service = x->service,
		.name = x->call,
		.kind = p->kind,
		.url = x->url,
		.project = cloud_project_id(c),
		.at_ms = x->at_unix_us / 1000,
		.total_us = x->phases.total_ns / NS_PER_US,
		.fault = x->fault,
		.status = x->status,
		.request_id = x->request_id,
		.service_request_id = x->service_request_id,
	};
	cb(arg, &m);
}
