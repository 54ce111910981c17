#!/usr/bin/env bash
# Writes the `out` files of all golden cases, or of those whose path holds $1, from what the program prints now. Review
# the difference before you commit it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
status=0
for cmd in */*/cmd; do
    [[ $cmd == *"${1:-}"* ]] || continue
    # Patterns and exit statuses are written by hand: what does not fit them is named, and the rest goes on.
    REWRITE=1 ./run_case.sh "$(dirname "$cmd")" ../../build/dev/fnscope || { echo "by hand: ${cmd%/cmd}" && status=1; }
done
git diff --stat -- .
exit $status
