/* SPDX-License-Identifier: MIT
 *
 * Snapshots and verdicts as text, as src/report.c writes them, out of the lines of one stream of a
 * log. What a log puts before the first line of a record is passed over, and so are lines of others
 * in between, empty lines or their absence, and wider indentation. No I/O.
 */
#ifndef MEMPROF_REPORT_TEXT_PARSER_H
#define MEMPROF_REPORT_TEXT_PARSER_H

#include "moment.h"
#include "sink.h"
#include "text.h"

#include <stdbool.h>
#include <stddef.h>

enum text_section {
    TEXT_OUTSIDE,
    TEXT_TITLE,
    TEXT_COUNTS,
    TEXT_SIZES,
    TEXT_GROWTH,
    TEXT_HELD,
    TEXT_PROCESS,
};

/* Zero but for the sink is a parser that has seen nothing. */
struct text_parser {
    const struct sink *sink;
    enum text_section section;
    int64_t rows, rows_of_table; /* of this table so far; how many it is to have */
    bool sizes_seen;
    unsigned foreign; /* lines of others since the last one of the snapshot */
    struct reading reading;
    struct text held;
};

/* One line without its end. `moment`, NULL if not known, is when it was logged; what the line
 * itself says comes second. `pid`, or READING_UNKNOWN, counts where the title names none. -1 when
 * out of memory. */
int text_parser_feed(struct text_parser *parser, const char *line, size_t size,
                     const struct moment *moment, int64_t pid);

/* Whether a snapshot has begun and not ended. */
bool text_parser_is_inside(const struct text_parser *parser);

/* No line follows: what there is of a snapshot is handed on or counted. -1 when out of memory. */
int text_parser_end(struct text_parser *parser);

/* Frees what the parser owns, and hands nothing on. */
void text_parser_clear(struct text_parser *parser);

#endif
