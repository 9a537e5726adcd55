/* SPDX-License-Identifier: MIT
 *
 * Feeds a text to libyaml, in small pieces and for a limited time. */
#ifndef MEMPROF_YAML_INPUT_H
#define MEMPROF_YAML_INPUT_H

#include <stdbool.h>
#include <stddef.h>

/* CPU time, not wall time: a busy machine is no reason to refuse a file. */
#define YAML_TIME_LIMIT_MS 700

struct yaml_input {
    const char *text; /* borrowed */
    size_t size;
    size_t fed;
    long long deadline_ns; /* on the clock of the thread that started the input */
    bool out_of_time;
};

void yaml_input_start(struct yaml_input *input, const char *text, size_t size);

/* False when the time is over; stays false then. */
bool yaml_input_check_time(struct yaml_input *input);

/* A yaml_read_handler_t; data is the struct yaml_input. Fails when the time is over. */
int yaml_input_feed(void *data, unsigned char *buffer, size_t size, size_t *size_read);

#endif
