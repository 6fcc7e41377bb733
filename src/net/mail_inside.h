/*
 * mail_inside.h - one message on its thread: shared by mail.c (calls, threads) and mail_smtp.c
 * (what curl is told, what the server says), and by nobody else.
 */
#ifndef NET_MAIL_INSIDE_H
#define NET_MAIL_INSIDE_H

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "net/mail.h"
#include "net/resolver.h"

#define MAIL_REPLY_MAX 160

/* What the thread works with. The loop reads it when the thread has ended, `reply` before too. */
struct mail_job {
	struct mailer *mailer;
	struct mail_call *call; /* NULL: nobody waits any more. The loop's */
	pthread_t thread;
	char *host;
	unsigned port;
	int64_t budget_ns;
	CURL *easy;
	struct curl_slist *to, *resolve;
	struct buf text;
	size_t sent;
	CURLcode code;
	int status, bad, open_errno; /* last reply code; last of 400 or more */
	unsigned recipients, refused;
	bool asks_recipient; /* the last command was RCPT */
	bool later;          /* a 4xx came */
	char curl_error[CURL_ERROR_SIZE];
	atomic_bool stop;
	pthread_mutex_t lock;       /* guards what follows */
	int fd;                     /* -1: none */
	char reply[MAIL_REPLY_MAX]; /* the server's last line, or the one that refused a recipient
				     */
};

struct mail_job *mail_job_new(struct mailer *m, int64_t budget_ns);
void mail_job_free(struct mail_job *j);
bool mail_job_prepare(struct mail_job *j, const struct mail_server *s, const struct mail_message *m,
	struct error *err) must_check;
void mail_job_addresses(struct mail_job *j, const struct resolved *r);
void mail_job_perform(struct mail_job *j); /* on its thread */
void mail_job_stop(struct mail_job *j);    /* ends that soon. Thread: the loop's */
/* The server's last line; MAIL_REPLY_MAX bytes. */
void mail_job_reply(struct mail_job *j, char *ret_text);
/* After it has ended. */
void mail_job_conclude(const struct mail_job *j, struct mail_answer *a);

#endif
