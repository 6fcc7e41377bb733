/*
 * log.h - one logfmt line an event: ts=… level=… event=… key=value …
 *
 * Only borders log (commands, the daemon's loop, the HTTP server); rooms return errors. Values are
 * quoted when needed and scrubbed of known secrets; lines are cut at 64 KiB with a mark. On
 * stderr, or to the given file descriptor. Thread: any.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_NOTICE, LOG_INFO, LOG_DEBUG };

void log_init(int fd, enum log_level level); /* default: stderr, notice */
bool log_on(enum log_level level);

/*
 * log_event(LOG_INFO, "run_started", "scenario", "%s", name, "servers", "%d", n, NULL);
 * Triples of key, printf format and its one argument; ends with NULL. Formats: %s %d %lld %u %llu
 * %zu %f (%.Nf); anything else is a program error and asserts.
 */
void log_event(enum log_level level, const char *event, ...) __attribute__((sentinel));

#endif
