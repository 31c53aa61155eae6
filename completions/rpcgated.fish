# SPDX-License-Identifier: Apache-2.0
# Completion of rpcgated(8) for fish. Options are those that --help tells.

function __rpcgated_complete
    set -l words (commandline -opc)
    switch $words[-1]
        case -c --config
            __fish_complete_path (commandline -ct)
        case --listen
        case '*'
            set -l rows ($words[1] --help 2>/dev/null)
            string replace -rf '^ +(?:-., )?(--[a-z-]+)(?: [A-Z:]+)? +(.*)$' '$1\t$2' -- $rows
            string replace -rf '^ +(-.), --[a-z-]+(?: [A-Z:]+)? +(.*)$' '$1\t$2' -- $rows
    end
end

complete -c rpcgated -f -a '(__rpcgated_complete)'
