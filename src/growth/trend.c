/* SPDX-License-Identifier: MIT
 *
 * The rule looks at floors, not at levels. The floor of a sample is the least level from there to
 * the end: what was there then and has never been given back. It can only rise, and a leak is a
 * floor that keeps rising. What stands above its floor came down again: that is churn, and growth
 * has to be seen against it. From some sample on a class is found growing in one of two ways:
 *
 * - plainly: eight rises of the floor, beside which the churn is next to nothing;
 * - through noise: in all but one of eight stretches of time the lows rise, and by more than the
 *   churn; by many times the churn if that was seen to go up and down only a few times. For levels
 *   that return to their mean slowly have swings as long as a leak, but few of them.
 *
 * Both ask that the growth exceed what the class has gained and lost again before, that it does not
 * fade (a cache that fills), does not come from one or two jumps (a load, a library), and goes on.
 * A rise counts up to twice the third largest only, so a jump amid growth is neither proof nor
 * hindrance.
 */
#include "growth/trend.h"

enum {
    RISES_MIN = 8,
    /* Once a class has gone down it may be all noise, and chance makes eight rises too often. */
    RISES_AFTER_FALL_MIN = 11,
    /* A fall so many times as deep as the growth is of another kind. */
    ACCIDENT_OVER_GROWTH = 8,
    STRETCHES = 8,
    NOISY_SAMPLES_MIN = 24,
    /* Plain growth is at least so many times the churn, and the earlier swings. */
    PLAIN_OVER_CHURN = 12,
    PLAIN_OVER_SWINGS = 4,
    /* Noisy growth, times the number of the churn's falls. */
    NOISY_OVER_CHURN = 14,
    NOISY_OVER_SWINGS = 2,
    /* Snapshots without growth that end it at the least. */
    PAUSE = 7,
    /* Where growth never kept one waiting for longer than this, a pause of twice that ends it, else
     * of three times that: of a table that doubles in size each wait is twice the last. */
    SHORT_WAIT = 4,
    /* In units of the time in which growth makes up for churn. */
    CHURN_PAUSE = 2,
    /* The last rises that tell how often growth comes. */
    WAITS = 24,
};

/* Of the growth, the least part in the later half of its time: to accuse, to accuse when rise after
 * rise was less than the one before, and to keep suspecting. */
static const double LATER_MIN = 0.3, LATER_ORDERED_MIN = 0.38, LATER_KEPT = 0.15;
static const double FADING_ORDER = -0.7;

struct curve {
    size_t count;
    double at[TREND_SAMPLES_MAX]; /* numbers of snapshots */
    double level[TREND_SAMPLES_MAX];
    double floor[TREND_SAMPLES_MAX];
    double swing[TREND_SAMPLES_MAX]; /* what used to be gained and lost again before that sample */
    double deepest[TREND_SAMPLES_MAX]; /* the deepest fall before it, accidents included */
};

/* The three largest of what it was given, largest first. */
struct largest {
    double value[3];
};

static void largest_add(struct largest *largest, double value)
{
    for (size_t i = 0; i < 3 && value > largest->value[2]; i++) {
        if (value > largest->value[i]) {
            double less = largest->value[i];
            largest->value[i] = value;
            value = less;
        }
    }
}

static double lesser(double a, double b)
{
    return a < b ? a : b;
}

static double greater(double a, double b)
{
    return a > b ? a : b;
}

static uint64_t level_of(const struct trend_sample *sample, enum trend_measure measure)
{
    return measure == TREND_COUNT ? sample->count : sample->bytes;
}

/* Gains of which at least half was lost again. One or two that dwarf the third are accidents, such
 * as the reading of a large file at the start; the third time it is a habit. */
static void fill_swings(struct curve *curve)
{
    struct largest swings = {{0}};
    double peak = curve->level[0], trough = curve->level[0], highest = curve->level[0];
    curve->swing[0] = curve->deepest[0] = 0;
    for (size_t i = 1; i < curve->count; i++) {
        double level = curve->level[i];
        if (level < peak && (peak - level) * 2 >= peak - trough) {
            largest_add(&swings, peak - trough);
            trough = peak = level;
        }
        peak = greater(peak, level);
        if (level < trough)
            trough = peak = level;
        curve->swing[i] = lesser(swings.value[0], 4 * swings.value[2]);
        highest = greater(highest, level);
        curve->deepest[i] = greater(curve->deepest[i - 1], highest - level);
    }
}

