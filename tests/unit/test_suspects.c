/* SPDX-License-Identifier: MIT
 *
 * Stories of a few classes each, told in snapshots a minute apart, and a journal of what was said:
 * `9: app.Foo (dict) | 17: again app.Foo | 25: no more app.Foo`.
 */
#include "test.h"

#include "growth/suspects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MINUTE_MS = 60000, SAMPLE = 10, NEVER = 1000000 };

/* One class. What is 0 has its default. */
struct actor {
    const char *name;
    uint64_t grows;        /* objects per snapshot, ... */
    unsigned from, until;  /* ... after the one and up to the other; or without end */
    uint64_t size;         /* of each; 100 */
    uint64_t swells;       /* bytes per snapshot that no object is made for, ... */
    unsigned swells_from;  /* ... after this one */
    unsigned gone;         /* from this snapshot on */
    uint64_t point;        /* where it is held */
    uint64_t other_point;  /* where the rest of the sample is */
    const char *container; /* the class of that */
    uint32_t depth;
    uint32_t share;  /* of SAMPLE; all of it */
    uint64_t length; /* as many as there are objects */
    uint64_t bound;
    unsigned held_from, held_until, bound_until; /* when that is known */
    bool is_held;                                /* also without any of that */
};

struct world {
    struct history *history;
    struct suspects suspects;
    unsigned snapshots;
    size_t said;
    char journal[8192];
};

static uint64_t steps(unsigned snapshot, unsigned from, unsigned until)
{
    from = from > 0 ? from : 1;
    if (until > 0 && snapshot > until)
        snapshot = until;
    return snapshot > from ? snapshot - from : 0;
}

static uint64_t count_of(const struct actor *actor, unsigned snapshot)
{
    return 10 + actor->grows * steps(snapshot, actor->from, actor->until);
}

static uint64_t bytes_of(const struct actor *actor, unsigned snapshot)
{
    return count_of(actor, snapshot) * (actor->size > 0 ? actor->size : 100) +
           actor->swells * steps(snapshot, actor->swells_from, 0);
}

static bool is_held(const struct actor *actor, unsigned snapshot)
{
    return (actor->point > 0 || actor->bound > 0 || actor->is_held) &&
           snapshot >= actor->held_from &&
           (actor->held_until == 0 || snapshot <= actor->held_until);
}

static void add_holder(struct held_class *class, const char *container, struct holder holder)
{
    holder.kind = HOLDER_MODULE;
    holder.expression = strdup("app.kept[*]");
    holder.container = container != NULL ? strdup(container) : NULL;
    assert_int_equal(holders_add(class, &holder), 0);
}

static void hold(struct snapshot *snapshot, const struct actor *actor, unsigned number)
{
    struct held_class *class = holders_add_class(&snapshot->holders, actor->name);
    bool is_bounded = actor->bound_until == 0 || number <= actor->bound_until;
    struct holder holder = {.point = actor->point, .depth = actor->depth};
    class->reasons = HELD_SUSPECTED;
    class->sample = SAMPLE;
    holder.share = actor->share > 0 ? actor->share : SAMPLE;
    holder.length = actor->length > 0 ? actor->length : count_of(actor, number);
    holder.bound = is_bounded ? actor->bound : 0;
    add_holder(class, actor->container, holder);
    if (actor->other_point > 0)
        add_holder(class, "set",
                   (struct holder){.share = SAMPLE - holder.share, .point = actor->other_point});
}

static void fill(struct snapshot *snapshot, const struct actor *cast, size_t size, unsigned number)
{
    for (size_t i = 0; i < size; i++) {
        if (cast[i].gone > 0 && number >= cast[i].gone)
            continue;
        assert_int_equal(snapshot_add(snapshot, strdup(cast[i].name), count_of(&cast[i], number),
                                      bytes_of(&cast[i], number)),
                         0);
        if (is_held(&cast[i], number))
            hold(snapshot, &cast[i], number);
    }
    assert_int_equal(snapshot_rank(snapshot), 0);
}

