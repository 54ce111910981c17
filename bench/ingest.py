#!/usr/bin/env python3
"""Ingest beside the peers, in one run: the same lines into a durable, queryable store.

  bench/ingest.py [--lines 1000000] [--runs 5] [--bin build/release] [--peers wc,lnav,goaccess,duckdb,naive]
                  [--growth-lines 10000000]

Prints figures per leg and the goals P1-P10 and P15 as ratios. Peers that are not installed are left out and said so:
lnav and goaccess are Debian packages, DuckDB comes with `npm install --prefix build/bench @duckdb/node-api`.
Growth (P8) and memory at size (P9) come from one import of --growth-lines lines; 0 leaves it out.
"""
import argparse
import glob
import os
import shutil
import subprocess
import sys

from legs import Leg, goal, json_line, print_legs, run_all, run_in_tenths, tree_bytes

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MANY_FUNCTIONS = 5000


def arguments():
    p = argparse.ArgumentParser()
    p.add_argument("--lines", type=int, default=1000000)
    p.add_argument("--runs", type=int, default=5)
    p.add_argument("--functions", type=int, default=200)
    p.add_argument("--bin", default=os.path.join(ROOT, "build/release"))
    p.add_argument("--work", default=os.path.join(ROOT, "build/bench"))
    p.add_argument("--peers", default="wc,jansson,lnav,goaccess,duckdb,naive")
    p.add_argument("--growth-lines", type=int, default=10000000)
    return p.parse_args()


def generate(a, wanted=("text", "pages", "access"), lines=0, functions=0):
    """The workload in the wanted forms, made once per size."""
    lines, functions = lines or a.lines, functions or a.functions
    folder = os.path.join(a.work, f"data-{lines}-{functions}")
    forms = {"text": "lines.tsv", "pages": "pages", "access": "access.log"}
    os.makedirs(folder, exist_ok=True)
    generator = os.path.join(a.bin, "bench", "gen_logs")
    for form in wanted:
        name = forms[form]
        target = os.path.join(folder, name)
        if not os.path.exists(target):
            subprocess.run([generator, "--form", form, "--lines", str(lines), "--functions", str(functions),
                            "--seed", "1", "--out", target], check=True)
    return {form: os.path.join(folder, name) for form, name in forms.items() if form in wanted}


def fresh(path):
    def remove():
        shutil.rmtree(path, ignore_errors=True)
        if os.path.isfile(path):
            os.remove(path)
    return remove


def import_leg(a, name, source, store, keep=False):
    argv = [os.path.join(a.bin, "fnscope"), "import", "-q", "--store", store, source]
    return Leg(name, argv, None if keep else fresh(store))


