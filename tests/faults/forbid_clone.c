/* SPDX-License-Identifier: MIT
 *
 * forbid_clone threads|processes COMMAND...: runs it where the kernel refuses every clone() and
 * clone3(), or only those clone() that would make another process.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define REFUSE BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define LOAD(member) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))

static int forbid(struct sock_filter *filter, unsigned short length)
{
    struct sock_fprog program = {length, filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return -1;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

int main(int count, char **arguments)
{
    struct sock_filter threads[] = {
        LOAD(nr),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 1),
        REFUSE,
        ALLOW,
    };
    struct sock_filter processes[] = {
        LOAD(nr),      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3),
        LOAD(args[0]), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 1, 0),
        REFUSE,        ALLOW,
    };
    int error = -1;
    if (count > 2 && strcmp(arguments[1], "threads") == 0)
        error = forbid(threads, sizeof(threads) / sizeof(threads[0]));
    else if (count > 2 && strcmp(arguments[1], "processes") == 0)
        error = forbid(processes, sizeof(processes) / sizeof(processes[0]));
    if (error != 0) {
        perror("forbid_clone");
        return 125;
    }
    execvp(arguments[2], arguments + 2);
    perror(arguments[2]);
    return 126;
}
