/*
 * state.h - the whole state of one simulated cloud, for the files of this room only.
 */
#ifndef SIM_STATE_H
#define SIM_STATE_H

#include "base/clock.h"
#include "net/http_server.h"
#include "sim/call.h"
#include "sim/draw.h"
#include "sim/mishap.h"
#include "sim/object.h"
#include "sim/record.h"
#include "sim/sim.h"
#include "sim/token.h"

/* Limits of one project; -1 is no limit. */
struct quota {
	int64_t instances, cores, ram, key_pairs, server_groups, server_group_members;
	int64_t network, subnet, port, router, floatingip, security_group, security_group_rule;
	int64_t volumes, gigabytes, snapshots, backups, backup_gigabytes;
	int64_t zones, zone_recordsets, zone_records, recordset_records;
	int64_t containers, object_bytes;
	int64_t secrets, secret_containers, orders;
	int64_t load_balancer, listener, pool, member, health_monitor, l7policy, l7rule;
	int64_t stacks;
};

struct sim {
	struct loop *loop;
	struct http_server *server;
	unsigned port;
	char *url;
	int64_t token_ns;
	int64_t started_ns;
	bool has_backup;    /* whether cinder has its backup service */
	bool has_host_href; /* whether barbican knows its own address */
	bool ovn;           /* floating IPs get ACTIVE only when a server takes their port */
	struct draw draw;
	struct quota quota;
	struct table tables[KIND_COUNT];
	struct map tokens; /* text -> struct token * */
	struct mishaps mishaps;
	struct record record;
	struct call *calls;    /* under way */
	struct guests *guests; /* of the servers */
	struct name_server *name_server;
	json_t *violations;
	json_t *deleted_servers; /* documents, oldest first: nova shows them with changes-since */
	struct map
		instances; /* project/user -> char *: the instance that user was seen as; "" many */
	struct {
		char public_network[UUID_TEXT], public_subnet[UUID_TEXT];
		unsigned next_vxlan, next_volume_host;
	} net;
};

#define ZONE_COUNT 2
extern const char *const sim_zones[ZONE_COUNT]; /* az1 az2 */
#define SIM_REGION "RegionOne"

#endif
