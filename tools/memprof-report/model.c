/* SPDX-License-Identifier: MIT
 *
 * Invariant: the indices of all frames but the newest are multiples of the process's stride, and
 * each point belongs to a frame that is there.
 */
#include "model.h"

#include "class_rows.h"

#include <stdlib.h>
#include <string.h>

enum {
    PROCESSES_MAX = 1000,
    FRAMES_MAX = 600,
    POINTS_MAX = 3000000,
    CLASSES_MAX = 50000,
    SUSPICIONS_MAX = 500,
};

int64_t model_value(const struct point *point, bool is_bytes)
{
    return is_bytes ? point->bytes : point->count;
}

const struct frame *model_frame(const struct process *process, uint32_t index)
{
    size_t low = 0, high = process->frame_count;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (process->frames[middle].index <= index)
            low = middle;
        else
            high = middle;
    }
    return &process->frames[low];
}

const struct point *model_last(const struct process *process, const struct class *class)
{
    if (class->point_count == 0 || process->snapshots == 0)
        return NULL;
    const struct point *last = &class->points[class->point_count - 1];
    return last->frame == process->snapshots - 1 ? last : NULL;
}

/* ---- Processes ---- */

static void clear_process(struct process *process)
{
    for (size_t i = 0; i < process->class_count; i++)
        class_destroy(process->classes[i]);
    for (size_t i = 0; i < process->suspicion_count; i++) {
        free(process->suspicions[i].name);
        free(process->suspicions[i].text);
    }
    free(process->classes);
    free(process->suspicions);
    free(process->frames);
    free(process->source);
    free(process->held);
    free(process->note);
    free(process);
}

void model_clear(struct model *model)
{
    for (size_t i = 0; i < model->process_count; i++)
        clear_process(model->processes[i]);
    for (size_t i = 0; i < model->left_out_count; i++)
        free(model->left_out[i].source);
    free(model->left_out);
    free(model->processes);
    *model = (struct model){0};
}

/* Its newest run. */
static struct process *find_process(struct model *model, const char *source, int64_t pid)
{
    for (size_t i = model->process_count; i-- > 0;) {
        struct process *process = model->processes[i];
        if (process->pid == pid && strcmp(process->source, source) == 0)
            return process;
    }
    return NULL;
}

static struct left_out *find_left_out(const struct model *model, const char *source, int64_t pid)
{
    for (size_t i = 0; i < model->left_out_count; i++)
        if (model->left_out[i].pid == pid && strcmp(model->left_out[i].source, source) == 0)
            return &model->left_out[i];
    return NULL;
}

static struct left_out *add_left_out(struct model *model, const char *source, int64_t pid)
{
    struct left_out *left_out = model->left_out;
    char *copy = strdup(source);
    if (copy != NULL && model->left_out_count < PROCESSES_MAX) {
        left_out = realloc(left_out, (model->left_out_count + 1) * sizeof(*left_out));
        if (left_out != NULL) {
            model->left_out = left_out;
            left_out[model->left_out_count++] = (struct left_out){.source = NULL};
        }
    }
    if (copy == NULL || left_out == NULL) {
        free(copy);
        return NULL;
    }
    struct left_out *last = &left_out[model->left_out_count - 1];
    free(last->source);
    *last = (struct left_out){copy, pid, 0};
    return last;
}

static int leave_out(struct model *model, const char *source, int64_t pid)
{
    struct left_out *left_out = find_left_out(model, source, pid);
    if (left_out == NULL && (left_out = add_left_out(model, source, pid)) == NULL)
        return -1;
    left_out->spoken_at = ++model->spoken;
    return 0;
}

/* Whose snapshot was the last of this source, NULL if it is left out. */
static struct process *find_speaker(struct model *model, const char *source)
{
    struct process *speaker = NULL;
    for (size_t i = 0; i < model->process_count; i++) {
        struct process *process = model->processes[i];
        if (strcmp(process->source, source) == 0 &&
            (speaker == NULL || process->spoken_at > speaker->spoken_at))
            speaker = process;
    }
    for (size_t i = 0; speaker != NULL && i < model->left_out_count; i++)
        if (strcmp(model->left_out[i].source, source) == 0 &&
            model->left_out[i].spoken_at > speaker->spoken_at)
            speaker = NULL;
    return speaker;
}