static void write_down(struct world *world)
{
    static const char *const marks[] = {
        [TREND_SUSPECTED] = "", [TREND_DOUBLED] = "again ", [TREND_CLEARED] = "no more "};
    char *end = world->journal + strlen(world->journal);
    size_t room = sizeof(world->journal) - strlen(world->journal);
    struct text line = {0};
    if (world->suspects.count > 0)
        text_add(&line, "%s%u: ", end == world->journal ? "" : " | ", world->snapshots);
    for (size_t i = 0; i < world->suspects.count; i++) {
        const struct suspect *suspect = &world->suspects.list[i];
        text_add(&line, "%s%s%s", i > 0 ? "; " : "", marks[suspect->event], suspect->name);
        if (suspect->parts.size > 0)
            text_add(&line, " (%s)", suspect->parts.bytes);
    }
    if (line.size > 0 && line.size < room)
        memcpy(end, line.bytes, line.size + 1);
    text_clear(&line);
}

/* Plays up to a snapshot; what was said in that stays in world->suspects. */
static void play(struct world *world, const struct actor *cast, size_t size, unsigned last)
{
    if (world->history == NULL)
        world->history = history_create();
    while (world->snapshots < last) {
        struct snapshot snapshot = {0};
        suspects_clear(&world->suspects);
        fill(&snapshot, cast, size, ++world->snapshots);
        history_add(world->history, &snapshot, world->snapshots * (uint64_t)MINUTE_MS);
        suspects_find(&world->suspects, world->history, &snapshot);
        world->said += world->suspects.count;
        write_down(world);
        for (size_t i = 0; i < world->suspects.count; i++)
            world->suspects.list[i].held = NULL;
        snapshot_clear(&snapshot);
    }
}

static void end(struct world *world)
{
    suspects_clear(&world->suspects);
    history_destroy(world->history);
    *world = (struct world){0};
}

static void expect(const struct actor *cast, size_t size, unsigned last, const char *journal)
{
    struct world world = {0};
    play(&world, cast, size, last);
    assert_string_equal(world.journal, journal);
    end(&world);
}

#define EXPECT(last, journal, ...)              \
    expect((const struct actor[]){__VA_ARGS__}, \
           ARRAY_LENGTH(((const struct actor[]){__VA_ARGS__})), last, journal)

/* ---- One class ---- */

static void test_one_class(void **state)
{
    (void)state;
    EXPECT(40, "", {"app.Foo", .grows = 0});
    EXPECT(40, "9: app.Foo | 17: again app.Foo | 33: again app.Foo", {"app.Foo", .grows = 5});
    EXPECT(40, "9: app.Foo | 17: again app.Foo | 27: no more app.Foo",
           {"app.Foo", .grows = 5, .until = 20});
    EXPECT(40, "9: app.Foo | 15: no more app.Foo", {"app.Foo", .grows = 5, .gone = 15});
}

static void test_what_is_told_of_a_class(void **state)
{
    (void)state;
    const struct actor cast[] = {{"app.Foo", .grows = 5, .point = 1, .until = 9}};
    struct world world = {0};
    play(&world, cast, 1, 9);
    assert_int_equal(world.suspects.count, 1);
    struct suspect *foo = &world.suspects.list[0];
    assert_int_equal(foo->now.count, 50);
    assert_int_equal(foo->now.snapshot, 9);
    assert_int_equal(foo->watch.base.count, 10);
    assert_true(foo->bytes_per_hour > 29999 && foo->bytes_per_hour < 30001);
    play(&world, cast, 1, 15);
    assert_int_equal(world.suspects.count, 1);
    foo = &world.suspects.list[0];
    assert_int_equal(foo->event, TREND_CLEARED);
    assert_int_equal(foo->watch.base.count, 10);
    assert_int_equal(foo->now.count, 50);
    assert_true(foo->watch.suspected && foo->watch.measures != 0);
    end(&world);
}

