# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/cli/words.sh: what the commands of a case may call, in the instance that tests/cli/run has made for the case; its
# head says what each word does.

# More than all the commands take that come while something else runs beside them.
LONG=$((10 * SLOW))

until_so() {
	local _

	for _ in $(seq $((20 * SLOW))); do
		! "$@" || return 0
		sleep 0.05
	done
	return 1
}

bindctl() {
	timeout "$SLOW" "$BINDCTL" --config "${CONF:?}" --pin "${PIN:?}" --cgroup "${CGROUP:?}" "$@"
}

bindctl-agent() {
	timeout "$SLOW" "$RUN/bindctl-agent" "$@"
}

nobody() {
	if [ "$1" = bindctl ]; then
		shift
		set -- timeout "$SLOW" "$RUN/bindctl" --config "${CONF:?}" --pin "${PIN:?}" --cgroup "${CGROUP:?}" "$@"
	fi
	setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
}

policy() {
	local name=${1:?}

	shift
	if [ $# -gt 0 ]; then
		printf '%s\n' "$@"
	else
		cat
	fi >"${CONF:?}/$name"
}

# Everything that a command which fails, or only looks, must leave alone. An empty pin directory is as good as none.
snapshot() {
	local -x BINDCTL_SNAPSHOT=1 # for tests/valgrind/run

	find "${CONF:?}" -printf '%y %m %U:%G %s %T@ %p\n' | sort
	find "$CONF" -type f -exec cksum {} + | sort
	ls -A "${PIN:?}" 2>/dev/null
	bindctl list --json --numeric 2>&1 | sed -E 's/"(seconds_left|hits)":[0-9]*/"\1":N/g; s/,"last_hit":[^}]*//'
	bindctl status --json 2>/dev/null
}

unchanged() {
	local code

	snapshot >"$TEMP/before"
	"$@"
	code=$?
	snapshot >"$TEMP/after"
	if ! diff -u "$TEMP/before" "$TEMP/after" >"$TEMP/changed"; then
		cat "$TEMP/changed" >>"$TEMP/broken"
		return "$BROKEN"
	fi
	return $code
}

shaped() {
	local name=$1 code

	shift
	"$@" >"$TEMP/json"
	code=$?
	cat "$TEMP/json"
	"$SHAPE" "$name" <"$TEMP/json" >>"$TEMP/broken" 2>&1 || return "$BROKEN"
	return $code
}

completes() {
	(
		source "$SOURCES/user/completion/bindctl.bash"
		compopt() { :; }
		COMP_LINE="${COMPLETED:-bindctl} $*" COMP_POINT=10000
		_bindctl
		[ ${#COMPREPLY[@]} -eq 0 ] || printf '%s\n' "${COMPREPLY[@]}"
	)
}

# As they are installed, but elsewhere.
completes_in() {
	local shell=$1 name=${COMPLETED:-bindctl} line file

	shift
	line="$name $*" # the last word may be empty
	mkdir -p "$TEMP/completion/bash"
	cp "$SOURCES/user/completion/bindctl.bash" "$TEMP/completion/bash/$name"
	for file in zsh fish; do
		sed "s|/usr/share/bash-completion/completions|$TEMP/completion/bash|" \
			"$SOURCES/user/completion/bindctl.$file" >"$TEMP/completion/$file"
	done
	mv "$TEMP/completion/zsh" "$TEMP/completion/_$name"
	local -x PATH=$RUN:$PATH HOME=$TEMP

	case $shell in
	zsh) timeout "$SLOW" "$SOURCES/tests/cli/offers.zsh" "$TEMP/completion" "$line" ;;
	fish) timeout "$SLOW" fish --no-config -c "source $TEMP/completion/fish; complete -C '$line'" | cut -f 1 ;;
	esac | sort -u
}

inside() {
	(
		echo $BASHPID >"${CGROUP:?}/cgroup.procs" || exit
		"$@"
	)
}

binds() {
	local family=4 addr=$1

	[[ $1 != *:* ]] || family=6 addr=[$1]
	if inside nobody timeout "$SLOW" socat -u /dev/null "UDP$family-DATAGRAM:$addr:9,bind=$addr:$2" >"$TEMP/socat" 2>&1; then
		echo bound
	else
		sed 's/.*): //' "$TEMP/socat"
		return 1
	fi
}

listening() {
	beside grep -c "$(printf ':%04X .* 0A ' "$1")" "/proc/net/$2"
}

more_listen() {
	[ "$(listening "$1" "$2")" -gt "$3" ]
}

holds() {
	local family=4 addr=$1 table=tcp before

	[[ $1 != *:* ]] || family=6 addr=[$1] table=tcp6
	if ! [ -e keeper ]; then
		# shellcheck disable=SC2016 # for the shell within
		inside unshare --net sh -c 'ip link set lo up && echo $$ >keeper.new && mv keeper.new keeper && exec sleep "$1"' \
			sh "$LONG" >/dev/null 2>&1 &
	fi
	until_so [ -e keeper ]
	before=$(listening "$2" $table)
	inside beside nobody timeout "$LONG" socat -u "TCP$family-LISTEN:$2,bind=$addr" OPEN:/dev/null >holds.out 2>&1 &
	# Others of the case may hold the port of another address.
	until_so more_listen "$2" $table "$before" && return
	cat holds.out
	return 1
}

beside() {
	if [ "$1" = bindctl ]; then
		shift
		set -- timeout "$SLOW" "$BINDCTL" --config "${CONF:?}" --pin "${PIN:?}" --cgroup "${CGROUP:?}" "$@"
	elif [ "$1" = nobody ]; then
		shift
		set -- setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
	fi
	nsenter --net="/proc/$(cat keeper)/ns/net" "$@"
}

watch() {
	begin monitor "$@"
}

learn() {
	begin learn "$@"
}

# What it listens to signals with is the last that it opens.
ready() {
	find "/proc/$1/fd" -lname "*signalfd*" 2>/dev/null | grep -q .
}

begin() {
	(
		"$BINDCTL" --config "${CONF:?}" --pin "${PIN:?}" --cgroup "${CGROUP:?}" "$1" --timeout "${LONG}s" "${@:2}" &
		echo $! >watching
		wait $!
		code=$?
		[ $code -eq 0 ] || echo "exit $code"
		rm watching
	) >seen 2>&1 &
	# shellcheck disable=SC2016 # each time anew
	until_so eval '[ -s watching ] && ready "$(cat watching)"' || echo "it does not get ready"
}

watched() {
	local _

	for _ in $(seq $((20 * LONG))); do
		[ -e watching ] || break
		sleep 0.05
	done
	[ ! -e watching ] || echo "it does not end"
	cat seen
}

learned() {
	kill -INT "$(cat watching)"
	watched
}
