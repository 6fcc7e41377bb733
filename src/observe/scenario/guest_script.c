#include "observe/scenario/guest_script.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

#include "base/units.h"
#include "observe/scenario/guest_run.h"

/* A log-in that is not a person's finds no tools of root. */
#define PATHS "PATH=$PATH:/usr/sbin:/sbin:/usr/local/sbin; export PATH\n"
#define SERVE "/run/glasshouse/serve-"

bool guest_script_plain(const char *text, bool bits)
{
	const char *slash = strchr(text, '/');
	char host[INET_ADDRSTRLEN];
	struct in_addr a;
	int64_t n = 32;
	const size_t len = slash ? (size_t)(slash - text) : strlen(text);
	if (len >= sizeof(host) || (slash && !bits) ||
		(slash && (!units_parse_int(slice_of(slash + 1), &n) || n < 0 || n > 32)))
		return false;
	memcpy(host, text, len);
	host[len] = 0;
	return inet_pton(AF_INET, host, &a) == 1;
}

/* --- the gateway: by iptables -------------------------------------------------------------------
 */

/* Chains of our own, jumped to first: what others have set up stays, and ours goes as one. */
static const struct {
	const char *table, *from, *chain;
} chains[] = {
	{"nat", "PREROUTING", "glasshouse-in"},
	{"nat", "POSTROUTING", "glasshouse-out"},
	{"filter", "FORWARD", "glasshouse-through"},
	{"mangle", "FORWARD", "glasshouse-mss"},
};

static void iptables_chains(struct buf *b)
{
	for (size_t i = 0; i < array_len(chains); i++)
		buf_printf(b,
			"iptables -w -t %s -N %s 2>/dev/null\n"
			"iptables -w -t %s -F %s || exit 1\n"
			"iptables -w -t %s -C %s -j %s 2>/dev/null || "
			"iptables -w -t %s -I %s -j %s || exit 1\n",
			chains[i].table, chains[i].chain, chains[i].table, chains[i].chain,
			chains[i].table, chains[i].from, chains[i].chain, chains[i].table,
			chains[i].from, chains[i].chain);
}

static void iptables_rules(struct buf *b, const struct gateway *g)
{
	buf_add_str(b,
		"a='iptables -w -t filter -A glasshouse-through'\n"
		"$a -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT || exit 1\n");
	if (g->masquerade)
		buf_printf(b,
			"$a -s %s -j ACCEPT || exit 1\n"
			"iptables -w -t nat -A glasshouse-out -s %s ! -d %s -j MASQUERADE || "
			"exit 1\n",
			g->masquerade, g->masquerade, g->masquerade);
	buf_add_str(b,
		"iptables -w -t mangle -A glasshouse-mss -p tcp --tcp-flags SYN,RST SYN "
		"-j TCPMSS --clamp-mss-to-pmtu || exit 1\n");
	for (size_t k = 0; k < g->forward_count; k++) {
		/* The guest's answer must come back by here, whatever its own way out is. */
		buf_printf(b,
			"iptables -w -t nat -A glasshouse-in -i $d%s%s -p tcp --dport %zu -j DNAT "
			"--to-destination %s:22 || exit 1\n",
			g->masquerade ? " ! -s " : "", g->masquerade ? g->masquerade : "",
			g->from_port + k, g->forward[k]);
		buf_printf(b,
			"$a -d %s -p tcp --dport 22 -j ACCEPT || exit 1\n"
			"iptables -w -t nat -A glasshouse-out -d %s -p tcp --dport 22 -j "
			"MASQUERADE || exit 1\n",
			g->forward[k], g->forward[k]);
	}
	buf_printf(b,
		"n=$(iptables -w -t nat -S glasshouse-in | grep -c DNAT)\n"
		"test $n = %zu || { echo \"only $n of %zu forwards are there\" >&2; exit 1; }\n",
		g->forward_count, g->forward_count);
}

/* --- by nft -------------------------------------------------------------------------------------
 */

