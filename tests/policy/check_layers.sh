#!/usr/bin/env bash
# Who may include whom: the two tables of docs/ARCHITECTURE.md against every #include.
set -euo pipefail
cd "$1"
python3 - <<'PY'
import fnmatch, pathlib, re, subprocess, sys

text = pathlib.Path("docs/ARCHITECTURE.md").read_text()
rows = [[c.strip() for c in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| ")]
layers, third = {}, {}
section = None
for row in rows:
    if row[0] in ("folder", "third-party header"):
        section = layers if row[0] == "folder" and row[1] == "may include" else third if row[0] != "folder" else None
    elif section is not None and not row[0].startswith("-"):
        for name in row[0].split():
            section[name] = row[1].split()

def layer_of(path):
    return max((l for l in layers if path.startswith(l + "/")), key=len, default=None)

bad = []
files = subprocess.check_output(["git", "ls-files", "*.c", "*.h"], text=True).split()
for f in files:
    own = layer_of(f)
    if own is None:
        continue
    for n, line in enumerate(pathlib.Path(f).read_text().splitlines(), 1):
        m = re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', line)
        if not m:
            continue
        what = m.group(2)
        if m.group(1) == "<":
            for header, places in third.items():
                hit = what.startswith(header) if header.endswith("/") else what == header
                if hit and not any(fnmatch.fnmatch(f, p) for p in places):
                    bad.append(f"{f}:{n}: <{what}> belongs to {' '.join(places)} only")
            continue
        theirs = layer_of(what)
        if theirs is None:
            bad.append(f"{f}:{n}: \"{what}\" is not written from the root")
        elif theirs not in layers[own]:
            bad.append(f"{f}:{n}: {own} may not include {theirs}")
        elif theirs != own and not theirs.startswith("core/base") and not theirs.startswith("core/model"):
            name = what.rsplit("/", 1)[-1].removesuffix(".h")
            doors = {"store", "request", "collector", "decode", "source", "control", "analyzer", "reports", "tui", "command"}
            if name not in doors and name not in {p for p in what.split("/")[:-1]}:
                bad.append(f"{f}:{n}: \"{what}\" is private to {theirs}")
print("\n".join(bad))
sys.exit(bool(bad))
PY
