# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/systemd/old.sh: what tests/systemd/inside says of those old ways to a low port of bindctl-migration(7) that want
# a whole system: SocketBindAllow=, and the ports of containers that a user runs with podman.

# What a program exits with that is refused by systemd's settings.
EPERM=1

# The commands of a block in the manual, for this user; this network is not the host's.
manual() { # SECTION Before|After
	local commands

	commands=$(/out/manual /out/migration.7 "$@" | sed -e 's/\bwebuser\b/joe/' -e '/^bindctl grant/s/$/ netns any/')
	echo "$commands"
	[ -n "$commands" ] && bash -euc "$commands"
}

# Debian's has it from trixie on.
has_socket_bind() {
	systemctl --version | grep -qF +BPF_FRAMEWORK
}

test_socket_bind() {
	local narrowed=(SocketBindDeny=any SocketBindAllow=96) capable=AmbientCapabilities=CAP_NET_BIND_SERVICE

	service narrow.service 96 "${narrowed[@]}"
	check "socket-bind: SocketBindAllow= gives no port" is_refused narrow.service
	service narrow.service 96 "${narrowed[@]}" $capable
	check "socket-bind: before, a unit has it by the capability" starts narrow.service
	service narrow.service 97 "${narrowed[@]}" $capable
	if has_socket_bind; then
		check "socket-bind: before, and no other" ends_with $EPERM narrow.service
	else
		check "socket-bind: before, and others where systemd is built without" starts narrow.service
	fi
	check "socket-bind: a grant to the unit" grant unit:narrow.service 96,97
	service narrow.service 96 "${narrowed[@]}"
	check "socket-bind: with it, it starts without the capability" starts narrow.service
	service narrow.service 97 "${narrowed[@]}"
	if has_socket_bind; then
		check "socket-bind: what is granted, settings that are left go on denying" ends_with $EPERM narrow.service
	else
		check "socket-bind: settings that are left deny nothing where systemd is built without" starts narrow.service
	fi
	systemctl stop narrow.service
}

podman_as() { # USER ARG...
	(cd "/home/$1" && as "$1" env HOME="/home/$1" USER="$1" \
		podman --cgroup-manager cgroupfs --storage-driver vfs "${@:2}")
}

# A web server that says at which port it was asked.
make_image_tree() {
	local port applet

	mkdir -p /run/image/bin
	cp /bin/busybox /run/image/bin
	for applet in sh httpd sleep; do
		ln -s busybox "/run/image/bin/$applet"
	done
	for port in 80 443; do
		mkdir -p "/run/image/srv/$port"
		echo "podman at $port" >"/run/image/srv/$port/index.html"
	done
	printf '%s\n' '#!/bin/sh' 'httpd -p 80 -h /srv/80 && httpd -p 443 -h /srv/443 && exec sleep 3600' >/run/image/bin/serve
	chmod 755 /run/image/bin/serve
}

# What a user has elsewhere. In a user namespace nobody may mount a proc or a sysfs who does not see a whole one: of those
# in place systemd-nspawn covers parts. It has no keyrings for a container's processes, and not every host lets all have
# a tun.
be_less_of_a_container() {
	mkdir -p /run/whole/proc /run/whole/sys
	mount -t proc proc /run/whole/proc && mount -t sysfs sysfs /run/whole/sys &&
		rm /dev/net/tun && mknod -m 666 /dev/net/tun c 10 200 &&
		printf '%s\n' '[containers]' keyring=false >/etc/containers/containers.conf
}

prepare_podman() {
	local user

	make_image_tree && be_less_of_a_container || return
	for user in joe mallory; do
		tar -C /run/image -c . | podman_as "$user" import --change 'CMD ["/bin/serve"]' - web || return
	done
}

run_web() { # USER [OPTION...]
	podman_as "$1" run --replace --detach --name web --cgroups=disabled "${@:2}" web
}

publishes() { # USER [OPTION...]
	run_web "$1" -p 80:80 -p 443:443 "${@:2}"
}

# For the port, and for nothing else.
is_not_published() { # USER [OPTION...]
	! publishes "$@" >/run/podman.said 2>&1
	cat /run/podman.said
	grep -qiE '\b(80|443)\b.*permission denied' /run/podman.said
}

# In the host's network, where another of its users than root is another one for the host, too.
is_refused_in_it() { # USER
	! podman_as "$1" run --rm --cgroups=disabled --network=host --user 1000 web httpd -f -p 80 >/run/podman.said 2>&1
	cat /run/podman.said
	grep -qi 'bind: permission denied' /run/podman.said
}

web_answers() {
	local port answer

	for port in 80 443; do
		answer=$(curl --silent --show-error --max-time 5 --retry 10 --retry-all-errors --retry-delay 1 \
			"http://127.0.0.1:$port/")
		echo "$answer"
		[ "$answer" = "podman at $port" ] || return
	done
}

ends_web() { # USER
	podman_as "$1" rm --force --time 0 web
}

test_podman() {
	local ways=(slirp4netns) way lower=net.ipv4.ip_unprivileged_port_start

	# What publishes ports by default, where there is both.
	[ ! -e /usr/bin/pasta ] || ways+=(pasta)
	check "podman: two users have an image" prepare_podman
	for way in "${ways[@]}"; do
		check "podman: without a grant $way does not publish" is_not_published joe "--network=$way"
	done
	check "podman: before, the manual's commands" manual 'ROOTLESS PODMAN' Before
	check "podman: before, any user publishes" publishes mallory
	check "podman: before, and is asked" web_answers
	ends_web mallory
	sysctl -qw $lower=1024
	check "podman: the manual's command" manual 'ROOTLESS PODMAN' After
	for way in "${ways[@]}"; do
		check "podman: with the grant $way publishes" publishes joe "--network=$way"
		check "podman: the container answers at both ports" web_answers
		ends_web joe
		check "podman: another user's $way does not publish" is_not_published mallory "--network=$way"
	done
	check "podman: a container in the host's network" run_web joe --network=host
	check "podman: answers at both ports" web_answers
	ends_web joe
	check "podman: in one, another user than its root is refused" is_refused_in_it joe
	check "podman: $lower is what it was" [ "$(sysctl -n $lower)" -eq 1024 ]
	check "podman: other users have neither port" exits_with "$EACCES" as mallory /out/serve --try 443
}