static struct process *add_process(struct model *model, const char *source, int64_t pid,
                                   unsigned run)
{
    void *processes =
        realloc(model->processes, (model->process_count + 1) * sizeof(*model->processes));
    if (processes == NULL)
        return NULL;
    model->processes = processes;
    struct process *process = calloc(1, sizeof(*process));
    if (process == NULL)
        return NULL;
    process->source = strdup(source);
    process->pid = pid;
    process->run = run;
    process->stride = 1;
    process->last_sequence = READING_UNKNOWN;
    if (process->source == NULL) {
        free(process);
        return NULL;
    }
    model->processes[model->process_count++] = process;
    return process;
}

/* Whether the snapshot cannot be of the run that is known. In a text only the section on growth has
 * a number, which a snapshot may do without. */
static bool is_new_run(const struct process *process, const struct reading *reading)
{
    if (reading->sequence == READING_UNKNOWN)
        return process->has_started;
    return reading->sequence < process->last_sequence;
}

/* ---- Giving up frames ---- */

static void double_stride(struct model *model, struct process *process)
{
    process->stride *= 2;
    uint32_t newest = process->snapshots - 1;
    size_t kept = 0;
    for (size_t i = 0; i < process->frame_count; i++)
        if (process->frames[i].index % process->stride == 0 || process->frames[i].index == newest)
            process->frames[kept++] = process->frames[i];
    process->frame_count = kept;
    for (size_t i = 0; i < process->class_count; i++)
        model->points -= class_thin(process->classes[i], process->stride, newest);
}

/* The newest frame stands only until there is a newer one, unless its turn has come. */
static void drop_newest(struct model *model, struct process *process)
{
    if (process->frame_count == 0)
        return;
    uint32_t newest = process->frames[process->frame_count - 1].index;
    if (newest % process->stride == 0)
        return;
    process->frame_count--;
    for (size_t i = 0; i < process->class_count; i++)
        model->points -= class_drop(process->classes[i], newest);
}

static size_t points_of(const struct process *process)
{
    size_t points = 0;
    for (size_t i = 0; i < process->class_count; i++)
        points += process->classes[i]->point_count;
    return points;
}

static void keep_limits(struct model *model)
{
    while (model->points > POINTS_MAX) {
        struct process *largest = model->processes[0];
        size_t most = 0;
        for (size_t i = 0; i < model->process_count; i++) {
            size_t points = points_of(model->processes[i]);
            if (points > most && model->processes[i]->frame_count > 2) {
                most = points;
                largest = model->processes[i];
            }
        }
        if (most == 0)
            return;
        double_stride(model, largest);
    }
}

static void let_classes_go(struct model *model)
{
    struct process *largest = model->processes[0];
    for (size_t i = 1; i < model->process_count; i++)
        if (model->processes[i]->class_count > largest->class_count)
            largest = model->processes[i];
    size_t before = largest->class_count;
    model->points -= class_rows_halve(largest->classes, &largest->class_count);
    model->classes -= before - largest->class_count;
    model->classes_let_go += before - largest->class_count;
}

/* ---- A snapshot ---- */

static int64_t time_of(struct process *process, const struct reading *reading)
{
    if (process->frame_count == 0) {
        process->clock = reading->time_ms != READING_UNKNOWN      ? CLOCK_WALL
                         : reading->elapsed_ms != READING_UNKNOWN ? CLOCK_ELAPSED
                                                                  : CLOCK_NONE;
        process->is_utc = reading->is_utc;
    }
    int64_t before =
        process->frame_count > 0 ? process->frames[process->frame_count - 1].time_ms : 0;
    if (process->clock == CLOCK_NONE && process->snapshots == 1 &&
        reading->elapsed_ms != READING_UNKNOWN)
        process->clock = CLOCK_ELAPSED;
    int64_t time_ms = process->snapshots;
    if (process->clock != CLOCK_NONE)
        time_ms = process->clock == CLOCK_WALL ? reading->time_ms : reading->elapsed_ms;
    return time_ms < before ? before : time_ms;
}

static int add_frame(struct process *process, const struct reading *reading)
{
    if (process->frame_count == process->frame_capacity) {
        size_t capacity = process->frame_capacity == 0 ? 16 : process->frame_capacity * 2;
        void *frames = realloc(process->frames, capacity * sizeof(*process->frames));
        if (frames == NULL)
            return -1;
        process->frames = frames;
        process->frame_capacity = capacity;
    }
    struct frame frame = {.index = process->snapshots, .time_ms = time_of(process, reading)};
    memcpy(frame.figures, reading->figures, sizeof(frame.figures));
    process->frames[process->frame_count++] = frame;
    return 0;
}

