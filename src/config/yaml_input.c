/* SPDX-License-Identifier: MIT
 *
 * libyaml gets the text in small pieces that never reach past a line that may start another
 * document, so that nothing of a later document is looked at; and each piece, like every few
 * events, is an occasion to give up when a hostile text has cost too much time. That is needed:
 * libyaml 0.2.5 compares every %TAG directive with all others, every tag with all directives, and
 * looks at every open bracket for each token. */
#include "config/yaml_input.h"

#include <string.h>
#include <time.h>

#define PIECE_BYTES 4096

static long long thread_time_ns(void)
{
    struct timespec time = {0, 0};

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

void yaml_input_start(struct yaml_input *input, const char *text, size_t size)
{
    *input = (struct yaml_input){.text = text, .size = size};
    input->deadline_ns = thread_time_ns() + YAML_TIME_LIMIT_MS * 1000000LL;
}

bool yaml_input_check_time(struct yaml_input *input)
{
    input->out_of_time = input->out_of_time || thread_time_ns() > input->deadline_ns;
    return !input->out_of_time;
}

static bool is_break(char character)
{
    return character == '\n' || character == '\r';
}

static bool may_start_document(const char *line, size_t length)
{
    return length >= 3 && (memcmp(line, "---", 3) == 0 || memcmp(line, "...", 3) == 0);
}

/* How much of the rest to feed: whole lines, up to and without the next document marker; or a
 * marker line of its own; or a part of a line that is too long. */
static size_t piece_length(const char *rest, size_t length, size_t room)
{
    size_t end = 0;

    for (size_t i = 0; i < length && i < room; i++) {
        if (!is_break(rest[i]))
            continue;
        end = i + 1;
        if (may_start_document(rest, length) || may_start_document(rest + end, length - end))
            break;
    }
    if (end == 0)
        end = length < room ? length : room;
    return end;
}

int yaml_input_feed(void *data, unsigned char *buffer, size_t size, size_t *size_read)
{
    struct yaml_input *input = data;
    const char *rest = input->text + input->fed;

    *size_read = 0;
    if (!yaml_input_check_time(input))
        return 0;
    *size_read =
        piece_length(rest, input->size - input->fed, size < PIECE_BYTES ? size : PIECE_BYTES);
    memcpy(buffer, rest, *size_read);
    input->fed += *size_read;
    return 1;
}
