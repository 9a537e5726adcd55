/* SPDX-License-Identifier: MIT
 *
 * Invariant: prefix.size <= size. Each step looks at what is left behind the steps before it.
 */
#include "prefix.h"

#include "amount.h"
#include "reading.h"

#include <string.h>

struct rest {
    const char *at, *end;
};

static bool is_name_byte(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '-' || byte == '_' || byte == '.' ||
           byte == '/' || byte == '@';
}

static const char *skip_name(const char *at, const char *end)
{
    while (at < end && is_name_byte(*at))
        at++;
    return at;
}

static void set_source(struct prefix *prefix, const char *from, const char *to)
{
    prefix->source = from;
    prefix->source_size = (size_t)(to - from);
}

/* `bot-1  | ` */
static void read_compose(struct prefix *prefix, struct rest *rest)
{
    const char *name_end = skip_name(rest->at, rest->end), *at = name_end;
    while (at < rest->end && *at == ' ')
        at++;
    if (at == name_end || name_end == rest->at || at == rest->end || *at != '|')
        return;
    set_source(prefix, rest->at, name_end);
    at++;
    rest->at = at < rest->end && *at == ' ' ? at + 1 : at;
}

/* `[pod/NAME/CONTAINER] ` */
static void read_kubectl(struct prefix *prefix, struct rest *rest)
{
    const char *at = rest->at;
    if (!amount_read_word(&at, rest->end, "[pod/"))
        return;
    const char *name_end = skip_name(at, rest->end);
    if (name_end == rest->end || *name_end != ']')
        return;
    set_source(prefix, at, name_end);
    at = name_end + 1;
    rest->at = at < rest->end && *at == ' ' ? at + 1 : at;
}

/* `HOST IDENTIFIER[PID]: ` */
static bool read_unit(struct prefix *prefix, struct rest *rest)
{
    const char *host_end = skip_name(rest->at, rest->end), *at = host_end;
    int64_t pid;
    if (host_end == rest->at || !amount_read_word(&at, rest->end, " "))
        return false;
    const char *name = at;
    at = skip_name(at, rest->end);
    if (at == name || !amount_read_word(&at, rest->end, "[") ||
        !amount_read_count(&at, rest->end, &pid) || !amount_read_word(&at, rest->end, "]:"))
        return false;
    set_source(prefix, rest->at, at - 1);
    prefix->pid = pid;
    rest->at = at < rest->end && *at == ' ' ? at + 1 : at;
    return true;
}

/* `stderr F `; P where the line goes on in the next. */
static void read_stream(struct prefix *prefix, struct rest *rest)
{
    const char *at = rest->at;
    if (!amount_read_word(&at, rest->end, "stderr ") &&
        !amount_read_word(&at, rest->end, "stdout "))
        return;
    bool is_whole = amount_read_word(&at, rest->end, "F");
    if (!is_whole && !amount_read_word(&at, rest->end, "P"))
        return;
    if (at < rest->end && *at++ != ' ')
        return;
    prefix->has_stream = true;
    prefix->is_partial = !is_whole;
    rest->at = at;
}

/* With a T between date and time: the other kind is logging's own, in the first line of a record.
 */
static void read_time(struct prefix *prefix, struct rest *rest, int64_t now_ms)
{
    size_t left = (size_t)(rest->end - rest->at);
    struct moment moment;
    size_t read = left > 10 && rest->at[10] == 'T' ? moment_read(rest->at, left, &moment) : 0;
    bool is_syslog = read == 0;
    if (is_syslog)
        read = moment_read_syslog(rest->at, left, now_ms, &moment);
    struct rest behind = {rest->at + read, rest->end};
    if (read == 0 || (behind.at < behind.end && *behind.at != ' '))
        return;
    if (behind.at < behind.end)
        behind.at++;
    bool is_unit = read_unit(prefix, &behind);
    if (is_syslog && !is_unit)
        return;
    prefix->has_moment = true;
    prefix->moment = moment;
    read_stream(prefix, &behind);
    rest->at = behind.at;
}

struct prefix prefix_read(const char *line, size_t size, int64_t now_ms)
{
    struct prefix prefix = {.source = "", .pid = READING_UNKNOWN};
    struct rest rest = {line, line + size};
    read_compose(&prefix, &rest);
    read_kubectl(&prefix, &rest);
    read_time(&prefix, &rest, now_ms);
    prefix.size = (size_t)(rest.at - line);
    return prefix;
}
