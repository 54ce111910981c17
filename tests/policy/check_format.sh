#!/usr/bin/env bash
# Sources are in the shape clang-format gives them.
set -euo pipefail
cd "$1"
git ls-files '*.c' '*.h' | xargs clang-format --dry-run -Werror
