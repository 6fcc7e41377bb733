/*
 * bare_curl.c - the same GET so many times over one connection, with nothing around libcurl: the
 * floor that an HTTP engine on libcurl can be measured against.
 *
 *	bare-curl N URL HEADER...
 */

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

static size_t count(char *p, size_t size, size_t n, void *arg)
{
	*(size_t *)arg += size * n;
	return size * n;
}

int main(int argc, char **argv)
{
	const long times = argc > 2 ? strtol(argv[1], NULL, 10) : 0;
	struct curl_slist *headers = NULL;
	size_t bytes = 0;
	if (times < 1) {
		fputs("usage: bare-curl N URL HEADER...\n", stderr);
		return 2;
	}
	curl_global_init(CURL_GLOBAL_DEFAULT);
	CURL *e = curl_easy_init();
	for (int i = 3; i < argc; i++)
		headers = curl_slist_append(headers, argv[i]);
	curl_easy_setopt(e, CURLOPT_URL, argv[2]);
	curl_easy_setopt(e, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, count);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, &bytes);
	curl_easy_setopt(e, CURLOPT_TIMEOUT, 60L);
	curl_easy_setopt(e, CURLOPT_FAILONERROR, 1L);
	for (long i = 0; i < times; i++) {
		const CURLcode r = curl_easy_perform(e);
		if (r != CURLE_OK) {
			fprintf(stderr, "%s\n", curl_easy_strerror(r));
			return 1;
		}
	}
	printf("%zu bytes\n", bytes);
	curl_easy_cleanup(e);
	curl_slist_free_all(headers);
	curl_global_cleanup();
	return 0;
}