static void curve_fill(struct curve *curve, const struct trend_sample *samples, size_t count,
                       enum trend_measure measure, double forgiven)
{
    curve->count = count;
    for (size_t i = 0; i < count; i++) {
        curve->at[i] = samples[i].snapshot;
        curve->level[i] = greater((double)level_of(&samples[i], measure), forgiven);
    }
    for (size_t i = count; i-- > 0;) {
        double later = i + 1 < count ? curve->floor[i + 1] : curve->level[i];
        curve->floor[i] = lesser(curve->level[i], later);
    }
    fill_swings(curve);
}

/* Up to which size rises of the floor count: a few larger ones are jumps. */
static double cap_of_rises(const struct curve *curve, size_t since)
{
    struct largest rises = {{0}};
    for (size_t i = since + 1; i < curve->count; i++)
        largest_add(&rises, curve->floor[i] - curve->floor[i - 1]);
    return 2 * rises.value[2];
}

/* Of the growth since `since`, each rise counted up to `cap`: the part in the later half. */
static double later_part(const struct curve *curve, size_t since, double cap)
{
    double middle = (curve->at[since] + curve->at[curve->count - 1]) / 2;
    double all = 0, later = 0;
    for (size_t i = since + 1; i < curve->count; i++) {
        double rise = lesser(curve->floor[i] - curve->floor[i - 1], cap);
        all += rise;
        if (curve->at[i] > middle)
            later += rise;
    }
    return all > 0 ? later / all : 0;
}

/* How the rises of the floor since `since` are ordered: from -1, each less than the one before,
 * to 1. Chance orders eight of them below -0.6 once in a hundred times. */
static double order_of_rises(const struct curve *curve, size_t since)
{
    double rises[TREND_SAMPLES_MAX];
    size_t count = 0;
    int balance = 0, pairs = 0;
    for (size_t i = since + 1; i < curve->count; i++) {
        if (curve->floor[i] > curve->floor[i - 1])
            rises[count++] = curve->floor[i] - curve->floor[i - 1];
    }
    for (size_t i = 1; i < count; i++) {
        for (size_t j = 0; j < i; j++, pairs++)
            balance += (rises[i] > rises[j]) - (rises[i] < rises[j]);
    }
    return pairs > 0 ? (double)balance / pairs : 0;
}

/* Growth that becomes ever less is that of a cache which fills. */
static bool is_fading(const struct curve *curve, size_t since, double cap)
{
    double later = later_part(curve, since, cap);
    return later < LATER_MIN ||
           (later < LATER_ORDERED_MIN && order_of_rises(curve, since) < FADING_ORDER);
}

/* Whether a fall before `since`, be it the only one, was about as deep as the growth since. */
static bool had_like_fall(const struct curve *curve, size_t since, double growth)
{
    double deepest = curve->deepest[since];
    return deepest * PLAIN_OVER_SWINGS > growth && deepest < growth * ACCIDENT_OVER_GROWTH;
}

/* Enough rises that are more than churn, and no wait between them that takes half of the time. */
static bool has_rises(const struct curve *curve, size_t since, double churn, double growth)
{
    size_t needed = had_like_fall(curve, since, growth) ? RISES_AFTER_FALL_MIN : RISES_MIN;
    size_t rises = 0, previous = since;
    double longest = 0;
    for (size_t i = since + 1; i < curve->count; i++) {
        double rise = curve->floor[i] - curve->floor[i - 1];
        if (rise <= 0 || rise < churn)
            continue;
        rises++;
        longest = greater(longest, curve->at[i] - curve->at[previous]);
        previous = i;
    }
    return rises >= needed && longest * 2 <= curve->at[curve->count - 1] - curve->at[since] + 1;
}

/* How often the level came down by at least half of the churn. */
static double count_falls(const struct curve *curve, size_t since, double churn)
{
    double falls = 0, extreme = curve->level[since];
    bool falling = false;
    for (size_t i = since; i < curve->count; i++) {
        double level = curve->level[i];
        double back = falling ? level - extreme : extreme - level;
        if (back * 2 >= churn) {
            falling = !falling;
            falls += falling;
            extreme = level;
        } else if (back < 0) {
            extreme = level;
        }
    }
    return falls;
}

