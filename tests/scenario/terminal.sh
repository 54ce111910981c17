#!/bin/bash
# terminal.sh PROGRAM TESTS_DIR: fnscope top on a real terminal (tmux): keys, the mouse, control sequences nobody knows,
# a new size, NO_COLOR, stop and continue; and the terminal is as it was when it ends.
set -euo pipefail

program=$1
work=$(mktemp -d)
export XDG_CONFIG_HOME=$work/config XDG_STATE_HOME=$work/state HOME=$work TZ=UTC LC_ALL=C.UTF-8
pane() { tmux -S "$work/tmux" "$@"; }
trap 'pane kill-server 2> /dev/null || true; rm -rf "$work"' EXIT

fail() {
    echo "FAILED: $*"
    pane capture-pane -p 2> /dev/null || true
    exit 1
}

# Waits for a line of the screen, at most 30 s.
see() {
    local until=$((SECONDS + 30))
    until pane capture-pane -p | grep -q -- "$1"; do
        [ "$SECONDS" -lt "$until" ] || fail "never seen: $1"
        read -rt 0.05 <> <(:) || true
    done
}
press() { pane send-keys "$@"; }
type_bytes() { pane send-keys -l "$1"; }

"$program" demo generate --seed 3 --days 1 --functions 9 --end 2026-01-16 --dir "$work/logs" > /dev/null
"$program" import --quiet --region eu-west-1 "$work/logs"
range='--since 2026-01-15 --until 2026-01-16'

pane -f /dev/null new-session -d -x 80 -y 24 "PS1='shell> ' exec sh"
see 'shell>'
type_bytes "stty -g > $work/before; NO_COLOR=1 $program top $range --mouse"
press Enter
see '1/9$'
! pane capture-pane -ep | grep -q $'\e\[[0-9;]*3[1-6]m' || fail "colours in spite of NO_COLOR"

type_bytes $'\e[<0;5;16M'  # a mouse protocol nobody asked for
type_bytes $'\e[57;9;1u'   # a key of the kitty protocol
press 2                    # the first key that is one
see '^ fnscope › Functions  '
type_bytes $'\e[M %*\e[M#%*' # pressed and released at column 5, line 10
see ' [3-9]/9$'
press Enter
see '^ fnscope › Functions › Function '
press Escape
see '^ fnscope › Functions  '
type_bytes '/ü'
see '/ü_'
press BSpace Escape

pane resize-window -x 60 -y 16
see '/9$'
[ "$(pane capture-pane -p | wc -L)" -le 60 ] || fail "too wide for 60x16"
pane resize-window -x 120 -y 40
press 6
see '^ fnscope › Cost  .*PER 1M\|FUNCTION .*PER 1M'

press C-z
see 'shell>'
type_bytes fg
press Enter
see '^ fnscope › Cost  '
press q
see '^shell> *$'
type_bytes "echo ended \$? \$(stty -g)"
press Enter
see "^ended 0 "
[ "$(pane capture-pane -Jp | sed -n 's/^ended 0 //p')" = "$(cat "$work/before")" ] || fail "the terminal is not as it was"

# What is imported meanwhile of days long past is followed, until another time is chosen; "." comes back to it.
"$program" demo generate --seed 4 --days 1 --functions 9 --end 2026-01-20 --dir "$work/later" > /dev/null
type_bytes "clear; ulimit -c 0; sh -c 'echo \$\$ > $work/pid; exec $program top --mouse'"
press Enter
see '2026-01-1[45]T.* to 2026-01-15T23'
"$program" import --quiet --region eu-west-1 "$work/later"
see '2026-01-1[89]T.* to 2026-01-19T23'
press '{'
see '2026-01-1[78]T.* to 2026-01-18T23'
press .
see '2026-01-1[89]T.* to 2026-01-19T23'

# A signal that ends it at once leaves a usable terminal behind.
kill -QUIT "$(cat "$work/pid")"
see 'shell> *$'
type_bytes "clear; echo killed \$? \$(stty -g)"
press Enter
see '^killed '
[ "$(pane capture-pane -Jp | sed -n 's/^killed [0-9]* //p')" = "$(cat "$work/before")" ] || fail "not as it was after SIGQUIT"
modes=$(pane display-message -p '#{alternate_on} #{cursor_flag} #{mouse_any_flag}')
[ "$modes" = '0 1 0' ] || fail "alternate screen, cursor, mouse after SIGQUIT: $modes"
