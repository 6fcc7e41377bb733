/* cloudmon_inside.h - between the files of the importer of CloudMon. */
#ifndef IMPORT_CLOUDMON_INSIDE_H
#define IMPORT_CLOUDMON_INSIDE_H

#include "import/probe.h"
#include "observe/endpoint_table.h"

struct cloudmon_component { /* of the catalog of the status page; texts borrowed */
	const char *name, *category;
	const struct yaml *from; /* what names it */
	bool used;
};

struct cloudmon {
	struct import *in;
	struct endpoint_table *table; /* what is asked anyway */
	struct map components;        /* type -> struct cloudmon_component *, owned */
	struct map chosen;       /* names of elements that the matrix has; values without meaning */
	struct map asked;        /* types of elements that have addresses; the same */
	struct map elements;     /* names of elements; the same */
	struct map projects;     /* name -> struct import_node *, kept: of test projects */
	struct map environments; /* name -> the same, of environments */
	struct map run;          /* names of projects whose tasks are run as programs; the same */
	VEC(struct import_node *) kept;
	char *rules; /* of metrics-processor: what the judge is to read; NULL: none */
	bool matrix; /* there is one that names elements */
};

/* The component of a type or of a service of GlobalMon; NULL: the catalog has none. It is used. */
struct cloudmon_component *cloudmon_component(struct cloudmon *c, const char *type);
/* The cloud is to be watched. Returns its map in the configuration; NULL: that is no name. */
json_t *cloudmon_cloud(struct cloudmon *c, const char *name);
/* A copy of the node and its way, for as long as c; owned by it. */
const struct import_node *cloudmon_keep(struct cloudmon *c, const struct import_node *n);

/* First all documents are looked at, then what they hold is taken. */
void cloudmon_elements_look(struct cloudmon *c, const struct import_node *root);
void cloudmon_elements(struct cloudmon *c, const struct import_node *root);
/* The runtime configuration of EPmon. */
void cloudmon_epmon(struct cloudmon *c, const struct import_node *root);
void cloudmon_globalmon(struct cloudmon *c, const struct import_node *root);
void cloudmon_balancers(struct cloudmon *c, const struct import_node *root);
void cloudmon_apimon_look(struct cloudmon *c, const struct import_node *root);
void cloudmon_apimon(struct cloudmon *c, const struct import_node *root);
/* An entry of a matrix: tasks of a project in an environment. */
void cloudmon_tasks(struct cloudmon *c, const struct import_node *entry, const char *env,
	const char *zone, const struct import_node *project, const struct import_node *tasks,
	const struct import_node *interval);
void cloudmon_project(struct cloudmon *c, const struct import_node *project);
void cloudmon_environment(struct cloudmon *c, const struct import_node *item);
void cloudmon_manager_look(struct cloudmon *c, const struct import_node *root);
void cloudmon_manager(struct cloudmon *c, const struct import_node *root);
/* The rules of metrics-processor. */
void cloudmon_judge_look(struct cloudmon *c, const struct import_node *root);
void cloudmon_judge(struct cloudmon *c, const struct import_node *root);

#endif
