#!/usr/bin/env bash
# Runs one golden case: run_case.sh FOLDER PROGRAM. The folder holds
#   cmd      a shell line; $FNSCOPE is the program, $CASE the folder, $DATA tests/data, $TMP a fresh folder
#   in       standard input, if there
#   out      the exact standard output, or out.glob with * for what may differ in a line
#   err.glob the same for standard error, if it matters
#   exit     the exit status, 0 if not there
# With REWRITE=1 the file out is written instead.
set -u
CASE=$(cd "$1" && pwd)
FNSCOPE=$(readlink -f "$2")
DATA=$(cd "$CASE/../../../data" && pwd)
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT
export CASE FNSCOPE DATA TMP TZ=UTC LC_ALL=C.UTF-8 NO_COLOR=1 HOME=$TMP
export XDG_STATE_HOME=$TMP/state XDG_CONFIG_HOME=$TMP/config XDG_CACHE_HOME=$TMP/cache
unset SOURCE_DATE_EPOCH FNSCOPE_STORE_URL FNSCOPE_OUTPUT_FORMAT

input=/dev/null
[ -f "$CASE/in" ] && input=$CASE/in
(cd "$TMP" && bash -euo pipefail "$CASE/cmd") <"$input" >"$TMP/.out" 2>"$TMP/.err"
status=$?
sed -i "s|$TMP|TMP|g; s|$CASE|CASE|g" "$TMP/.out" "$TMP/.err"

wanted=0
[ -f "$CASE/exit" ] && wanted=$(cat "$CASE/exit")
if [ "$status" != "$wanted" ]; then
    echo "exit status $status, expected $wanted"
    cat "$TMP/.err"
    exit 1
fi
if [ "${REWRITE:-}" = 1 ] && [ ! -f "$CASE/out.glob" ]; then
    cp "$TMP/.out" "$CASE/out"
    exit 0
fi

# Each line of the pattern file against the same line of the text.
matches() {
    local pattern line n=0
    while IFS= read -r pattern <&3 || [ -n "$pattern" ]; do
        n=$((n + 1))
        IFS= read -r line <&4 || { echo "line $n is missing: $pattern"; return 1; }
        # shellcheck disable=SC2053 # the right side is a pattern on purpose
        [[ $line == $pattern ]] || { printf 'line %d\n  is       %s\n  expected %s\n' "$n" "$line" "$pattern"; return 1; }
    done 3<"$1" 4<"$2"
}

result=0
if [ -f "$CASE/out.glob" ]; then
    matches "$CASE/out.glob" "$TMP/.out" || result=1
elif [ -f "$CASE/out" ]; then
    diff -u "$CASE/out" "$TMP/.out" || result=1
fi
if [ -f "$CASE/err.glob" ]; then
    matches "$CASE/err.glob" "$TMP/.err" || result=1
fi
exit $result
