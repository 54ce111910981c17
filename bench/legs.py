"""Runs commands side by side and compares them: what bench/ingest.py and bench/query.py share.

Legs are run in turn (A B C, A B C, ...), never in blocks, because the machine's speed drifts. Figures are medians;
claims are ratios of figures of one run. CPU is user + system time of the whole process tree.
"""
import json
import os
import resource
import statistics
import subprocess
import sys
import time


class Leg:
    """One command, prepared and run several times."""

    def __init__(self, name, argv, prepare=None, cwd=None, stdin=None):
        self.name, self.argv, self.prepare, self.cwd, self.stdin = name, argv, prepare, cwd, stdin
        self.wall, self.cpu, self.rss = [], [], []

    def run(self):
        if self.prepare:
            self.prepare()
        source = open(self.stdin, "rb") if self.stdin else subprocess.DEVNULL
        begin = time.monotonic()
        child = subprocess.Popen(self.argv, cwd=self.cwd, stdin=source, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.PIPE)
        errors = child.stderr.read()
        _, status, usage = os.wait4(child.pid, 0)
        self.wall.append(time.monotonic() - begin)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            sys.stderr.write(f"{self.name}: exit {child.returncode}\n{errors.decode(errors='replace')[-2000:]}\n")
            raise SystemExit(1)
        self.cpu.append(usage.ru_utime + usage.ru_stime)
        self.rss.append(usage.ru_maxrss / 1024)

    def median(self, what):
        return statistics.median(getattr(self, what))


def run_all(legs, runs):
    """Every leg once without counting, then `runs` rounds of all legs in turn."""
    for leg in legs:
        leg.run()
        leg.wall.clear(), leg.cpu.clear(), leg.rss.clear()
    for _ in range(runs):
        for leg in legs:
            leg.run()


def read_position(pid, path):
    """How far the process has read the file; None while it is not open."""
    try:
        for fd in os.listdir(f"/proc/{pid}/fd"):
            if os.path.realpath(f"/proc/{pid}/fd/{fd}") == os.path.realpath(path):
                with open(f"/proc/{pid}/fdinfo/{fd}") as info:
                    return int(info.readline().split()[1])
    except FileNotFoundError:
        pass  # just closed
    return None


def cpu_of(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cpu_at(samples, position):
    """CPU seconds when the file had been read so far, by the samples around it: on a busy machine one may come late."""
    for (before, low), (after, high) in zip(samples, samples[1:]):
        if after >= position:
            return low + (high - low) * (position - before) / (after - before)
    return None


def run_in_tenths(leg, path):
    """Runs the leg once and returns the CPU seconds spent on the first and on the last tenth of the file it reads."""
    size = os.path.getsize(path)
    samples = [(0, 0.0)]
    child = subprocess.Popen(leg.argv, cwd=leg.cwd, stdout=subprocess.DEVNULL)
    while os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        at = read_position(child.pid, path)
        if at is not None and at > samples[-1][0]:
            samples.append((at, cpu_of(child.pid)))
        time.sleep(0.01)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    first, before_last = cpu_at(samples, size * 0.1), cpu_at(samples, size * 0.9)
    if child.returncode != 0 or len(samples) < 20 or first is None or before_last is None:
        raise SystemExit(f"{leg.name}: exit {child.returncode}, or too short to be measured in tenths")
    leg.rss.append(usage.ru_maxrss / 1024)
    return first, usage.ru_utime + usage.ru_stime - before_last


def print_legs(legs):
    print(f"{'leg':<28}{'wall s':>10}{'CPU s':>10}{'RSS MB':>10}   min-max CPU")
    for leg in legs:
        print(f"{leg.name:<28}{leg.median('wall'):>10.3f}{leg.median('cpu'):>10.3f}{leg.median('rss'):>10.1f}"
              f"   {min(leg.cpu):.3f}-{max(leg.cpu):.3f}")


def goal(name, what, value, limit, at_least=False):
    """One line of the goal table; returns whether it holds."""
    holds = value >= limit if at_least else value <= limit
    sign = ">=" if at_least else "<="
    print(f"{name:<5}{'holds' if holds else 'MISSED':<8}{value:>10.3f}  {sign} {limit:<8g}{what}")
    return holds


def tree_bytes(path):
    total = 0
    for folder, _, files in os.walk(path):
        total += sum(os.path.getsize(os.path.join(folder, f)) for f in files)
    return total


def json_line(**figures):
    print(json.dumps(figures, sort_keys=True))


resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
