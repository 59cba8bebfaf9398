/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the text of the agent's policy file to what the kernel enforces. The file is one of several: those of the host's
 * administrator count besides it, and what is put into force is all of them together. A fault in any of them leaves
 * file and kernel as they were.
 *
 * Everything here may be tried again after a failure, and after a kill: what is left is the old state or the new one.
 * Reports hold what the policy's errors and warnings are (with file and line), and what had to be mended (without).
 *
 * Whatever anybody writes into the policy directories is in force by the next call, and what is unloaded is loaded again.
 */
#ifndef BINDCTL_AGENT_ENFORCE_H
#define BINDCTL_AGENT_ENFORCE_H

#include "agent/hostnames.h"
#include "base/util.h"
#include "host/store.h"
#include "kernel/instance.h"

#define ENFORCE_LOCK_SECONDS 5 /* how long to wait for another writer, such as `bindctl apply` */

struct enforcer_config {
	struct bc_instance instance; /* --pin and --cgroup, and patience.stop_fd */
	struct bc_store store;	     /* bc_store_system(), or bc_store_at() of --config */
	const char *file;	     /* name of the file in the store's runtime directory; NULL: FILENAME_DEFAULT */
	const char *root;	     /* of the host, as the agent sees it; NULL: its own. See hostnames.h. */
};

/* What is known of the policy in force since the last call that returned 0. */
struct enforce_facts {
	uint64_t generation; /* 0: nothing is known yet */
	uint32_t rules;	     /* those of other files included */
};

/* Owns what it points to but for the strings of the configuration. Not to be moved. */
struct enforcer {
	struct bc_instance instance;
	struct bc_store store;
	struct hostnames names;
	char *text; /* what the file is to say; NULL as long as nobody said */
	size_t len;
	struct enforce_facts facts;
};

/* Checks the configuration; touches neither file nor kernel. 0 or -errno with a sentence. */
int enforcer_init(struct enforcer *ret, const struct enforcer_config *config, struct bc_error *reterr);
void enforcer_done(struct enforcer *enforcer);

enum enforce_result {
	ENFORCE_NOTHING, /* the file said so already, and the kernel enforces all files as they are */
	ENFORCE_CHANGED, /* the file is another one now, and in force */
	ENFORCE_MENDED,	 /* the file said so already, but the kernel did not enforce what the files say; now it does */
};

/*
 * Makes the file say `text` (NUL-terminated besides) and puts all files into force. ret_report is empty, and to be
 * freed by the caller after a failure, too. 0, or -errno with a sentence: nothing was changed then, unless it says that
 * the kernel does not enforce what was put into force. -ETIMEDOUT: another writer holds a lock; try again. -ECANCELED: the
 * same, but patience.stop_fd said that there is no time to wait.
 */
int enforce(struct enforcer *enforcer, const char *text, size_t len, enum enforce_result *ret,
	    struct bc_report *ret_report, struct bc_error *reterr);

/*
 * To be called from time to time, after enforce(): the same once more with the text of its last call, whether that
 * succeeded or not; the report says what was amiss: the file changed or gone, another policy in force, programs
 * unloaded or detached.
 */
int enforce_check(struct enforcer *enforcer, enum enforce_result *ret, struct bc_report *ret_report,
		  struct bc_error *reterr);

/*
 * What enforce() would change of the rules in force, and changes nothing: a line "- RULE  # FILE:LINE" for each that
 * would go, "+ ..." for each that would come. Takes no lock.
 */
int enforce_dry(struct enforcer *enforcer, const char *text, size_t len, struct bc_text *ret_difference,
		struct bc_report *ret_report, struct bc_error *reterr);

#endif
