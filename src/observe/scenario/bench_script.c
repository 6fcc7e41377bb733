#include "observe/scenario/bench_script.h"

#include <inttypes.h>
#include <string.h>

#define PLACE "/tmp/glasshouse-throughput"
#define SPARE 30 /* s that a receiver waits beyond its time */

void bench_script_pi(struct buf *b, unsigned digits)
{
	buf_add_str(b, "{\ns=$(grep '^cpu ' /proc/stat)\n");
	buf_printf(b,
		"if command -v bc >/dev/null 2>&1; then\nt=bc\n"
		"n=$(echo 'scale=%u; 4*a(1)' | BC_LINE_LENGTH=0 bc -l | wc -c)\n",
		digits);
	buf_printf(b,
		"elif command -v awk >/dev/null 2>&1; then\nt='awk (not comparable)'\nn=0\n"
		"awk 'BEGIN { for (i = 0; i < %u * 2500; i++) s += (i %% 2 ? -1 : 1) / (2 * i + 1); "
		"print 4 * s }' >/dev/null || exit 1\n",
		digits);
	buf_printf(b,
		"else\nt='sh (not comparable)'\nn=0\ni=0\n"
		"while test $i -lt %u; do i=$((i + 1)); done\nfi\n",
		digits * 250);
	buf_add_str(b,
		"echo tool $t\necho digits $n\necho before $s\n"
		"echo after $(grep '^cpu ' /proc/stat)\ntimes\n}\n");
}

/* --- disk ---------------------------------------------------------------------------------------
 */

bool bench_rw(const char *rw)
{
	static const char *const known[] = {
		"read", "write", "randread", "randwrite", "rw", "readwrite", "randrw"};
	for (size_t i = 0; i < array_len(known); i++)
		if (!strcmp(known[i], rw))
			return true;
	return false;
}

static void add_fio(struct buf *b, const struct bench_disk *d, bool direct)
{
	buf_printf(b,
		"fio --name=glasshouse --directory=$d --rw=%s --bs=%" PRId64
		" --numjobs=%u "
		"--size=%" PRId64
		" --time_based --runtime=%u --direct=%d --group_reporting "
		"--output-format=json+ >$d/said 2>$d/errors",
		d->rw, d->block, d->jobs, d->size, d->seconds, direct);
}

static void add_dd(struct buf *b, const struct bench_disk *d, const char *how, const char *name)
{
	const int64_t count = d->size / d->block > 0 ? d->size / d->block : 1;
	buf_printf(b,
		"b=$(cat /proc/uptime); dd if=/dev/zero of=$d/file bs=%" PRId64 " count=%" PRId64
		"%s 2>$d/said && e=$(cat /proc/uptime) && t='dd (%s)'",
		d->block, count, how, name);
}

void bench_script_disk(struct buf *b, const struct bench_disk *d)
{
	/* /tmp is memory in many guests. */
	buf_add_str(b,
		"{\nd=$(mktemp -d /var/tmp/glasshouse.XXXXXX 2>/dev/null || mktemp -d) || exit 1\n"
		"t=\nb=\ne=\nif command -v fio >/dev/null 2>&1; then\n");
	add_fio(b, d, true);
	buf_add_str(b, " && t=fio || { ");
	add_fio(b, d, false);
	buf_add_str(b,
		" && t='fio (buffered)'; }\n"
		"elif command -v dd >/dev/null 2>&1; then\n");
	add_dd(b, d, " oflag=direct conv=fsync", "sequential write, direct");
	buf_add_str(b, " || { ");
	add_dd(b, d, " conv=fsync", "sequential write, fsync");
	buf_add_str(b, "; } || { ");
	add_dd(b, d, "", "sequential write, buffered");
	buf_add_str(b,
		"; }\nelse\necho 'this guest has neither fio nor dd' >&2\nrm -rf $d\nexit 127\n"
		"fi\nif test -n \"$t\"; then\necho tool $t\necho began $b\necho ended $e\ncat $d/said\nelse\n"
		"cat $d/said $d/errors >&2 2>/dev/null\nrm -rf $d\nexit 1\nfi\nrm -rf $d\n}\n");
}