/* A copy of `text` takes the place of *old. */
static int replace(char **old, const char *text)
{
    char *copy = text != NULL ? strdup(text) : NULL;
    if (text != NULL && copy == NULL)
        return -1;
    free(*old);
    *old = copy;
    return 0;
}

static int add_reading(struct model *model, struct process *process, const struct reading *reading)
{
    uint64_t classes = process->class_count, points = 0;
    drop_newest(model, process);
    if (add_frame(process, reading) != 0 ||
        class_rows_add(&process->classes, &process->class_count, reading, process->snapshots,
                       &points) != 0 ||
        replace(&process->note, reading->note) != 0 ||
        (reading->held != NULL && replace(&process->held, reading->held) != 0))
        return -1;
    process->snapshots++;
    process->has_started = false;
    process->is_exact = reading->is_exact;
    if (reading->sequence != READING_UNKNOWN)
        process->last_sequence = reading->sequence;
    model->points += points;
    model->classes += process->class_count - classes;
    process->spoken_at = ++model->spoken;
    model->snapshots++;
    model->generation++;
    if (process->frame_count > FRAMES_MAX)
        double_stride(model, process);
    keep_limits(model);
    while (model->classes > CLASSES_MAX)
        let_classes_go(model);
    return 0;
}

static int take_snapshot(void *self, const struct origin *origin, const struct reading *reading)
{
    struct model *model = self;
    if (model->only_pid > 0 && reading->pid != model->only_pid)
        return leave_out(model, origin->source, reading->pid);
    struct process *process = find_process(model, origin->source, reading->pid);
    if (process == NULL || is_new_run(process, reading)) {
        if (model->process_count >= PROCESSES_MAX) {
            model->snapshots_of_others++;
            return leave_out(model, origin->source, reading->pid);
        }
        process = add_process(model, origin->source, reading->pid,
                              process == NULL ? 1 : process->run + 1);
        if (process == NULL)
            return -1;
    }
    return add_reading(model, process, reading);
}

/* ---- Verdicts ---- */

static struct suspicion *find_suspicion(struct process *process, const char *name)
{
    for (size_t i = 0; i < process->suspicion_count; i++)
        if (strcmp(process->suspicions[i].name, name) == 0)
            return &process->suspicions[i];
    if (process->suspicion_count == SUSPICIONS_MAX)
        return NULL;
    void *suspicions =
        realloc(process->suspicions, (process->suspicion_count + 1) * sizeof(*process->suspicions));
    if (suspicions == NULL)
        return NULL;
    process->suspicions = suspicions;
    struct suspicion *new = &process->suspicions[process->suspicion_count];
    *new = (struct suspicion){.name = strdup(name)};
    if (new->name == NULL)
        return NULL;
    process->suspicion_count++;
    return new;
}

/* A verdict follows its snapshot, so it is on the process that spoke last; a log that says the
 * process of each record says which. */
static int take_verdict(void *self, const struct origin *origin, const struct verdict *verdict)
{
    struct model *model = self;
    struct process *process = find_process(model, origin->source, origin->pid);
    bool is_left_out =
        origin->pid != READING_UNKNOWN && find_left_out(model, origin->source, origin->pid) != NULL;
    if (process == NULL && !is_left_out)
        process = find_speaker(model, origin->source);
    if (process == NULL)
        return 0;
    struct suspicion *suspicion = find_suspicion(process, verdict->name);
    if (suspicion == NULL)
        return process->suspicion_count == SUSPICIONS_MAX ? 0 : -1;
    suspicion->kind = verdict->kind;
    suspicion->time_ms = verdict->time_ms;
    model->generation++;
    return replace(&suspicion->text, verdict->text);
}

static bool has_workers(const struct model *model, const char *source)
{
    for (size_t i = 0; i < model->process_count; i++)
        if (model->processes[i]->pid != READING_UNKNOWN &&
            strcmp(model->processes[i]->source, source) == 0)
            return true;
    return false;
}

/* It may be a worker that has been started, which only its snapshots say. */
static int take_start(void *self, const struct origin *origin)
{
    struct model *model = self;
    struct process *process = find_process(model, origin->source, origin->pid);
    if (process != NULL && (origin->pid != READING_UNKNOWN || !has_workers(model, origin->source)))
        process->has_started = true;
    return 0;
}

struct receiver model_receiver(struct model *model)
{
    return (struct receiver){model, take_snapshot, take_verdict, take_start};
}
