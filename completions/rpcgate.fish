# SPDX-License-Identifier: Apache-2.0
# Completion of rpcgate(1) for fish. Commands and options are those that --help tells, upstreams and
# methods those that the gateway tells, or the configuration that is named.

# The options of a command, as "--name ARGUMENT<tab>help" and "-n ARGUMENT<tab>help".
function __rpcgate_options
    set -l rows ($argv[1] $argv[2] --help 2>/dev/null)
    string replace -rf '^ +(?:-., )?(--[a-z-]+)( [A-Z]+)? +(.*)$' '$1$2\t$3' -- $rows
    string replace -rf '^ +(-.), --[a-z-]+( [A-Z]+)? +(.*)$' '$1$2\t$3' -- $rows
end

# PROGRAM COMMAND FILE ASK…: those of the file, or else those of the gateway.
function __rpcgate_upstreams
    set -l file $argv[3]
    if test -z "$file" # the help tells which is read then
        set file ($argv[1] $argv[2] --help 2>/dev/null |
            string replace -rf '^  -c, --config FILE .*\((/.*)\)$' '$1')
        test -r "$file"; or set file ''
    end
    if test -n "$file"
        $argv[1] upstreams --config $file 2>/dev/null
    else
        $argv[1] upstreams $argv[4..-1] 2>/dev/null | string replace -r ' +' '\t'
    end
end

# PROGRAM COMMAND FILE OPTION WORD: what may stand behind an option.
function __rpcgate_argument
    switch $argv[4]
        case --types
            printf '%s\n' plain tagged
        case --integers
            printf '%s\n' number string safe
        case --dates
            printf '%s\n' basic extended zulu
        case --text
            printf '%s\n' reject replace base64
        case -p --profile
            $argv[1] profiles 2>/dev/null | string replace -r ' +' '\t'
        case --upstream
            __rpcgate_upstreams $argv[1..3]
        case -c --config '--*-file'
            __fish_complete_path $argv[5]
    end
end

# PROGRAM COMMAND FILE OPERANDS ASK…: what may stand in the place of the next operand. ASK are the
# options that lead to the gateway.
function __rpcgate_operand
    set -l program $argv[1]
    set -l file $argv[3]
    set -l ask $argv[6..-1]
    switch $argv[2]:$argv[4]
        case explain:0 check:0 call:0 methods:0 describe:0
            __rpcgate_upstreams $program $argv[2] "$file" $ask
        case call:1 methods:1 describe:1 explain:1
            $program methods $ask -- $argv[5] 2>/dev/null
        case profiles:0
            $program profiles 2>/dev/null | string replace -r ' +' '\t'
        case encode:0 decode:0
            __fish_complete_path (commandline -ct)
    end
end

function __rpcgate_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l program $words[1]
    if test (count $words) -lt 2
        $program --help 2>/dev/null | string replace -rf '^  ([a-z]+)  +(.*)$' '$1\t$2'
        printf '%s\n' --help --version
        return
    end
    set -l command $words[2]
    set -e words[1..2]
    set -l options (__rpcgate_options $program $command)
    set -l takes (string replace -rf '^(-\S+) [A-Z]+\t.*' '$1' -- $options)
    set -l operands
    set -l ask --timeout 2s
    set -l file ''
    set -l expected ''
    set -l ended ''
    for word in $words
        if test -n "$expected"
            switch $expected
                case --url --token-file --ca-file
                    set -a ask $expected $word
                case -c --config
                    set file $word
            end
            set expected ''
        else if test -z "$ended"; and string match -q -- '-*' $word
            switch $word
                case '--url=*' '--token-file=*' '--ca-file=*'
                    set -a ask $word
                case '--config=*'
                    set file (string replace -- --config= '' $word)
                case '--direct*'
                    set command none # without a gateway nobody tells names
            end
            contains -- $word $takes; and set expected $word
        else
            set -a operands $word
            contains -- $command call explain; and set ended yes
        end
    end
    set file (string replace -r '^~/' "$HOME/" -- $file)
    if test -n "$expected"
        __rpcgate_argument $program $command "$file" $expected $current
    else if test -z "$ended"; and string match -q -- '-*' $current
        string replace -r '^(-\S+) [A-Z]+\t' '$1\t' -- $options
    else
        __rpcgate_operand $program $command "$file" (count $operands) "$operands[1]" $ask
    end
end

complete -c rpcgate -f -a '(__rpcgate_complete)'
