#!/usr/bin/zsh -f
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/cli/offers.zsh DIRECTORY LINE: prints what zsh, with the completions in that directory, offers at the end of the
# line. Completion works in a line editor only, and that on a terminal: one is made.
zmodload zsh/zpty
found=$(mktemp)
trap 'rm -f $found $found.*' EXIT

cat >$found.rc <<END
fpath=(${(q)1} \$fpath)
autoload -Uz compinit
compinit -u -d ${(q)1}/dump
# Takes notes of what a completion function offers.
compadd() {
	local -a hits
	builtin compadd -A hits "\$@"
	print -rl -- \$hits >>$found
	builtin compadd "\$@"
}
look() {
	BUFFER=${(q)2} CURSOR=\$#BUFFER
	zle complete-word
	: >$found.end
}
zle -N look
bindkey '^X' look
END
zpty shell "exec zsh -f -i"
zpty -w shell "source $found.rc"
zpty -w -n shell $'\C-x'
repeat 200; do
	[[ -e $found.end ]] && break
	sleep 0.05
done
zpty -d shell
[[ -e $found.end ]] || { print -u2 "offers.zsh: zsh does not answer"; exit 1 }
sort -u $found | sed '/^$/d'
