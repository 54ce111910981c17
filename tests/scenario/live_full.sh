#!/bin/bash
# live_full.sh PROGRAM TESTS_DIR EXECUTOR: the disk under the store is full for a while, then the database is
# locked: the collector keeps what it read, says so everywhere, and goes on with nothing lost or doubled.
# shellcheck source=tests/scenario/live_lib.sh
. "$2/scenario/live_lib.sh"

disk=$work/disk
mkdir "$disk"
if [ "$(id -u)" -ne 0 ] || ! mount -t tmpfs -o size=3m none "$disk" 2> /dev/null; then
    echo "no mount allowed: left out"
    exit 0
fi
end_full() {
    umount -l "$disk" 2> /dev/null || true
    end_live
}
trap end_full EXIT
store=$disk/store
export FNSCOPE_STORE_URL=$store

cat > "$work/code/app.py" << 'PY'
import os

def api(event, context):
    print("order", event["number"], os.urandom(event.get("size", 0)).hex())
    return event["number"]
PY
cat > "$work/functions.yaml" << 'YAML'
account: "123456789012"
region: eu-west-1
functions:
  api: {runtime: python3.11, handler: app.api, code: code, timeout: 5s, isolation: process}
YAML
start_executor "$work/functions.yaml"
start_receiver "$2"
configure << YAML
notify:
  hook: {type: webhook, url: "$hook"}
collect:
  metrics: 127.0.0.1:0
YAML

number=0
invoke() { # times, bytes of text each
    for ((i = 0; i < $1; i++)); do
        number=$((number + 1))
        [ "$(curl -sS --noproxy '*' -d "{\"number\":$number,\"size\":${2:-0}}" \
            "$endpoint/2015-03-31/functions/api/invocations")" = $number ] || fail "invocation $number"
    done
}
stored() { has "select count(*) from invocations where is_final" "$1"; }
complains() { grep -q "$1.*nothing was stored for" "$work/collect.log"; }
health() { [ "$(curl -sS --noproxy '*' -o "$work/health" -w '%{http_code}' "${url%/metrics}/healthz")" = "$1" ]; }
scraped() { curl -sS --noproxy '*' "$url" > "$work/scraped" && grep -q "$1" "$work/scraped"; } # a pipe may break
held() { scraped "^fnscope_store_held_seconds $1"; }

start_collector
url_of() { url=$(sed -n 's/.*metrics are served at \(http[^ "]*\).*/\1/p' "$work/collect.log" | tail -1); [ -n "$url" ]; }
wait_for url_of
invoke 5
wait_for stored 5
"$program" doctor > "$work/doctor" || true
expect "$work/doctor" "a collector runs, and stores what it reads"
health 200 || fail "not well before anything happened"
held 0 || fail "held before anything happened"

# Full: what is read is kept; nothing is lost when there is room again.
head -c 10000000 /dev/zero > "$disk/filler" 2> /dev/null || true
invoke 10 20000
wait_for complains "full"
wait_for health 503
grep -q "cannot be written since" "$work/health" || fail "healthz says: $(cat "$work/health")"
wait_for held '[0-9]'
for what in doctor "top --once --view overview --size 140x30" "top --once --view sources --size 140x30"; do
    # shellcheck disable=SC2086 # words
    "$program" $what > "$work/says" || true
    expect "$work/says" "nothing was stored for"
done
expect "$work/says" "NOT STORED"
has "select count(*) from sources where state = 'not stored'" 1 || fail "the table says otherwise"
scraped '^fnscope_source_up.* 0$' || fail "the source is up"
invoke 10
"$program" alert silence --rule x --for 1m > "$work/silence" 2>&1 && fail "a command was taken that cannot be stored"
grep -q "cannot be written now" "$work/silence" || fail "the command says: $(cat "$work/silence")"
kill -0 "$collector_pid" || fail "a full disk ended the collector"
told() { jq -e --arg e "$1" 'select(.body | fromjson | .rule == "store-held" and .event == $e)' "$received" > /dev/null 2>&1; }
patience=60 wait_for told firing
! told resolved || fail "told of the end before it"
rm "$disk/filler"
wait_for stored 25
wait_for told resolved
wait_for health 200
held 0 || fail "still held"

# Somebody else writes into the database for longer than anybody waits: the alerts, which may come first, and then a commit.
: > "$work/collect.log"
locked() {
    /usr/bin/python3 - "$store/meta.db" << 'PY'
import sqlite3, sys, time
c = sqlite3.connect(sys.argv[1], isolation_level=None)
c.execute("begin immediate")
time.sleep(18)
PY
}
locked &
others+=($!)
invoke 5
wait_for complains "locked"
wait_for stored $number
wait_for grep -q "the store can be written again" "$work/collect.log"
wait_for has "select count(distinct body) from log_lines where body like '%order %'" $number
has "select count(*) from log_lines where body like '%order %'" $number || fail "a line is stored twice"
has "select sum(n) from (select count(*) n from invocations group by request_id)" $number || fail "not each once"
"$program" db verify > "$work/verify" || fail "the store is damaged: $(cat "$work/verify")"

# Killed: it looks so at once, until the next one runs.
kill -KILL "$collector_pid"
wait "$collector_pid" 2> /dev/null || true
for what in doctor "top --once --view overview --size 140x30" "top --once --view alerts --size 140x30" "alert list" check \
    "top --once --view sources --size 140x30"; do
    # shellcheck disable=SC2086 # words
    "$program" $what > "$work/says" 2>&1 || true
    expect "$work/says" "no collector runs, the last one was killed"
done
expect "$work/says" "NO COLLECTOR"
has "select count(*) from sources where state = 'no collector'" 1 || fail "the table says otherwise"
"$program" metrics > "$work/scraped"
grep -q '^fnscope_source_up.* 0$' "$work/scraped" || fail "the source is up"
start_collector
has_state() { has "select count(*) from sources where state = '$1'" 1; }
wait_for has_state ok
end_collector
has_state stopped || fail "one that ended counts as killed"
later=$(date -u -d '+630 seconds' +%FT%TZ)
"$program" top --once --view sources --size 140x30 --clock "$later" > "$work/sources"
expect "$work/sources" "nothing was stored for 10m"
stop_executor
check_nothing_left
echo "$number invocations, those of a full and of a locked disk among them, are stored once"
