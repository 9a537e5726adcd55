/* SPDX-License-Identifier: MIT
 *
 * What is unknown is left out, with whatever would stand between it and the rest. As in report.c
 * the wording is a contract.
 */
#include "footprint_report.h"

#include "footprint_verdict.h"
#include "report.h"

#include <string.h>

/* Growth of fewer blocks than one for so many bytes is not one of small objects. */
enum { LARGE_BLOCK_BYTES = 1 << 14 };

static uint64_t distance(uint64_t a, uint64_t b)
{
    return a < b ? b - a : a - b;
}

/* ---- The figures ---- */

static void add_size_change(struct text *text, uint64_t now, uint64_t first, const char *note)
{
    if (first == FOOTPRINT_UNKNOWN)
        return;
    text_add(text, " (%s", now < first ? "-" : "+");
    report_add_size(text, distance(now, first));
    text_add(text, "%s)", note);
}

static void add_kernel(struct text *text, const struct footprint *now,
                       const struct footprint *first)
{
    const struct {
        const char *name;
        uint64_t now, first;
    } figures[] = {
        {"resident", now->resident_bytes, first->resident_bytes},
        {"anonymous", now->anonymous_bytes, first->anonymous_bytes},
        {"swapped", now->swapped_bytes, first->swapped_bytes},
    };
    const char *note = " since first", *end = "";
    for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
        if (figures[i].now == FOOTPRINT_UNKNOWN)
            continue;
        text_add(text, "%s%s ", *end != '\0' ? ", " : "", figures[i].name);
        report_add_size(text, figures[i].now);
        add_size_change(text, figures[i].now, figures[i].first, note);
        note = "";
        end = "; ";
    }
    text_add(text, "%s", end);
}

static void add_python(struct text *text, const struct footprint *now,
                       const struct footprint *first, bool counts_untracked)
{
    text_add(text, "Python ");
    if (now->blocks != FOOTPRINT_UNKNOWN) {
        report_add_count(text, now->blocks);
        text_add(text, " allocated blocks");
        if (first->blocks != FOOTPRINT_UNKNOWN) {
            text_add(text, " (%s", now->blocks < first->blocks ? "-" : "+");
            report_add_count(text, distance(now->blocks, first->blocks));
            text_add(text, ")");
        }
        text_add(text, ", ");
    }
    report_add_size(text, now->tracked_bytes);
    text_add(text, " in %sobjects", counts_untracked ? "" : "tracked ");
    add_size_change(text, now->tracked_bytes, first->tracked_bytes, "");
}

static void add_allocator(struct text *text, const struct footprint *now)
{
    if (now->allocator_used_bytes == FOOTPRINT_UNKNOWN)
        return;
    text_add(text, "; C allocator ");
    report_add_size(text, now->allocator_used_bytes);
    text_add(text, " used, ");
    report_add_size(text, now->allocator_free_bytes);
    text_add(text, " free but kept");
}

/* ---- The verdict ---- */

/* "RSS grew 1.0 MB", and after that ", objects 1.0 MB", or where they did not, ", objects fell 1.0
 * MB". */
static void add_move(struct text *text, const char *name, uint64_t now, uint64_t before,
                     const char *said)
{
    const char *verb = now < before ? "fell" : "grew";
    text_add(text, "%s ", name);
    if (strcmp(verb, said) != 0)
        text_add(text, "%s ", verb);
    report_add_size(text, distance(now, before));
}

/* By how much a figure has risen; 0 where that is not known. */
static uint64_t rise(uint64_t now, uint64_t before)
{
    bool is_known = now != FOOTPRINT_UNKNOWN && before != FOOTPRINT_UNKNOWN;
    return is_known && now > before ? now - before : 0;
}

/* What the C library's figures say of `bytes` that are to be explained. */
static void add_evidence(struct text *text, const struct footprints *footprints,
                         const struct footprint_verdict *verdict, uint64_t bytes)
{
    const struct footprint *since = footprints_asked(footprints, verdict->since);
    const struct footprint *now = footprints_asked(footprints, verdict->now);
    uint64_t free = rise(now->allocator_free_bytes, since->allocator_free_bytes);
    uint64_t used = rise(now->allocator_used_bytes, since->allocator_used_bytes);
    if (free >= bytes / 4) {
        text_add(text, " (");
        report_add_size(text, free);
        text_add(text, " is free but kept by the C allocator)");
    } else if (used >= bytes / 2) {
        text_add(text, " (the C allocator has ");
        report_add_size(text, used);
        text_add(text, " more in use)");
    }
}

static const char *explain_growth(const struct footprint_verdict *verdict, uint64_t bytes,
                                  bool counts_untracked)
{
    const struct footprint *since = verdict->since, *now = verdict->now;
    if (counts_untracked)
        return "native memory or fragmentation";
    if (now->blocks != FOOTPRINT_UNKNOWN && since->blocks != FOOTPRINT_UNKNOWN &&
        rise(now->blocks, since->blocks) < bytes / LARGE_BLOCK_BYTES)
        return "native memory, fragmentation or a few large strings, bytes or arrays "
               "(count_untracked tells)";
    return "strings, bytes and arrays (count_untracked tells), native memory or fragmentation";
}

static void add_verdict(struct text *text, const struct footprints *footprints,
                        const struct footprint_verdict *verdict, bool counts_untracked)
{
    const struct footprint *since = verdict->since, *now = verdict->now;
    uint64_t memory_now = footprint_memory(now), memory_before = footprint_memory(since);
    uint64_t bytes;
    if (verdict->kind == FOOTPRINT_GREW) {
        bytes = distance(memory_now, memory_before);
        add_move(text, "\nRSS", memory_now, memory_before, "");
        add_move(text, counts_untracked ? ", Python objects" : ", tracked objects",
                 now->tracked_bytes, since->tracked_bytes, "grew");
        text_add(text, ": %s", explain_growth(verdict, bytes, counts_untracked));
    } else {
        bytes = distance(now->tracked_bytes, since->tracked_bytes);
        add_move(text, counts_untracked ? "\nPython objects" : "\nTracked objects",
                 now->tracked_bytes, since->tracked_bytes, "");
        add_move(text, ", RSS", memory_now, memory_before, "fell");
        text_add(text, ": their memory is kept for reuse, or other memory has grown");
    }
    add_evidence(text, footprints, verdict, bytes);
    text_add(text, ", within ");
    report_add_count(text, now->snapshot - since->snapshot);
    text_add(text, now->snapshot - since->snapshot == 1 ? " snapshot" : " snapshots");
}

/* ---- Both ---- */

void footprint_report_add(struct text *text, const struct footprints *footprints,
                          bool counts_untracked)
{
    if (footprints == NULL || footprints->last.snapshot == 0)
        return;
    struct footprint nothing;
    memset(&nothing, 0xff, sizeof(nothing));
    const struct footprint *now = &footprints->last;
    const struct footprint *first =
        footprints->first.snapshot == now->snapshot ? &nothing : &footprints->first;
    text_add(text, "\n\nProcess: ");
    add_kernel(text, now, first);
    add_python(text, now, first, counts_untracked);
    add_allocator(text, now);
    struct footprint_verdict verdict = footprint_verdict(footprints);
    if (verdict.kind != FOOTPRINT_AGREED)
        add_verdict(text, footprints, &verdict, counts_untracked);
}
