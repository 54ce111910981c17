#!/bin/bash
# nightly_report.sh PROGRAM: the nightly report writes what is missing, once, and says what lacks; its units are well formed.
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

# A source that never answered, one taken out of sight at noon, one that is well: days are reported, and say what lacks.
store=$work/state/fnscope
sqlite3 "$store/meta.db" "insert into source_state(name, type, account, region, tried_ns, success_ns, watermark_ns, lag_ns, calls,
    errors, throttles, bytes, events, cost, failures, error, quota_ppm, quota, cost_cap, cost_today, is_capped)
    select column1, 'aws', '', '', column2, column3, 0, 0, 1, 0, 0, 0, 0, 0, column4, column5, 0, '', 0, 0, 0 from (values
    ('well', strftime('%s', '2026-01-17 02:00') * 1000000000, strftime('%s', '2026-01-17 02:00') * 1000000000, 0, ''),
    ('stopped', strftime('%s', '2026-01-15 12:00') * 1000000000, strftime('%s', '2026-01-15 12:00') * 1000000000, 0, ''),
    ('wrong', strftime('%s', '2026-01-17 02:00') * 1000000000, 0, 7, 'HTTP 403 error'))"
gone() { sqlite3 "$store/meta.db" "delete from source_state where name = '$1'"; }
incomplete() { # time
    local rc=0
    nightly "$1" > "$work/out" 2> "$work/err" || rc=$?
    [ "$rc" = 3 ] || fail "status $rc of a night whose sources are not all read: $(cat "$work/err")"
}
last=$work/reports/report-2026-01-15.html next=$work/reports/report-2026-01-16.html
rm "$last"
incomplete 2026-01-16T00:30:00Z
if [ -s "$work/out" ] || ! grep -q 'report of 2026-01-15 waits' "$work/err"; then fail "an hour's grace: $(cat "$work/err")"; fi
incomplete 2026-01-17T02:30:00Z
[ "$(cat "$work/out")" = "$last"$'\n'"$next" ] || fail "not written: $(cat "$work/out" "$work/err")"
grep -q 'report of 2026-01-15 is incomplete.*source stopped' "$work/err" || fail "the log: $(cat "$work/err")"
if ! grep -q 'Incomplete: source stopped was read only up to 2026-01-15T12:00:00Z' "$last" ||
    ! grep -q 'Incomplete: source wrong was never read whole (HTTP 403 error)' "$last" || grep -q 'source well' "$last"; then
    fail "the report does not name what lacks"
fi
[ "$(wc -l < "$last.incomplete")" = 2 ] || fail "the note: $(cat "$last.incomplete")"
# Nothing is stored of the 16th: nobody looked, and that is a report, too.
if ! grep -q 'Nothing ran in this range' "$next" || ! grep -q 'Incomplete: source stopped was read only up to' "$next" ||
    [ ! -s "$next.incomplete" ] || [ "$(readlink "$work/reports/latest.html")" != report-2026-01-16.html ]; then
    fail "a day without anything"
fi
incomplete 2026-01-17T03:00:00Z
[ ! -s "$work/out" ] || fail "written again, though nothing has changed"
gone wrong
incomplete 2026-01-17T03:30:00Z # less lacks: written anew
if [ "$(cat "$work/out")" != "$last"$'\n'"$next" ] || grep -q 'source wrong' "$last"; then fail "one gap is closed"; fi
"$program" doctor --clock 2026-01-17T03:00:00Z > "$work/doctor" && fail "doctor saw nothing"
grep -q '^LOOK  source stopped was read only up to 2026-01-15T12:00:00Z: .*a collector that runs reads it' "$work/doctor" || fail "$(cat "$work/doctor")"
rc=0
"$program" check --rule 'dlq-*' --clock 2026-01-16T00:05:00Z > "$work/check" || rc=$?
if [ "$rc" != 3 ] || ! grep -q '^FNSCOPE UNKNOWN - source stopped was read only up to' "$work/check"; then
    fail "check: $rc $(cat "$work/check")"
fi
gone stopped
nightly 2026-01-17T04:00:00Z > "$work/out" || fail "complete, and status $?"
if [ "$(cat "$work/out")" != "$last"$'\n'"$next" ] || grep -q 'Incomplete' "$last" "$next" || [ -e "$last.incomplete" ] ||
    [ -e "$next.incomplete" ]; then
    fail "nothing lacks any more"
fi

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
