# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/nspawn/outside.sh: sourced by suites that look at bindctl in containers with systemd. They set `work`: a
# directory in which `out` is /out in the container, and `lower` leads to its root file system. Speaks TAP; `label` comes
# before each name.
nspawn=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work='' label='' boot='' number=0 failures=0

tap() { # ok|not ok, name
	number=$((number + 1))
	echo "$1 $number - $label$2"
	[ "$1" = ok ] || failures=$((failures + 1))
}

# A suite's last words.
plan() {
	echo "1..$number"
	[ "$failures" -eq 0 ]
}

# For a suite that ends early.
end_container() {
	[ -z "$boot" ] || { kill "$boot" && wait "$boot"; } 2>/dev/null
}

# Which programs are attached to the host's root cgroup.
at_the_root() {
	bpftool cgroup show "$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)"
}

# told PHASE: what was said in there, as tests; when it did not get to the end, that is one more.
told() {
	local line

	while IFS= read -r line; do
		case $line in
		ok\ *) tap ok "${line#ok }" ;;
		not\ ok\ *) tap "not ok" "${line#not ok }" ;;
		\#*) echo "$line" ;;
		esac
	done <"$work/out/said"
	if grep -qx "done $1" "$work/out/said"; then
		tap ok "the container got to its end: $1"
	else
		tap "not ok" "the container got to its end: $1"
		tail -n 30 "$work/console" | cat -v | sed 's/^/# /'
	fi
}

# container PHASE: while bindctl is loaded in there, a look at the host's root.
container() {
	: >"$work/out/said"
	cp "$nspawn/inside.sh" "$work/out"
	"$nspawn/boot" "$work" "$1" >"$work/console" 2>&1 &
	boot=$!
	while kill -0 "$boot" 2>/dev/null; do
		if [ -e "$work/out/loaded" ] && [ ! -e "$work/out/looked" ]; then
			at_the_root >"$work/root.during" 2>&1
			touch "$work/out/looked"
		fi
		sleep 0.2
	done
	wait "$boot"
	boot=
	told "$1"
}

# The same programs as before at the host's root, while bindctl was loaded in the container.
compare_roots() {
	if diff "$work/root.before" "$work/root.during" >"$work/log" 2>&1; then
		tap ok "nothing was attached to the host's root cgroup meanwhile"
	else
		tap "not ok" "nothing was attached to the host's root cgroup meanwhile"
		sed 's/^/# /' "$work/log"
	fi
}
