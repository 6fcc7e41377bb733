/*
 * measured.h - exchanges with a cloud as measures (store/measure.h).
 *
 * Waits, checks, benches and runs are told by the runs themselves (scenario/run.h). Thread: the
 * loop's.
 */
#ifndef OBSERVE_MEASURED_H
#define OBSERVE_MEASURED_H

#include "openstack/cloud.h"
#include "store/measure.h"

/* Tells one exchange, for a cloud_observer. `location` NULL: "". */
void measured_exchange(const struct cloud *c, const char *location, const struct cloud_exchange *x,
	measure_signal *cb, void *arg);

#endif
