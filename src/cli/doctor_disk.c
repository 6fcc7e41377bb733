/*
 * doctor_disk.c - where the state is kept: there or to be made, writable, room, a file system that
 * keeps its promises, the time of an fsync.
 *
 * A disk that hangs blocks whoever asks it, so a thread of its own does; if it does not come back
 * it is left alone, with all it could still touch.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/units.h"
#include "cli/doctor.h"

#define ROOM_BYTES (1ll << 30)  /* warned below */
#define LEAST_ROOM (64ll << 20) /* bad below */
#define SYNC_SLOW  (50 * NS_PER_MS)
#define SYNCS      5

struct answer {
	enum doctor_state state;
	char found[600];
	const char *todo;
};

enum { DIRECTORY, ROOM, SYSTEM, SYNC, ANSWERS };

struct disk { /* the thread's until on_answer() */
	struct doctor *doctor;
	struct loop *loop;
	char *dir;    /* configured */
	char *exists; /* it, or the nearest parent there is */
	struct answer answers[ANSWERS];
	struct doctor_check *checks[ANSWERS];
};

static void answer(struct answer *a, enum doctor_state state, const char *todo, const char *fmt,
	...) like_printf(4, 5);

static void answer(
	struct answer *a, enum doctor_state state, const char *todo, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(a->found, sizeof(a->found), fmt, ap);
	va_end(ap);
	a->state = state;
	a->todo = todo;
}

/* --- on the thread ---------------------------------------------------------------------------- */

static char *nearest_parent(const char *dir)
{
	char *path = mem_strdup(dir);
	while (access(path, F_OK) != 0) {
		char *slash = strrchr(path, '/');
		if (!slash) {
			mem_replace(&path, ".");
			break;
		}
		slash[slash == path] = 0;
		if (slash == path)
			break;
	}
	return path;
}