/* Only holders that were looked for because of the suspicion tell how the newest are held. */
static void test_holders_that_somebody_else_asked_for(void **state)
{
    (void)state;
    struct history *history = history_create();
    const struct actor foo = {"app.Foo", .grows = 5, .point = 1};
    for (unsigned i = 1; i <= 9; i++) {
        struct snapshot snapshot = {0};
        struct suspects suspects = {.count = 0};
        fill(&snapshot, &foo, 1, i);
        hold(&snapshot, &foo, i);
        snapshot.holders.classes[0].reasons = HELD_ASKED;
        history_add(history, &snapshot, i * (uint64_t)MINUTE_MS);
        suspects_find(&suspects, history, &snapshot);
        if (i == 9)
            assert_ptr_equal(suspects.list[0].held, &snapshot.holders.classes[1]);
        suspects_clear(&suspects);
        snapshot_clear(&snapshot);
    }
    history_destroy(history);
}

/* ---- Families ---- */

static void test_parts_are_named_with_their_head(void **state)
{
    (void)state;
    EXPECT(9, "9: app.Foo (list, dict)", {"app.Foo", .grows = 5, .point = 1, .depth = 1},
           {"dict", .grows = 5, .point = 1, .depth = 2},
           {"list", .grows = 50, .point = 1, .depth = 3});
    EXPECT(9, "9: app.Bar; app.Foo", {"app.Foo", .grows = 5, .point = 1},
           {"app.Bar", .grows = 6, .point = 2});
    EXPECT(9, "9: app.Bar; app.Foo", {"app.Foo", .grows = 5, .is_held = true},
           {"app.Bar", .grows = 6, .is_held = true});
}

static void test_who_is_the_head(void **state)
{
    (void)state;
    /* What somebody would look for before what it is made with. */
    EXPECT(9, "9: app.Foo (dict)", {"app.Foo", .grows = 5, .point = 1, .depth = 9},
           {"dict", .grows = 50, .point = 1});
    /* The nearest to where they fan out. */
    EXPECT(9, "9: app.Foo (app.Bar)", {"app.Foo", .grows = 5, .point = 1, .depth = 1},
           {"app.Bar", .grows = 50, .point = 1, .depth = 2});
    /* What has gained more, then the first by name. */
    EXPECT(9, "9: app.Foo (app.Bar)", {"app.Foo", .grows = 6, .point = 1},
           {"app.Bar", .grows = 5, .point = 1});
    EXPECT(9, "9: app.Bar (app.Foo)", {"app.Foo", .grows = 5, .point = 1},
           {"app.Bar", .grows = 5, .point = 1});
    /* What holds them all is the last. */
    EXPECT(9, "9: app.Foo (app.Registry)", {"app.Foo", .grows = 5, .point = 1, .depth = 9},
           {"app.Registry", .swells = 5000, .point = 1});
    EXPECT(9, "9: dict (app.Registry)", {"dict", .grows = 5, .point = 1, .depth = 1},
           {"app.Registry", .swells = 5000, .point = 1});
}

static void test_a_point_is_where_half_of_them_are(void **state)
{
    (void)state;
    EXPECT(9, "9: app.Foo (app.Bar)", {"app.Foo", .grows = 6, .point = 1, .share = 5},
           {"app.Bar", .grows = 5, .point = 1, .share = 5});
    EXPECT(9, "9: app.Foo; app.Bar", {"app.Foo", .grows = 6, .point = 1, .share = 5},
           {"app.Bar", .grows = 5, .point = 1, .share = 4});
}

