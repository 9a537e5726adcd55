/* SPDX-License-Identifier: MIT */
#include "html_data.h"

#include "summary.h"

#include <stdlib.h>
#include <string.h>

/* The largest by memory and as many by count: beyond that a page becomes slow. */
enum { CLASSES_MAX = 300 };

/* ---- Texts ---- */

/* How many bytes the UTF-8 character at `at` takes, 0 if there is none. */
static size_t character_size(const unsigned char *at)
{
    static const struct {
        unsigned char mask, lead, size;
    } forms[] = {{0x80, 0x00, 1}, {0xe0, 0xc0, 2}, {0xf0, 0xe0, 3}, {0xf8, 0xf0, 4}};
    for (size_t i = 0; i < 4; i++) {
        size_t size = forms[i].size;
        if ((at[0] & forms[i].mask) != forms[i].lead)
            continue;
        for (size_t j = 1; j < size; j++)
            if ((at[j] & 0xc0) != 0x80)
                return 0;
        bool is_overlong = (size == 2 && at[0] < 0xc2) || (at[0] == 0xe0 && at[1] < 0xa0) ||
                           (at[0] == 0xf0 && at[1] < 0x90);
        bool is_beyond =
            (at[0] == 0xed && at[1] > 0x9f) || at[0] > 0xf4 || (at[0] == 0xf4 && at[1] > 0x8f);
        return is_overlong || is_beyond ? 0 : size;
    }
    return 0;
}

void html_data_write_text(FILE *out, const char *text)
{
    fputc('"', out);
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0';) {
        size_t size = character_size(at);
        if (size == 0)
            fputs("\\ufffd", out);
        else if (*at < 0x20 || *at == 0x7f || strchr("\"\\<>&'", *at) != NULL)
            fprintf(out, "\\u%04x", *at);
        else
            fwrite(at, 1, size, out);
        at += size == 0 ? 1 : size;
    }
    fputc('"', out);
}

static void write_text_or_null(FILE *out, const char *text)
{
    if (text == NULL)
        fputs("null", out);
    else
        html_data_write_text(out, text);
}

/* ---- Numbers ---- */

static void write_value(FILE *out, int64_t value, bool is_first)
{
    if (!is_first)
        fputc(',', out);
    if (value == READING_UNKNOWN)
        fputs("null", out);
    else
        fprintf(out, "%lld", (long long)value);
}

static void write_frames(FILE *out, const struct process *process)
{
    fputs(",\"times\":[", out);
    for (size_t i = 0; i < process->frame_count; i++)
        write_value(out, process->frames[i].time_ms, i == 0);
    fputs("],\"indices\":[", out);
    for (size_t i = 0; i < process->frame_count; i++)
        write_value(out, process->frames[i].index, i == 0);
    fputs("],\"figures\":{", out);
    static const char *const names[FIGURES] = {"objects",       "bytes",        "resident",
                                               "anonymous",     "swapped",      "blocks",
                                               "allocatorUsed", "allocatorFree"};
    for (int figure = 0; figure < FIGURES; figure++) {
        fprintf(out, "%s\"%s\":[", figure > 0 ? "," : "", names[figure]);
        for (size_t i = 0; i < process->frame_count; i++)
            write_value(out, process->frames[i].figures[figure], i == 0);
        fputc(']', out);
    }
    fputc('}', out);
}

/* ---- Classes ---- */

static void write_points(FILE *out, const struct process *process, const struct class *class,
                         bool is_bytes)
{
    size_t at = 0;
    fprintf(out, ",\"%s\":[", is_bytes ? "bytes" : "counts");
    for (size_t i = 0; i < process->frame_count; i++) {
        bool is_there =
            at < class->point_count && class->points[at].frame == process->frames[i].index;
        write_value(out, is_there ? model_value(&class->points[at], is_bytes) : READING_UNKNOWN,
                    i == 0);
        at += is_there;
    }
    fputc(']', out);
}

static int compare_bytes(const void *a, const void *b)
{
    const struct class *first = *(struct class *const *)a, *second = *(struct class *const *)b;
    return (first->peak_bytes < second->peak_bytes) - (first->peak_bytes > second->peak_bytes);
}

static int compare_counts(const void *a, const void *b)
{
    const struct class *first = *(struct class *const *)a, *second = *(struct class *const *)b;
    return (first->peak_count < second->peak_count) - (first->peak_count > second->peak_count);
}

/* Brings those that are shown to the front: how many. */
static size_t choose(struct class **classes, size_t count)
{
    if (count <= 2 * CLASSES_MAX)
        return count;
    qsort(classes, count, sizeof(*classes), compare_bytes);
    qsort(classes + CLASSES_MAX, count - CLASSES_MAX, sizeof(*classes), compare_counts);
    return 2 * CLASSES_MAX;
}

static int write_classes(FILE *out, const struct process *process)
{
    size_t size = process->class_count * sizeof(struct class *);
    struct class **classes = malloc(size + 1);
    if (classes == NULL)
        return -1;
    if (size > 0)
        memcpy(classes, process->classes, size);
    size_t shown = choose(classes, process->class_count);
    fputs(",\"classes\":[", out);
    for (size_t i = 0; i < shown; i++) {
        fputs(i > 0 ? ",\n{\"name\":" : "{\"name\":", out);
        html_data_write_text(out, classes[i]->name);
        write_points(out, process, classes[i], false);
        write_points(out, process, classes[i], true);
        fputc('}', out);
    }
    fprintf(out, "],\"omitted\":%zu", process->class_count - shown);
    free(classes);
    return 0;
}

/* ---- The whole ---- */

static void write_verdicts(FILE *out, const struct process *process)
{
    fputs(",\"verdicts\":[", out);
    for (size_t i = 0; i < process->suspicion_count; i++) {
        const struct suspicion *suspicion = &process->suspicions[i];
        fprintf(out, "%s{\"kind\":\"%s\",\"name\":", i > 0 ? "," : "",
                suspicion->kind == VERDICT_SUSPECTED ? "suspected" : "cleared");
        html_data_write_text(out, suspicion->name);
        fputs(",\"text\":", out);
        html_data_write_text(out, suspicion->text);
        fputc('}', out);
    }
    fputs("],\"held\":", out);
    write_text_or_null(out, process->held);
    fputs(",\"note\":", out);
    write_text_or_null(out, process->note);
}

static int write_process(FILE *out, const struct process *process)
{
    static const char *const clocks[] = {"wall", "elapsed", "none"};
    struct text name = {0};
    summary_add_process_name(&name, process);
    if (name.failed)
        return -1;
    fputs("{\"name\":", out);
    html_data_write_text(out, name.bytes);
    text_clear(&name);
    fprintf(out, ",\"clock\":\"%s\",\"utc\":%s,\"exact\":%s,\"snapshots\":%u",
            clocks[process->clock], process->is_utc ? "true" : "false",
            process->is_exact ? "true" : "false", process->snapshots);
    write_frames(out, process);
    int status = write_classes(out, process);
    write_verdicts(out, process);
    fputc('}', out);
    return status;
}

int html_data_write(FILE *out, const struct model *model)
{
    int status = 0;
    fputs("{\"processes\":[", out);
    for (size_t i = 0; i < model->process_count && status == 0; i++) {
        if (i > 0)
            fputs(",\n", out);
        status = write_process(out, model->processes[i]);
    }
    fputs("]}", out);
    return status;
}
