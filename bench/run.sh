#!/usr/bin/env bash
# Benchmarks of the data path beside the peers: bench/run.sh [ingest|query|executor|collect] [options of the script].
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
what=${1:-ingest}
shift || true
exec python3 "$what.py" "$@"
