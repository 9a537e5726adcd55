/* SPDX-License-Identifier: MIT
 *
 * The file is opened anew for each line: a program that closes all descriptors, as daemons do, may
 * get the number of one that is kept for a connection of its own, and a file that was deleted,
 * moved or renamed by somebody is simply made again.
 *
 * Writers that append with a single write() need no lock among each other. It is held for what they
 * could spoil: renaming the file, and cutting a part of a line off again. Who cannot have it
 * appends nevertheless. A line that was torn all the same, by a process that was killed, is ended
 * before the next one.
 */
#include "snapshot_file.h"

#include "file_facts.h"
#include "memprof.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum {
    LOWEST_DESCRIPTOR = 64,  /* 0, 1 and 2 may be closed, and the program about to open them */
    OPEN_LIMIT = 8,          /* tries while others rename the file */
    LOCK_LIMIT = 50,         /* tries, */
    LOCK_PAUSE_NS = 20000000 /* with such a pause between them */
};

struct file {
    const char *path;
    int descriptor;
    bool is_locked; /* or cannot be */
    off_t size;
};

static volatile int open_descriptor = -1;

static int fail(const char **why, const char *reason)
{
    *why = reason;
    return -1;
}

static int fail_with_errno(const char **why)
{
    return fail(why, strerror(errno));
}

/* ---- Names ---- */

static void expand(struct text *path, const struct snapshot_file *file, const char *suffix)
{
    const char *at = file->path;
    for (const char *mark; (mark = strstr(at, "%p")) != NULL; at = mark + 2) {
        text_add_bytes(path, at, (size_t)(mark - at));
        text_add(path, "%ld", file->pid);
    }
    text_add_bytes(path, at, strlen(at));
    text_add_bytes(path, suffix, strlen(suffix));
}

static int read_directory(struct file_facts *facts, const char *path)
{
    struct text directory = {0};
    const char *slash = strrchr(path, '/');
    text_add_bytes(&directory, path, slash != NULL ? (size_t)(slash - path) + 1 : 0);
    text_add_bytes(&directory, ".", 1);
    errno = ENOMEM;
    int status = directory.failed ? -1 : file_facts_read(facts, AT_FDCWD, directory.bytes);
    text_clear(&directory);
    return status;
}

/* ---- Opening ---- */

static int check_type(const struct file_facts *facts, const char **why)
{
    if (facts->type == S_IFREG)
        return 0;
    return fail(why, facts->type == S_IFLNK ? "it is a symbolic link" : "it is no regular file");
}

/* Where everybody may make files, one that was there before us is a trap: its owner would read and
 * change what we write, or it is another name of a file of ours. */
static int check_owner(const struct file *file, const struct file_facts *facts, const char **why)
{
    struct file_facts directory;
    if (read_directory(&directory, file->path) != 0)
        return fail_with_errno(why);
    if ((directory.permissions & S_IWOTH) == 0 || (facts->owner == geteuid() && facts->names == 1))
        return 0;
    return fail(why, "everybody may write to its directory, and it is not of this user alone");
}

/* Looks also whether it is still, or again, the file of that name. */
static int check(const struct file *file, bool *is_current, const char **why)
{
    struct file_facts facts, named;
    if (file_facts_read(&facts, file->descriptor, "") != 0)
        return fail_with_errno(why);
    if (check_type(&facts, why) != 0)
        return -1;
    *is_current = file_facts_read_link(&named, AT_FDCWD, file->path) == 0 &&
                  file_facts_same_file(&facts, &named);
    return *is_current ? check_owner(file, &facts, why) : 0;
}

static int open_descriptor_of(const char *path)
{
    int descriptor;
    do
        descriptor =
            open(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
                 S_IRUSR | S_IWUSR);
    while (descriptor < 0 && errno == EINTR);
    int raised = descriptor < 0 ? -1 : fcntl(descriptor, F_DUPFD_CLOEXEC, LOWEST_DESCRIPTOR);
    if (raised < 0)
        return descriptor;
    close(descriptor);
    return raised;
}

/* Opening some devices already does something, so it is looked at before, too. */
static int open_file(struct file *file, const char **why)
{
    struct file_facts facts;
    if (file_facts_read_link(&facts, AT_FDCWD, file->path) == 0) {
        if (check_type(&facts, why) != 0)
            return -1;
    } else if (errno != ENOENT) {
        return fail_with_errno(why);
    }
    file->descriptor = open_descriptor_of(file->path);
    if (file->descriptor < 0)
        return fail_with_errno(why);
    open_descriptor = file->descriptor;
    return 0;
}

