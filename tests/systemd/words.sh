# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/systemd/words.sh: what tests/systemd/inside says its tests in. A MANAGER is how to call systemctl for a user's own;
# without one it is the system's.

# What a program that was refused its port exits with.
EACCES=13

# This network is not the host's, of which alone rules speak that do not say so.
grant() { # SUBJECT PORTS [CLAUSE...]
	bindctl grant "$@" netns any
}

# A unit's text: a program that listens, by nobody unless a line says otherwise. Of two lines the last counts.
unit() { # PORTS [LINE...]
	printf '%s\n' '[Install]' WantedBy=default.target WantedBy=multi-user.target '[Service]' Type=notify \
		"ExecStart=/out/serve $1" "${@:2}"
}

service() { # NAME PORTS [LINE...]
	systemctl stop "$1" 2>/dev/null
	unit "$2" User=nobody "${@:3}" >"/etc/systemd/system/$1"
	systemctl daemon-reload
}

as() { # USER COMMAND...
	setpriv --reuid "$1" --regid "$1" --init-groups env "XDG_RUNTIME_DIR=/run/user/$(id -u "$1")" "${@:2}"
}

user_service() { # USER NAME PORTS [LINE...]
	local dir

	dir=$(getent passwd "$1" | cut -d: -f6)/.config/systemd/user
	as "$1" mkdir -p "$dir"
	unit "${@:3}" | as "$1" tee "$dir/$2" >/dev/null
	as "$1" systemctl --user daemon-reload
}

# The cgroup of a user's manager.
subtree() { # USER
	local uid

	uid=$(id -u "$1")
	echo "/user.slice/user-$uid.slice/user@$uid.service"
}

starts() { # UNIT [MANAGER...]
	local unit=$1

	shift
	[ $# -gt 0 ] || set -- systemctl
	"$@" reset-failed "$unit" 2>/dev/null
	"$@" restart "$unit" && "$@" is-active "$unit"
}

# Its program ended with this status.
ends_with() { # STATUS UNIT [MANAGER...]
	local wanted=$1 unit=$2 status code=0

	shift 2
	[ $# -gt 0 ] || set -- systemctl
	"$@" reset-failed "$unit" 2>/dev/null
	"$@" restart "$unit" || code=$?
	status=$("$@" show -P ExecMainStatus "$unit")
	echo "$unit: exit status $status"
	[ "$status" -eq "$wanted" ] && { [ "$code" -eq 0 ] || [ "$wanted" -ne 0 ]; }
}

# It does not start, for its port: no other error will do.
is_refused() { # UNIT [MANAGER...]
	ends_with $EACCES "$@"
}

# The last time that it was started.
was_refused() { # UNIT
	[ "$(systemctl show -P ExecMainStatus "$1")" -eq $EACCES ]
}

# A server's own word for that, in the journal.
says_it_was_refused() { # UNIT
	! systemctl start "$1" && journalctl --sync &&
		journalctl --no-pager -u "$1" | grep -iE ':(80|443)\b.*permission denied'
}

# Within ten seconds.
soon() { # COMMAND...
	for _ in {1..100}; do
		! "$@" || return 0
		sleep 0.1
	done
	return 1
}

is_in() { # CGROUP UNIT [MANAGER...]
	local cgroup=$1 unit=$2 at

	shift 2
	[ $# -gt 0 ] || set -- systemctl
	at=$("$@" show -P ControlGroup "$unit")
	echo "in $at"
	[ "$at" = "$cgroup" ]
}

# Whether `why` finds the user's unit: of one that it does not know it says so. The cgroups of refusals before are gone.
why_knows() { # USER UNIT
	local said

	said=$(bindctl why --user "$1" --unit "$2" 2>&1)
	echo "$said"
	[ "$said" = "bindctl: no such refusal is remembered" ]
}

exits_with() { # STATUS COMMAND...
	local code=0

	"${@:2}" || code=$?
	echo "exit status $code"
	[ "$code" -eq "$1" ]
}

cgroup_id() { # UNIT
	stat -c %i "/sys/fs/cgroup$(systemctl show -P ControlGroup "$1")"
}

# Starts again, and each time in a cgroup that the kernel has not seen before.
restarts() { # UNIT COMMAND...
	local before now

	for _ in 1 2 3; do
		before=$(cgroup_id "$1")
		systemctl restart "$1" || return
		now=$(cgroup_id "$1")
		echo "cgroup $before, then $now"
		[ "$now" -ne "$before" ] && "${@:2}" || return
	done
}

# A transient unit of this name; what became of its program is systemd's to say.
runs() { # UNIT PORTS
	systemctl reset-failed "$1" 2>/dev/null
	systemd-run --quiet --unit="$1" -p Type=notify -p User=nobody /out/serve "$2"
}

refuses_to_run() { # UNIT PORTS
	runs "$@"
	was_refused "$1"
}

# It serves, and is not this process.
is_another() { # UNIT PID
	systemctl is-active "$1" && [ "$(systemctl show -P MainPID "$1")" -ne "$2" ]
}

# Killed, and started by systemd itself; serving again.
comes_back() { # UNIT
	local before

	before=$(systemctl show -P MainPID "$1")
	# To 0 it would go to ourselves.
	[ "$before" -gt 0 ] && kill -KILL "$before" && soon is_another "$1" "$before"
}

drop_in() { # UNIT LINE...
	systemctl stop "$1"
	mkdir -p "/etc/systemd/system/$1.d"
	printf '%s\n' '[Service]' "${@:2}" >"/etc/systemd/system/$1.d/50-test.conf"
	systemctl daemon-reload
}

# In the range that systemd takes them from.
is_dynamic() { # UID
	echo "uid $1"
	[ "$1" -ge 61184 ] && [ "$1" -le 65519 ]
}

# says TEXT CA URL [CURL-OPTION...]
says() {
	local answer

	answer=$(curl --silent --show-error --max-time 10 --retry 5 --retry-all-errors --retry-delay 1 --cacert "$2" \
		"${@:4}" "$3")
	echo "${*:3}: $answer"
	[ "$answer" = "$1" ]
}
