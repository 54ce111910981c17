#!/bin/bash
# alerts_delivered.sh PROGRAM TESTS_DIR: an alert from imported logs reaches a signed webhook, a chat, a program, Debian's
# prometheus-alertmanager and an SMTP server; its end does too; nothing is told twice.
set -euo pipefail

program=$1
tests=$2
work=$(mktemp -d)
pids=()
cleanup() {
    for pid in "${pids[@]}"; do kill "$pid" 2> /dev/null || true; done
    wait 2> /dev/null || true
    [ -n "${KEEP:-}" ] || rm -rf "$work"
}
trap cleanup EXIT

fail() {
    echo "FAILED: $*"
    for f in "$work"/check.* "$work"/am.log; do [ -f "$f" ] && { echo "--- $f"; tail -20 "$f"; }; done
    exit 1
}

# Waits for a command to succeed, at most 20 s.
wait_for() {
    local until=$((SECONDS + 20))
    until "$@" > /dev/null 2>&1; do
        [ "$SECONDS" -lt "$until" ] || fail "never happened: $*"
        read -rt 0.05 <> <(:) || true
    done
}

export XDG_CONFIG_HOME=$work/config XDG_STATE_HOME=$work/state HOME=$work TZ=UTC
mkdir -p "$work/config/fnscope"

/usr/bin/python3 "$tests/support/alert_receivers.py" "$work" &
pids+=($!)
wait_for test -s "$work/http.port"
[ -s "$work/smtp.port" ] || fail "no SMTP server: python3-aiosmtpd is missing"
http=$(cat "$work/http.port")
smtp=$(cat "$work/smtp.port")

# Alertmanager wants its port named: one that was free a moment ago, and again if it is not.
cat > "$work/am.yml" <<'YAML'
route: {receiver: nobody, group_wait: 1s}
receivers: [{name: nobody}]
YAML
start_alertmanager() {
    am=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    prometheus-alertmanager --config.file="$work/am.yml" --storage.path="$work/am" --cluster.listen-address= \
        --web.listen-address="127.0.0.1:$am" > "$work/am.log" 2>&1 &
    pids+=($!)
}
start_alertmanager
wait_for curl -fsS --noproxy '*' "http://127.0.0.1:$am/-/ready"

echo "the key of the webhook" > "$work/key"
cat > "$work/config/fnscope/config.yaml" <<YAML
alerts:
  failures:
    when: errors > 2 over 10m
    severity: critical
    function: checkout*
notify:
  hook: {type: webhook, url: "http://127.0.0.1:$http/hook", secret_file: "$work/key"}
  chat: {type: slack, url: "http://127.0.0.1:$http/chat"}
  file: {type: exec, command: [sh, -c, 'cat >> $work/exec.ndjson']}
  am: {type: alertmanager, url: "http://127.0.0.1:$am"}
  mail: {type: mail, server: "smtp://127.0.0.1:$smtp", from: fnscope@example.org, to: [left@example.org, ops@example.org]}
YAML

# Five failed invocations within a minute, a quarter of an hour ago: Alertmanager compares with its own clock.
base=$(($(date +%s) / 60 * 60 - 900))
at() { date -u -d "@$((base + $1))" +%Y-%m-%dT%H:%M:%SZ; }
{
    for i in 1 2 3 4 5; do
        id=$(printf '%08x-0000-4000-a000-000000000000' "$i")
        t=$(at $((i * 10)))
        # shellcheck disable=SC2016 # the text is $LATEST
        printf '%s START RequestId: %s Version: $LATEST\n' "$t" "$id"
        printf '%s [ERROR] ValueError: no such order %d\n' "$t" "$i"
        printf '%s REPORT RequestId: %s\tDuration: 12.00 ms\tBilled Duration: 12 ms\tMemory Size: 128 MB\tMax Memory Used: 64 MB\tStatus: error\tError Type: ValueError\t\n' "$t" "$id"
    done
} > "$work/logs.txt"
"$program" import --quiet --function checkout --region eu-west-1 "$work/logs.txt"

check() { # time, further words; exit status into $rc
    rc=0
    "$program" alert check --send --clock "$1" "${@:2}" > "$work/check.out" 2> "$work/check.err" || rc=$?
}
check "$(at 180)"
[ "$rc" = 3 ] || fail "a firing alert ends with status $rc, not 3"
grep -q 'failures' "$work/check.out" || fail "the rule is not in the output"

# --- the webhook, and its signature computed anew
[ "$(jq -r 'select(.path == "/hook") | .body | fromjson | .event' "$work/http.ndjson")" = firing ] || fail "webhook"
jq -j 'select(.path == "/hook") | .headers["X-Fnscope-Signature"]' "$work/http.ndjson" > "$work/signature"
seconds=$(sed 's/^t=\([0-9]*\),.*/\1/' "$work/signature")
wanted=$({ printf '%s.' "$seconds"; jq -j 'select(.path == "/hook") | .body' "$work/http.ndjson"; } |
    openssl dgst -sha256 -hmac "the key of the webhook" -hex | sed 's/.* //')