static void test_companions_grow_by_the_same_number(void **state)
{
    (void)state;
    const struct actor foo = {"app.Foo", .grows = 56, .size = 900, .point = 1};
    EXPECT(9, "9: app.Foo (dict)", foo, {"dict", .grows = 56, .point = 2});
    EXPECT(9, "9: app.Foo (dict)", foo, {"dict", .grows = 70, .point = 2});
    EXPECT(9, "9: app.Foo (dict)", foo, {"dict", .grows = 42, .point = 2});
    EXPECT(9, "9: app.Foo; dict", foo, {"dict", .grows = 71, .point = 2});
    EXPECT(9, "9: app.Foo; dict", foo, {"dict", .grows = 41, .point = 2});
    EXPECT(9, "9: app.Foo; app.Bar", foo, {"app.Bar", .grows = 56, .point = 2});
    EXPECT(9, "9: tuple; dict", {"dict", .grows = 16, .point = 2},
           {"tuple", .grows = 16, .size = 900, .point = 1});
}

static void test_companions_without_holders(void **state)
{
    (void)state;
    const struct actor foo = {"app.Foo", .grows = 5, .size = 9000};
    EXPECT(9, "9: app.Foo (dict, list)", foo, {"dict", .grows = 40}, {"list", .grows = 1});
    EXPECT(9, "9: app.Foo; dict", foo, {"dict", .grows = 41});
    EXPECT(9, "9: app.Foo; app.Bar", foo, {"app.Bar", .grows = 5});
}

static void test_containers_that_grow_by_size_only(void **state)
{
    (void)state;
    const struct actor foo = {"app.Foo",  .grows = 5,          .size = 9000,
                              .point = 1, .container = "list", .depth = 1};
    EXPECT(9, "9: app.Foo (list)", foo, {"list", .swells = 5 * 128, .point = 2});
    EXPECT(9, "9: app.Foo; list", foo, {"list", .swells = 5 * 129, .point = 2});
    EXPECT(9, "9: app.Foo; set", foo, {"set", .swells = 5 * 128, .point = 2});
    EXPECT(9, "9: app.Foo; list", foo, {"list", .grows = 1, .point = 2});
}

/* Of Bar, which is itself a part. */
static void test_parts_of_parts(void **state)
{
    (void)state;
    EXPECT(9, "9: app.Foo (app.Bar, list)", {"app.Foo", .grows = 50, .point = 1, .depth = 1},
           {"app.Bar", .grows = 5, .point = 1, .container = "list", .depth = 2},
           {"list", .swells = 5 * 100, .point = 2});
    EXPECT(9, "9: app.Foo (app.Bar, dict)", {"app.Foo", .grows = 50, .point = 1, .depth = 1},
           {"app.Bar", .grows = 5, .point = 1, .depth = 2}, {"dict", .grows = 5, .point = 2});
}

/* Buffer has as many new objects as dict, but at once. */
static void test_nobody_is_a_part_of_its_part(void **state)
{
    (void)state;
    EXPECT(9, "9: app.Buffer (dict)", {"dict", .grows = 5, .point = 1, .depth = 1},
           {"app.Buffer", .grows = 40, .from = 2, .until = 3, .swells = 7000, .point = 1});
}

static void test_names_of_parts_are_limited(void **state)
{
    (void)state;
    struct actor cast[40] = {{"app.Foo", .grows = 50, .point = 1}};
    char names[40][32];
    struct world world = {0};
    for (size_t i = 1; i < 40; i++) {
        snprintf(names[i], sizeof(names[i]), "app.parts.Part%02zu", i);
        cast[i] = (struct actor){names[i], .grows = 5, .point = 1, .depth = 1};
    }
    play(&world, cast, 40, 9);
    assert_int_equal(world.suspects.count, 1);
    assert_in_range(world.suspects.list[0].parts.size, 300, 402);
    /* All of them are counted. */
    assert_true(world.suspects.list[0].bytes_per_hour > 60 * (50 + 39 * 5) * 100 - 1);
    end(&world);
}

/* ---- Those told before ---- */

