/* SPDX-License-Identifier: MIT
 *
 * cmocka's header needs these before it, in this order. */
#ifndef MEMPROF_TEST_H
#define MEMPROF_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

#endif