/* The least level in each of eight stretches of equal time. False if one has no sample. */
static bool find_lows(const struct curve *curve, size_t since, double lows[STRETCHES])
{
    size_t counts[STRETCHES] = {0};
    double length = curve->at[curve->count - 1] - curve->at[since] + 1;
    for (size_t i = since; i < curve->count; i++) {
        size_t stretch = (size_t)((curve->at[i] - curve->at[since]) * STRETCHES / length);
        if (counts[stretch]++ == 0 || curve->level[i] < lows[stretch])
            lows[stretch] = curve->level[i];
    }
    for (size_t i = 0; i < STRETCHES; i++) {
        if (counts[i] == 0)
            return false;
    }
    return true;
}

/* The second least of the rises from one low to the next. */
static double second_least_rise(const double lows[STRETCHES])
{
    double least = lows[1] - lows[0], second = lows[2] - lows[1];
    for (size_t i = 2; i < STRETCHES; i++) {
        double rise = lows[i] - lows[i - 1];
        second = lesser(second, greater(rise, least));
        least = lesser(least, rise);
    }
    return second;
}

/* How much the lows rose, each rise counted up to three times the second least, so that all but one
 * have to rise. 0 when half of it is one jump, or it fades. */
static double steady_growth(const double lows[STRETCHES])
{
    double cap = 3 * second_least_rise(lows), all = 0, later = 0;
    for (size_t i = 1; i < STRETCHES && cap > 0; i++) {
        double rise = lows[i] - lows[i - 1];
        if (rise * 2 > lows[STRETCHES - 1] - lows[0])
            return 0;
        all += lesser(rise, cap);
        if (i * 2 >= STRETCHES)
            later += lesser(rise, cap) / (i * 2 == STRETCHES ? 2 : 1);
    }
    return later >= LATER_MIN * all ? all : 0;
}

static bool is_noisy_growth(const struct curve *curve, size_t since, double churn)
{
    double lows[STRETCHES];
    if (curve->count - since < NOISY_SAMPLES_MIN || !find_lows(curve, since, lows))
        return false;
    double growth = steady_growth(lows);
    double falls = greater(count_falls(curve, since, churn), 1);
    return growth > 0 && growth >= churn && growth * falls >= NOISY_OVER_CHURN * churn &&
           growth >= NOISY_OVER_SWINGS * curve->swing[since];
}

/* How long growth may stay away before it counts as ended, from how often new heights used to be
 * reached since `since`, and from how long growth takes to get above the churn. `reached` becomes
 * when the last height was. */
static double find_pause(const struct curve *curve, size_t since, double *reached)
{
    double waits[WAITS] = {0}, longest = 0, churn = 0;
    double height = curve->level[since];
    size_t heights = 0;
    *reached = curve->at[since];
    for (size_t i = since + 1; i < curve->count; i++) {
        churn = greater(churn, height - curve->level[i]);
        if (curve->level[i] <= height)
            continue;
        waits[heights++ % WAITS] = curve->at[i] - *reached;
        height = curve->level[i];
        *reached = curve->at[i];
    }
    for (size_t i = 0; i < WAITS; i++)
        longest = greater(longest, waits[i]);
    double growth = height - curve->level[since];
    double lost = growth > 0 ? churn / growth * (*reached - curve->at[since]) : 0;
    double pause = (longest <= SHORT_WAIT ? 2 : 3) * longest;
    return greater(greater(pause, PAUSE), lost * CHURN_PAUSE);
}

/* Whether new heights were reached lately, as often as they used to be. */
static bool is_rising(const struct curve *curve, size_t since)
{
    double reached;
    double pause = find_pause(curve, since, &reached);
    return curve->at[curve->count - 1] - reached < pause;
}

/* The earliest sample from which on the curve is a leak's, or curve->count if there is none. */
static size_t find_leak(const struct curve *curve)
{
    size_t found = curve->count;
    double growth = 0, churn = 0;
    struct largest rises = {{0}};
    for (size_t i = curve->count - 1; i-- > 0;) {
        churn = greater(churn, curve->level[i] - curve->floor[i]);
        double rise = curve->floor[i + 1] - curve->floor[i];
        if (rise <= 0)
            continue;
        growth += rise;
        largest_add(&rises, rise);
        double cap = 2 * rises.value[2];
        if (rise > cap)
            continue; /* a jump is no part of the growth that follows it */
        double even = growth - greater(rises.value[0] - cap, 0) - greater(rises.value[1] - cap, 0);
        if (even <= 0 || even < churn || even < NOISY_OVER_SWINGS * curve->swing[i])
            continue;
        bool plain = even >= PLAIN_OVER_CHURN * churn &&
                     even >= PLAIN_OVER_SWINGS * curve->swing[i] &&
                     has_rises(curve, i, churn, even) && !is_fading(curve, i, cap);
        if ((plain || is_noisy_growth(curve, i, churn)) && is_rising(curve, i))
            found = i;
    }
    return found;
}

