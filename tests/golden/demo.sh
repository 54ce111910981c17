# shellcheck shell=bash
# For golden cases: a store with one day of four invented functions, the same bytes every time.
"$FNSCOPE" demo generate --seed 3 --days 1 --functions 4 --end 2026-01-16 --dir "$TMP/logs" >/dev/null
"$FNSCOPE" import -q --region eu-west-1 "$TMP/logs"
