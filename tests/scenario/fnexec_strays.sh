#!/bin/bash
# fnexec_strays.sh PROGRAM TESTS_DIR EXECUTOR: what functions without a process tree of their own start ends with their
# program, with fnexec, and what a killed fnexec leaves of it at the next start.
set -euo pipefail
executor=$3
# shellcheck source=tests/scenario/fnexec_lib.sh
source "$2/scenario/fnexec_lib.sh"
mkdir "$work/code"
cat > "$work/code/app.py" << 'PY'
import os
import subprocess
import threading

def handler(event, context):
    if "leave" in event:
        threading.Timer(0.1, os._exit, (0,)).start()
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    env = {"LAMBDA_TASK_ROOT": os.environ["LAMBDA_TASK_ROOT"]} if "bare" in event else None
    return [subprocess.Popen(["/bin/sleep", "1000"], start_new_session=new, env=env, **quiet).pid
            for new in (True, False)]
PY
cat > "$work/functions.yaml" << 'EOF'
functions:
  open: {runtime: python3.11, handler: app.handler, code: code, timeout: 20s, isolation: process}
  bounded: {runtime: python3.11, handler: app.handler, code: code, timeout: 20s, isolation: process, memory_limit: cgroup}
EOF
leave_some() { # function, event
    invoke "$1" "$2"
    pids=$(jq -r '.[]' "$work/answer") || fail "$1 answers $(cat "$work/answer")"
    for pid in $pids; do
        [ -e "/proc/$pid" ] || fail "$1 started nothing"
    done
}
start_executor "$work/functions.yaml"
leave_some open '{"leave": 1}'
wait_for no_leftovers
leave_some open '{}'
stop_executor
check_nothing_left

start_executor "$work/functions.yaml"
leave_some open '{}'
kill -KILL "$executor_pid"
wait "$executor_pid" || true
for pid in $pids; do
    [ -e "/proc/$pid" ] || fail "nothing is left to be ended by the next start"
done
start_executor "$work/functions.yaml"
no_leftovers || fail "what a killed fnexec left goes on beside the next one"
expect "$work/executor.log" '2 processes that functions of a killed fnexec had left are ended'

# --- with a group, also who has hidden ---
"$executor" doctor > "$work/doctor" || [ $? -eq 3 ] || fail "doctor ended with a surprise"
if grep -q 'memory by cgroup   works' "$work/doctor"; then
    leave_some bounded '{"bare": 1, "leave": 1}'
    wait_for no_leftovers
fi
stop_executor
check_nothing_left
echo "nothing outlives its function"
