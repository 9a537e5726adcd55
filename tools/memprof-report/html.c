/* SPDX-License-Identifier: MIT */
#include "html.h"

#include "html_data.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#ifdef MEMPROF_HAS_PAGE

#include "page.h"

bool html_is_there(void)
{
    return true;
}

int html_write(const char *path, const struct model *model)
{
    FILE *out = fopen(path, "we");
    if (out == NULL) {
        fprintf(stderr, "memprof-report: %s: cannot be written: %s\n", path, strerror(errno));
        return -1;
    }
    fwrite(page_before, 1, page_before_size, out);
    int status = html_data_write(out, model);
    fwrite(page_after, 1, page_after_size, out);
    bool failed = ferror(out) != 0;
    failed |= fclose(out) != 0;
    if (failed || status != 0)
        fprintf(stderr, "memprof-report: %s: cannot be written: %s\n", path,
                status != 0 ? "out of memory" : strerror(errno));
    return failed || status != 0 ? -1 : 0;
}

#else

bool html_is_there(void)
{
    fputs("memprof-report: --html: this program was built without Chart.js; install libjs-chart.js "
          "and build it again\n",
          stderr);
    return false;
}

int html_write(const char *path, const struct model *model)
{
    (void)path;
    (void)model;
    return -1;
}

#endif
