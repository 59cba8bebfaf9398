// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/api/url.h"

#include <arpa/inet.h>
#include <string.h>
#include "base/util.h"

static bool all_of(const char *text, size_t len, const char *more)
{
	for (size_t i = 0; i < len; i++)
		if (!((text[i] >= 'a' && text[i] <= 'z') || (text[i] >= 'A' && text[i] <= 'Z') ||
		      (text[i] >= '0' && text[i] <= '9') || (text[i] && strchr(more, text[i]))))
			return false;
	return true;
}

/* How much of the text is a host; 0: none. */
static size_t measure_host(const char *text)
{
	char address[INET6_ADDRSTRLEN];
	struct in6_addr binary;
	size_t len;

	if (*text != '[') {
		len = strcspn(text, ":/");
		return all_of(text, len, ".-") ? len : 0;
	}
	len = strcspn(++text, "]");
	if (text[len] != ']' || len >= sizeof(address))
		return 0;
	memcpy(address, text, len);
	address[len] = '\0';
	return inet_pton(AF_INET6, address, &binary) == 1 ? len + 2 : 0;
}

bool url_check(const char *url, bool plain)
{
	uint64_t port = 0;
	size_t len;

	if (!strncmp(url, "https://", 8))
		url += 8;
	else if (plain && !strncmp(url, "http://", 7))
		url += 7;
	else
		return false;
	len = measure_host(url);
	if (!len)
		return false;
	url += len;
	if (*url == ':') {
		len = strcspn(++url, "/");
		if (bc_parse_number(url, len, 1, 65535, &port))
			return false;
		url += len;
	}
	return !*url || (*url == '/' && all_of(url, strlen(url), "/.-_~"));
}
