# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/k8s/words.sh: what tests/k8s/ops says its tests in. DIR is where it may write, and AGENT the program.

number=0 failures=0
# check NAME COMMAND...: one test; what the command printed is shown if it fails.
check() {
	local name=$1

	shift
	number=$((number + 1))
	if "$@" >"$DIR/said" 2>&1; then
		echo "ok $number - $name"
		return
	fi
	failures=$((failures + 1))
	echo "not ok $number - $name"
	sed 's/^/# /' "$DIR/said"
	[ ! -e "$DIR/agent.log" ] || tail -n 20 "$DIR/agent.log" | sed 's/^/# agent: /'
	[ ! -e "$DIR/server.log" ] || tail -n 5 "$DIR/server.log" | sed 's/^/# server: /'
}

skip() {
	number=$((number + 1))
	echo "ok $number - $1 # SKIP $2"
}

# exits CODE PATTERN COMMAND...: whether it exits so, and all that it says matches.
exits() {
	local wanted=$1 pattern=$2 code=0 said

	shift 2
	said=$("$@" 2>&1 </dev/null) || code=$?
	# shellcheck disable=SC2254 # it is a pattern
	case $said in
	$pattern) [ "$code" -eq "$wanted" ] && return ;;
	esac
	printf 'exit %s, not %s:\n%s\n' "$code" "$wanted" "$said"
	return 1
}

# until_so COMMAND...: whether it succeeds within a minute, or more where that is short.
until_so() {
	for _ in $(seq 600); do
		"$@" >/dev/null 2>&1 && return
		sleep 0.1
	done
	"$@"
}

# comes COMMAND...: waits for what all that follows builds upon. Not inside a check.
comes() {
	until_so "$@" && return
	check "it comes to this: $*" false
	echo "1..$number"
	exit 1
}

NOBODY=(setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set -all --inh-caps -all --no-new-privs)
as_nobody() {
	"${NOBODY[@]}" "$@"
}

# ends PID: waits for the end of a process that was started here, and returns its exit code.
ends() {
	until_so eval "! kill -0 $1" || kill -KILL "$1"
	wait "$1"
}

# rests PID: whether the agent runs in it and sleeps, as it does between two tries.
rests() {
	[ "/proc/$1/exe" -ef "$AGENT" ] && grep -q '^State:.S' "/proc/$1/status"
}
