#!/bin/bash
# install.sh PROGRAM TESTS_DIR FNEXEC: an installation works wherever it was put: the programs find their prices and
# runtimes there, the units and the nightly job start the program of that place.
set -euo pipefail

program=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
    echo "install: $*" >&2
    exit 1
}

first=$work/first second=$work/second
cmake --install "$(dirname "$program")" --prefix "$first" > "$work/log" 2>&1 || fail "$(tail "$work/log")"
for unit in collect metrics report; do
    grep -q "^ExecStart=$first/bin/fnscope " "$first/lib/systemd/system/fnscope-$unit.service" || fail "unit $unit"
done
grep -q "^exec $first/bin/fnscope report" "$first/etc/cron.daily/fnscope" || fail "the nightly job"
[ -f "$first/share/man/man1/fnscope-collect.1" ] || fail "no manual page of a command"

# A system's own prefix: cron reads /etc, whatever the prefix.
DESTDIR=$work/root cmake --install "$(dirname "$program")" --prefix /usr > "$work/log" 2>&1 || fail "$(tail "$work/log")"
grep -q "^exec /usr/bin/fnscope report" "$work/root/etc/cron.daily/fnscope" || fail "the nightly job of a system"
[ ! -e "$work/root/usr/etc" ] || fail "there is a /usr/etc"

# Moved, with a price and a runtime that only this place has.
mv "$first" "$second"
sed -i 's/"0\.0000002"/"0.0000777"/' "$second/share/fnscope/prices/aws-lambda.json"
printf '%s\t/aws/lambda/mail\ta\tREPORT RequestId: %s\tDuration: 9.50 ms\tBilled Duration: 10 ms\tMemory Size: 128 MB\tMax Memory Used: 64 MB\t\n' \
    2026-01-15T10:00:00.000Z 0a1b2c3d-0000-4000-a000-000000000001 > "$work/one.txt"
"$second/bin/fnscope" import --quiet --region eu-west-1 --store "$work/store" "$work/one.txt" > /dev/null
"$second/bin/fnscope" cost --explain 0a1b2c3d --store "$work/store" | grep -q '0\.0000777' || fail "prices of the sources"

mkdir "$work/hello"
echo 'def handler(event, context): return 1' > "$work/hello/app.py"
echo 'functions: {hello: {runtime: python3.11, handler: app.handler, code: hello, timeout: 9s}}' > "$work/functions.yaml"
echo 'raise SystemExit("the runtime of this place")' > "$second/share/fnscope/runtimes/python/bootstrap.py"
"$second/bin/fnexec" invoke "$work/functions.yaml" hello > "$work/said" 2>&1 && fail "runtimes of the sources"
grep -q 'the runtime of this place' "$work/said" || fail "$(cat "$work/said")"
