/*
 * oshm_inside.h - between the files of the importer: oshm.c reads commands, oshm_table.c knows
 * options and variables.
 */
#ifndef IMPORT_OSHM_INSIDE_H
#define IMPORT_OSHM_INSIDE_H

#include "import/oshm.h"
#include "import/shell.h"

#define OSHM_MAILS_MAX 50

struct oshm {
	struct import_report *report;
	json_t *params; /* of the scenario oshm */
	json_t *scenario;
	char *cloud; /* NULL: not said */
	json_t *alarm_mails, *note_mails;
	char *from; /* of mails; NULL: not said */
	char *metrics;
	bool quiet, statistics;
	int64_t statistics_hours;
	bool batch;
};

enum oshm_argument { ARGUMENT_NONE, ARGUMENT_ONE, ARGUMENT_MAYBE };

/* What was given, and where. */
struct oshm_given {
	const char *what;  /* "-n", "IMG" */
	const char *value; /* NULL: none */
	unsigned line, col;
};

/* An option or a variable: what is done with it. */
struct oshm_row {
	const char *name;
	enum oshm_argument argument; /* of options */
	void (*apply)(struct oshm *o, const struct oshm_row *row, const struct oshm_given *g);
	const char *param; /* that it becomes, or the sentence why not */
	const char *value; /* of the parameter where the option has none: JSON */
};

const struct oshm_row *oshm_option(const char *name);   /* NULL: unknown */
const struct oshm_row *oshm_variable(const char *name); /* NULL: not the program's */
const char *oshm_option_near(const char *name);         /* or NULL; static */
void oshm_defaults(struct oshm *o); /* what api_monitor.sh does unasked and the scenario does not */

#endif
