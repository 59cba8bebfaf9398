// SPDX-License-Identifier: GPL-2.0-or-later
/* Linked into what counts its lines, with --wrap=_exit: a child that leaves with _exit(2) writes down what it counted. */
#include <gcov.h>
#include <stdlib.h>

_Noreturn void __real__exit(int code);
_Noreturn void __wrap__exit(int code);

_Noreturn void __wrap__exit(int code)
{
	__gcov_dump();
	__real__exit(code);
}
