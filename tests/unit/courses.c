/* SPDX-License-Identifier: MIT
 *
 * Each kind fills count and bytes; what is due is derived: eight new heights after the start, or,
 * below churn, the time in which growth makes up for the churn eight times over.
 */
#include "courses.h"

#include "growth/series.h"

#include <math.h>
#include <string.h>

static uint64_t random_bits(struct course *course)
{
    uint64_t bits = course->generator += 0x9e3779b97f4a7c15u;
    bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9u;
    bits = (bits ^ bits >> 27) * 0x94d049bb133111ebu;
    return bits ^ bits >> 31;
}

static double uniform(struct course *course)
{
    return (double)(random_bits(course) >> 11) * 0x1p-53;
}

/* From `low` to `high`, both included. */
static double between(struct course *course, int low, int high)
{
    return low + (int)(random_bits(course) % (uint64_t)(high - low + 1));
}

static double normal(struct course *course)
{
    double sum = 0;
    for (int i = 0; i < 12; i++)
        sum += uniform(course);
    return sum - 6;
}

static double poisson(struct course *course, double mean)
{
    if (mean > 50)
        return fmax(0, floor(mean + sqrt(mean) * normal(course) + 0.5));
    double product = uniform(course);
    int events = 0;
    for (; product > exp(-mean); events++)
        product *= uniform(course);
    return events;
}

static double exponential(struct course *course, double mean)
{
    return -mean * log(1 - uniform(course));
}

/* Objects of 64 bytes. */
static void put(struct course *course, size_t i, double count)
{
    course->count[i] = count > 0 ? (uint64_t)(count + 0.5) : 0;
    course->bytes[i] = course->count[i] * 64;
}

/* One list of so many items, which asks for an eighth more whenever it is full. */
static void put_list(struct course *course, size_t i, double items, double *capacity)
{
    if (items > *capacity)
        *capacity = floor(items + items / 8 + 6);
    course->count[i] = 1;
    course->bytes[i] = 56 + 8 * (uint64_t)*capacity;
}

/* Growth is due to be named with the eighth new height after the start, or `more` later. */
static void derive_due(struct course *course, size_t more)
{
    uint64_t count = 0, bytes = 0;
    size_t heights = 0;
    for (size_t i = 0; i < course->length && heights < 8 + more; i++) {
        bool is_higher = course->count[i] > count || course->bytes[i] > bytes;
        count = course->count[i] > count ? course->count[i] : count;
        bytes = course->bytes[i] > bytes ? course->bytes[i] : bytes;
        if (i > course->starts && is_higher && ++heights == 8 + more)
            course->due = i;
    }
}

static void leak_constant(struct course *course)
{
    double each = between(course, 1, 500);
    for (size_t i = 0; i < course->length; i++)
        put(course, i, 50 + each * (double)i);
}

static void leak_from_nothing(struct course *course)
{
    course->starts = 12;
    for (size_t i = 0; i < course->length; i++)
        put(course, i, i > 12 ? 3 * (double)(i - 12) : 0);
}

static void leak_by_one(struct course *course)
{
    for (size_t i = 0; i < course->length; i++)
        put(course, i, 1e6 + (double)i);
}

static void leak_of_one_to_three(struct course *course)
{
    double count = 0;
    for (size_t i = 0; i < course->length; i++) {
        put(course, i, count);
        count += between(course, 1, 3);
    }
    derive_due(course, 4);
}

static void leak_by_events(struct course *course)
{
    double count = 200;
    for (size_t i = 0; i < course->length; i++) {
        put(course, i, count);
        count += poisson(course, 2);
    }
    derive_due(course, 4);
}

static void leak_of_any_size(struct course *course)
{
    double count = 0;
    for (size_t i = 0; i < course->length; i++) {
        put(course, i, count);
        count += 1 + floor(exponential(course, 30));
    }
    derive_due(course, 6);
}

