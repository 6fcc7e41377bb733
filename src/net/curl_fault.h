/*
 * curl_fault.h - curl's errors as faults: each names who must act. Thread: any.
 */
#ifndef NET_CURL_FAULT_H
#define NET_CURL_FAULT_H

#include <curl/curl.h>

#include "base/fault.h"

/* Of a connection that never stood; `sys` is its errno, 0: no address could be reached. */
enum fault curl_fault_of_connect(long sys);
/* Of all other errors; `easy` is the handle that ended so. */
enum fault curl_fault_of_code(CURL *easy, CURLcode code);

#endif