/* A child that was forked meanwhile may have the descriptor too: the lock is not left to it. */
static void close_file(struct file *file)
{
    open_descriptor = -1;
    flock(file->descriptor, LOCK_UN);
    close(file->descriptor);
    file->descriptor = -1;
}

/* A file system without locks is taken for one where nobody else holds them. */
static bool lock(int descriptor)
{
    static const struct timespec pause = {0, LOCK_PAUSE_NS};
    for (int i = 0; i < LOCK_LIMIT; i++) {
        if (flock(descriptor, LOCK_EX | LOCK_NB) == 0)
            return true;
        if (errno != EWOULDBLOCK && errno != EINTR)
            return true;
        nanosleep(&pause, NULL);
    }
    return false;
}

/* ---- Writing ---- */

/* A wrong path, or who controls the configuration, must not spoil other files. */
static int check_beginning(const struct file *file, const char **why)
{
    static const char start[] = MEMPROF_LINE_START;
    char found[sizeof(start) - 1];
    size_t size = file->size < (off_t)sizeof(found) ? (size_t)file->size : sizeof(found);
    if (pread(file->descriptor, found, size, 0) != (ssize_t)size)
        return fail_with_errno(why);
    if (memcmp(found, start, size) != 0)
        return fail(why, "it holds something else than snapshots");
    return 0;
}

static bool is_torn(const struct file *file)
{
    char last = '\n';
    return file->size > 0 && pread(file->descriptor, &last, 1, file->size - 1) == 1 && last != '\n';
}

static int write_line(const struct file *file, const char *line, size_t size, const char **why)
{
    size_t end = is_torn(file) ? 1 : 0;
    const struct iovec parts[] = {{"\n", end}, {(char *)line, size}};
    ssize_t written;
    do
        written = writev(file->descriptor, parts, 2);
    while (written < 0 && errno == EINTR);
    if (written < 0)
        return fail_with_errno(why);
    if ((size_t)written == size + end)
        return 0;
    bool is_last = lseek(file->descriptor, 0, SEEK_END) == file->size + written;
    if (file->is_locked && is_last && ftruncate(file->descriptor, file->size) != 0)
        return fail_with_errno(why);
    return fail(why, "there is room for a part of a line only");
}

/* Appends to the file that is open. Sets `*is_done` where another one is to be opened instead. */
static int append(struct file *file, const char *old_path, uint64_t limit_bytes, const char *line,
                  size_t size, bool *is_done, const char **why)
{
    bool is_current = false;
    file->is_locked = lock(file->descriptor);
    if (check(file, &is_current, why) != 0)
        return -1;
    *is_done = is_current;
    if (!is_current)
        return 0;
    file->size = lseek(file->descriptor, 0, SEEK_END);
    if (file->size < 0)
        return fail_with_errno(why);
    if (check_beginning(file, why) != 0)
        return -1;
    if (file->is_locked && file->size > 0 && (uint64_t)file->size + size > limit_bytes) {
        *is_done = false;
        return rename(file->path, old_path) == 0 ? 0 : fail_with_errno(why);
    }
    return write_line(file, line, size, why);
}

int snapshot_file_append(const struct snapshot_file *wanted, const char *line, size_t size,
                         const char **why)
{
    struct text path = {0}, old_path = {0};
    expand(&path, wanted, "");
    expand(&old_path, wanted, ".1");
    struct file file = {path.bytes, -1, false, 0};
    bool is_done = false;
    int status = path.failed || old_path.failed ? fail(why, "out of memory") : 0;
    for (int i = 0; status == 0 && !is_done && i < OPEN_LIMIT; i++) {
        status = open_file(&file, why);
        if (status != 0)
            break;
        status = append(&file, old_path.bytes, wanted->limit_bytes, line, size, &is_done, why);
        close_file(&file);
    }
    if (status == 0 && !is_done)
        status = fail(why, "others keep renaming it");
    text_clear(&path);
    text_clear(&old_path);
    return status;
}

void snapshot_file_forget(void)
{
    int descriptor = open_descriptor;
    open_descriptor = -1;
    if (descriptor >= 0)
        close(descriptor);
}