static void leak_late(struct course *course)
{
    course->starts = (size_t)between(course, 20, 120);
    for (size_t i = 0; i < course->length; i++)
        put(course, i, 1000 + (i > course->starts ? 5 * (double)(i - course->starts) : 0));
}

static void leak_late_above_noise(struct course *course)
{
    course->starts = (size_t)between(course, 20, 120);
    for (size_t i = 0; i < course->length; i++) {
        double growth = i > course->starts ? 60 * (double)(i - course->starts) : 0;
        put(course, i, 1000 + growth + between(course, -20, 20));
    }
    course->due = course->starts + 8;
}

static void leak_after_warm_up(struct course *course)
{
    course->starts = 8;
    for (size_t i = 0; i < course->length; i++) {
        double fades = 3000 * (1 - exp(-(double)(i < 8 ? i : 8) / 2));
        put(course, i, floor(fades) + (i > 8 ? 2 * (double)(i - 8) : 0));
    }
}

static void leak_after_long_warm_up(struct course *course)
{
    for (size_t i = 0; i < course->length; i++)
        put(course, i, i < 40 ? 100 * (double)i : 4000 + 2 * (double)(i - 40));
}

static void leak_after_load(struct course *course)
{
    course->starts = 10;
    for (size_t i = 0; i < course->length; i++)
        put(course, i, 1000 + (i >= 10 ? 1e6 + 4 * (double)(i - 10) : 0));
}

/* The later spike hides the first sample of growth, so the next is the first that can show it. */
static void leak_after_spikes(struct course *course)
{
    course->starts = 6;
    for (size_t i = 0; i < course->length; i++) {
        double growth = i > 6 ? 10 * (double)(i - 6) : 0;
        put(course, i, 100 + (i == 2 || i == 5 ? 1e5 : 0) + growth);
    }
}

static void leak_amid_load(struct course *course)
{
    for (size_t i = 0; i < course->length; i++)
        put(course, i, 100 + 10 * (double)i + (i >= 4 ? 50000 : 0));
    course->due = 12;
}

static void leak_by_bursts(struct course *course)
{
    size_t every = (size_t)between(course, 2, 20);
    for (size_t i = 0; i < course->length; i++)
        put(course, i, 1000 + 50 * (double)(i / every));
    derive_due(course, 0);
}

static void leak_by_long_bursts(struct course *course)
{
    double count = 1000;
    for (size_t i = 0; i < course->length; i++) {
        put(course, i, count);
        count += i % 10 < 3 ? 20 : 0;
    }
    derive_due(course, 0);
}

static void leak_by_bursts_at_random(struct course *course)
{
    double count = 1000;
    for (size_t i = 0; i < course->length; i++) {
        put(course, i, count);
        count += uniform(course) < 0.3 ? between(course, 20, 60) : 0;
    }
    derive_due(course, 4);
}

static void leak_of_list(struct course *course)
{
    double capacity = 0, items = between(course, 0, 5000);
    for (size_t i = 0; i < course->length; i++)
        put_list(course, i, items + 500 * (double)i, &capacity);
    derive_due(course, 0);
}

static void leak_of_large_list(struct course *course)
{
    double capacity = 0;
    course->starts = 30;
    for (size_t i = 0; i < course->length; i++)
        put_list(course, i, 100000 + (i > 30 ? 3000 * (double)(i - 30) : 0), &capacity);
    derive_due(course, 0);
}

static void leak_of_dict(struct course *course)
{
    double size = 1;
    for (size_t i = 0; i < course->length; i++) {
        while (size * 2 / 3 < 20 + 300 * (double)i)
            size *= 2;
        course->count[i] = 1;
        course->bytes[i] = 200 + (uint64_t)size * 25;
    }
    derive_due(course, 0);
}

static void leak_that_feeds_itself(struct course *course)
{
    double count = 10;
    for (size_t i = 0; i < course->length; i++) {
        put(course, i, count);
        count += ceil(fmin(count, 1e7) * 0.3);
    }
}

