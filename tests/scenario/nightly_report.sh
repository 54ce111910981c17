#!/bin/bash
# nightly_report.sh PROGRAM: the nightly report writes what is missing, once; the units that start it are well formed.
set -euo pipefail

program=$1
root=$(cd "$2/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_CONFIG_HOME=$work/config XDG_STATE_HOME=$work/state HOME=$work TZ=UTC

fail() { echo "FAILED: $*"; ls -la "$work/reports"; exit 1; }

"$program" demo generate --seed 3 --days 3 --functions 2 --end 2026-01-16 --dir "$work/logs" > /dev/null
"$program" import --quiet --region eu-west-1 "$work/logs"
nightly() { "$program" report --clock "$1" --nightly "$work/reports" --format html; }

nightly 2026-01-15T02:30:00Z > "$work/out"
[ "$(wc -l < "$work/out")" = 2 ] || fail "two days were over on the 15th: $(cat "$work/out")"
[ "$(readlink "$work/reports/latest.html")" = report-2026-01-14.html ] || fail "latest"
[ ! -e "$work/reports/report-2026-01-15.html" ] || fail "a day that was not over"
rm "$work/reports/report-2026-01-13.html"
nightly 2026-01-17T02:30:00Z > "$work/out" # two nights later, and a report was lost
[ "$(wc -l < "$work/out")" = 2 ] || fail "catching up: $(cat "$work/out")"
[ "$(readlink "$work/reports/latest.html")" = report-2026-01-15.html ] || fail "latest after catching up"
sum=$(cat "$work/reports"/report-*.html | cksum)
nightly 2026-01-17T03:00:00Z > "$work/out"
[ ! -s "$work/out" ] || fail "nothing was missing: $(cat "$work/out")"
[ "$(cat "$work/reports"/report-*.html | cksum)" = "$sum" ] || fail "a report was written again"

if command -v systemd-analyze > /dev/null; then
    mkdir "$work/units"
    for unit in "$root"/packaging/systemd/*; do
        sed "s|/usr/bin/fnscope|$program|" "$unit" > "$work/units/$(basename "$unit")"
    done
    SYSTEMD_UNIT_PATH=$work/units:/lib/systemd/system systemd-analyze verify --man=no "$work"/units/fnscope-report.* \
        "$work"/units/fnscope-metrics.service 2> "$work/err" || { cat "$work/err"; fail "units"; }
    grep -E 'Unknown|Failed to parse|Invalid' "$work/err" && fail "units"
    systemd-analyze calendar '*-*-* 02:30:00' > /dev/null || fail "calendar"
fi
echo "finished days are reported once, missed ones are made up for"
