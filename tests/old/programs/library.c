// SPDX-License-Identifier: GPL-2.0-or-later
/* What needs_library finds by LD_LIBRARY_PATH alone. */
const char *library_word(void);

const char *library_word(void)
{
	return "library";
}
