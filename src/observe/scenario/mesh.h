/*
 * mesh.h - everybody asks everybody: the script one guest runs, what it says, and the matrix that
 * all of them make.
 *
 * A *source* is a guest, a *target* an address of a guest, by ICMP or a TCP port. A pair is a
 * source and a target of another guest. Each pair is tried once more when nothing came back. Pure.
 * Thread: any.
 */
#ifndef OBSERVE_SCENARIO_MESH_H
#define OBSERVE_SCENARIO_MESH_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/vec.h"

#define MESH_SOURCES_MAX 100
#define MESH_TARGETS_MAX 400
#define MESH_COUNT_MAX   100
#define MESH_ADDRESS     46

struct mesh_target {
	char address[MESH_ADDRESS]; /* as inet_ntop() writes it */
	unsigned port;              /* 0: by ICMP */
	size_t owner;               /* the source it belongs to */
};

struct mesh_cell {
	unsigned sent, received; /* of both tries */
	bool retried;
	bool has_rtt;  /* TCP has none */
	double rtt_ms; /* median */
};

enum mesh_row { MESH_UNASKED, MESH_ASKED };

struct mesh {
	unsigned count; /* echo requests a try */
	double every_s; /* between them; 0: as the guest's ping does */
	char **names;   /* of sources; owned */
	size_t source_count;
	VEC(struct mesh_target) targets;
	struct mesh_cell *cells; /* [source][target]; mesh_begin() */
	enum mesh_row *rows;
};

struct mesh_sums {
	size_t pairs, lost, retried;
	bool has_rtt;
	double rtt_ms, rtt_max_ms; /* median, largest */
};

/* By owner, port, address: they came as services answered. Before mesh_begin(). */
void mesh_order(struct mesh *m);
void mesh_begin(struct mesh *m); /* when names and targets are there */
void mesh_fini(struct mesh *m);
/* Adds a target; false: no address, or too many. */
bool mesh_add_target(struct mesh *m, const char *address, unsigned port, size_t owner);

/* What source `i` runs. False: it would be too long. */
bool mesh_script(const struct mesh *m, size_t i, struct buf *script);
/* How much it may say. */
size_t mesh_output_max(const struct mesh *m);
/* Reads what it said, whatever that is, and counts its row as asked. */
void mesh_said(struct mesh *m, size_t i, struct slice output);

void mesh_sum(const struct mesh *m, struct mesh_sums *ret);
/* Which pairs are lost, whole rows and columns first: "nothing reaches vm[3]; vm[0] -> 10.0.0.5".
 */
void mesh_explain(const struct mesh *m, char *text, size_t n);
/*
 * {names, addresses, owners, rtt_ms, loss}: a row per source, a column per target. addresses are
 * texts ("10.0.0.5", "10.0.0.5 tcp:22"), owners indices of names. rtt_ms: null where nothing came
 * back, where it is not measured, and for a source's own; loss: 0 to 1, null for its own and where
 * the source could not be asked. Returns owned.
 */
json_t *mesh_matrix(const struct mesh *m);

#endif