static void look_at_directory(struct disk *w)
{
	struct answer *a = &w->answers[DIRECTORY];
	struct stat st = {0};
	const bool there = !strcmp(w->dir, w->exists);
	if (stat(w->exists, &st) != 0)
		answer(a, DOCTOR_BAD, "see to its parents", "%s: %s", w->exists, strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		answer(a, DOCTOR_BAD, "move it away, or choose another `store`",
			"%s is no directory", w->exists);
	else if (access(w->exists, W_OK | X_OK) != 0)
		answer(a, DOCTOR_BAD,
			"give it to the user who runs glasshouse, or choose another `store`",
			"%s cannot be %s: %s may not be written (%s)", w->dir,
			there ? "used" : "made", w->exists, strerror(errno));
	else if (there && (st.st_mode & 077))
		answer(a, DOCTOR_WARN, "chmod 700: it holds what operators alone may see",
			"others may look into %s (mode %04o)", w->dir,
			(unsigned)st.st_mode & 07777);
	else
		answer(a, DOCTOR_OK, NULL, "%s %s", w->dir,
			there ? "can be written" : "is not there yet and can be made");
}

static void look_at_room(struct disk *w, const struct statfs *f)
{
	const int64_t bytes = (int64_t)f->f_bavail * (int64_t)f->f_bsize;
	const bool no_files = f->f_files && f->f_ffree < 1000;
	struct answer *a = &w->answers[ROOM];
	char text[UNITS_TEXT];
	units_size_text(bytes, text);
	if (bytes < LEAST_ROOM)
		answer(a, DOCTOR_BAD, "make room", "%s free below %s", text, w->exists);
	else if (bytes < ROOM_BYTES)
		answer(a, DOCTOR_WARN, "make room: a year of 1,000 probes takes about 2 GiB",
			"%s free below %s", text, w->exists);
	else if (no_files)
		answer(a, DOCTOR_WARN, "remove files: the file system is short of inodes",
			"%llu more files can be made", (unsigned long long)f->f_ffree);
	else
		answer(a, DOCTOR_OK, NULL, "%s free", text);
}

static void look_at_system(struct disk *w, const struct statfs *f)
{
	static const struct {
		unsigned long magic;
		const char *name;
	} remote[] = {{NFS_SUPER_MAGIC, "NFS"}, {SMB_SUPER_MAGIC, "SMB"}, {0xff534d42, "CIFS"},
		{0xfe534d42, "SMB2"}, {AFS_SUPER_MAGIC, "AFS"}, {CEPH_SUPER_MAGIC, "CephFS"}};
	const unsigned long magic = (unsigned long)f->f_type & 0xffffffff;
	struct answer *a = &w->answers[SYSTEM];
	for (size_t i = 0; i < array_len(remote); i++)
		if (magic == remote[i].magic) {
			answer(a, DOCTOR_WARN, "keep the state on a local disk",
				"%s: locks and fsync of SQLite cannot be relied on over a network",
				remote[i].name);
			return;
		}
	if (magic == TMPFS_MAGIC || magic == RAMFS_MAGIC)
		answer(a, DOCTOR_WARN, "keep the state on a disk",
			"%s is in memory: all is forgotten when the machine restarts", w->exists);
	else
		answer(a, DOCTOR_OK, NULL, "local (type %#lx)", magic);
}

static int64_t now_ns(void)
{
	return clock_mono_ns(&clock_system);
}

/* A file without a name; where the file system has none such, one whose name is gone at once. */
static int open_nameless(const char *dir)
{
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
		return fd;
	char *path = mem_printf("%s/.doctor-XXXXXX", dir);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	free(path);
	return fd;
}

/* The median of a few appends of a page with fsync. */
static bool time_syncs(const char *dir, int64_t *ret_ns)
{
	static const char page[4096];
	int64_t took[SYNCS];
	const int fd = open_nameless(dir);
	bool good = fd >= 0;
	for (size_t i = 0; i < SYNCS && good; i++) {
		const int64_t begin = now_ns();
		good = write(fd, page, sizeof(page)) == sizeof(page) && fsync(fd) == 0;
		took[i] = now_ns() - begin;
		for (size_t k = i; k > 0 && took[k] < took[k - 1]; k--) {
			const int64_t t = took[k];
			took[k] = took[k - 1];
			took[k - 1] = t;
		}
	}
	const int failed = errno;
	if (fd >= 0)
		close(fd);
	errno = failed;
	if (good)
		*ret_ns = took[SYNCS / 2];
	return good;
}

static void look_at_sync(struct disk *w)
{
	struct answer *a = &w->answers[SYNC];
	int64_t took = 0;
	char text[UNITS_TEXT];
	if (w->answers[DIRECTORY].state == DOCTOR_BAD)
		answer(a, DOCTOR_SKIPPED, NULL, "nothing can be written there");
	else if (!time_syncs(w->exists, &took))
		answer(a, DOCTOR_BAD, "see to the disk", "writing below %s: %s", w->exists,
			strerror(errno));
	else if (took > SYNC_SLOW)
		answer(a, DOCTOR_WARN, "use a faster disk: every fact waits for one",
			"an fsync takes %s", units_time_text(took, text));
	else
		answer(a, DOCTOR_OK, NULL, "an fsync takes %s", units_time_text(took, text));
}

/* --- back on the loop ------------------------------------------------------------------------- */

static void on_answer(void *arg)
{
	struct disk *w = arg;
	w->doctor->stuck = false;
	for (size_t i = 0; i < ANSWERS; i++)
		doctor_end(w->checks[i], w->answers[i].state, w->answers[i].todo, "%s",
			w->answers[i].found);
	loop_release(w->loop);
	free(w->dir);
	free(w->exists);
	free(w);
}

static void *thread_main(void *arg)
{
	struct disk *w = arg;
	struct statfs f = {0};
	w->exists = nearest_parent(w->dir);
	look_at_directory(w);
	if (statfs(w->exists, &f) != 0) {
		answer(&w->answers[ROOM], DOCTOR_BAD, "see to the disk", "%s: %s", w->exists,
			strerror(errno));
		answer(&w->answers[SYSTEM], DOCTOR_SKIPPED, NULL, "it does not say");
	} else {
		look_at_room(w, &f);
		look_at_system(w, &f);
	}
	look_at_sync(w);
	loop_post(w->loop, on_answer, w);
	return NULL;
}

void doctor_disk(struct doctor *d)
{
	static const char *const names[ANSWERS] = {
		"state directory", "disk space", "file system", "durable writes"};
	struct disk *w = mem_new(struct disk);
	pthread_t thread;
	w->doctor = d;
	w->loop = d->loop;
	w->dir = mem_strdup(d->config->state);
	for (size_t n = strlen(w->dir); n > 1 && w->dir[n - 1] == '/'; n--)
		w->dir[n - 1] = 0;
	for (size_t i = 0; i < ANSWERS; i++)
		w->checks[i] = doctor_begin(d, 0, names[i], NULL);
	loop_hold(d->loop);
	d->stuck = true;
	const int failed = pthread_create(&thread, NULL, thread_main, w);
	if (!failed) {
		pthread_detach(thread);
		return;
	}
	w->exists = mem_strdup(w->dir);
	for (size_t i = 0; i < ANSWERS; i++)
		answer(&w->answers[i], DOCTOR_BAD, "allow more processes (ulimit -u)",
			"no thread could be started: %s", strerror(failed));
	loop_post(d->loop, on_answer, w);
}