static void nft_rules(struct buf *b, const struct gateway *g)
{
	buf_add_str(b,
		"nft -f - <<END || exit 1\n"
		"table ip glasshouse\n"
		"delete table ip glasshouse\n"
		"table ip glasshouse {\n"
		"chain in { type nat hook prerouting priority -100;\n");
	for (size_t k = 0; k < g->forward_count; k++)
		buf_printf(b, "iifname \"$d\" %s%s tcp dport %zu dnat to %s:22\n",
			g->masquerade ? "ip saddr != " : "", g->masquerade ? g->masquerade : "",
			g->from_port + k, g->forward[k]);
	buf_add_str(b, "}\nchain out { type nat hook postrouting priority 100;\n");
	if (g->masquerade)
		buf_printf(
			b, "ip saddr %s ip daddr != %s masquerade\n", g->masquerade, g->masquerade);
	for (size_t k = 0; k < g->forward_count; k++)
		buf_printf(b, "ip daddr %s tcp dport 22 masquerade\n", g->forward[k]);
	buf_printf(b,
		"}\nchain mss { type filter hook forward priority -150;\n"
		"tcp flags & (syn|rst) == syn tcp option maxseg size set rt mtu\n}\n}\nEND\n"
		"n=$(nft list chain ip glasshouse in | grep -c 'dnat to')\n"
		"test $n = %zu || { echo \"only $n of %zu forwards are there\" >&2; exit 1; }\n",
		g->forward_count, g->forward_count);
}

void guest_script_gateway(struct buf *b, const struct gateway *g)
{
	buf_add_str(b, PATHS
		"{\nd=; w=\n"
		"for x in $(ip -4 route show default); do\n"
		"test \"$w\" = dev && d=$x && break\nw=$x\ndone\n"
		"test -n \"$d\" || { echo 'no default route' >&2; exit 1; }\n");
	if (g->address)
		buf_printf(b,
			"ip address add %s/32 dev $d 2>/dev/null\n"
			"ip -4 -o address show dev $d | grep -q -F ' %s/32 ' || "
			"{ echo 'the address %s was not taken' >&2; exit 1; }\n",
			g->address, g->address, g->address);
	buf_add_str(b,
		"echo 1 >/proc/sys/net/ipv4/ip_forward || exit 1\n"
		"if command -v iptables >/dev/null 2>&1; then\n"
		"t=iptables\n");
	iptables_chains(b);
	iptables_rules(b, g);
	buf_add_str(b, "elif command -v nft >/dev/null 2>&1; then\nt=nft\n");
	nft_rules(b, g);
	buf_add_str(b,
		"else\necho 'this guest has neither iptables nor nft' >&2\nexit 127\nfi\n"
		"test \"$(cat /proc/sys/net/ipv4/ip_forward)\" = 1 || "
		"{ echo 'forwarding stayed off' >&2; exit 1; }\n");
	/* To be found again by the end of it, whose step does not know the address. */
	buf_printf(b,
		"mkdir -p /run/glasshouse && echo '%s' $d >/run/glasshouse/gateway || exit 1\n"
		"echo tool $t\n}\n",
		g->address ? g->address : "none");
}

void guest_script_gateway_end(struct buf *b)
{
	buf_add_str(b, PATHS "{\n");
	buf_add_str(b, "if command -v iptables >/dev/null 2>&1; then\nt=iptables\n");
	for (size_t i = 0; i < array_len(chains); i++)
		buf_printf(b,
			"iptables -w -t %s -D %s -j %s 2>/dev/null\n"
			"iptables -w -t %s -F %s 2>/dev/null\n"
			"iptables -w -t %s -X %s 2>/dev/null\n",
			chains[i].table, chains[i].from, chains[i].chain, chains[i].table,
			chains[i].chain, chains[i].table, chains[i].chain);
	buf_printf(b,
		"iptables -w -t nat -S | grep -q -F %s && "
		"{ echo 'the rules are still there' >&2; exit 1; }\n",
		chains[0].chain);
	buf_add_str(b,
		"else\nt=nft\nnft delete table ip glasshouse 2>/dev/null\nfi\n"
		"if test -s /run/glasshouse/gateway; then\n"
		"a=\nfor x in $(cat /run/glasshouse/gateway); do\n"
		"test -n \"$a\" && test $a != none && ip address del $a/32 dev $x\n"
		"a=$x\ndone\nrm -f /run/glasshouse/gateway\nfi\n"
		"echo tool $t\n}\n");
}

