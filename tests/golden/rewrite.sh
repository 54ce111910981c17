#!/usr/bin/env bash
# Writes the `out` files of all golden cases, or of those whose path holds $1, from what the program prints now. Review
# the difference before you commit it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
for cmd in */*/cmd; do
    [[ $cmd == *"${1:-}"* ]] || continue
    REWRITE=1 ./run_case.sh "$(dirname "$cmd")" ../../build/dev/fnscope
done
git diff --stat -- .
