/* SPDX-License-Identifier: MIT
 *
 * One sink for everything that goes to descriptor 2. No stdio: its buffers and locks are the
 * host's.
 */
#include "message.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { WAIT_MS = 2000 };

static bool descriptor_is_gone;

void message_begin(void)
{
    descriptor_is_gone = fcntl(STDERR_FILENO, F_GETFD) < 0;
}

void message_write(const char *format, ...)
{
    static const char prefix[] = "memprof: ";
    char line[MESSAGE_LIMIT_BYTES];
    memcpy(line, prefix, sizeof(prefix));
    size_t used = sizeof(prefix) - 1;
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(line + used, sizeof(line) - used - 1, format, arguments);
    va_end(arguments);
    if (size < 0)
        return;
    used += strlen(line + used);
    for (size_t i = 0; i < used; i++) {
        if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
            line[i] = '?';
    }
    line[used] = '\n';
    message_write_record(line, used + 1);
}

int message_write_record(const char *text, size_t size)
{
    if (descriptor_is_gone)
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
