#!/bin/bash
# fnexec_fences.sh PROGRAM TESTS_DIR EXECUTOR: what a function can change of the machine, with its code below /tmp and
# elsewhere: its /tmp and the folders it is triggered by, not its code, the manifest beside it, nor the kernel's settings.
set -euo pipefail
executor=$3
# shellcheck source=tests/scenario/fnexec_lib.sh
source "$2/scenario/fnexec_lib.sh"
below_tmp=$(mktemp -d -p /tmp)
elsewhere=$(mktemp -d -p /var/tmp)
trap 'rm -rf "$below_tmp" "$elsewhere"; clean_up' EXIT

make_project() { # folder
    mkdir -p "$1/code/inbox" "$1/inbox" "$1/lib"
    cat > "$1/code/app.py" << 'PY'
import errno
import os
import subprocess

def handler(event, context):
    if "write" in event:
        try:
            with open(os.path.expandvars(event["write"]), "a") as f:
                f.write("x\n")
            return "written"
        except OSError as e:
            return errno.errorcode[e.errno]
    if "read" in event:
        with open(event["read"]) as f:
            return f.read(100)
    if "locked" in event:
        return [bool(os.statvfs(path).f_flag & os.ST_RDONLY) for path in event["locked"]]
    done = subprocess.run(["sh", "-c", event["sh"]], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr
PY
    cat > "$1/functions.yaml" << EOF
functions:
  auto:
    {runtime: python3.11, handler: app.handler, code: code, timeout: 20s,
     triggers: [{type: storage, folder: inbox}, {type: storage, folder: code/inbox}]}
  strict: {runtime: python3.11, handler: app.handler, code: code, timeout: 20s, isolation: strict}
  watches: {runtime: python3.11, handler: app.handler, code: code, timeout: 20s, triggers: [{type: storage, folder: .}]}
EOF
}
says() { # folder, function, payload, answer
    "$executor" invoke "$1/functions.yaml" "$2" --payload "$3" > "$work/answer" 2> "$work/err" ||
        { cat "$work/err" "$work/answer" >&2; fail "$2 $3"; }
    [ "$(cat "$work/answer")" = "$4" ] || fail "$2 $3 in $1: $(cat "$work/answer"), not $4"
}
cannot_write() { # folder, function, file
    says "$1" "$2" "{\"write\": \"$3\"}" '"EROFS"'
}
can_write() { # folder, function, file
    says "$1" "$2" "{\"write\": \"$3\"}" '"written"'
}
# Everything is fenced off.
check_fences() {
    for place in "$below_tmp" "$elsewhere"; do
        make_project "$place"
        cd "$place" # where fnexec runs is no way round
        for function in auto strict; do
            cannot_write "$place" $function "\$LAMBDA_TASK_ROOT/new"
            cannot_write "$place" $function "$place/code/app.py"
            cannot_write "$place" $function "$place/functions.yaml"
            cannot_write "$place" $function "/proc/1/cwd$place/code/app.py"
            cannot_write "$place" $function "/proc/self/coredump_filter"
            cannot_write "$place" $function "/proc/sys/kernel/core_pattern"
            says "$place" $function '{"locked": ["/proc", "/sys", "/proc/sys"]}' '[true,true,true]'
            says "$place" $function '{"sh": "readlink /proc/1/cwd"}' '"/\n"'
            can_write "$place" $function "\$HOME/new"
            [ "$(id -u)" != 0 ] || says "$place" $function '{"read": "/proc/timer_list"}' '""'
        done
        can_write "$place" auto "$place/inbox/made"
        can_write "$place" auto "$place/code/inbox/made"
        cannot_write "$place" strict "$place/inbox/other"
        can_write "$place" watches "$place/beside"
        cannot_write "$place" watches "$place/code/new"
        says "$place" auto '{"sh": "rm -rf /tmp/* 2> /dev/null"}' '""'
        for file in functions.yaml code/app.py beside lib; do
            [ -e "$place/$file" ] || fail "a function that clears its /tmp removes $place/$file"
        done
    done
    [ -e "$elsewhere/inbox/made" ] || fail "a bucket outside of /tmp is cleared with /tmp"
    expect "$work/doctor" 'isolation auto     may not write its code'
    expect "$work/doctor" 'isolation strict   is isolation auto here'
}

# Namespaces, or mounts in them, are refused: auto is told to be less, and strict does not start.
check_no_fences() {
    local place=$elsewhere
    make_project "$place"
    can_write "$place" auto "\$LAMBDA_TASK_ROOT/new"
    can_write "$place" auto "\$HOME/new"
    "$executor" invoke "$place/functions.yaml" auto --payload '{"sh": "true"}' > "$work/answer" 2> "$work/err"
    expect "$work/err" 'does not allow all of the sandbox'
    "$executor" invoke "$place/functions.yaml" strict --payload '{"sh": "true"}' > "$work/answer" 2> "$work/err" || true
    cat "$work/answer" >> "$work/err"
    expect "$work/err" '(see fnexec doctor)'
    if machine_allows 'private /tmp'; then # before Linux 5.12
        expect "$work/doctor" 'isolation auto     may not write /proc, but its code'
    else
        expect "$work/doctor" 'isolation auto     is isolation process here'
    fi
    expect "$work/doctor" 'isolation strict   does not start here'
}

if machine_allows namespaces 'private /tmp' 'read-only code'; then
    check_fences
else
    check_no_fences
fi
expect "$work/doctor" 'never fenced off   network, /dev, all other files'

# --- where the machine allows less, it is told what ---
fewer() { # capabilities that go, program
    setpriv "--bounding-set=$1" --inh-caps=-all --no-new-privs "${@:2}"
}
if [ "$(id -u)" = 0 ] && fewer -all true 2> /dev/null; then
    fewer -all "$executor" doctor > "$work/doctor" || true
    expect "$work/doctor" 'no capabilities    works'
    fewer -sys_admin "$executor" invoke "$elsewhere/functions.yaml" strict --payload '{"sh": "true"}' > "$work/answer" \
        2> "$work/err" || true
    cat "$work/answer" >> "$work/err"
    expect "$work/err" 'sandbox: namespaces (see fnexec doctor)'
fi

# --- what looks like a slip is told ---
cat > "$work/odd.yaml" << EOF
functions:
  odd: {runtime: python3.99, handler: app.handler, code: $elsewhere/code,
        triggers: [{type: schedule, schedule: at(2020-01-01T00:00:00)}]}
EOF
"$executor" check "$work/odd.yaml" > "$work/answer" 2> "$work/err"
start_executor "$work/odd.yaml"
stop_executor
for told in "$work/err" "$work/executor.log"; do
    expect "$told" "odd.yaml:2:9: python3.99 is no runtime of Lambda's that is known here"
    expect "$told" 'odd.yaml:3:37: at(2020-01-01T00:00:00) is past: it will never fire'
done
machine_allows namespaces 'private /tmp' 'read-only code' || { echo "functions start with fewer fences, which is told"; exit; }
echo "functions change what is theirs"