static void leak_under_sawtooth(struct course *course)
{
    for (size_t i = 0; i < course->length; i++)
        put(course, i, 500 + 30 * (double)i + 40 * (double)(i % 5));
    course->due = 40; /* 160 of churn and more, at 30 each: eight times 5.3 */
}

static void leak_with_returns(struct course *course)
{
    double count = 500;
    for (size_t i = 0; i < course->length; i++) {
        put(course, i, count);
        count += i % 6 == 5 ? -3 : 12;
    }
    derive_due(course, 4);
}

static void leak_by_day(struct course *course)
{
    double count = 500;
    for (size_t i = 0; i < course->length; i++) {
        put(course, i, count);
        count += floor(40 + 35 * sin((double)i / 15)) + between(course, 0, 9);
    }
    derive_due(course, 8);
}

static void leak_under_churn(struct course *course, double each, int churn)
{
    for (size_t i = 0; i < course->length; i++)
        put(course, i, 10000 + each * (double)i + between(course, -churn, churn));
    course->due = (size_t)(8 * 2 * churn / each);
}

static void leak_under_light_churn(struct course *course)
{
    leak_under_churn(course, between(course, 20, 30), 100);
}

static void leak_under_churn_10(struct course *course)
{
    leak_under_churn(course, 2, 10);
}

static void leak_under_churn_50(struct course *course)
{
    leak_under_churn(course, 3, 50);
}

static void leak_under_heavy_churn(struct course *course)
{
    double count = 10000;
    for (size_t i = 0; i < course->length; i++) {
        put(course, i, count + between(course, -300, 300));
        count += between(course, 1, 3);
    }
    course->due = 2 * 600 / 2;
}

static void leak_under_normal_churn(struct course *course)
{
    for (size_t i = 0; i < course->length; i++)
        put(course, i, 10000 + 30 * (double)i + 170 * normal(course));
    course->due = 8 * 1020 / 30;
}

static void flat(struct course *course)
{
    for (size_t i = 0; i < course->length; i++)
        put(course, i, 4711);
}

static void noise_uniform(struct course *course)
{
    double width = between(course, 1, 900);
    for (size_t i = 0; i < course->length; i++)
        put(course, i, 1000 + between(course, (int)-width, (int)width));
}

static void noise_normal(struct course *course)
{
    for (size_t i = 0; i < course->length; i++)
        put(course, i, 1000 + 100 * normal(course));
}

static void noise_of_few(struct course *course)
{
    for (size_t i = 0; i < course->length; i++)
        put(course, i, poisson(course, 4));
}

static void noise_of_many(struct course *course)
{
    for (size_t i = 0; i < course->length; i++)
        put(course, i, poisson(course, 100));
}

static void noise_with_peaks(struct course *course)
{
    for (size_t i = 0; i < course->length; i++)
        put(course, i, 1000 + floor(10 / (uniform(course) + 0.001)));
}

static void noise_in_bytes(struct course *course)
{
    for (size_t i = 0; i < course->length; i++) {
        course->count[i] = 300;
        course->bytes[i] = (uint64_t)between(course, 90000, 140000);
    }
}

static void comes_and_goes(struct course *course)
{
    for (size_t i = 0; i < course->length; i++)
        put(course, i, uniform(course) < 0.4 ? between(course, 1, 30) : 0);
}

static void warm_up(struct course *course)
{
    double time = 1 + uniform(course);
    for (size_t i = 0; i < course->length; i++)
        put(course, i, 2000 + floor(5000 * (1 - exp(-(double)i / time))));
}

static void bounded_cache(struct course *course)
{
    for (size_t i = 0; i < course->length; i++)
        put(course, i, 128 * (double)(i < 7 ? i : 7));
}

static void ring_buffer(struct course *course)
{
    double bound = between(course, 200, 700), capacity = 0;
    for (size_t i = 0; i < course->length; i++)
        put_list(course, i, fmin(bound, 100 * (double)i), &capacity);
}

