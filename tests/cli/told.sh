# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/cli/told.sh: what README and the manual show on a terminal, for cases to source.
#
#     told FILE            the calls of bindctl in its blocks, each a line with, behind a tab, what it is shown to print;
#                          there each run of blanks and newlines is one blank, since the manual wraps lines
#     told_in_text FILE..  all calls of bindctl, those in the midst of a sentence too, without what is behind > | or &&
#     among_users COMMAND  runs it where there are the users and groups that the documents speak of
#     told_are_calls       says which calls, from standard input, are wrong
#     play                 makes those calls, from standard input, one after the other, in the case's instance, and says
#                          what they print otherwise than they are told to. What takes a day is left out
#
# Where a monitor or `why` is shown, play has joe ask for the port; where a process is, there is one.

# Literal blocks, an empty line between them.
told_blocks() {
	case $1 in
	*.md) sed -n 's/^ \{4,\}\(.*\)/\1/p; t; s/.*//p' "$1" ;;
	*) awk '/^\.Bd -literal/ { on = 1; next } /^\.Ed/ { on = 0; print "" } on' "$1" | sed 's/\\e/\\/g' ;;
	esac | sed -e :a -e '/\\$/{N; s/\\\n */ /; ta' -e '}'
}

told() {
	told_blocks "$1" | awk '
		function flush() { if (call) print call "\t" said; call = said = "" }
		/^[#$] bindctl / { flush(); call = substr($0, 3); next }
		/^[#$] / || /^$/ { flush(); next }
		call { gsub(/ +/, " "); sub(/^ /, ""); said = said (said ? " " : "") $0 }
		END { flush() }'
}

told_in_text() {
	local file

	for file; do
		told_blocks "$file" | sed -nE 's/^([#$] )?(bindctl .*)/\2/p'
		# shellcheck disable=SC2016 # its marks
		case $file in
		*.md) tr '\n' ' ' <"$file" | grep -o '`bindctl [^`]*`' | tr -d '`' ;; # which may break a line
		*) sed -nE 's/^\.Ql (bindctl .*)/\1/p' "$file" ;;
		esac
	done | sed -E 's/ +(>|\||&&).*//; s/ [,;.:)]$//; s/  +/ /g; s/\\-/-/g' | sort -u
}

TOLD_USERS="webuser:4201 postgres:4202 legacy:4203 proxy:4204 app:4205 joe:1001"
TOLD_GROUPS="developers:4301 mailers:4302 mail:8"

among_users() {
	local it

	grep -vE ":(1000|1001|420[1-5]):" /etc/passwd >told.passwd
	grep -vE "^mail:" /etc/group >told.group
	for it in $TOLD_USERS; do
		echo "${it%:*}:x:${it#*:}:${it#*:}::/nonexistent:/bin/sh" >>told.passwd
	done
	for it in $TOLD_GROUPS; do
		echo "${it%:*}:x:${it#*:}:" >>told.group
	done
	TOLD=$SOURCES/tests/cli/told.sh
	export BINDCTL CONF PIN CGROUP SCOPE DIR RUN SLOW LONG SOURCES TOLD TEMP
	export -f bindctl inside nobody until_so ready begin watch watched
	# shellcheck disable=SC2016 # for the shell within
	unshare --mount bash -c 'mount --bind told.passwd /etc/passwd && mount --bind told.group /etc/group &&
		. "$TOLD" && "$@"' told "$@"
}

# Asks for a port as joe, in a cgroup of this name, and is refused or not. The cgroup stays until its name has been read.
told_bind() { # CGROUP PORT
	mkdir -p "$CGROUP$1"
	CGROUP=$CGROUP$1 inside timeout "$SLOW" setpriv --reuid joe --regid 1001 --clear-groups /usr/bin/python3 -c "
import socket
try:
    socket.socket().bind(('0.0.0.0', $2))
except OSError: # it may be in use besides
    pass"
}

# What was printed, as the documents have it. Moments, processes and rules' numbers are those of no document.
as_told() {
	sed -E -e "s| --config $CONF --pin $PIN --cgroup $CGROUP||g" -e "s|$CONF/50-runtime.conf|/run/bindctl/policy.d/50-runtime.conf|g" \
		-e "s|$CONF|/etc/bindctl/policy.d|g; s|$SCOPE||g" |
		tr -s ' \n' ' ' | sed -E 's/^ //; s/ $//' | told_anyhow
}

