/* SPDX-License-Identifier: MIT
 *
 * A dynamically linked program without any libc: it exits with 5, by the system call alone.
 */
void _start(void);

void _start(void)
{
#if defined(__x86_64__)
    __asm__ volatile("syscall" : : "a"(231L), "D"(5L));
#elif defined(__aarch64__)
    register long code __asm__("x0") = 5;
    register long number __asm__("x8") = 94;
    __asm__ volatile("svc 0" : : "r"(code), "r"(number));
#endif
    for (;;)
        ;
}