static void load(struct course *course)
{
    size_t when = (size_t)between(course, 1, 100);
    for (size_t i = 0; i < course->length; i++)
        put(course, i, 1000 + (i >= when ? 1e6 : 0));
}

static void load_amid_noise(struct course *course)
{
    size_t when = (size_t)between(course, 5, 150);
    for (size_t i = 0; i < course->length; i++)
        put(course, i, 1000 + (i >= when ? 1e6 : 0) + 20 * normal(course));
}

static void load_in_parts(struct course *course)
{
    for (size_t i = 0; i < course->length; i++)
        put(course, i, 1000 + 2e5 * (double)((i >= 20) + (i >= 60) + (i >= 61) + (i >= 62)));
}

static void batch_job(struct course *course)
{
    double size = 0;
    for (size_t i = 0; i < course->length; i++) {
        size = i % 20 == 0 ? between(course, 500, 5000) : size;
        size_t phase = i % 20;
        put(course, i, 300 + (phase < 4 ? size * (double)phase : phase < 6 ? size * 3 : 0));
    }
}

static void batch_job_by_chance(struct course *course)
{
    size_t left = 0;
    for (size_t i = 0; i < course->length; i++) {
        if (left > 0)
            left--;
        else if (uniform(course) < 0.1)
            left = (size_t)between(course, 1, 6);
        put(course, i, 40 + (left > 0 ? between(course, 1000, 1200) : 0));
    }
}

static void spike(struct course *course)
{
    size_t when = (size_t)between(course, 2, 150);
    for (size_t i = 0; i < course->length; i++)
        put(course, i, 500 + (i == when || i == when + 1 ? 1e6 : 0));
}

static void wave(struct course *course)
{
    static const int shape[] = {0, 50, 90, 130, 150, 120, 70, 30};
    for (size_t i = 0; i < course->length; i++)
        put(course, i, 1000 + shape[i % 8] + between(course, 0, 6));
}

static void sawtooth(struct course *course)
{
    size_t period = (size_t)between(course, 2, 5);
    for (size_t i = 0; i < course->length; i++)
        put(course, i, 700 + 300 * (double)(i % period));
}

static void sawtooth_by_chance(struct course *course)
{
    double garbage = 0;
    for (size_t i = 0; i < course->length; i++) {
        garbage = garbage > 700 * 3 ? 0 : garbage + between(course, 500, 1000);
        put(course, i, 2000 + garbage);
    }
}

static void connection_pool(struct course *course)
{
    double most = 0;
    for (size_t i = 0; i < course->length; i++) {
        most = fmin(10, fmax(most, poisson(course, 8)));
        put(course, i, 5 + most);
    }
}

static void memo_of_few(struct course *course)
{
    double known = 0, all = 60;
    for (size_t i = 0; i < course->length; i++) {
        put(course, i, known);
        for (int k = 0; k < 60; k++)
            known += uniform(course) >= known / all;
    }
}

static void appears_and_stays(struct course *course)
{
    for (size_t i = 0; i < course->length; i++)
        put(course, i, i < 40 ? 0 : i < 44 ? 100 * (double)(i - 39) : 500);
}

static void fill_evenly(struct course *course)
{
    course->stops = (size_t)between(course, 20, 150);
    for (size_t i = 0; i < course->length; i++)
        put(course, i, 77 * (double)(i < course->stops ? i : course->stops));
}

static void fill_at_random(struct course *course)
{
    double count = 0, bound = between(course, 100, 300);
    for (size_t i = 0; i < course->length; i++) {
        put(course, i, count);
        course->stops = count < bound ? i + 1 : course->stops;
        count = fmin(bound, count + between(course, 1, 3));
    }
}

/* Its jumps are up to 12 snapshots apart at the end: after three times that nobody waits for more.
 */