static void test_parts_of_one_that_was_told(void **state)
{
    (void)state;
    const struct actor foo = {"app.Foo", .grows = 5, .point = 1, .container = "list"};
    EXPECT(16, "9: app.Foo", foo, {"app.Bar", .grows = 5, .from = 4, .point = 1});
    EXPECT(16, "9: app.Foo", foo, {"list", .swells = 5 * 50, .swells_from = 4, .point = 2});
    EXPECT(16, "9: app.Foo", foo, {"dict", .grows = 5, .from = 2, .point = 2});
    EXPECT(16, "9: app.Foo | 12: app.Bar", foo, {"app.Bar", .grows = 5, .from = 4, .point = 2});
    /* When both have doubled it is one family. */
    EXPECT(17, "9: app.Foo (app.Bar) | 17: again app.Foo (app.Bar)", foo,
           {"app.Bar", .grows = 5, .point = 1, .depth = 1});
}

/* A part that goes on after its head is told for the first time. */
static void test_a_part_that_outlives_its_head(void **state)
{
    (void)state;
    EXPECT(40, "9: app.Foo (app.Bar) | 19: no more app.Foo | 33: app.Bar",
           {"app.Foo", .grows = 50, .until = 12, .point = 1},
           {"app.Bar", .grows = 5, .point = 1, .depth = 1});
}

static void test_parts_are_not_acquitted(void **state)
{
    (void)state;
    EXPECT(40, "9: app.Foo (app.Bar) | 19: no more app.Foo",
           {"app.Foo", .grows = 50, .until = 12, .point = 1},
           {"app.Bar", .grows = 5, .until = 12, .point = 1, .depth = 1});
}

/* ---- What is bounded ---- */

static void test_bounded_ones_are_let_go(void **state)
{
    (void)state;
    EXPECT(200, "", {"app.Foo", .grows = 5, .until = 100, .bound = 505});
    /* Also when it is the container that a part of them is in. */
    EXPECT(9, "", {"app.Foo", .grows = 5, .bound = 100, .share = 8, .other_point = 2});
    EXPECT(9, "9: app.Foo", {"app.Foo", .grows = 5, .bound = 100, .share = 7, .other_point = 2});
}

/* 100 objects are reached with the 19th. */
static void test_bounded_ones_that_grow_beyond(void **state)
{
    (void)state;
    EXPECT(27, "27: app.Foo", {"app.Foo", .grows = 5, .bound = 100, .bound_until = 9});
    /* Each item has brought two. */
    EXPECT(27, "27: app.Foo", {"app.Foo", .grows = 5, .bound = 50, .length = 25, .bound_until = 9});
    /* More than it should hold: nothing is forgiven but what is there. */
    EXPECT(17, "17: app.Foo", {"app.Foo", .grows = 5, .bound = 20, .bound_until = 9});
}

/* What is made with them is, too, if nobody knows better. */
static void test_parts_of_bounded_ones(void **state)
{
    (void)state;
    const struct actor foo = {"app.Foo",  .grows = 5,          .until = 59,
                              .point = 1, .container = "dict", .bound = 300};
    EXPECT(100, "", foo, {"tuple", .grows = 5, .until = 59});
    EXPECT(100, "", foo, {"dict", .swells = 250, .point = 2, .gone = 60});
    EXPECT(9, "", foo, {"app.Bar", .grows = 5, .point = 1, .bound = 300});
    EXPECT(9, "9: app.Bar", foo, {"app.Bar", .grows = 5, .point = 2});
    EXPECT(9, "9: tuple", foo, {"tuple", .grows = 5, .point = 2});
}

/* Whoever was told of them waits for the end. */
static void test_bounded_ones_that_were_told(void **state)
{
    (void)state;
    EXPECT(40, "9: app.Foo | 27: no more app.Foo",
           {"app.Foo", .grows = 5, .until = 20, .bound = 200, .held_from = 10});
}

/* ---- What may have to wait ---- */

static void test_companions_wait_for_their_whole(void **state)
{
    (void)state;
    EXPECT(20, "12: dict", {"dict", .grows = 5, .point = 1, .depth = 2});
    EXPECT(9, "9: dict", {"dict", .grows = 5, .point = 1, .depth = 1});
    EXPECT(9, "9: dict", {"dict", .grows = 5});
    EXPECT(9, "9: app.Foo", {"app.Foo", .grows = 5, .point = 1, .depth = 2});
    EXPECT(16, "10: app.Foo (dict)", {"dict", .grows = 5, .point = 1, .depth = 2},
           {"app.Foo", .grows = 5, .from = 2, .point = 1, .depth = 1});
    /* With their parts. */
    EXPECT(12, "12: dict (app.Registry)", {"dict", .grows = 5, .point = 1, .depth = 2},
           {"app.Registry", .swells = 5000, .point = 1});
}