def peer_legs(a, data):
    legs, missing = [], []
    wanted = a.peers.split(",")
    if "wc" in wanted:
        legs.append(Leg("wc -l", ["wc", "-l", data["text"]]))
    if "jansson" in wanted:
        legs.append(Leg("jansson parse only", [os.path.join(a.bin, "bench", "json_load"), data["pages"]]))
    if "naive" in wanted:
        target = os.path.join(a.work, "naive.db")
        legs.append(Leg("naive SQLite", [os.path.join(a.bin, "bench", "naive_sqlite"), data["text"], target],
                        fresh(target)))
    if "lnav" in wanted and shutil.which("lnav"):
        subprocess.run(["lnav", "-i", os.path.join(ROOT, "bench/lnav_format.json")], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        legs.append(Leg("lnav index + count", ["lnav", "-n", "-c", ";SELECT count(*) FROM fnscope_bench", data["text"]]))
    elif "lnav" in wanted:
        missing.append("lnav")
    if "goaccess" in wanted and shutil.which("goaccess"):
        out = os.path.join(a.work, "goaccess.json")
        legs.append(Leg("goaccess", ["goaccess", data["access"], "--log-format=COMBINED", "-o", out, "--no-progress"]))
    elif "goaccess" in wanted:
        missing.append("goaccess")
    if "duckdb" in wanted and os.path.isdir(os.path.join(a.work, "node_modules/@duckdb")):
        target = os.path.join(a.work, "duck.db")
        legs.append(Leg("DuckDB text -> tables",
                        ["node", os.path.join(ROOT, "bench/duckdb_load.cjs"), data["text"], target],
                        fresh(target), cwd=a.work))
    elif "duckdb" in wanted:
        missing.append("duckdb")
    if missing:
        print("not installed, left out: " + ", ".join(missing))
    return legs


def print_growth(a):
    """One large import: how fast its last tenth is read beside its first, and what memory it takes."""
    if a.growth_lines == 0:
        return 0.0
    data = generate(a, ("text",), lines=a.growth_lines)
    store = os.path.join(a.work, "store-growth")
    leg = import_leg(a, "growth", data["text"], store)
    leg.prepare()
    first, last = run_in_tenths(leg, data["text"])
    goal("P8", f"rate of the last tenth of {a.growth_lines} lines / first", first / last, 0.8, at_least=True)
    shutil.rmtree(store)
    return leg.rss[-1]


def print_memory(text, pages, many, growth_rss):
    goal("P9", "RSS MB, text and pages", max(text.rss + pages.rss), 56)
    goal("P9", f"RSS MB, {MANY_FUNCTIONS} functions", max(many.rss), 56)
    if growth_rss > 0:
        goal("P9", "RSS MB of the growth import", growth_rss, 56)


def print_goals(a, by_name, data, store):
    text = by_name["fnscope text"]
    pages = by_name["fnscope pages"]
    raw = os.path.getsize(data["text"])
    if "wc -l" in by_name:
        wc = by_name["wc -l"]
        goal("P1", "text -> store, wall / wc -l", text.median("wall") / wc.median("wall"), 30)
        goal("P2", "text -> store, CPU / wc -l", text.median("cpu") / wc.median("cpu"), 45)
    if "jansson parse only" in by_name:
        goal("P3", "pages -> store CPU / jansson parse", pages.median("cpu") / by_name["jansson parse only"].median("cpu"), 0.25)
    if "DuckDB text -> tables" in by_name:
        duck = by_name["DuckDB text -> tables"]
        disk = tree_bytes(store) / max(1, sum(os.path.getsize(f) for f in glob.glob(os.path.join(a.work, "duck.db*"))))
        goal("P4", "wall / DuckDB", text.median("wall") / duck.median("wall"), 0.5)
        goal("P4", "CPU / DuckDB", text.median("cpu") / duck.median("cpu"), 0.4)
        goal("P4", "disk / DuckDB", disk, 0.6)
        goal("P4", "RSS / DuckDB", text.median("rss") / duck.median("rss"), 0.2)
    if "lnav index + count" in by_name:
        goal("P5", "CPU / lnav", text.median("cpu") / by_name["lnav index + count"].median("cpu"), 1.2)
    if "goaccess" in by_name:
        ours = text.median("cpu") / raw
        theirs = by_name["goaccess"].median("cpu") / os.path.getsize(data["access"])
        goal("P6", "CPU per MB / goaccess", ours / theirs, 0.1)
    if "naive SQLite" in by_name:
        naive = by_name["naive SQLite"]
        disk = tree_bytes(store) / os.path.getsize(os.path.join(a.work, "naive.db"))
        goal("P7", "CPU / naive SQLite", text.median("cpu") / naive.median("cpu"), 0.2)
        goal("P7", "disk / naive SQLite", disk, 0.12)
    print_memory(text, pages, by_name["fnscope text, many"], print_growth(a))
    print_disk(a, store, raw)
    goal("P15", "re-import CPU / first", by_name["fnscope text again"].median("cpu") / text.median("cpu"), 0.8)


def print_disk(a, store, raw):
    info = subprocess.run([os.path.join(a.bin, "fnscope"), "db", "info", "--store", store, "-o", "csv"], check=True,
                          capture_output=True, text=True).stdout
    rows = dict(line.split(",", 1) for line in info.splitlines() if "," in line)
    chunks, invocations = int(rows["chunk_bytes"]), int(rows["invocations"])
    goal("P10", "log bytes stored / raw text bytes", chunks / raw, 0.22)
    goal("P10", "bytes per invocation beside them", (tree_bytes(store) - chunks) / max(1, invocations), 90)


def main():
    a = arguments()
    os.makedirs(a.work, exist_ok=True)
    data = generate(a)
    many = generate(a, ("text",), functions=MANY_FUNCTIONS)
    store = os.path.join(a.work, "store-text")
    ours = [import_leg(a, "fnscope text", data["text"], store),
            import_leg(a, "fnscope text again", data["text"], store, keep=True),
            import_leg(a, "fnscope text, many", many["text"], os.path.join(a.work, "store-many")),
            import_leg(a, "fnscope pages", data["pages"], os.path.join(a.work, "store-pages"))]
    legs = ours + peer_legs(a, data)
    run_all(legs, a.runs)
    print(f"{a.lines} lines, {os.path.getsize(data['text']) / 1e6:.0f} MB of text, {a.runs} runs, medians")
    print_legs(legs)
    by_name = {leg.name: leg for leg in legs}
    print_goals(a, by_name, data, store)
    json_line(bench="ingest", lines=a.lines, runs=a.runs,
              legs={l.name: {"wall": l.median("wall"), "cpu": l.median("cpu"), "rss_mb": l.median("rss")} for l in legs})


if __name__ == "__main__":
    sys.exit(main())
