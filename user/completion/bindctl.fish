# SPDX-License-Identifier: GPL-2.0-or-later
# fish completion for bindctl(8) and bindctl-agent(8). The grammar is in the completion for bash, which is asked: one text
# for all shells.

function __bindctl_offer
    set -l words (commandline -opc)
    bash -c 'source "$1/$2" && shift && _bindctl_offer "$@"' bindctl /usr/share/bash-completion/completions \
        (string replace -r '.*/' '' $words[1]) $words[2..-1] "$(commandline -ct)" 2>/dev/null
end

complete -c bindctl -f -a '(__bindctl_offer)'
complete -c bindctl-agent -f -a '(__bindctl_offer)'