static void test_containers_wait_for_what_fills_them(void **state)
{
    (void)state;
    const struct actor list = {"list", .swells = 40, .point = 2};
    EXPECT(9, "9: list", list);
    EXPECT(16, "11: app.Foo (list)", list,
           {"app.Foo", .grows = 5, .from = 3, .point = 1, .container = "list"});
    /* Not for ever: these came at once. */
    EXPECT(60, "39: list", list, {"app.Foo", .grows = 50, .from = 3, .until = 4});
    EXPECT(9, "9: list", {"list", .swells = 33 * 5, .point = 2},
           {"app.Foo", .grows = 40, .from = 3, .until = 4});
    EXPECT(9, "9: list", {"list", .swells = 3 * 5, .point = 2},
           {"app.Foo", .grows = 40, .from = 3, .until = 4});
    EXPECT(9, "9: app.Registry", {"app.Registry", .swells = 40, .point = 2},
           {"app.Foo", .grows = 40, .from = 3, .until = 4});
}

/* ---- Order and limits ---- */

static void test_the_dearest_come_first(void **state)
{
    (void)state;
    EXPECT(9, "9: app.Bar; app.Baz; app.Foo", {"app.Foo", .grows = 5}, {"app.Bar", .grows = 7},
           {"app.Baz", .grows = 6});
    EXPECT(9, "9: app.Foo (dict); app.Bar", {"app.Foo", .grows = 5, .point = 1},
           {"dict", .grows = 9, .size = 200, .point = 1}, {"app.Bar", .grows = 7, .point = 2});
    EXPECT(16, "9: app.Bar | 15: app.Foo; no more app.Bar", {"app.Foo", .grows = 5, .from = 7},
           {"app.Bar", .grows = 7, .until = 9});
}

enum { CROWD = 200 };

static void make_crowd(struct actor *crowd, char names[][16], size_t size)
{
    for (size_t i = 0; i < size; i++) {
        snprintf(names[i], sizeof(names[i]), "app.Class%03zu", i);
        crowd[i] = (struct actor){names[i], .grows = 5 + i};
    }
}

/* The dearest first, each once. */
static void test_more_than_there_is_room_for(void **state)
{
    (void)state;
    struct actor crowd[CROWD];
    char names[CROWD][16];
    struct world world = {0};
    make_crowd(crowd, names, 20);
    play(&world, crowd, 20, 9);
    assert_int_equal(world.suspects.count, SUSPECTS_LIMIT / 2);
    assert_string_equal(world.suspects.list[0].name, "app.Class019");
    assert_string_equal(world.suspects.list[15].name, "app.Class004");
    play(&world, crowd, 20, 10);
    assert_int_equal(world.suspects.count, 4);
    assert_string_equal(world.suspects.list[0].name, "app.Class003");
    assert_int_equal(world.suspects.list[3].event, TREND_SUSPECTED);
    play(&world, crowd, 20, 16);
    assert_int_equal(world.said, 20);
    end(&world);
}

/* Large objects come first in a history, but it is growth that counts. */
static void test_the_dearest_have_room(void **state)
{
    (void)state;
    struct actor crowd[17];
    char names[17][16];
    struct world world = {0};
    make_crowd(crowd, names, 17);
    crowd[16] = (struct actor){"app.Large", .grows = 1, .size = 450};
    play(&world, crowd, 17, 9);
    assert_null(strstr(world.journal, "app.Large"));
    play(&world, crowd, 17, 10);
    assert_non_null(strstr(world.journal, " | 10: app.Large"));
    end(&world);
}

