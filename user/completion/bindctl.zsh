#compdef bindctl bindctl-agent
# SPDX-License-Identifier: GPL-2.0-or-later
# zsh completion for bindctl(8) and bindctl-agent(8). The grammar is in the completion for bash, which is asked: one text for all shells.

local line word
local -a lines words_open words_done shown

# shellcheck disable=SC2016
lines=("${(@f)$(bash -c 'source "$1/$2" && shift && _bindctl_offer "$@"' bindctl \
	/usr/share/bash-completion/completions "$service" "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
for line in "${(@)lines:#}"; do
	word=${line%%$'\t'*}
	if [[ $word == *[:@/] ]]; then
		words_open+=("$word")
	else
		words_done+=("$word")
		shown+=("$word${${line#*$'\t'}:+  -- ${line#*$'\t'}}")
	fi
done
compadd -S '' -a words_open
# With what they mean, a line each.
if [[ ${shown[*]} == *'  -- '* ]]; then
	compadd -l -d shown -a words_done
else
	compadd -a words_done
fi