/* --- a small web server -------------------------------------------------------------------------
 */

/* Status 0 while somebody listens on the port. */
static void listens(struct buf *b, unsigned port)
{
	buf_printf(
		b, "grep -q -i ':%04X 0*:0000 0A' /proc/net/tcp /proc/net/tcp6 2>/dev/null", port);
}

/* Ends what an earlier step has started there; the process leads a group of its own. */
static void end_served(struct buf *b)
{
	buf_add_str(b,
		"if test -s $f/pid; then\n"
		"kill -TERM -$(cat $f/pid) 2>/dev/null && s=$((s + 1))\n"
		"rm -f $f/pid\nfi\n");
}

static void wait_until(struct buf *b, unsigned port, bool up)
{
	buf_add_str(b, "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do\n");
	listens(b, port);
	buf_printf(b, " %s break\nsleep 0.5\ndone\n", up ? "&&" : "||");
}

void guest_script_serve(struct buf *b, unsigned port, const char *text)
{
	buf_printf(b, PATHS "{\nf=" SERVE "%u; s=0\n", port);
	end_served(b);
	wait_until(b, port, false);
	listens(b, port);
	buf_printf(b, " && { echo 'port %u is taken by another program' >&2; exit 1; }\n", port);
	buf_add_str(b, "mkdir -p $f || exit 1\n");
	if (text) {
		buf_add_str(b, "printf '%s\\n' ");
		guest_run_word(b, slice_of(text));
	} else {
		buf_add_str(b, "hostname");
	}
	buf_add_str(b, " >$f/hostname && cp $f/hostname $f/index.html && cd $f || exit 1\n");
	buf_printf(b,
		"if command -v python3 >/dev/null 2>&1; then\nt=python3\n"
		"setsid python3 -m http.server %u </dev/null >/dev/null 2>&1 &\n",
		port);
	buf_printf(b,
		"elif busybox --list 2>/dev/null | grep -q -x httpd; then\nt=busybox\n"
		"setsid busybox httpd -f -p %u -h $f </dev/null >/dev/null 2>&1 &\n",
		port);
	/* What a netcat of either family makes of -l and -p; one of them fails at once. */
	buf_printf(b,
		"elif command -v nc >/dev/null 2>&1; then\nt=nc\n"
		"n=$(wc -c <$f/hostname)\n"
		"setsid sh -c \"while :; do { printf 'HTTP/1.0 200 OK\\r\\nContent-Type: "
		"text/plain\\r\\nContent-Length: $n\\r\\n\\r\\n'; cat $f/hostname; } | { nc -l -p "
		"%u || nc -l %u; } || sleep 1; done\" </dev/null >/dev/null 2>&1 &\n",
		port, port);
	buf_add_str(b,
		"else\necho 'this guest has no python3, no busybox with httpd and no nc to "
		"serve with' >&2\nexit 127\nfi\n"
		"p=$!\necho $p >$f/pid\n");
	wait_until(b, port, true);
	listens(b, port);
	buf_printf(b,
		" && kill -0 $p 2>/dev/null || { kill -TERM -$p 2>/dev/null; rm -f $f/pid; "
		"echo \"$t does not listen on port %u\" >&2; exit 1; }\n"
		"echo tool $t\n}\n",
		port);
}

void guest_script_serve_end(struct buf *b, unsigned port)
{
	buf_add_str(b, PATHS "{\ns=0\n");
	if (port)
		buf_printf(b, "for f in " SERVE "%u; do\n", port);
	else
		buf_add_str(b,
			"for f in $(ls /run/glasshouse 2>/dev/null | grep ^serve-); do\n"
			"f=/run/glasshouse/$f\n");
	end_served(b);
	buf_add_str(b, "rm -rf $f\ndone\n");
	if (port) {
		wait_until(b, port, false);
		listens(b, port);
		buf_printf(b, " && { echo 'port %u still answers' >&2; exit 1; }\n", port);
	}
	buf_add_str(b, "echo stopped $s\n}\n");
}
