#!/bin/bash
# Sourced by the fnexec scenarios: a folder of work, an executor started in it, a client, checks.
set -euo pipefail

work=$(mktemp -d)
: "${executor:?is set by the scenario}"
executor_pid=
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1 AWS_MAX_ATTEMPTS=1
export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_EC2_METADATA_DISABLED=true
# The system's interpreters: shims of version managers take seconds to start.
export PATH=/usr/bin:/bin:$PATH

fail() {
    echo "FAILED: $*" >&2
    for log in "$work/executor.log" "$work/collect.log"; do
        [ ! -f "$log" ] || tail -20 "$log" >&2
    done
    exit 1
}

# Waits up to 30 s, or $patience, until the command succeeds.
wait_for() {
    local end=$((SECONDS + ${patience:-30}))
    until "$@"; do
        [ $SECONDS -lt $end ] || fail "waited for: $*"
        read -rt 0.02 <> <(:) || true
    done
}

start_executor() { # manifest, options
    rm -f "$work/port"
    "$executor" serve "$@" --port 0 --port-file "$work/port" --state "$work/state" \
        --scratch "$work/scratch" 2>> "$work/executor.log" &
    executor_pid=$!
    wait_for test -s "$work/port"
    endpoint=http://127.0.0.1:$(cat "$work/port")
}

stop_executor() {
    kill -TERM "$executor_pid"
    wait "$executor_pid" || fail "fnexec ended with status $?"
    executor_pid=
}

# Whatever a function was started from carries its code's folder in its environment.
leftovers() {
    grep -lsaF "LAMBDA_TASK_ROOT=$work/" /proc/[0-9]*/environ || true
}

check_nothing_left() {
    [ -z "$(ls -A "$work/scratch")" ] || fail "left in the scratch folder: $(ls -A "$work/scratch")"
    wait_for no_leftovers
}
no_leftovers() { [ -z "$(leftovers)" ]; }

clean_up() {
    aws_client_end
    [ -z "$executor_pid" ] || kill -KILL "$executor_pid" 2> /dev/null || true
    rm -rf "$work"
}
trap clean_up EXIT

# shellcheck source=tests/scenario/aws_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/aws_lib.sh"
aws_cli() { aws_client --endpoint-url "$endpoint" --cli-binary-format raw-in-base64-out "$@"; }

# aws_invoke FUNCTION PAYLOAD [options]: what the CLI prints goes to $work/head, the answer to $work/answer.
aws_invoke() {
    aws_cli lambda invoke --function-name "$1" --payload "$2" "${@:3}" "$work/answer" > "$work/head" 2> "$work/err" ||
        { cat "$work/err" > "$work/head"; return 1; }
}

# invoke FUNCTION PAYLOAD [curl options]: the same without the CLI.
invoke() {
    curl -sS -D "$work/head" -o "$work/answer" -d "$2" "${@:3}" "$endpoint/2015-03-31/functions/$1/invocations"
}

expect() { # file, text it must hold
    grep -qF -- "$2" "$1" || { cat "$1" >&2; fail "$1 does not hold: $2"; }
}

# Whether this machine allows parts of the sandbox, in the words of `fnexec doctor`: only without one may a test expect
# less, and it says so.
machine_allows() { # names of steps
    local step
    "$executor" doctor > "$work/doctor" || [ $? -eq 3 ] || fail "doctor ended with a surprise"
    for step in "$@"; do
        grep -q "^$step  *works: " "$work/doctor" || { check_refused; echo "here $(grep "^$step " "$work/doctor")"; return 1; }
    done
}
# What the doctor misses is refused to others, too.
check_refused() {
    local users=()
    [ "$(id -u)" = 0 ] || users=(--user --map-root-user)
    grep -q '^private /tmp  *works: ' "$work/doctor" ||
        ! unshare "${users[@]}" --mount --pid --fork mount -t tmpfs none /tmp 2> "$work/err" ||
        fail "a private /tmp can be made here, whatever doctor says: $(cat "$work/doctor")"
}

copy_functions() { # tests folder
    cp -r "$1/data/executor/functions" "$work/functions"
    gcc -O1 -I "$1/../data/runtimes/c" -o "$work/functions/c/echo" "$work/functions/c/echo.c"
}
