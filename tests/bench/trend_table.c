/* SPDX-License-Identifier: MIT
 *
 * How leaks and innocents fare, kind by kind. Usage: trend_table [SEEDS [SNAPSHOTS]]
 */
#include "courses.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const labels[] = {"leak", "innocent", "fill", "wanderer"};

/* How far before (negative) or behind what is due the first warning came, and what else. */
struct tally {
    size_t seeds, accused, late, warnings, repeats, clearings, overdue;
    long first_sum, first_most, delay_most;
};

static void tally_add(struct tally *tally, const struct course *course,
                      const struct course_result *result)
{
    tally->seeds++;
    tally->accused += result->warnings > 0;
    tally->warnings += result->warnings;
    tally->repeats += result->repeats;
    tally->clearings += result->clearings;
    tally->late += course->due > 0 && course->due < course->length &&
                   (result->warnings == 0 || result->first_warning > course->due);
    if (result->warnings > 0) {
        long first = (long)result->first_warning - (long)course->starts;
        tally->first_sum += first;
        tally->first_most = first > tally->first_most ? first : tally->first_most;
    }
    if (course->stops > 0 && course->stops + 8 < course->length) {
        long delay = result->suspected ? 9999 : 0;
        if (result->clearings > 0)
            delay = (long)result->last_clearing - (long)course->stops;
        tally->delay_most = delay > tally->delay_most ? delay : tally->delay_most;
        tally->overdue += delay > 8;
    }
}

static void print_row(const struct course_kind *kind, const struct tally *tally)
{
    printf("%-9s %-22s %6zu of %zu", labels[kind->label], kind->name, tally->accused, tally->seeds);
    if (tally->accused > 0)
        printf("  first %.1f, at most %ld", (double)tally->first_sum / (double)tally->accused,
               tally->first_most);
    printf("  warnings %zu repeats %zu cleared %zu", tally->warnings, tally->repeats,
           tally->clearings);
    if (kind->label == COURSE_LEAK)
        printf("  late %zu", tally->late);
    if (kind->label == COURSE_FILL)
        printf("  cleared after at most %ld, overdue %zu", tally->delay_most, tally->overdue);
    printf("\n");
}

int main(int argc, char **argv)
{
    size_t seeds = argc > 1 ? strtoul(argv[1], NULL, 10) : 20;
    size_t length = argc > 2 ? strtoul(argv[2], NULL, 10) : 200;
    static struct course course;
    if (length > COURSE_MAX)
        length = COURSE_MAX;
    for (size_t i = 0; i < course_kind_count; i++) {
        struct tally tally = {0};
        for (size_t seed = 1; seed <= seeds; seed++) {
            course_make(&course, &course_kinds[i], length, seed);
            struct course_result result = course_watch(&course);
            tally_add(&tally, &course, &result);
        }
        print_row(&course_kinds[i], &tally);
    }
    return 0;
}
