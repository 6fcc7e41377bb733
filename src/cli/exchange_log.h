/*
 * exchange_log.h - `--log FILE`: every exchange with the cloud, a JSON line each, secrets masked by
 * the session before they come here. The file is made 0600. Thread: the loop's.
 */
#ifndef CLI_EXCHANGE_LOG_H
#define CLI_EXCHANGE_LOG_H

#include "openstack/cloud.h"

struct exchange_log;

struct exchange_log *exchange_log_open(const char *path, struct error *err) must_check;
void exchange_log_write(struct exchange_log *l, const struct cloud_exchange *x);
/* False when something could not be written. */
bool exchange_log_close(struct exchange_log *l);

#endif
