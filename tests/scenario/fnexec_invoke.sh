#!/bin/bash
# fnexec_invoke.sh PROGRAM TESTS_DIR EXECUTOR: `fnexec invoke` shows the whole log of its function, initialization and
# odd bytes included; a program that ends while it is read is an exit error, as in Lambda; a log tail is the log's end.
executor=$3
# shellcheck source=tests/scenario/fnexec_lib.sh
. "$(dirname "$0")/fnexec_lib.sh"
cat > "$work/app.py" << 'PY'
print("read")
def handler(event, context):
    print("first\0line")
    for _ in range(event.get("lines", 1)):
        print("x" * 100000)
    print("last")
PY
printf 'import sys\nsys.exit(5)\n' > "$work/leaves.py"
printf 'raise KeyError("none")\n' > "$work/fails.py"
cat > "$work/functions.yaml" << YAML
functions:
  app: {runtime: python3.11, handler: app.handler, code: .}
  leaves: {runtime: python3.11, handler: leaves.handler, code: .}
  fails: {runtime: python3.11, handler: fails.handler, code: .}
YAML
once() { "$executor" invoke "$work/functions.yaml" "$@" > "$work/answer" 2> "$work/err"; }
in_order() { # texts, each of which begins a line of the log behind the one before
    local at=0 line
    for text in "$@"; do
        line=$(tail -n +$((at + 1)) "$work/err" | grep -anm1 -- "^$text" | cut -d: -f1) || true
        [ -n "$line" ] || { cat -v "$work/err" | cut -c1-200 >&2; fail "the log lacks, at its place: $text"; }
        at=$((at + line))
    done
}

once app
in_order 'INIT_START ' 'read$' 'START RequestId: ' 'first' 'x\{1000\}' 'last$' 'END RequestId: ' $'REPORT RequestId: .*\tInit Duration: '
grep -qaP 'first\x00line$' "$work/err" || fail "a line with a NUL byte is cut"
once app --quiet
[ ! -s "$work/err" ] || fail "--quiet, and yet: $(head -c 200 "$work/err")"

init_error() { # error type
    in_order 'INIT_START ' "INIT_REPORT Init Duration: .*	Phase: init	Status: error	Error Type: $1" 'START RequestId: ' \
        "INIT_REPORT Init Duration: .*	Phase: invoke	Status: error	Error Type: $1" 'END RequestId: ' \
        "REPORT RequestId: .*	Status: error	Error Type: $1"
}
once leaves && fail "a program that ends while it is read has worked"
expect "$work/answer" '{"errorType":"Runtime.ExitError","errorMessage":"RequestId: '
expect "$work/answer" ' Error: Runtime exited with error: exit status 5"}'
init_error Runtime.ExitError
! grep -q Traceback "$work/err" || fail "sys.exit() has a traceback"
once fails && fail "a program that fails while it is read has worked"
expect "$work/answer" '"errorType": "Runtime.Unknown"'
init_error Runtime.Unknown

start_executor "$work/functions.yaml"
invoke app '{"lines": 20}' -H 'X-Amz-Log-Type: Tail' # 2 MB
sed -n 's/^X-Amz-Log-Result: //p' "$work/head" | tr -d '\r' | base64 -d > "$work/err"
[ "$(wc -c < "$work/err")" -eq 4096 ] || fail "a tail of $(wc -c < "$work/err") bytes"
in_order 'last$' 'END RequestId: ' 'REPORT RequestId: '
stop_executor
