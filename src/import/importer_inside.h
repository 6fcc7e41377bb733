/*
 * importer_inside.h - between importer.c and the importers.
 *
 * Each is given all documents at once, and makes what it can. False: there is not one that it
 * knows. What it has told nothing of is told of after it.
 */
#ifndef IMPORT_IMPORTER_INSIDE_H
#define IMPORT_IMPORTER_INSIDE_H

#include "import/source.h"

bool import_cloudmon(struct import *in);
bool import_gatus(struct import *in);
bool import_blackbox(struct import *in);
bool import_kuma(struct import *in);

#endif
