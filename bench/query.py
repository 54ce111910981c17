#!/usr/bin/env python3
"""Queries over a store of 1 M and one of 10 M lines, beside DuckDB where it is installed.

  bench/query.py [--small 1000000] [--large 10000000] [--runs 11] [--bin build/release]

Prints P11-P14 and P16. The requests are timed inside one process (bench/query_bench), DuckDB likewise in Node.js.
"""
import argparse
import os
import subprocess
import sys

from ingest import ROOT, fresh, generate
from legs import goal, json_line


def arguments():
    p = argparse.ArgumentParser()
    p.add_argument("--small", type=int, default=1000000)
    p.add_argument("--large", type=int, default=10000000)
    p.add_argument("--functions", type=int, default=200)
    p.add_argument("--runs", type=int, default=11)
    p.add_argument("--bin", default=os.path.join(ROOT, "build/release"))
    p.add_argument("--work", default=os.path.join(ROOT, "build/bench"))
    return p.parse_args()


def make_store(a, lines):
    a.lines = lines
    store = os.path.join(a.work, f"store-{lines}")
    data = generate(a, ["text"])
    if not os.path.isdir(store):
        fresh(store)()
        subprocess.run([os.path.join(a.bin, "fnscope"), "import", "-q", "--store", store, data["text"]], check=True)
    return store, data["text"]


def measure(a, store):
    out = subprocess.run([os.path.join(a.bin, "bench/query_bench"), store, str(a.runs)], check=True,
                         capture_output=True, text=True).stdout
    return {words[0]: float(words[1]) for words in (line.split() for line in out.splitlines())}


def duckdb(a, text):
    if not os.path.isdir(os.path.join(a.work, "node_modules/@duckdb")):
        print("not installed, left out: duckdb")
        return None
    target = os.path.join(a.work, f"duck-{a.large}.db")
    if not os.path.exists(target):
        subprocess.run(["node", os.path.join(ROOT, "bench/duckdb_load.cjs"), text, target], check=True, cwd=a.work)
    out = subprocess.run(["node", os.path.join(ROOT, "bench/duckdb_query.cjs"), target, str(a.runs)], check=True,
                         cwd=a.work, capture_output=True, text=True).stdout
    return {words[0]: float(words[1]) for words in (line.split() for line in out.splitlines())}


def main():
    a = arguments()
    os.makedirs(a.work, exist_ok=True)
    small_store, _ = make_store(a, a.small)
    large_store, text = make_store(a, a.large)
    small, large = measure(a, small_store), measure(a, large_store)
    peer = duckdb(a, text)
    print(f"{'request':<28}{a.small:>12} lines{a.large:>12} lines   (ms, median)")
    for name in large:
        print(f"{name:<28}{small[name]:>18.3f}{large[name]:>18.3f}")
    goal("P11", "overview, large / small", large["overview"] / small["overview"], 1.5)
    if peer:
        goal("P11", "overview / DuckDB exact", large["overview"] / peer["overview"], 0.5)
    goal("P12", "one function's percentiles, ms", large["one_function"], 5)
    goal("P12", "newest 100, ms", large["newest_100"], 5)
    goal("P13", "request id -> invocation and lines, ms", large["by_id_with_lines"], 10)
    goal("P14", "search GB/s of raw text", os.path.getsize(text) / 1e6 / large["search_absent"], 1.0, at_least=True)
    goal("P16", "percentile error, %", large["percentile_error_percent"], 1.0)
    json_line(bench="query", small=small, large=large, duckdb=peer)


if __name__ == "__main__":
    sys.exit(main())
