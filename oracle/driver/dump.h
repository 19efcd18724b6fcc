/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A page that a check complains of is dumped by the reason alone. The real
 * dump_page() follows the page's mapping and its head, which in a broken page
 * lead anywhere: get_kernel_nofault() catches that on hardware, UML dies of it,
 * and a check inside it would hide the one that fired.
 */
#ifndef PTFUZZ_DUMP_H
#define PTFUZZ_DUMP_H

#include <linux/mmdebug.h>

struct page;
extern void ptfuzz_dump_page(const struct page *page, const char *reason);

#define dump_page(dumped, reason) ptfuzz_dump_page(dumped, reason)

#endif