static void fill_list(struct course *course)
{
    double capacity = 0, bound = between(course, 20000, 50000);
    for (size_t i = 0; i < course->length; i++) {
        put_list(course, i, fmin(bound, 500 * (double)i), &capacity);
        if (i > 0 && course->bytes[i] > course->bytes[i - 1])
            course->stops = i + 3 * 12 - 8;
    }
}

static void memo_of_many(struct course *course)
{
    double known = 0, all = between(course, 500, 3000);
    for (size_t i = 0; i < course->length; i++) {
        put(course, i, known);
        for (int k = 0; k < 100; k++)
            known += uniform(course) >= known / all;
        course->stops = known < all ? i : course->stops;
    }
}

/* Its last climb is what counts. */
static void fill_by_day(struct course *course)
{
    for (size_t i = 0; i < course->length; i++) {
        put(course, i,
            5000 - floor(2000 * cos((double)i * 3.14159265 / 48)) + between(course, 0, 20));
        if (i % 96 == 0 && i + 96 + 48 < course->length)
            course->stops = i + 48;
    }
}

static void wander(struct course *course, double memory)
{
    double state = normal(course), fresh = sqrt(1 - memory * memory);
    for (size_t i = 0; i < course->length; i++) {
        put(course, i, 10000 + 1000 * state);
        state = memory * state + fresh * normal(course);
    }
}

static void wander_little(struct course *course)
{
    wander(course, 0.5);
}

static void wander_more(struct course *course)
{
    wander(course, 0.8);
}

static void wander_far(struct course *course)
{
    wander(course, 0.95);
}

static void sessions(struct course *course)
{
    int open = 100;
    for (size_t i = 0; i < course->length; i++) {
        put(course, i, open);
        int ended = 0;
        for (int k = 0; k < open; k++)
            ended += uniform(course) < 0.05;
        open += (int)poisson(course, 5) - ended;
    }
}

static void largest_demand(struct course *course)
{
    double most = 0;
    for (size_t i = 0; i < course->length; i++) {
        most = fmax(most, poisson(course, 30));
        put(course, i, most);
    }
}

