# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion for bindctl(8). Needs nothing but bash 4.4 and getent(1).

# The words in $1 that begin with $2.
_bindctl_words()
{
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2")
}

_bindctl_users()
{
	mapfile -t COMPREPLY < <(compgen -W "$1 $(getent passwd | cut -d: -f1)" -- "$2")
}

# Directories, or also files that match the pattern $2.
_bindctl_paths()
{
	local cur=$1 pattern=${2-}

	mapfile -t COMPREPLY < <(
		compgen -d -- "$cur"
		[[ -z $pattern ]] || compgen -f -X "!$pattern" -- "$cur"
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

# The value of option $1. Returns 1 when that option takes none.
_bindctl_value()
{
	local option=$1 cur=$2

	shift 2
	case $option in
	--config | --pin | --cgroup) _bindctl_paths "$cur" ;;
	--user) _bindctl_users "" "$cur" ;;
	--proto) _bindctl_words "tcp udp" "$cur" ;;
	--netns) _bindctl_words "host other" "$cur" ;;
	--id) _bindctl_ids "$cur" "$@" ;;
	--port | --addr) ;;
	*) return 1 ;;
	esac
}

# SUBJECT PORTS [CLAUSES]; the arguments before the current word follow.
_bindctl_rule()
{
	local command=$1 cur=$2 clauses="proto addr netns" clause i

	shift 2
	case $# in
	0) _bindctl_users any "$cur" && return ;;
	1) _bindctl_words any "$cur" && return ;;
	esac
	[[ $command == deny || $command == revoke ]] && clauses+=" errno"
	if (($# % 2)); then
		case ${!#} in
		proto) _bindctl_words "tcp udp" "$cur" ;;
		netns) _bindctl_words "host any" "$cur" ;;
		errno) _bindctl_words "EACCES EADDRINUSE EADDRNOTAVAIL EPERM" "$cur" ;;
		esac
		return
	fi
	# Each clause once; a protocol behind the ports is one.
	[[ $2 == */* ]] && clauses=${clauses/proto/}
	for ((i = 3; i <= $#; i += 2)); do
		clause=${!i}
		clauses=${clauses/$clause/}
	done
	_bindctl_words "$clauses" "$cur"
}

_bindctl()
{
	local -r commands="grant allow deny revoke apply load unload check list explain status help version"
	local -r change="--runtime --dry-run --strict --help"
	local -A options=(
		[grant]=$change [allow]=$change [deny]=$change [revoke]="--id $change"
		[apply]="--dry-run --strict --help" [load]="--strict --help" [unload]="--help"
		[check]="--strict --json --help" [list]="--json --numeric --help"
		[explain]="--user --port --proto --addr --v6only --netns --files --json --help"
		[status]="--json --help" [help]="--help" [version]="--help"
	)
	local cur=${COMP_WORDS[COMP_CWORD]} word wants="" command="" literal="" by_id=""
	local globals=() arguments=() i

	COMPREPLY=()
	# "=" is a word of its own where COMP_WORDBREAKS has it, and parts an option from its value.
	[[ $cur == "=" ]] && cur=""
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if [[ -n $wants ]]; then
			[[ $word == "=" ]] && continue
			[[ -n $command ]] || globals+=("$wants" "$word")
			wants=""
		elif [[ -z $literal && $word == -- ]]; then
			literal=yes
		elif [[ -z $literal && $word == -?* ]]; then
			case $word in
			--config | --pin | --cgroup | --id | --user | --port | --proto | --addr | --netns) wants=$word ;;
			--config=* | --pin=* | --cgroup=*) [[ -n $command ]] || globals+=("$word") ;;
			esac
			[[ $word == --id* ]] && by_id=yes
		elif [[ -z $command ]]; then
			command=$word
		else
			arguments+=("$word")
		fi
	done
	if [[ -n $wants ]]; then
		_bindctl_value "$wants" "$cur" "${globals[@]}"
		return
	fi
	# Where COMP_WORDBREAKS lacks it, "=" is part of the word.
	if [[ -z $literal && $cur == --*=* ]]; then
		_bindctl_value "${cur%%=*}" "${cur#*=}" "${globals[@]}"
		COMPREPLY=("${COMPREPLY[@]/#/${cur%%=*}=}")
		return
	fi
	if [[ -z $literal && $cur == -* ]]; then
		if [[ -n $command ]]; then
			_bindctl_words "${options[$command]-}" "$cur"
		else
			_bindctl_words "--config --pin --cgroup --help --version" "$cur"
		fi
		return
	fi
	case $command in
	"") _bindctl_words "$commands" "$cur" ;;
	grant | allow | deny) _bindctl_rule "$command" "$cur" "${arguments[@]}" ;;
	revoke) [[ -n $by_id ]] || _bindctl_rule "$command" "$cur" "${arguments[@]}" ;;
	check) _bindctl_paths "$cur" "*.conf" ;;
	help) ((${#arguments[@]})) || _bindctl_words "$commands" "$cur" ;;
	esac
}

complete -F _bindctl bindctl
