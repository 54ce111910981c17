#!/bin/bash
# fnexec_limits.sh PROGRAM TESTS_DIR EXECUTOR: two dozen threads call functions at once; none runs more often at a
# time than is reserved for it or left by others, and memory stays flat over INVOKES invocations (default 12000;
# 100000 in full runs; not looked at under sanitizers, which keep what is freed). A cgroup ends what is too large.
# Calls that come while it starts are answered; with a foreign file it does not start.
set -euo pipefail
executor=$3
# shellcheck source=tests/scenario/fnexec_lib.sh
source "$2/scenario/fnexec_lib.sh"
copy_functions "$2"
mkdir "$work/code"
chmod 711 "$work"
cat > "$work/code/app.py" << 'PY'
import os
import time

def who(event, context):
    with open(os.environ["TMPDIR"] + "/mine", "w") as f:
        f.write("x")
    for name in ("stdout", "stderr"):
        with open("/dev/" + name, "w") as f:
            f.write("by name\n")
    return [os.getresuid(), os.getresgid(), os.getgroups()]

def handler(event, context):
    def note(step):
        os.write(fd, f"{context.function_name} {time.monotonic_ns()} {step}\n".encode())
    fd = os.open(os.environ["SEEN"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    note(1)
    time.sleep(0.01)
    note(-1)
    os.close(fd)
    return {}
PY
function_of() { # name, more
    echo "  $1: {runtime: python3.11, handler: app.handler, code: code, timeout: 30s, isolation: process,"
    echo "       environment: {SEEN: $work/seen}, instances: 8${2:+, concurrency: $2}}"
}
{
    echo "concurrency: 12"
    echo "unreserved_minimum: 5"
    echo "functions:"
    function_of two 2
    function_of five 5
    function_of free
    function_of other
    echo "  bounded: {runtime: python3.11, handler: app.handler, code: functions/python, timeout: 20s, memory: 128MB,"
    echo "            memory_limit: cgroup}"
    echo "  nobody: {runtime: python3.11, handler: app.who, code: code, timeout: 20s, user: 65534,"
    echo "          environment: {SEEN: $work/seen}}"
    echo "  echo: {runtime: c, handler: echo, code: functions/c, instances: 2}"
} > "$work/functions.yaml"
start_executor "$work/functions.yaml"
/usr/bin/python3 "$2/support/hammer.py" limits "$endpoint" "$work/seen"
# --- another user, who gets no further than the manifest says ---
invoke nobody '{}'
if [ "$(id -u)" = 0 ]; then
    expect "$work/answer" '[[65534,65534,65534],[65534,65534,65534],[]]'
else
    expect "$work/answer" 'errorType'
fi

# --- the kernel's limits, where it gives any ---
groups() { find /sys/fs/cgroup -type d -name 'fnexec-*' ! -name fnexec-main -newer "$work/functions.yaml" 2> /dev/null; }
no_groups() { [ -z "$(groups)" ]; }
"$executor" doctor > "$work/doctor" || [ $? -eq 3 ] || fail "doctor ended with a surprise"
if grep -q 'memory by cgroup   works' "$work/doctor"; then
    invoke bounded '{"a": 1}'
    expect "$work/answer" '"event":{"a":1}'
    [ -n "$(groups)" ] || fail "a bounded function runs in no cgroup"
    invoke bounded '{"eat": 300}'
    expect "$work/answer" '"errorType":"Runtime.OutOfMemory"'
    invoke bounded '{"a": 2}'
    expect "$work/answer" '"event":{"a":2}'
else
    expect "$work/doctor" 'memory by cgroup   does not work'
    invoke bounded '{"a": 1}'
    expect "$work/answer" 'errorType'
fi
mkdir "$work/scratch/mine"
invoke bounded '{}'
kill -KILL "$executor_pid" # its cgroups and folders go with the next one, which leaves alone what is not fnexec's
wait "$executor_pid" || true
start_executor "$work/functions.yaml"
wait_for no_groups
stop_executor
rmdir "$work/scratch/mine" || fail "a folder of somebody else's is gone"
check_nothing_left

# --- who calls while fnexec starts is answered, and logged as anybody ---
rm -rf "$work/state" "$work/port"
port=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
serve=("$executor" serve "$work/functions.yaml" --port "$port" --port-file "$work/port" --state "$work/state"
       --scratch "$work/scratch")
/usr/bin/python3 "$2/support/hammer.py" early "http://127.0.0.1:$port" echo > "$work/answer" &
caller=$!
"${serve[@]}" 2>> "$work/executor.log" &
executor_pid=$!
endpoint=http://127.0.0.1:$port
wait "$caller" || fail "an early call is not answered"
expect "$work/answer" '{"early"'
wait_for test -s "$work/port"
curl -sS -H 'X-Amz-Target: Logs_20140328.FilterLogEvents' -H 'Content-Type: application/x-amz-json-1.1' \
    -d '{"logGroupName": "/aws/lambda/echo"}' "$endpoint" > "$work/answer"
expect "$work/answer" 'REPORT RequestId'
stop_executor
rm -f "$work"/state/logs.db-*
echo 'this is no database, only text that is long enough' > "$work/state/logs.db"
code=0
"${serve[@]}" 2> "$work/err" || code=$?
[ $code -eq 1 ] || fail "with a foreign logs.db fnexec ended with status $code"
expect "$work/err" 'logs.db'
check_nothing_left

grep -q __asan_init "$executor" || {
    rm -rf "$work/state"
    start_executor "$work/functions.yaml"
    /usr/bin/python3 "$2/support/hammer.py" memory "$endpoint" "$executor_pid" "${INVOKES:-12000}"
    stop_executor
}
echo "limits hold"
