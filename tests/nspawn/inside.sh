# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/nspawn/inside.sh: sourced by what tests/nspawn/boot has a container run. Says "ok NAME" or "not ok NAME" in
# /out/said, for tests/nspawn/outside.sh to number.
exec >>/out/said 2>&1
export LC_ALL=C.UTF-8

check() { # NAME COMMAND...
	local name=$1 log=/run/check.log

	shift
	if "$@" >"$log" 2>&1; then
		echo "ok $name"
	else
		echo "not ok $name"
		sed 's/^/# /' "$log"
		journalctl --no-pager -n 12 | sed 's/^/#   /'
	fi
}

fails() {
	! "$@"
}

# Enforced, as the files say; nothing else is on the hooks here.
enforced() {
	bindctl status
}

# No process of the unit has a capability in any set, whatever it executes, or is root's, or can come to more.
has_nothing() { # UNIT [MANAGER...]
	local unit=$1 group pid pids

	shift
	[ $# -gt 0 ] || set -- systemctl
	group=$("$@" show -P ControlGroup "$unit")
	[ -n "$group" ] && mapfile -t pids <"/sys/fs/cgroup$group/cgroup.procs" && [ ${#pids[@]} -gt 0 ] || return
	for pid in "${pids[@]}"; do
		grep -E '^(Pid|Uid|Cap|NoNewPrivs)' "/proc/$pid/status"
		[ "$(grep -cE '^Cap(Inh|Prm|Eff|Bnd|Amb):\s0+$' "/proc/$pid/status")" -eq 5 ] &&
			grep -qE '^NoNewPrivs:\s1$' "/proc/$pid/status" && ! grep -qE '^Uid:.*\s0\b' "/proc/$pid/status" ||
			return
	done
}

# A web server that may do nothing at all but ask for its port.
unprivileged_nginx() {
	sed -i 's|^pid .*|pid /run/nginx/nginx.pid;|; /^user /d' /etc/nginx/nginx.conf
	mkdir -p /etc/systemd/system/nginx.service.d
	cat >/etc/systemd/system/nginx.service.d/nobody.conf <<-END
		[Service]
		User=www-data
		NoNewPrivileges=yes
		CapabilityBoundingSet=
		RuntimeDirectory=nginx
		LogsDirectory=nginx
		PIDFile=/run/nginx/nginx.pid
		ExecStop=
	END
	systemctl daemon-reload
	systemctl stop nginx.service
}

in_order() { # UNIT...
	local unit last=0 at

	for unit; do
		at=$(systemctl show -P ActiveEnterTimestampMonotonic "$unit")
		echo "$unit $at"
		[ "$at" -gt "$last" ] || return
		last=$at
	done
}

# Shown to tests/nspawn/outside.sh while the programs are attached.
let_the_host_look() {
	touch /out/loaded
	for _ in {1..3000}; do
		[ ! -e /out/looked ] || return 0
		sleep 0.1
	done
	return 1
}

# The phase that /out/phase names. Nothing may get to the host's cgroups.
run_phase() {
	local phase

	if [ "$(stat -c %i /sys/fs/cgroup)" = "$(cat /out/host-cgroup)" ]; then
		echo "not ok the container has a cgroup root of its own"
		exit 1
	fi
	systemctl is-system-running --wait
	phase=$(cat /out/phase)
	"phase_$phase"
	echo "done $phase"
}
