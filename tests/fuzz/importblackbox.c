/* importblackbox.c - documents of blackbox_exporter and Prometheus. */
#include "importers.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	importer_holds("blackbox", slice_from((const char *)p, n));
	return 0;
}