/* What a curve that is no leak looks like. An eighth of the height is what nobody looks at. */
static enum trend_verdict describe(const struct curve *curve)
{
    size_t last = curve->count - 1;
    double now = curve->level[last], height = 0, reached = 0, recent_low = now;
    struct largest jumps = {{0}};
    for (size_t i = 0; i <= last; i++) {
        if (curve->level[i] > height) {
            height = curve->level[i];
            reached = curve->at[i];
        }
        if (curve->at[i] + PAUSE >= curve->at[last])
            recent_low = lesser(recent_low, curve->level[i]);
        if (i > 0)
            largest_add(&jumps, curve->level[i] - curve->level[i - 1]);
    }
    double kept = recent_low - curve->level[0], swing = curve->swing[last];
    if (curve->floor[0] * 8 >= height * 7)
        return curve->at[last] - curve->at[0] < 2 ? TREND_UNDECIDED : TREND_STEADY;
    if (swing * 2 >= height)
        return TREND_SAWTOOTH;
    if (kept * 8 >= height)
        return curve->at[last] - reached >= PAUSE ? TREND_PLATEAU : TREND_UNDECIDED;
    if (swing * 16 >= height)
        return TREND_STEADY;
    if (now * 2 <= height || jumps.value[0] >= 4 * jumps.value[1])
        return TREND_SPIKE;
    return TREND_UNDECIDED;
}

static void judge_measure(struct trend *trend, const struct trend_sample *samples, size_t count,
                          enum trend_measure measure, double forgiven)
{
    struct curve curve;
    curve_fill(&curve, samples, count, measure, forgiven);
    size_t since = find_leak(&curve);
    if (since == count) {
        if (forgiven > 0)
            curve_fill(&curve, samples, count, measure, 0);
        enum trend_verdict verdict = describe(&curve);
        if (verdict > trend->verdict)
            trend->verdict = verdict;
        return;
    }
    if (trend->measures == 0 || since < trend->since)
        trend->since = since;
    trend->measures |= measure;
    trend->verdict = TREND_LEAK;
}

struct trend trend_judge(const struct trend_sample *samples, size_t count,
                         const struct trend_level *forgiven)
{
    struct trend trend = {TREND_STEADY, 0, 0};
    size_t skipped = count > TREND_SAMPLES_MAX ? count - TREND_SAMPLES_MAX : 0;
    if (count == 0) {
        trend.verdict = TREND_UNDECIDED;
        return trend;
    }
    samples += skipped;
    count -= skipped;
    judge_measure(&trend, samples, count, TREND_COUNT, forgiven ? (double)forgiven->count : 0);
    judge_measure(&trend, samples, count, TREND_BYTES, forgiven ? (double)forgiven->bytes : 0);
    if (trend.measures != 0)
        trend.since += skipped;
    return trend;
}

bool trend_grows(const struct trend_sample *samples, size_t count, enum trend_measure measure,
                 size_t since)
{
    struct curve curve;
    size_t skipped = count > TREND_SAMPLES_MAX ? count - TREND_SAMPLES_MAX : 0;
    if (count - skipped < 2)
        return false;
    since = since > skipped ? since - skipped : 0;
    curve_fill(&curve, samples + skipped, count - skipped, measure, 0);
    size_t last = curve.count - 1;
    double base = curve.level[since], height = base;
    for (size_t i = since; i <= last; i++)
        height = greater(height, curve.level[i]);
    double kept = greater(curve.level[last], curve.level[last - 1]) - base;
    return kept * 2 > height - base && is_rising(&curve, since) &&
           later_part(&curve, since, cap_of_rises(&curve, since)) >= LATER_KEPT;
}

int64_t trend_growth(const struct trend_sample *samples, size_t count, enum trend_measure measure,
                     size_t since)
{
    if (since >= count)
        return 0;
    return (int64_t)(level_of(&samples[count - 1], measure) - level_of(&samples[since], measure));
}

double trend_rate_per_hour(const struct trend_sample *samples, size_t count,
                           enum trend_measure measure, size_t since)
{
    if (since >= count || samples[count - 1].time_ms <= samples[since].time_ms)
        return 0;
    double hours = (double)(samples[count - 1].time_ms - samples[since].time_ms) / 3600000.0;
    return (double)trend_growth(samples, count, measure, since) / hours;
}
