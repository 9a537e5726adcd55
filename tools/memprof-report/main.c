/* SPDX-License-Identifier: MIT
 *
 * memprof-report: what the snapshots in logs and snapshot files say together.
 *
 * Data flows one way: line_reader, log (prefix, json_line, text_parser), a receiver. That is the
 * model, from which summary and html are written, or diff, which keeps two snapshots.
 */
#include "arguments.h"
#include "diff.h"
#include "follow.h"
#include "html.h"
#include "input.h"
#include "model.h"
#include "summary.h"
#include "terminal.h"

#include <stdio.h>

enum { EXIT_GOOD = 0, EXIT_NOTHING = 1, EXIT_USAGE = 2, ROWS_DEFAULT = 10 };

static int complain_of_nothing(void)
{
    fputs(
        "memprof-report: found no snapshot, allowed: the lines of snapshot_file, or a log with the "
        "records of memory_profiler\n",
        stderr);
    return EXIT_NOTHING;
}

static int print(struct text *text)
{
    bool failed = text->failed || fwrite(text->bytes, 1, text->size, stdout) != text->size ||
                  fflush(stdout) != 0;
    text_clear(text);
    if (failed)
        fputs("memprof-report: cannot write the report\n", stderr);
    return failed ? EXIT_NOTHING : EXIT_GOOD;
}

static int summarize(const struct arguments *arguments)
{
    struct model model = {0};
    struct complaints complaints = {0};
    struct text text = {0};
    struct receiver receiver = model_receiver(&model);
    struct summary_style style =
        terminal_style(arguments->rows > 0 ? arguments->rows : ROWS_DEFAULT);
    model.only_pid = arguments->pid;
    int unread = input_read(arguments->files, arguments->file_count, &receiver, &complaints);
    int status = EXIT_GOOD;
    if (model.snapshots == 0) {
        status = complain_of_nothing();
    } else if (arguments->html != NULL) {
        status = html_write(arguments->html, &model) == 0 ? EXIT_GOOD : EXIT_NOTHING;
    } else {
        summary_add(&text, &model, &style);
        status = print(&text);
    }
    complaints_write(&complaints, stderr);
    model_clear(&model);
    return status == EXIT_GOOD && unread != 0 ? EXIT_NOTHING : status;
}

static int compare(const struct arguments *arguments)
{
    struct text text = {0};
    if (diff_add(&text, arguments->files, arguments->rows, arguments->pid) != 0) {
        text_clear(&text);
        return EXIT_NOTHING;
    }
    return print(&text);
}

static int follow(const struct arguments *arguments)
{
    size_t rows = arguments->rows > 0 ? arguments->rows : ROWS_DEFAULT;
    int status = follow_run(arguments->files, arguments->file_count, rows, arguments->pid);
    return status == 0 ? EXIT_GOOD : EXIT_NOTHING;
}

int main(int count, char **words)
{
    struct arguments arguments;
    if (arguments_read(&arguments, count, words) != 0)
        return EXIT_USAGE;
    if (arguments.is_over)
        return EXIT_GOOD;
    if (arguments.html != NULL && !html_is_there())
        return EXIT_USAGE;
    if (arguments.is_diff)
        return compare(&arguments);
    if (arguments.is_follow)
        return follow(&arguments);
    input_order(arguments.files, arguments.file_count);
    return summarize(&arguments);
}