told_anyhow() {
	sed -E -e 's/([0-9-]{10} )?[0-9:]{8}\.[0-9]{3} /@CLOCK@ /g; s/\[[0-9]+\] of/[N] of/g' \
		-e 's/(listen|bound) [0-9]+ /\1 N /g'
}

# Prints the number of a process of legacy's, the user that a --pid of the documents is.
told_process() {
	local pid _

	{ inside setpriv --reuid legacy --regid nogroup --clear-groups sleep "$SLOW"; } >/dev/null 2>&1 &
	for _ in $(seq $((20 * SLOW))); do
		pid=$(head -n 1 "$CGROUP/cgroup.procs")
		! grep -qs '^Uid:.*\b4203\b' "/proc/$pid/status" || break
		sleep 0.05
	done
	echo "$pid"
}

# sshd and nginx in a network namespace of their own, where the rules are made to hold, too; bound before they do.
told_holders() { # OPTION...
	local it name port user there

	cp -p "$CONF/50-bindctl.conf" told.conf
	bindctl unload
	unshare --net sleep "$SLOW" >/dev/null &
	there=$!
	for _ in $(seq $((20 * SLOW))); do
		[ "$(readlink "/proc/$there/ns/net")" != "$(readlink /proc/self/ns/net)" ] && break
		sleep 0.05
	done
	exec 3<"/proc/$there/ns/net"
	nsenter --net=/proc/self/fd/3 sh -c 'ip link set lo up; sysctl -qw net.ipv4.ip_unprivileged_port_start=0'
	for it in sshd:22:root nginx:443:webuser; do
		IFS=: read -r name port user <<<"$it"
		ln -sf "$(command -v socat)" "$RUN/$name"
		# That they are killed is no news.
		{
			inside nsenter --net=/proc/self/fd/3 setpriv --reuid "$user" --regid nogroup --clear-groups \
				timeout "$SLOW" "$RUN/$name" -u "TCP4-LISTEN:$port" OPEN:/dev/null
		} >/dev/null 2>&1 &
		for _ in $(seq $((20 * SLOW))); do
			nsenter --net=/proc/self/fd/3 ss -Hltn "sport = :$port" | grep -q . && break
			sleep 0.05
		done
	done
	sed -E -i 's/^(grant|allow|deny|reserve|rewrite) [^#]*/& netns any/' "$CONF/50-bindctl.conf"
	bindctl apply
	nsenter --net=/proc/self/fd/3 timeout "$SLOW" "$BINDCTL" --config "$CONF" --pin "$PIN" --cgroup "$CGROUP" "$@"
	echo 1 >"$CGROUP/cgroup.kill"
	kill "$there"
	cp -p told.conf "$CONF/50-bindctl.conf"
	bindctl apply
}

told_call() { # CALL
	local pid

	case $1 in
	*" monitor")
		watch --count 1
		told_bind /jobs.slice/a.service 8080
		watched
		;;
	*" why --last")
		told_bind /user.slice 80
		eval "$1"
		;;
	*" holders "*) eval "told_holders ${1#bindctl }" ;;
	*" --pid 4711 "*)
		pid=$(told_process)
		eval "${1/4711/$pid}"
		kill "$pid"
		;;
	*) eval "${1//cgroup:\//cgroup:$SCOPE/}" ;;
	esac
}

play() {
	local call wanted got line

	while IFS=$'\t' read -r call wanted; do
		case "$call " in
		*" learn "* | *" 1d "* | *" --denied "* | *" --config "* | *"/root/"*) continue ;;
		esac
		got=$(told_call "$call" 2>told.errors </dev/null | as_told)
		# What changes something says nothing.
		if [ -n "$wanted" ] || [[ $call =~ ^bindctl\ (grant|allow|deny|rewrite|reserve|revoke|apply|load|unload) ]]; then
			wanted=$(told_anyhow <<<"$wanted")
			[ "$got" = "$wanted" ] || printf '%s\n  wanted: %s\n  got:    %s\n' "$call" "$wanted" "$got"
		fi
		grep -v "this host has no unit" told.errors | while read -r line; do
			printf '%s: %s\n' "$call" "$line"
		done
	done
}

# Whether each call, from standard input, is one: nobody makes it, and is told that he may not, not that it is wrong.
told_are_calls() {
	local call code

	while read -r call; do
		# shellcheck disable=SC2086 # a list of words
		nobody $call >told.said 2>&1
		code=$?
		if [ $code -eq 2 ] || grep -qE "argument '|bindctl: --|option|command" told.said; then
			printf '%s: exit %d: %s\n' "$call" $code "$(head -n 1 told.said)"
		fi
	done
}
