# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion for bindctl(8) and bindctl-agent(8). Needs nothing but bash 4.4 and getent(1); units come from
# systemctl(1), contexts of a kubeconfig from kubectl(1), if they are there.

# The words in $1 that begin with $2, each behind $3.
_bindctl_words()
{
	mapfile -t COMPREPLY < <(compgen -P "${3-}" -W "$1" -- "$2")
}

_bindctl_names() # passwd|group
{
	getent "$1" | cut -d: -f1
}

_bindctl_units()
{
	{
		systemctl list-units --all --plain --no-legend --full
		systemctl list-unit-files --no-legend --full
	} 2>/dev/null | cut -d' ' -f1 | sort -u
}

# Cgroups as rules name them: below the first cgroup2 there is.
_bindctl_cgroups() # word, prefix
{
	local root

	root=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts)
	mapfile -t COMPREPLY < <(compgen -d -- "$root${1:-/}" | sed "s|^$root|${2-}|")
	compopt -o nospace 2>/dev/null
}

# Directories, or also files that match the pattern $2.
_bindctl_paths()
{
	local cur=$1 pattern=${2-}

	mapfile -t COMPREPLY < <(
		{
			compgen -d -- "$cur"
			[[ -z $pattern ]] || compgen -f -X "!$pattern" -- "$cur"
		} | sort -u
	)
	compopt -o filenames 2>/dev/null
}

# IDs of the rules in force in the instance that the global options before the command name.
_bindctl_ids()
{
	local cur=$1 id rest ids=()

	shift
	while read -r id rest; do
		[[ $id =~ ^[0-9a-f]{8}$ ]] && ids+=("$id")
	done < <(bindctl "$@" list --numeric 2>/dev/null)
	_bindctl_words "${ids[*]}" "$cur"
}

# Whether an option takes a value.
_bindctl_takes_value()
{
	[[ " --config --pin --cgroup --for --id --user --group --unit --pid --port --proto --addr --netns --at --count \
--timeout --rate " == *" $1 "* ]]
}

# The value of option $1 of command $2; the global options follow.
_bindctl_value()
{
	local option=$1 command=$2 cur=$3

	shift 3
	case $option in
	--cgroup) if [[ -n $command ]]; then _bindctl_cgroups "$cur"; else _bindctl_paths "$cur"; fi ;;
	--config | --pin) _bindctl_paths "$cur" ;;
	--user) _bindctl_words "$(_bindctl_names passwd)" "$cur" ;;
	--group) _bindctl_words "$(_bindctl_names group)" "$cur" ;;
	--unit) _bindctl_words "$(_bindctl_units)" "$cur" ;;
	--proto) _bindctl_words "tcp udp" "$cur" ;;
	--netns) _bindctl_words "host other" "$cur" ;;
	--pid) _bindctl_words "$(cd /proc && echo [0-9]*)" "$cur" ;;
	--id) _bindctl_ids "$cur" "$@" ;;
	esac
}

