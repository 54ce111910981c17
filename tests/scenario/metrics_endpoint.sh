#!/bin/bash
# metrics_endpoint.sh PROGRAM TESTS_DIR: what fnscope metrics prints, and it or fnscope collect serves, passes promtool; other addresses than
# this machine's, other paths and methods are refused.
set -euo pipefail

program=$1
work=$(mktemp -d)
pid=
cleanup() {
    [ -z "$pid" ] || kill "$pid" 2> /dev/null || true
    wait 2> /dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT
export XDG_CONFIG_HOME=$work/config XDG_STATE_HOME=$work/state HOME=$work TZ=UTC

fail() { echo "FAILED: $*"; tail -5 "$work"/out "$work"/err 2> /dev/null; exit 1; }

"$program" demo generate --seed 3 --days 1 --functions 4 --end 2026-01-16 --dir "$work/logs" > /dev/null
"$program" import --quiet --region eu-west-1 "$work/logs"
"$program" metrics > "$work/metrics"
promtool check metrics < "$work/metrics" > "$work/lint" 2>&1 || { cat "$work/lint"; fail "promtool"; }
[ ! -s "$work/lint" ] || { cat "$work/lint"; fail "promtool has something to say"; }
total=$(awk '/^fnscope_function_invocations_total/ { n += $NF } END { print n }' "$work/metrics")
[ "$total" = "$("$program" sql 'select count(*) n from invocations' --format json | jq '.rows[0].n')" ] || fail "sum $total"

"$program" metrics --listen 127.0.0.1:0 > "$work/out" 2> "$work/err" &
pid=$!
until=$((SECONDS + 20))
until [ -s "$work/out" ]; do
    [ "$SECONDS" -lt "$until" ] || fail "it does not start"
    read -rt 0.05 <> <(:) || true
done
url=$(cat "$work/out")
get() { curl -sS --noproxy '*' "$@"; }
get -D "$work/head" "$url" > "$work/served"
grep -qi '^content-type: text/plain; version=0.0.4' "$work/head" || fail "type"
diff <(grep -v lag_seconds "$work/metrics") <(grep -v lag_seconds "$work/served") > /dev/null || fail "served and printed differ"
promtool check metrics < "$work/served" > "$work/lint" 2>&1 || fail "promtool on what is served"
[ "$(get "${url%metrics}healthz")" = ok ] || fail "healthz"
[ "$(get -o /dev/null -w '%{http_code}' "${url%metrics}other")" = 404 ] || fail "other path"
[ "$(get -o /dev/null -w '%{http_code}' -X POST "$url")" = 405 ] || fail "POST"
# Connections that say nothing do not keep a scrape waiting.
port=${url##*:}
port=${port%/metrics}
idle=()
for _ in {1..300}; do
    exec {fd}<> "/dev/tcp/127.0.0.1/$port"
    idle+=("$fd")
done
get -o /dev/null --max-time 3 "$url" || fail "a scrape beside 300 idle connections"
for fd in "${idle[@]}"; do exec {fd}>&-; done
"$program" metrics --listen 0.0.0.0:0 > /dev/null 2> "$work/err" && fail "every address was accepted"
"$program" metrics --listen nonsense 2> "$work/err" && fail "nonsense was accepted"
kill "$pid"
wait "$pid" || fail "it ends with status $?"
pid=

# With a token every address may be listened on, and who does not bear it is refused.
echo 0123456789abcdef0123456789abcdef > "$work/token"
"$program" metrics --listen 127.0.0.1:0 --token-file "$work/token" 2> "$work/err" && fail "a token everyone may read"
chmod 600 "$work/token"
: > "$work/out"
"$program" metrics --listen 0.0.0.0:0 --token-file "$work/token" > "$work/out" 2> "$work/err" &
pid=$!
until=$((SECONDS + 20))
until [ -s "$work/out" ]; do
    [ "$SECONDS" -lt "$until" ] || fail "it does not start with a token"
    read -rt 0.05 <> <(:) || true
done
url=$(sed 's/0\.0\.0\.0/127.0.0.1/' "$work/out")
[ "$(get -o /dev/null -w '%{http_code}' "$url")" = 403 ] || fail "without the token"
[ "$(get -o /dev/null -w '%{http_code}' -H "Authorization: Bearer 0123456789abcdef" "$url")" = 403 ] || fail "half the token"
get -H "Authorization: Bearer $(cat "$work/token")" "$url" | grep ^fnscope_function > /dev/null || fail "with the token"
kill "$pid"
wait "$pid" || fail "it ends with status $?"
pid=

# The collector serves the same meanwhile, on a thread of its own.
cat > "$work/config.yaml" << YAML
sources:
  dead:
    type: aws
    region: eu-west-1
    endpoint: http://127.0.0.1:9
YAML
export AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=secret
"$program" collect --config "$work/config.yaml" --metrics 127.0.0.1:0 2> "$work/err" &
pid=$!
until=$((SECONDS + 20))
until url=$(grep -o 'http://127[^" ]*/metrics' "$work/err"); do
    [ "$SECONDS" -lt "$until" ] || fail "the collector serves nothing"
    read -rt 0.05 <> <(:) || true
done
get "$url" > "$work/served"
promtool check metrics < "$work/served" > "$work/lint" 2>&1 || { cat "$work/lint"; fail "promtool on the collector"; }
diff <(grep ^fnscope_function "$work/metrics") <(grep ^fnscope_function "$work/served") > /dev/null ||
    fail "the collector serves something else"
until get "$url" | grep '^fnscope_source.*source="dead"' > /dev/null; do
    [ "$SECONDS" -lt "$until" ] || fail "the collector's own state is not served"
    read -rt 0.05 <> <(:) || true
done
kill "$pid"
wait "$pid" || fail "the collector ends with status $?"
pid=
status=0
"$program" collect --config "$work/config.yaml" --metrics 0.0.0.0:0 2> "$work/err" || status=$?
[ "$status" = 2 ] || fail "every address was accepted by the collector, or failed: $status"
echo "promtool finds nothing to say about $(grep -vc '^#' "$work/metrics") samples"
