// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <string.h>

#include "base/option.h"

/* Whether the letter is one of a word of letters. Before the last of them getopt_long() has not gone on to the next word. */
static bool is_letter(char **argv)
{
	const char *word = argv[optind];

	return word && word[0] == '-' && word[1] != '-' && strchr(word + 1, optopt);
}

int bc_option_refused(int option, char **argv, struct bc_error *reterr)
{
	const char *word = argv[optind - 1];

	if (option == ':')
		return bc_fail(reterr, -EINVAL, "option '%s' wants a value", word);
	/* Of a long one there is a letter only if it is known. */
	if (optopt && !is_letter(argv) && !strncmp(word, "--", 2) && strchr(word, '='))
		return bc_fail(reterr, -EINVAL, "option '%.*s' takes no value", (int)strcspn(word, "="), word);
	if (optopt)
		return bc_fail(reterr, -EINVAL, "unknown option '-%c'", optopt);
	return bc_fail(reterr, -EINVAL, "unknown or ambiguous option '%s'", word);
}
