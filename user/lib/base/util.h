/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ownership in sight, growing arrays and strings, whole reads and writes. Knows nothing of ports or policies. */
#ifndef BINDCTL_UTIL_H
#define BINDCTL_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The order of two numbers, as qsort(3) wants it. */
#define BC_COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

/* Whether both are the same text, or both NULL. */
static inline bool bc_same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

#define _cleanup_(f) __attribute__((cleanup(f)))

static inline void bc_freep(void *p)
{
	free(*(void **)p);
}

static inline void bc_closep(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

#define _cleanup_free_ _cleanup_(bc_freep)
#define _cleanup_close_ _cleanup_(bc_closep)

/* Hand over what a _cleanup_ variable owns. */
#define TAKE_PTR(p)                     \
	({                              \
		__typeof__(p) _p = (p); \
		(p) = NULL;             \
		_p;                     \
	})
#define TAKE_FD(fd)             \
	({                      \
		int _fd = (fd); \
		(fd) = -1;      \
		_fd;            \
	})

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Makes room for `need` items in a malloc'ed array; 0 or -ENOMEM, the array untouched. */
int bc_grow_bytes(void **array, size_t *room, size_t need, size_t size);
#define bc_grow(array, room, need) bc_grow_bytes((void **)(array), room, need, sizeof(**(array)))

/* A growing string, always NUL-terminated once anything was added. Zero-initialised is empty. */
struct bc_text {
	char *data;
	size_t len;
	size_t room;
	bool failed; /* some addition found no memory; nothing is added after that */
};

void bc_text_add(struct bc_text *text, const char *data, size_t len);
void bc_text_addf(struct bc_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void bc_text_done(struct bc_text *text);

/*
 * The text with every byte that could move a terminal's cursor or hide text written as \xHH: of control characters, of
 * those that show nothing or turn the line around, and of whatever is not well-formed UTF-8. Writes at most `size` bytes
 * including the NUL; four for each of the text's are enough. Returns `to`.
 */
char *bc_printable(char *to, size_t size, const char *from);

/* Adds the text as one word of a shell's: as it is, or quoted where it must be; of bash's, where it is not printable. */
void bc_text_add_word(struct bc_text *text, const char *word);

/* The text with every byte that is not part of well-formed UTF-8 written as \xHH: what JSON can hold. malloc'ed. */
char *bc_utf8(const char *from);

/*
 * Where the first character is that is well-formed UTF-8, no ASCII, and does not show as what it is, or with `disturbing`
 * changes how others show; `len` when there is none.
 */
size_t bc_unprintable(const char *text, size_t len, bool disturbing);

/* The length of the well-formed character that the string begins with; 0 when there is none. */
size_t bc_utf8_length(const char *text);

/* Whether all of it is well-formed UTF-8, without a NUL. There is a NUL behind it. */
bool bc_is_utf8(const char *text, size_t len);

/* `len`, or a little less if a UTF-8 character would be cut there. There is a byte behind, if only the NUL. */
size_t bc_utf8_cut(const char *text, size_t len);

/* The whole of a file or a pipe, with a NUL behind; -EFBIG beyond `max` bytes. *ret_data is malloc'ed. */
int bc_read_all(int fd, size_t max, char **ret_data, size_t *ret_len);

/* 0, or -errno, when some of it may have been written. */
int bc_write_all(int fd, const char *data, size_t len);

/* A whole decimal number in [min, max], digits only, no sign, no blank; -EINVAL or -ERANGE. */
int bc_parse_number(const char *s, size_t len, uint64_t min, uint64_t max, uint64_t *ret);

/* FNV-1a, 64 bits: for identity and drift, not for security. */
#define BC_FNV_START 0xcbf29ce484222325u
uint64_t bc_fnv(uint64_t hash, const void *data, size_t len);

#endif