/* --- throughput ---------------------------------------------------------------------------------
 */

void throughput_script_tools(struct buf *b)
{
	buf_add_str(b,
		"for x in iperf3 nc dd; do\n"
		"command -v $x >/dev/null 2>&1 && echo has $x\ndone\nexit 0\n");
}

static void listens(struct buf *b)
{
	buf_printf(b, "grep -q -i ':%04X 0*:0000 0A' /proc/net/tcp /proc/net/tcp6 2>/dev/null",
		THROUGHPUT_PORT);
}

static void end_earlier(struct buf *b)
{
	buf_add_str(b, "f=" PLACE
		       "\nif test -s $f/pid; then\n"
		       "kill -TERM -$(cat $f/pid) 2>/dev/null\nfi\n");
}

void throughput_script_serve(struct buf *b, enum throughput_tool tool, unsigned seconds)
{
	buf_add_str(b, "{\n");
	end_earlier(b);
	buf_printf(b,
		"rm -rf $f\nmkdir $f || exit 1\nw=\n"
		"command -v timeout >/dev/null 2>&1 && w='timeout %u'\n",
		seconds + SPARE);
	listens(b);
	if (tool == THROUGHPUT_IPERF3) {
		buf_add_str(b, " && { echo ready; exit 0; }\n");
		buf_printf(b, "setsid $w iperf3 -s -1 -p %u </dev/null >/dev/null 2>&1 &\n",
			THROUGHPUT_PORT);
	} else {
		buf_printf(b, " && { echo 'port %u is taken by another program' >&2; exit 1; }\n",
			THROUGHPUT_PORT);
		buf_printf(b,
			"setsid $w sh -c '{ nc -l -p %u || nc -l %u; } 2>/dev/null | wc -c >" PLACE
			"/received' </dev/null >/dev/null 2>&1 &\n",
			THROUGHPUT_PORT, THROUGHPUT_PORT);
	}
	buf_add_str(b, "echo $! >$f/pid\nfor i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do\n");
	listens(b);
	buf_add_str(b,
		" && { echo ready; exit 0; }\nsleep 0.25\ndone\n"
		"kill -TERM -$(cat $f/pid) 2>/dev/null\nrm -rf $f\n");
	buf_printf(b, "echo 'nothing listens on port %u' >&2\nexit 1\n}\n", THROUGHPUT_PORT);
}

void throughput_script_send(
	struct buf *b, enum throughput_tool tool, const char *address, unsigned seconds)
{
	if (tool == THROUGHPUT_IPERF3)
		buf_printf(
			b, "exec iperf3 -c %s -p %u -t %u -J\n", address, THROUGHPUT_PORT, seconds);
	else
		buf_printf(b,
			"{\ndd if=/dev/zero bs=65536 2>/dev/null | nc %s %u >/dev/null 2>&1 &\n"
			"p=$!\nsleep %u\nkill -0 $p 2>/dev/null || { echo 'the connection did not "
			"come about, or did not last' >&2; exit 1; }\nkill -TERM $p\nexit 0\n}\n",
			address, THROUGHPUT_PORT, seconds);
}

void throughput_script_end(struct buf *b)
{
	/* what is on its way to wc has a moment to arrive */
	buf_add_str(b,
		"{\nf=" PLACE
		"\nif test -e $f/received; then\n"
		"for i in 1 2 3 4 5 6 7 8; do\ntest -s $f/received && break\nsleep 0.25\ndone\n"
		"echo received $(cat $f/received)\nfi\n");
	end_earlier(b);
	buf_add_str(b, "rm -rf $f\nexit 0\n}\n");
}