_bindctl_subject()
{
	case $1 in
	@*) _bindctl_words "$(_bindctl_names group)" "${1#@}" @ ;;
	unit:*) _bindctl_words "$(_bindctl_units)" "${1#unit:}" unit: ;;
	cgroup:*) _bindctl_cgroups "${1#cgroup:}" cgroup: ;;
	*)
		_bindctl_words "any $(_bindctl_names passwd) @ unit: cgroup:" "$1"
		[[ ${#COMPREPLY[@]} -ne 1 || ${COMPREPLY[0]} != *[@:] ]] || compopt -o nospace 2>/dev/null
		;;
	esac
}

# SUBJECT PORTS [CLAUSE...]; the arguments before the current word follow.
_bindctl_rule()
{
	local command=$1 cur=$2 clauses=" user group unit cgroup proto addr netns until log " clause="" i

	shift 2
	case $# in
	0) _bindctl_subject "$cur" && return ;;
	1) _bindctl_words any "$cur" && return ;;
	esac
	case $command in
	deny | reserve) clauses+="errno audit " ;;
	rewrite) clauses+="to " ;;
	revoke) clauses+="to errno audit " ;;
	esac
	# One subject; a protocol behind the ports; then each clause once.
	case $1 in
	@* | any) clauses=${clauses/ user group / } ;;
	unit:* | cgroup:*) clauses=${clauses/ unit cgroup / } ;;
	*) clauses=${clauses/ user group / } ;;
	esac
	[[ $2 != */* ]] || clauses=${clauses/ proto / }
	for ((i = 3; i <= $#; i++)); do
		clause=${!i}
		clauses=${clauses/ $clause / }
		case $clause in
		log | audit) continue ;;
		user | group) clauses=${clauses/ user / } clauses=${clauses/ group / } ;;
		unit | cgroup) clauses=${clauses/ unit / } clauses=${clauses/ cgroup / } ;;
		esac
		# Its value is being written.
		((++i <= $#)) || break
		clause=
		if [[ ${*:i-1:1} == to && ${*:i+1:1} == hidden ]]; then
			((++i))
		elif [[ ${*:i-1:1} == to && $i -eq $# ]]; then
			clauses+="hidden "
		fi
	done
	case $clause in
	user) _bindctl_words "$(_bindctl_names passwd)" "$cur" ;;
	group) _bindctl_words "$(_bindctl_names group)" "$cur" ;;
	unit) _bindctl_words "$(_bindctl_units)" "$cur" ;;
	cgroup) _bindctl_cgroups "$cur" ;;
	proto) _bindctl_words "tcp udp" "$cur" ;;
	netns) _bindctl_words "host any" "$cur" ;;
	errno) _bindctl_words "EACCES EADDRINUSE EADDRNOTAVAIL EPERM" "$cur" ;;
	addr | to | until) ;;
	*) _bindctl_words "$clauses" "$cur" ;;
	esac
}

# What readline takes for the word begins behind the last of its break characters, and so must what it is offered. Of
# those, a word of ours holds ":" and "="; "@" at its start is left to the word.
_bindctl_trim()
{
	local cur=$1 before breaks=${COMP_WORDBREAKS-}

	breaks=${breaks//[^:=]/}
	[[ -n $breaks ]] || return
	before=${cur%"${cur##*["$breaks"]}"}
	[[ -z $before ]] || COMPREPLY=("${COMPREPLY[@]#"$before"}")
}

# Parts the words before the one in question: into the caller's `wants`, the option whose value comes next, `command`,
# `arguments` behind it, `globals` before it, `literal` once there was "--", and `by_id`.
_bindctl_scan() # word...
{
	local word

	for word; do
		if [[ -n $wants ]]; then
			[[ -n $command ]] || globals+=("$wants" "$word")
			wants=""
		elif [[ -z $literal && $word == -- ]]; then
			literal=yes
		elif [[ -z $literal && $word == -?* ]]; then
			[[ $word == --id* ]] && by_id=yes
			if [[ $word == --*=* ]]; then
				[[ -n $command ]] || globals+=("$word")
			elif _bindctl_takes_value "$word"; then
				wants=$word
			fi
		elif [[ -z $command ]]; then
			command=$word
		else
			arguments+=("$word")
		fi
	done
}

# Everything but _bindctl_trim().
_bindctl_complete()
{
	local -r commands="grant allow deny rewrite reserve revoke apply load unload check list explain holders monitor \
why learn import status metrics"
	local -r change="--runtime --dry-run --strict --help"
	local -A options=(
		[grant]="--for $change" [allow]="--for $change" [deny]="--for $change" [rewrite]="--for $change"
		[reserve]="--for $change" [revoke]="--id $change"
		[apply]="--dry-run --strict --help" [load]="--strict --help" [unload]="--help"
		[check]="--strict --json --help" [list]="--json --numeric --unused --help"
		[explain]="--user --group --unit --cgroup --pid --port --proto --addr --v6only --netns --at --files --json
			--help"
		[holders]="--denied --json --help"
		[monitor]="--denied --user --port --unit --cgroup --count --timeout --rate --json --help"
		[why]="--last --pid --user --port --unit --cgroup --json --help"
		[learn]="--user --cgroup --count --timeout --json --help" [import]="--json --help"
		[status]="--ignore-neighbours --json --help" [metrics]="--help" [help]="--help" [version]="--help"
	)
	local cur=${*: -1} wants="" command="" literal="" by_id=""
	local globals=() arguments=()

	_bindctl_scan "${@:1:$#-1}"
	COMPREPLY=()
	if [[ -n $wants ]]; then
		_bindctl_value "$wants" "$command" "$cur" "${globals[@]}"
	elif [[ -z $literal && $cur == --*=* ]]; then
		_bindctl_value "${cur%%=*}" "$command" "${cur#*=}" "${globals[@]}"
		COMPREPLY=("${COMPREPLY[@]/#/${cur%%=*}=}")
	elif [[ -z $literal && $cur == -* && -n $command ]]; then
		_bindctl_words "${options[$command]-}" "$cur"
	elif [[ -z $literal && $cur == -* ]]; then
		_bindctl_words "--config --pin --cgroup --help --version" "$cur"
	else
		case $command in
		"") _bindctl_words "$commands help version" "$cur" ;;
		grant | allow | deny | rewrite | reserve) _bindctl_rule "$command" "$cur" "${arguments[@]}" ;;
		revoke) [[ -n $by_id ]] || _bindctl_rule "$command" "$cur" "${arguments[@]}" ;;
		holders) ((${#arguments[@]})) || _bindctl_words any "$cur" ;;
		check) _bindctl_paths "$cur" "*.conf" ;;
		import)
			case ${#arguments[@]}${arguments[0]-} in
			0) _bindctl_words "authbind portacl" "$cur" ;;
			1authbind) _bindctl_paths "$cur" ;;
			1portacl) _bindctl_paths "$cur" "*" ;;
			esac
			;;
		help) ((${#arguments[@]})) || _bindctl_words "$commands version" "$cur" ;;
		esac
	fi
}

# The value of an option of bindctl-agent(8); the file that --kubeconfig names follows.
_bindctl_agent_value()
{
	case $1 in
	--node) _bindctl_words "${HOSTNAME,,}" "$2" ;;
	--kubeconfig) _bindctl_paths "$2" "*" ;;
	--context)
		_bindctl_words "$(kubectl ${3:+--kubeconfig "$3"} config get-contexts --output name 2>/dev/null)" "$2"
		;;
	--cgroup | --pin | --config | --host-root) _bindctl_paths "$2" ;;
	--cgroup-root) _bindctl_cgroups "$2" ;;
	--cgroup-driver) _bindctl_words "auto systemd cgroupfs" "$2" ;;
	--listen) _bindctl_words none "$2" ;;
	--log-format) _bindctl_words "text json" "$2" ;;
	--log-level) _bindctl_words "debug info warning error" "$2" ;;
	esac
}

# Everything but _bindctl_trim(), for bindctl-agent.
_bindctl_agent_complete()
{
	local -r valued=" --node --kubeconfig --context --cgroup --pin --config --file --host-root --cgroup-root \
--cgroup-driver --listen --log-format --log-level "
	local cur=${*: -1} word wants="" kubeconfig=""

	for word in "${@:1:$#-1}"; do
		[[ $wants != --kubeconfig ]] || kubeconfig=$word
		[[ $word != --kubeconfig=* ]] || kubeconfig=${word#*=}
		if [[ -z $wants && ($valued == *" $word "* || $word == --timeout || $word == --address) ]]; then
			wants=$word
		else
			wants=""
		fi
	done
	COMPREPLY=()
	if [[ -n $wants ]]; then
		_bindctl_agent_value "$wants" "$cur" "$kubeconfig"
	elif [[ $cur == --*=* ]]; then
		_bindctl_agent_value "${cur%%=*}" "${cur#*=}" "$kubeconfig"
		COMPREPLY=("${COMPREPLY[@]/#/${cur%%=*}=}")
	elif [[ $# -gt 1 && $1 == init ]]; then
		[[ $cur != -* ]] || _bindctl_words "--timeout --address --help" "$cur"
	elif [[ $# -eq 1 && $cur != -* ]]; then
		_bindctl_words init "$cur"
	else
		_bindctl_words "$valued --dry-run --help --version" "$cur"
	fi
}

# Everything but _bindctl_trim(), for whichever of the two comes first.
_bindctl_reply() # command, word...
{
	if [[ ${1##*/} == bindctl-agent ]]; then
		_bindctl_agent_complete "${@:2}"
	else
		_bindctl_complete "${@:2}"
	fi
}