/* All that have something in common are told, when the time has come, together. */
static void test_parts_wait_with_their_head(void **state)
{
    (void)state;
    struct actor crowd[18];
    char names[18][16];
    struct world world = {0};
    make_crowd(crowd, names, 18);
    crowd[0] = (struct actor){"app.Whole", .grows = 1, .point = 1};
    crowd[1] = (struct actor){"app.Part", .grows = 1, .point = 1, .depth = 1};
    play(&world, crowd, 17, 9);
    assert_int_equal(world.suspects.count, 16);
    end(&world);
    play(&world, crowd, 18, 10);
    assert_int_equal(world.suspects.count, 1);
    assert_string_equal(world.suspects.list[0].name, "app.Whole");
    assert_string_equal(world.suspects.list[0].parts.bytes, "app.Part");
    end(&world);
}

static void test_a_crowd(void **state)
{
    (void)state;
    struct actor crowd[CROWD];
    char names[CROWD][16];
    struct world world = {0};
    make_crowd(crowd, names, CROWD);
    for (size_t i = 0; i < CROWD; i++)
        crowd[i].until = 24;
    for (unsigned i = 1; i <= 60; i++) {
        play(&world, crowd, CROWD, i);
        assert_in_range(world.suspects.count, 0, SUSPECTS_LIMIT);
    }
    for (size_t i = 0; i < CROWD; i++)
        assert_non_null(strstr(world.journal, names[i]));
    end(&world);
}

/* Those that have doubled when there was no room have still been told before. */
static void test_what_was_told_is_told_again(void **state)
{
    (void)state;
    struct actor crowd[21];
    char names[21][16];
    struct world world = {0};
    make_crowd(crowd, names, 20);
    for (size_t i = 0; i < 20; i++)
        crowd[i].from = 9;
    crowd[20] = (struct actor){"app.Old", .grows = 1};
    play(&world, crowd, 21, 25);
    assert_non_null(strstr(world.journal, "9: app.Old | 17: app.Class019"));
    assert_non_null(strstr(world.journal, "18: app.Class003; app.Class002; app.Class001; "
                                          "app.Class000; again app.Old"));
    end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_class),
        cmocka_unit_test(test_what_is_told_of_a_class),
        cmocka_unit_test(test_holders_that_somebody_else_asked_for),
        cmocka_unit_test(test_parts_are_named_with_their_head),
        cmocka_unit_test(test_who_is_the_head),
        cmocka_unit_test(test_a_point_is_where_half_of_them_are),
        cmocka_unit_test(test_companions_grow_by_the_same_number),
        cmocka_unit_test(test_companions_without_holders),
        cmocka_unit_test(test_containers_that_grow_by_size_only),
        cmocka_unit_test(test_parts_of_parts),
        cmocka_unit_test(test_nobody_is_a_part_of_its_part),
        cmocka_unit_test(test_names_of_parts_are_limited),
        cmocka_unit_test(test_parts_of_one_that_was_told),
        cmocka_unit_test(test_a_part_that_outlives_its_head),
        cmocka_unit_test(test_parts_are_not_acquitted),
        cmocka_unit_test(test_bounded_ones_are_let_go),
        cmocka_unit_test(test_bounded_ones_that_grow_beyond),
        cmocka_unit_test(test_parts_of_bounded_ones),
        cmocka_unit_test(test_bounded_ones_that_were_told),
        cmocka_unit_test(test_companions_wait_for_their_whole),
        cmocka_unit_test(test_containers_wait_for_what_fills_them),
        cmocka_unit_test(test_the_dearest_come_first),
        cmocka_unit_test(test_more_than_there_is_room_for),
        cmocka_unit_test(test_the_dearest_have_room),
        cmocka_unit_test(test_parts_wait_with_their_head),
        cmocka_unit_test(test_a_crowd),
        cmocka_unit_test(test_what_was_told_is_told_again),
    };
    return cmocka_run_group_tests_name("suspects", tests, NULL, NULL);
}