const struct course_kind course_kinds[] = {
    {"constant", COURSE_LEAK, leak_constant},
    {"from nothing", COURSE_LEAK, leak_from_nothing},
    {"one object each", COURSE_LEAK, leak_by_one},
    {"1 to 3 objects each", COURSE_LEAK, leak_of_one_to_three},
    {"by events, 2 each", COURSE_LEAK, leak_by_events},
    {"of any size", COURSE_LEAK, leak_of_any_size},
    {"late", COURSE_LEAK, leak_late},
    {"late, above noise", COURSE_LEAK, leak_late_above_noise},
    {"after warm-up", COURSE_LEAK, leak_after_warm_up},
    {"after a long warm-up", COURSE_LEAK, leak_after_long_warm_up},
    {"after a load", COURSE_LEAK, leak_after_load},
    {"after spikes", COURSE_LEAK, leak_after_spikes},
    {"amid a load", COURSE_LEAK, leak_amid_load},
    {"by bursts", COURSE_LEAK, leak_by_bursts},
    {"by long bursts", COURSE_LEAK, leak_by_long_bursts},
    {"by bursts at random", COURSE_LEAK, leak_by_bursts_at_random},
    {"one list", COURSE_LEAK, leak_of_list},
    {"one large list, late", COURSE_LEAK, leak_of_large_list},
    {"one dict", COURSE_LEAK, leak_of_dict},
    {"feeds itself", COURSE_LEAK, leak_that_feeds_itself},
    {"under a sawtooth", COURSE_LEAK, leak_under_sawtooth},
    {"with returns", COURSE_LEAK, leak_with_returns},
    {"by day and night", COURSE_LEAK, leak_by_day},
    {"20-30 under +-100", COURSE_LEAK, leak_under_light_churn},
    {"2 under +-10", COURSE_LEAK, leak_under_churn_10},
    {"3 under +-50", COURSE_LEAK, leak_under_churn_50},
    {"1-3 under +-300", COURSE_LEAK, leak_under_heavy_churn},
    {"30 under normal 170", COURSE_LEAK, leak_under_normal_churn},
    {"flat", COURSE_INNOCENT, flat},
    {"uniform noise", COURSE_INNOCENT, noise_uniform},
    {"normal noise", COURSE_INNOCENT, noise_normal},
    {"Poisson noise, 4", COURSE_INNOCENT, noise_of_few},
    {"Poisson noise, 100", COURSE_INNOCENT, noise_of_many},
    {"noise with peaks", COURSE_INNOCENT, noise_with_peaks},
    {"noise in bytes", COURSE_INNOCENT, noise_in_bytes},
    {"comes and goes", COURSE_INNOCENT, comes_and_goes},
    {"warm-up", COURSE_INNOCENT, warm_up},
    {"bounded cache", COURSE_INNOCENT, bounded_cache},
    {"ring buffer", COURSE_INNOCENT, ring_buffer},
    {"load", COURSE_INNOCENT, load},
    {"load amid noise", COURSE_INNOCENT, load_amid_noise},
    {"load in parts", COURSE_INNOCENT, load_in_parts},
    {"batch job", COURSE_INNOCENT, batch_job},
    {"batch job by chance", COURSE_INNOCENT, batch_job_by_chance},
    {"spike", COURSE_INNOCENT, spike},
    {"wave", COURSE_INNOCENT, wave},
    {"sawtooth", COURSE_INNOCENT, sawtooth},
    {"sawtooth by chance", COURSE_INNOCENT, sawtooth_by_chance},
    {"connection pool", COURSE_INNOCENT, connection_pool},
    {"memo of few", COURSE_INNOCENT, memo_of_few},
    {"appears and stays", COURSE_INNOCENT, appears_and_stays},
    {"fills evenly", COURSE_FILL, fill_evenly},
    {"fills at random", COURSE_FILL, fill_at_random},
    {"list that fills", COURSE_FILL, fill_list},
    {"memo of many", COURSE_FILL, memo_of_many},
    {"day and night", COURSE_FILL, fill_by_day},
    {"AR(1) 0.5", COURSE_WANDERER, wander_little},
    {"AR(1) 0.8", COURSE_WANDERER, wander_more},
    {"AR(1) 0.95", COURSE_WANDERER, wander_far},
    {"sessions", COURSE_WANDERER, sessions},
    {"largest demand", COURSE_WANDERER, largest_demand},
};

const size_t course_kind_count = sizeof(course_kinds) / sizeof(course_kinds[0]);

void course_make(struct course *course, const struct course_kind *kind, size_t length,
                 uint64_t seed)
{
    memset(course, 0, sizeof(*course));
    course->length = length;
    course->generator = seed * 0x2545f4914f6cdd1du;
    kind->make(course);
    if (kind->label == COURSE_LEAK && course->due == 0)
        course->due = course->starts + 8;
}

struct course_result course_watch(const struct course *course)
{
    struct course_result result = {.first_warning = SIZE_MAX, .last_clearing = SIZE_MAX};
    struct series series = {0};
    struct trend_watch watch = {0};
    for (size_t i = 0; i < course->length; i++) {
        struct trend_sample now = {i * 60000, course->count[i], course->bytes[i], (uint32_t)i + 1};
        struct trend_sample samples[TREND_SAMPLES_MAX];
        struct trend trend;
        series_add(&series, series_pack(&now), TREND_SAMPLES_MAX);
        enum trend_event event =
            trend_watch_step(&watch, samples, series_read(&series, samples), &trend);
        if (event == TREND_SUSPECTED && result.warnings++ == 0)
            result.first_warning = i;
        result.repeats += event == TREND_DOUBLED;
        result.clearings += event == TREND_CLEARED;
        if (event == TREND_CLEARED)
            result.last_clearing = i;
        result.verdict = trend.verdict;
    }
    result.suspected = watch.suspected;
    series_clear(&series);
    return result;
}
