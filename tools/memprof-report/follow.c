/* SPDX-License-Identifier: MIT
 *
 * Files are looked at again and again, by name too: one that was rotated away is read to its end,
 * and then the new one of that name. Nothing is locked, and nothing is asked of the writer.
 */
#include "follow.h"

#include "input.h"
#include "log.h"
#include "model.h"
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PERIOD_MS = 300, STEPS_PER_TURN = 10000 };

struct followed {
    const char *name;
    char *label; /* owned */
    int descriptor;
    bool is_pipe; /* or standard input whatever it is: it has an end, and no name */
    bool is_over, is_open;
    struct log log;
};

struct follow {
    struct followed *files;
    size_t count;
    struct model model;
    struct complaints complaints;
    struct receiver receiver;
    struct summary_style style;
    bool is_terminal;
    uint64_t shown; /* the model's generation that is on the screen */
};

static volatile sig_atomic_t is_asked_to_end;

static void ask_to_end(int number)
{
    (void)number;
    is_asked_to_end = 1;
}

static void listen_for_end(void)
{
    struct sigaction action = {.sa_handler = ask_to_end};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* ---- Files ---- */

static int open_file(struct follow *follow, struct followed *file)
{
    struct stat facts;
    file->descriptor = input_open(file->name);
    if (file->descriptor < 0 || fstat(file->descriptor, &facts) != 0)
        return -1;
    file->is_pipe = !S_ISREG(facts.st_mode) || file->descriptor == STDIN_FILENO;
    if (file->is_pipe)
        fcntl(file->descriptor, F_SETFL, fcntl(file->descriptor, F_GETFL) | O_NONBLOCK);
    log_start(&file->log, file->label, file->descriptor, &follow->receiver, &follow->complaints);
    file->is_open = true;
    return 0;
}

static void close_file(struct followed *file)
{
    if (!file->is_open)
        return;
    log_clear(&file->log);
    if (file->descriptor != STDIN_FILENO)
        close(file->descriptor);
    file->is_open = false;
}

/* Another file has the name now, and may be read, or this one was emptied. */
static bool is_replaced(const struct followed *file)
{
    struct stat named, open;
    if (file->is_pipe || stat(file->name, &named) != 0 || fstat(file->descriptor, &open) != 0)
        return false;
    bool is_other = named.st_ino != open.st_ino || named.st_dev != open.st_dev;
    return (is_other && access(file->name, R_OK) == 0) ||
           (!is_other && (uint64_t)open.st_size < file->log.reader.offset);
}

/* False when there is no more for now. */
static bool read_some(struct followed *file, int *status)
{
    enum log_status step = LOG_MORE;
    for (int i = 0; i < STEPS_PER_TURN && step == LOG_MORE && !is_asked_to_end; i++)
        step = log_step(&file->log);
    if (step == LOG_NO_MEMORY || step == LOG_FAILED) {
        fprintf(stderr, "memprof-report: %s: cannot be read: %s\n", file->label,
                step == LOG_FAILED ? strerror(errno) : "out of memory");
        *status = -1;
    }
    return step == LOG_MORE;
}

/* What there is to read now; *is_quiet becomes false if there may be more at once. */
static int read_file(struct follow *follow, struct followed *file, bool *is_quiet)
{
    int status = 0;
    if (file->is_over)
        return 0;
    bool is_replaced_now = is_replaced(file);
    if (read_some(file, &status)) {
        *is_quiet = false;
        return 0;
    }
    if (status != 0)
        return -1;
    if (file->is_pipe && file->log.reader.is_over) {
        file->is_over = true;
        return log_finish(&file->log);
    }
    if (!is_replaced_now)
        return 0;
    status = log_finish(&file->log);
    close_file(file);
    *is_quiet = false;
    return status == 0 ? open_file(follow, file) : -1;
}

static bool are_over(const struct follow *follow)
{
    for (size_t i = 0; i < follow->count; i++)
        if (!follow->files[i].is_over)
            return false;
    return true;
}

/* ---- The screen ---- */

/* As many lines as there is room for. */
static void print_page(const struct text *text)
{
    size_t lines = terminal_lines(), printed = 0;
    const char *at = text->bytes;
    fputs("\033[H\033[2J", stdout);
    for (; *at != '\0' && printed + 2 < lines; printed++) {
        size_t size = strcspn(at, "\n");
        fwrite(at, 1, size, stdout);
        fputc('\n', stdout);
        at += size + (at[size] == '\n');
    }
    fputs(*at != '\0' ? "... more than fits here: --pid or --rows show less. Ctrl-C ends."
                      : "Ctrl-C ends.",
          stdout);
}

static int show(struct follow *follow)
{
    struct text text = {0};
    if (follow->model.generation == follow->shown)
        return 0;
    follow->shown = follow->model.generation;
    follow->style = terminal_style(follow->style.rows);
    summary_add(&text, &follow->model, &follow->style);
    if (!text.failed && follow->is_terminal)
        print_page(&text);
    else if (!text.failed)
        printf("%s----\n", text.bytes);
    int status = text.failed || fflush(stdout) != 0 ? -1 : 0;
    text_clear(&text);
    return status;
}

/* ---- The loop ---- */

static int turn(struct follow *follow)
{
    bool is_quiet = true;
    for (size_t i = 0; i < follow->count; i++)
        if (read_file(follow, &follow->files[i], &is_quiet) != 0)
            return -1;
    if (!is_quiet)
        return 0;
    if (show(follow) != 0)
        return -1;
    poll(NULL, 0, PERIOD_MS);
    return 0;
}

static int start(struct follow *follow, char **names)
{
    for (size_t i = 0; i < follow->count; i++) {
        struct followed *file = &follow->files[i];
        file->name = names[i];
        file->label = input_label(names[i]);
        if (file->label == NULL || open_file(follow, file) != 0)
            return -1;
    }
    return 0;
}

int follow_run(char **names, size_t count, size_t rows, int64_t pid)
{
    struct follow follow = {.count = count, .style.rows = rows, .model.only_pid = pid};
    follow.files = calloc(count, sizeof(*follow.files));
    if (follow.files == NULL)
        return -1;
    follow.receiver = model_receiver(&follow.model);
    follow.is_terminal = isatty(STDOUT_FILENO);
    listen_for_end();
    int status = start(&follow, names);
    while (status == 0 && !is_asked_to_end && !are_over(&follow))
        status = turn(&follow);
    if (status == 0)
        status = show(&follow);
    if (follow.is_terminal)
        fputc('\n', stdout);
    complaints_write(&follow.complaints, stderr);
    for (size_t i = 0; i < count; i++) {
        close_file(&follow.files[i]);
        free(follow.files[i].label);
    }
    free(follow.files);
    model_clear(&follow.model);
    return status;
}
