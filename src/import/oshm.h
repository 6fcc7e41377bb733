/*
 * oshm.h - reads how OpenStack Health Monitor's api_monitor.sh is started, and makes the
 * glasshouse.yaml that does the same.
 *
 * Input is a line of options ("-O -C -D -n 8 -LL -b"), a whole command with variables in front
 * ("IMG='Debian 12' ./api_monitor.sh -O"), or a start script (run_*.sh), read with shell.h. Every
 * option and variable of version 1.115 is known, and each one given has a note in the report; so
 * have commands of the script that are neither variables nor api_monitor.sh. Thread: any.
 */
#ifndef IMPORT_OSHM_H
#define IMPORT_OSHM_H

#include <jansson.h>

#include "base/error.h"
#include "import/report.h"

/* The configuration (as config_json() has it), owned; NULL with an error: no shell script, no
 * api_monitor.sh in it, an option without its value. `name` is the file's, for errors. */
json_t *oshm_import(struct slice text, const char *name, struct import_report *report,
	struct error *err) must_check;

#endif
