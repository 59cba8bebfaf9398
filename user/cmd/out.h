/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What reading commands print: one JSON document, or aligned columns. Both are written as they go, a row at a time. */
#ifndef BINDCTL_OUT_H
#define BINDCTL_OUT_H

#include <json-c/json.h>
#include <stdbool.h>

#include "base/error.h"
#include "pure/policy.h"

/* Version of the shape of every JSON document, its "version" member: one more when a member changes or goes. */
#define OUT_VERSION 1

/* Opens a document: {"version": 1, MEMBERS…, "NAME": [ . Takes the object over; it may be NULL for no memory. */
void out_begin_array(struct json_object *members, const char *name);
/* One element. Takes the object over. */
void out_element(struct json_object *element);
void out_end_array(void);

/* A document without an array of its own. Takes the object over. */
void out_document(struct json_object *members);

/* A string; bytes that are not UTF-8, which names of files may hold, as \xHH. */
struct json_object *out_string(const char *value);

/* Sets a member, a NULL string as null. */
void out_set_string(struct json_object *object, const char *name, const char *value);
void out_set_number(struct json_object *object, const char *name, int64_t value);
void out_set_bool(struct json_object *object, const char *name, bool value);
/* 64 bits of identity as 16 hexadecimal digits: JSON's numbers lose them. */
void out_set_hex(struct json_object *object, const char *name, uint64_t value);
/* A rule's id, eight of them. */
void out_set_id(struct json_object *object, const char *name, uint32_t id);
/* Nanoseconds of Unix time, in RFC 3339. */
void out_set_moment(struct json_object *object, const char *name, int64_t moment);
/* An address without its port; see bindctl/abi.h. */
void out_set_address(struct json_object *object, const char *name, const uint32_t addr[4]);

/* A rule as every document shows it. */
struct json_object *out_rule(const struct bc_policy *policy, const struct bc_rule *rule);

/* deny, allow, none, rewrite or grant. */
const char *out_verdict(enum bc_verdict verdict);

/* Adds 127.0.0.1:443, [::1]:443; an IPv4 address of an IPv6 socket (family 6) in its mapped form. */
void out_address(struct bc_text *text, const uint32_t addr[4], unsigned port, unsigned family);

/* The text with what is not printable escaped, malloc'ed; NULL without memory. */
char *out_printable(const char *text);

/* Prints that. */
void out_text(const char *text);

#endif
