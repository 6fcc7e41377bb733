/* kind_table.h - the built-in rows; kind.c reads them, nobody else. */
#ifndef OPENSTACK_KIND_TABLE_H
#define OPENSTACK_KIND_TABLE_H

#include "openstack/kind.h"

extern const struct kind kind_table[];
extern const size_t kind_table_count;

#endif
