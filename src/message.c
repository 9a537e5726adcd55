/* SPDX-License-Identifier: MIT
 *
 * One sink for everything that goes to descriptor 2. No stdio: its buffers and locks are the
 * host's.
 */
#include "message.h"

#include "file_facts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WAIT_MS = 2000, LINE_WAIT_MS = 100 };

static bool is_closed; /* at the start */
static bool is_known;  /* which file it was then */
static struct file_facts at_start;

void message_begin(void)
{
    is_closed = fcntl(STDERR_FILENO, F_GETFD) < 0;
    is_known = file_facts_read(&at_start, STDERR_FILENO, "") == 0;
}

/* A program may put anything in the place of its standard error: a log, which is meant for texts
 * like ours, or a data file or a connection, which ours would spoil. */
static bool takes_texts(void)
{
    struct file_facts now;
    if (is_closed)
        return false;
    if (!is_known || file_facts_read(&now, STDERR_FILENO, "") != 0)
        return true;
    if (file_facts_same_file(&now, &at_start) || now.type == S_IFCHR)
        return true;
    return now.type == S_IFREG && (fcntl(STDERR_FILENO, F_GETFL) & O_APPEND) != 0;
}

/* write() waits for as long as nobody reads, and whoever has something to say may hold the GIL. */
static bool has_room(void)
{
    struct pollfd room = {.fd = STDERR_FILENO, .events = POLLOUT};
    return poll(&room, 1, LINE_WAIT_MS) != 0;
}

static void write_line(const char *format, va_list arguments)
{
    static const char prefix[] = "memprof: ";
    char line[MESSAGE_LIMIT_BYTES];
    memcpy(line, prefix, sizeof(prefix));
    size_t used = sizeof(prefix) - 1;
    if (vsnprintf(line + used, sizeof(line) - used - 1, format, arguments) < 0)
        return;
    used += strlen(line + used);
    for (size_t i = 0; i < used; i++) {
        if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
            line[i] = '?';
    }
    line[used] = '\n';
    if (has_room())
        message_write_record(line, used + 1);
}

void message_write(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_line(format, arguments);
    va_end(arguments);
}

void message_write_once(bool *said, const char *format, ...)
{
    if (*said)
        return;
    *said = true;
    va_list arguments;
    va_start(arguments, format);
    write_line(format, arguments);
    va_end(arguments);
}

int message_write_record(const char *text, size_t size)
{
    if (!takes_texts())
        return -1;
    while (size > 0) {
        ssize_t written = write(STDERR_FILENO, text, size);
        if (written >= 0) {
            text += written;
            size -= (size_t)written;
        } else if (errno == EAGAIN) {
            struct pollfd full = {.fd = STDERR_FILENO, .events = POLLOUT};
            if (poll(&full, 1, WAIT_MS) <= 0)
                return -1;
        } else if (errno != EINTR) {
            return -1;
        }
    }
    return 0;
}
