/* SPDX-License-Identifier: MIT
 *
 * The page without its data. Made by page/make_page.py, with Chart.js in it; where that was not
 * there, neither is this (MEMPROF_HAS_PAGE).
 */
#ifndef MEMPROF_REPORT_PAGE_H
#define MEMPROF_REPORT_PAGE_H

#include <stddef.h>

extern const unsigned char page_before[], page_after[];
extern const size_t page_before_size, page_after_size;

#endif