[ "$(cat "$work/signature")" = "t=$seconds,v1=$wanted" ] || fail "signature"
# Is there a POST to the path whose body passes the filter?
posted() {
    jq -se "[.[] | select(.path == \"$1\") | .body | fromjson | select($2)] | length >= 1" "$work/http.ndjson" > /dev/null
}
posted /hook '.value.value == 5 and .threshold.value == 2 and .data_age_seconds >= 0 and
    (.evidence | startswith("fnscope query errors"))' || fail "what the alert carries"
evidence=$(jq -r 'select(.path == "/hook") | .body | fromjson | .evidence' "$work/http.ndjson")
(PATH=$(dirname "$program"):$PATH; eval "$evidence" --until "$(at 180)") | grep -q ValueError || fail "the evidence shows nothing"

# --- chat, program, mail, Alertmanager
posted /chat '.text | startswith("[firing] critical: function checkout")' || fail "chat"
jq -e '.rule == "failures" and .event == "firing"' "$work/exec.ndjson" > /dev/null || fail "program"
grep -q '^Subject: =?UTF-8?B?' "$work/mail.1" || fail "mail"
"$program" sql "select error from alert_messages where notifier = 'mail'" > "$work/check.mail"
grep -q 'not to left@example.org (550 no such user)' "$work/check.mail" || fail "who left is not named"
sed '1,/^\r*$/d' "$work/mail.1" | base64 -di | grep -q 'threshold  2' || fail "text of the mail"
amtool() { curl -fsS --noproxy '*' "http://127.0.0.1:$am/api/v2/alerts"; }
amtool | jq -e 'length == 1 and .[0].labels.alertname == "failures" and .[0].labels.function == "checkout" and
    .[0].labels.severity == "critical"' > /dev/null || fail "alertmanager: $(amtool)"

# --- nothing twice
before=$(wc -l < "$work/http.ndjson")
check "$(at 240)"
if [ "$rc" != 3 ] || [ "$(wc -l < "$work/http.ndjson")" != "$before" ]; then fail "told twice"; fi

# --- who is configured while it fires is told too, once
sed -i "s|^notify:|&\n  late: {type: exec, command: [sh, -c, 'cat >> $work/late.ndjson']}|" "$work/config/fnscope/config.yaml"
check "$(at 242)"
check "$(at 244)"
[ "$(jq -rs '[.[].event] | join(" ")' "$work/late.ndjson")" = firing ] || fail "the newcomer: $(cat "$work/late.ndjson")"
[ "$(wc -l < "$work/http.ndjson")" = "$before" ] || fail "told twice because of a newcomer"

# --- acknowledged, then over: the rule is taken out
key=$({ "$program" alert list --format json || [ $? = 3 ]; } | jq -r '.rows[0].key')
"$program" alert ack "${key:0:6}" --by ann > "$work/ack.out" || fail "ack"
grep -q '^acknowledged: function checkout' "$work/ack.out" || fail "ack says $(cat "$work/ack.out")"
"$program" alert list > "$work/list.out" || fail "what is acknowledged does not fire"
grep -q acknowledged "$work/list.out" || fail "list after ack"
sed -i 's/    when: errors/    enabled: false\n    when: errors/' "$work/config/fnscope/config.yaml"
check "$(at 300)"
[ "$rc" = 0 ] || fail "status $rc when nothing fires"
jq -r 'select(.path == "/hook") | .body | fromjson | .event' "$work/http.ndjson" | tail -1 | grep -qx resolved || fail "resolved"
resolved() { amtool | jq -e 'length == 0' > /dev/null; }
wait_for resolved
[ -s "$work/mail.2" ] || fail "mail about the end"

# --- a receiver that refuses is tried again
sed -i '/enabled: false/d' "$work/config/fnscope/config.yaml"
"$program" alert silence --rule failurs --for 1h --clock "$(at 330)" > /dev/null 2> "$work/silence.err"
grep -q -- '--rule failurs: no rule .* did you mean failures?' "$work/silence.err" || fail "a slip: $(cat "$work/silence.err")"
touch "$work/refuse"
"$program" import --quiet --function checkout-2 --region eu-west-1 "$work/logs.txt" 
check "$(at 360)"
"$program" alert messages --format json | jq -e '[.rows[] | select(.status == "waiting" and .attempts == 1)] | length >= 1' \
    > /dev/null || fail "a refused message waits"
rm "$work/refuse"
check "$(at 600)" --quiet
[ ! -s "$work/check.err" ] || fail "-q says $(cat "$work/check.err")"
"$program" alert messages --format json | jq -e '.rows | length == 0' > /dev/null || fail "it was tried again"

"$program" alert test hook mail | grep -c ': told' | grep -qx 2 || fail "alert test"

# --- libcurl is loaded when it is needed: where it is missing or too old, that is said
mkdir "$work/no-curl"
echo "no library" > "$work/no-curl/libcurl.so.4"
LD_LIBRARY_PATH=$work/no-curl "$program" alert test hook mail > "$work/check.curl" 2>&1 && fail "told without libcurl"
grep -c 'libcurl.so.4 cannot be loaded' "$work/check.curl" | grep -qx 2 || fail "a missing libcurl is not said"
grep -rq "the key of the webhook" "$work"/check.* "$work/state" && fail "the key was written somewhere"
echo "an alert and its end reached 5 receivers; the webhook is signed, the evidence shows the errors"