_bindctl()
{
	local line=${COMP_LINE:0:COMP_POINT} words

	# COMP_WORDS parts words at "=", ":" and "@", which are parts of ours.
	read -ra words <<<"$line"
	[[ $line != *[[:blank:]] ]] || words+=("")
	_bindctl_reply "${words[@]}"
	_bindctl_trim "${words[-1]}"
}

# What a help says of the words that it has lines for, into the array `means`.
_bindctl_means() # pattern of a word, command that prints the help
{
	local line

	while IFS= read -r line; do
		[[ ! $line =~ ^"  "($1)(" "[A-Z:]+)?"  "+(.*) ]] || means[${BASH_REMATCH[1]}]=${BASH_REMATCH[3]}
	done < <("${@:2}" 2>/dev/null)
}

# For the completions of other shells: what is offered for the last of the words, a line each, a directory with a slash;
# and behind a tab what the help says of it.
_bindctl_offer() # command, word...
{
	local word command="" files=""
	local -A means=()

	# shellcheck disable=SC2317 # called where paths are offered
	compopt()
	{
		[[ $* != *filenames* ]] || files=yes
	}
	_bindctl_reply "$@"
	if [[ $1 == bindctl-agent ]]; then
		_bindctl_means "--[a-z0-9-]+" bindctl-agent --help
	else
		_bindctl_means "[a-z]+" bindctl help
		for word in "${@:2:$#-2}"; do
			[[ -n $command || -z $word || -z ${means[$word]-} ]] || command=$word
		done
	fi
	if [[ -n $command ]]; then
		means=()
		_bindctl_means "--[a-z0-9-]+" bindctl help "$command"
	fi
	for word in "${COMPREPLY[@]}"; do
		[[ -z $files || ! -d $word ]] || word+=/
		printf '%s\t%s\n' "$word" "${means[$word]-}"
	done
}

complete -F _bindctl bindctl bindctl-agent
