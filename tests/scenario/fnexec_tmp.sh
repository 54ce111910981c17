#!/bin/bash
# fnexec_tmp.sh PROGRAM TESTS_DIR EXECUTOR: a function's own /tmp is its home and shows what it needs of the machine's,
# however that is reached; no event goes to an environment whose program has ended.
set -euo pipefail
executor=$3
# shellcheck source=tests/scenario/fnexec_lib.sh
source "$2/scenario/fnexec_lib.sh"
outside=$(mktemp -d -p /var/tmp)
venv=$(mktemp -d -p /tmp)
watched=$(mktemp -d -p /tmp)
base=$(mktemp -d -p /tmp)
bucket=$base/bucket
mkdir "$bucket"
code=$(mktemp -d -p /tmp)
trap 'rm -rf "$outside" "$venv" "$watched" "$code" "$base"; clean_up' EXIT
mkdir "$venv/bin"
ln -s /usr/bin/python3 "$venv/bin/python3"
ln -s "$code" "$outside/link"
export PATH=$venv/bin:$PATH
cat > "$code/app.py" << 'PY'
import os
import threading
import time

def beside(event, context):
    for record in event.get("Records", []):
        path = os.path.join(os.environ["BUCKET"], record["s3"]["object"]["key"])
        with open(path + ".seen", "w") as f:
            f.write("x")
    return "beside"

def handler(event, context):
    os.makedirs(os.environ["HOME"] + "/.cache/x")
    return [os.environ["HOME"], os.getcwd(), sorted(os.listdir("/tmp"))]

def leave(event, context):
    if "stay" in event:
        return "stays"
    ready, tell = os.pipe()
    for _ in range(2): # large ones take their time to end
        if os.fork() == 0:
            eaten = b"x" * (200 << 20)
            os.write(tell, eaten[:1])
            time.sleep(1000)
    for _ in range(2):
        os.read(ready, 1)
    os.open("fifo", os.O_WRONLY)
    threading.Timer(0.2, os._exit, (0,)).start()
    return "leaves"
PY
function_of() { # name, code, more
    echo "  $1: {runtime: python3.11, handler: app.handler, code: $2, timeout: 20s${3:+, $3}}"
}
{
    echo "functions:"
    function_of linked "$outside/link"
    function_of dots "/tmp/../$code/../${code##*/}"
    echo "  leaves: {runtime: python3.11, handler: app.leave, code: $code, timeout: 20s, memory: 1GB}"
    function_of watches "$code" "triggers: [{type: storage, folder: $watched, bucket: watched}]"
    for name in warm cold; do
        echo "  $name: {runtime: python3.11, handler: app.beside, code: $code, timeout: 20s, environment: {BUCKET: $bucket},"
        echo "         triggers: [{type: storage, folder: $bucket, suffix: .$name}]}"
    done
} > "$outside/functions.yaml"
start_executor "$outside/functions.yaml"
has_own_tmp=no
! machine_allows 'private /tmp' || has_own_tmp=yes
sees() { # function, further folders
    invoke "$1" '{}'
    if [ $has_own_tmp = no ]; then # then its home is a folder of its own, and /tmp the machine's
        jq -e --arg code "$code" --arg scratch "$work/scratch/" '(.[0] | startswith($scratch)) and .[1] == $code' \
            "$work/answer" > "$work/err" || fail "$1 has the home $(jq -c '.[:2]' "$work/answer")"
        return
    fi
    [ "$(jq -c . "$work/answer")" = "$(jq -nc --arg code "$code" '["/tmp", $code, ($ARGS.positional | map(ltrimstr("/tmp/")) | sort)]' \
        --args /tmp/.cache "$code" "$venv" "${@:2}")" ] || fail "$1 sees $(cat "$work/answer")"
}
sees linked
sees dots
sees watches "$watched"
# --- a watched folder that is removed and made anew, moved and made anew ---
drop() { # key
    echo x > "$bucket/$1"
    wait_for test -s "$bucket/$1.seen"
}
again() {
    wait_for grep -q 'looked for again every second' "$work/executor.log"
    mkdir "$bucket"
    wait_for grep -q "folder $bucket is watched again" "$work/executor.log"
    for name in warm cold; do drop "new.$name"; done
    : > "$work/executor.log"
}
drop one.warm
rm -r "$bucket"
invoke cold '{}'
expect "$work/answer" '"beside"'
[ $has_own_tmp = no ] || expect "$work/executor.log" "function cold: folder $bucket of its storage trigger is not there: it starts without"
again
mv "$bucket" "$bucket-old"
again
mv "$bucket" "$bucket-older" # both at once
mkdir "$bucket"
drop two.warm

mkfifo "$code/fifo"
for _ in 1 2 3; do
    cat "$code/fifo" & # ends when the program does
    reader=$!
    invoke leaves '{}'
    expect "$work/answer" 'leaves'
    wait "$reader"
    invoke leaves '{"stay": 1}'
    expect "$work/answer" 'stays'
done
stop_executor
check_nothing_left
[ $has_own_tmp = yes ] || { echo "its home is its own; /tmp is the machine's, which fnexec doctor says"; exit; }
echo "its own /tmp shows what it needs"
