#!/bin/bash
# Sourced by the scenarios of the live path: functions under fnexec in $work, a collector that reads them each second, a
# store in $store. The scenario is called PROGRAM TESTS_DIR EXECUTOR.
program=$1
# shellcheck disable=SC2034 # fnexec_lib.sh uses it
executor=$3
# shellcheck source=tests/scenario/fnexec_lib.sh
. "$2/scenario/fnexec_lib.sh"

collector_pid=
others=() # processes that end with the scenario
end_live() {
    [ -z "$collector_pid" ] || kill -KILL "$collector_pid" 2> /dev/null || true
    [ ${#others[@]} = 0 ] || kill -TERM "${others[@]}" 2> /dev/null || true
    clean_up
}
trap end_live EXIT

export HOME=$work XDG_CONFIG_HOME=$work/config XDG_STATE_HOME=$work/state.home
mkdir -p "$work/config/fnscope" "$work/code"
# shellcheck disable=SC2034 # of the scenario
store=$work/state.home/fnscope

# What the source says more stands in $more, the rest of the configuration comes from standard input.
configure() {
    {
        echo "sources:"
        echo "  local: {type: aws, region: eu-west-1, endpoint: \"$endpoint\", budget: 0, discover: 1s, config_every: 5s,"
        echo "          poll: 1s, queues_every: 1s, metrics_every: 1s, overlap: 10s${more:+, $more}}"
        cat
    } > "$work/config/fnscope/config.yaml"
}

# A receiver of alerts: what it gets stands in $received; its address is $hook.
start_receiver() { # tests folder
    mkdir "$work/hooks"
    /usr/bin/python3 "$1/support/alert_receivers.py" "$work/hooks" &
    others+=($!)
    wait_for test -s "$work/hooks/http.port"
    # shellcheck disable=SC2034 # both are the scenario's
    hook=http://127.0.0.1:$(cat "$work/hooks/http.port")/hook
    # shellcheck disable=SC2034
    received=$work/hooks/http.ndjson
}

start_collector() {
    "$program" collect 2>> "$work/collect.log" &
    collector_pid=$!
}

end_collector() {
    kill -TERM "$collector_pid"
    wait "$collector_pid" || fail "fnscope collect ended with status $?"
    collector_pid=
}

# All of it, and nobody has complained.
end_well() {
    end_collector
    ! grep -E 'level=(warn|error)' "$work/collect.log" || fail "the collector complained"
    stop_executor
    check_nothing_left
}

ask() { "$program" sql -o csv "$1" 2> /dev/null | tail -1 | tr -d '\r'; }
has() { [ "$(ask "$1")" = "$2" ]; }
