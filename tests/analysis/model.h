/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What clang's analyser cannot see, as it looks into one file at a time: that bc_fail() and its kin return the code
 * they were given, and that this is an error, so that what follows only a success is not reached. Included before each
 * file but the one that defines them.
 */
#ifndef BINDCTL_ANALYSIS_MODEL_H
#define BINDCTL_ANALYSIS_MODEL_H

#include "base/error.h"

_Noreturn void impossible(void);

static inline int failed_call(int unused, int code)
{
	(void)unused;
	if (code >= 0)
		impossible();
	return code;
}

#define bc_fail(reterr, code, ...) failed_call(bc_fail(reterr, code, __VA_ARGS__), code)
#define bc_fail_errno(reterr, code, ...) failed_call(bc_fail_errno(reterr, code, __VA_ARGS__), code)
#define bc_fail_at(reterr, code, ...) failed_call(bc_fail_at(reterr, code, __VA_ARGS__), code)

#endif
