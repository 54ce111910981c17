#!/usr/bin/env python3
"""fnexec beside its peers, one run on one machine: bench/run.sh executor [--rounds N] [--seconds N] [--peers FOLDER]
[--invokes N] [--instances N].

Load comes from wrk (one thread). All servers run and are warm, then take turns (A B C, A B C, ...), because the
machine's speed drifts; figures are medians of the rounds. --peers names a folder with node_modules of workerd and
@google-cloud/functions-framework; what is not there is left out and said so. Prints a table, the goals
with what was measured beside them, then one JSON line. --invokes counts those of the memory leg. A function has as many
environments as --instances says; 0: as a manifest gives it that says nothing of them, one for each request as on Lambda.
Absolute numbers belong to the machine; ratios are what the goals are about.
"""
import argparse
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
WARM_SECONDS = 4  # workerd's compiler needs three
PAYLOAD = json.dumps({"name": "x" * 200, "n": 1, "list": [1, 2, 3]})
ECHO_C = """
#include "fnexec_runtime.h"
static int echo(const struct fnexec_event *in, struct fnexec_answer *out)
{ return fnexec_answer_set(out, in->data, in->size); }
int main(void) { return fnexec_run(echo); }
"""
MANIFEST = """
functions:
  c: {runtime: c, handler: echo, code: ., timeout: 30s%s}
  node: {runtime: nodejs20.x, handler: app.handler, code: ., timeout: 30s%s}
  python: {runtime: python3.11, handler: app.handler, code: ., timeout: 30s%s}
  api: {runtime: provided, code: ., timeout: 30s%s}
"""
WORKERD = """
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (modules = [(name = "w", esModule = embed "w.mjs")],
               compatibilityDate = "2024-01-01"))],
  sockets = [(name = "http", address = "127.0.0.1:%d", http = (), service = "main")]);
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def post(url, body, headers=None):
    request = urllib.request.Request(url, body.encode(), headers or {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read(), answer.headers


def wait_answer(url, begin, seconds=30):
    while time.monotonic() - begin < seconds:
        try:
            post(url, PAYLOAD)
            return time.monotonic() - begin
        except OSError:
            time.sleep(0.0005)
    raise SystemExit(f"no answer from {url}")


def first_answer_ms(port, path, begin, seconds=30):
    """As wait_answer, without what urllib does at its first call: that would be measured as the server's."""
    body = PAYLOAD.encode()
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    while time.monotonic() - begin < seconds:
        with socket.socket() as s:
            try:
                s.connect(("127.0.0.1", port))
            except ConnectionRefusedError:
                time.sleep(0.0002)
                continue
            s.sendall(head.encode() + body)
            if s.recv(65536).startswith(b"HTTP/1.1 200"):
                return (time.monotonic() - begin) * 1000
    raise SystemExit(f"no answer from port {port}")


def rss_mb(pid):
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"^Pss: +(\d+)", text, re.M).group(1)) / 1024


def cpu_s(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wrk(folder, url, connections, seconds, header=""):
    script = folder / "post.lua"
    script.write_text(f"""
wrk.method = "POST"
wrk.body = {json.dumps(PAYLOAD)}
wrk.headers["Content-Type"] = "application/json"
{header}
done = function(s, l)
  io.write(string.format("RESULT %d %d %d %d %d\\n", s.requests, s.duration, l:percentile(50), l:percentile(99),
                         s.errors.status + s.errors.read + s.errors.connect + s.errors.timeout))
end
""")
    text = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", script, url],
                          capture_output=True, text=True, check=True).stdout
    n, micros, p50, p99, errors = map(int, re.search(r"RESULT (.*)", text).group(1).split())
    return {"rps": n / (micros / 1e6), "p50_us": p50, "p99_us": p99, "errors": errors, "requests": n}


def must_answer(url):
    """A function that fails answers, too, and fast: what wrk counts are no errors."""
    request = urllib.request.Request(url, PAYLOAD.encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        if answer.headers.get("X-Amz-Function-Error"):
            raise SystemExit(f"{url}: the function fails: {answer.read(300).decode()}")


def measure(folder, legs, options):
    """legs: name -> (url, pid of fnexec or None). Medians of what wrk says, by connections."""
    for url, _ in legs.values():
        must_answer(url)
        wrk(folder, url, 8, WARM_SECONDS)
    out = {name: {} for name in legs}
    for connections in (1, 8, 64):
        runs = {name: [] for name in legs}
        for _ in range(options.rounds):
            for name, (url, pid) in legs.items():
                before = cpu_s(pid) if pid else 0
                runs[name].append(wrk(folder, url, connections, options.seconds))
                if pid:
                    runs[name][-1]["cpu_us"] = (cpu_s(pid) - before) * 1e6 / max(1, runs[name][-1]["requests"])
        for name, rows in runs.items():
            out[name][connections] = {key: statistics.median(r[key] for r in rows) for key in rows[0]}
    return out


class Server:
    def __init__(self, command, **more):
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)

    def __enter__(self):
        return self.process

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def prepare(folder, instances):
    """The code lies apart from the state folders: its files are looked at when fnexec starts."""
    folder = folder / "code"
    folder.mkdir()
    (folder / "echo.c").write_text(ECHO_C)
    subprocess.run(["gcc", "-O2", "-I", ROOT / "data/runtimes/c", "-o", folder / "echo", folder / "echo.c"],
                   check=True)
    subprocess.run(["gcc", "-O2", "-o", folder / "bootstrap", ROOT / "bench/rapi_echo.c"], check=True)
    (folder / "app.mjs").write_text("export const handler = async (event) => event;\n")
    (folder / "app.py").write_text("def handler(event, context):\n    return event\n")
    (folder / "f.yaml").write_text(MANIFEST % ((f", instances: {instances}" if instances else "",) * 4))


def serve(executor, folder, port, state):
    return Server([executor, "serve", folder / "code/f.yaml", "--port", str(port), "--state", state, "--quiet"])


def bench_start(executor, folder, results, rounds=7):
    """From the start, with a state folder that is not there yet, to the first answer."""
    times = []
    for i in range(rounds):
        port = free_port()
        begin = time.monotonic()
        with serve(executor, folder, port, folder / f"start{i}"):
            times.append(first_answer_ms(port, "/2015-03-31/functions/c/invocations", begin))
    results["start_ms"] = sorted(times)[rounds // 2]


def bench_requests(options, folder, results):
    """Every server warm and idle but the one whose turn it is. Returns what was left out."""
    port, legs, left_out = free_port(), {}, []
    base = f"http://127.0.0.1:{port}/2015-03-31/functions"
    with contextlib.ExitStack() as stack:
        fnexec = stack.enter_context(serve(options.executor, folder, port, folder / "state"))
        wait_answer(f"{base}/c/invocations", time.monotonic())
        results["idle_mb"] = rss_mb(fnexec.pid)
        for name in ("c", "node", "python", "api"):
            legs[f"fnexec {name}"] = (f"{base}/{name}/invocations", fnexec.pid)
        for name, start in {"workerd": start_workerd, "functions-framework": start_framework}.items():
            program = options.peers / "node_modules/.bin" / name
            if not program.exists():
                left_out.append(name)
                continue
            legs[name] = (start(stack, program, folder), None)
        results.update(measure(folder, legs, options))
        results["loaded_mb"] = rss_mb(fnexec.pid)
    return left_out


def bench_accept(executor, folder, seconds, results):
    """Accepting events: one commit each (one connection) beside commits that many share."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/2015-03-31/functions/c/invocations"
    header = 'wrk.headers["X-Amz-Invocation-Type"] = "Event"'
    with serve(executor, folder, port, folder / "accept"):
        wait_answer(url, time.monotonic())
        results["accept"] = {n: wrk(folder, url, n, seconds, header) for n in (1, 64)}


def bench_memory(executor, folder, invokes, results):
    """What many invocations leave behind; the first tenth fills caches and pools."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/2015-03-31/functions/c/invocations"
    with serve(executor, folder, port, folder / "memory") as p:
        wait_answer(url, time.monotonic())
        done, marks = 0, {}
        while done < invokes:
            done += wrk(folder, url, 8, 1)["requests"]
            if "first_mb" not in marks and done >= invokes // 10:
                marks["first_mb"] = rss_mb(p.pid)
        results["memory"] = {**marks, "last_mb": rss_mb(p.pid), "invokes": done}


def spawn_ms(command):
    begin = time.monotonic()
    pid = os.posix_spawnp(command[0], command, os.environ)
    _, status = os.waitpid(pid, 0)
    if status != 0:
        raise SystemExit(f"{command[0]} failed")
    return (time.monotonic() - begin) * 1000


def bench_cold(executor, folder, results, rounds=5):
    bare = {"c": ["/bin/true"], "node": ["node", "-e", "0"], "python": ["python3", "-c", "import json, logging"]}
    for name, command in bare.items():
        init, alone = [], []
        for _ in range(rounds):
            out = subprocess.run([executor, "invoke", folder / "code/f.yaml", name], capture_output=True, text=True,
                                 check=True).stderr
            init.append(float(re.search(r"Init Duration: ([0-9.]+)", out).group(1)))
            alone.append(spawn_ms(command))
        results[f"cold {name}"] = {"init_ms": sorted(init)[rounds // 2], "bare_ms": sorted(alone)[rounds // 2]}


def start_workerd(stack, program, folder):
    port = free_port()
    (folder / "w.mjs").write_text(
        "export default { async fetch(r) { return Response.json(await r.json()); } };\n")
    (folder / "w.capnp").write_text(WORKERD % port)
    stack.enter_context(Server([program, "serve", "w.capnp"], cwd=folder))
    wait_answer(f"http://127.0.0.1:{port}/", time.monotonic())
    return f"http://127.0.0.1:{port}/"


def start_framework(stack, program, folder):
    port = free_port()
    source = folder / "gcf"
    source.mkdir()
    (source / "index.js").write_text("exports.echo = (q, a) => a.json(q.body);\n")
    stack.enter_context(Server([program, f"--source={source}", "--target=echo", f"--port={port}"]))
    wait_answer(f"http://127.0.0.1:{port}/", time.monotonic())
    return f"http://127.0.0.1:{port}/"


def table(results):
    print(f"{'':22} {'c=1 p50 us':>11} {'c=8 req/s':>10} {'c=64 req/s':>11} {'c=64 p99/p50':>13} {'cpu us c=8':>11}")
    for name, r in results.items():
        if not isinstance(r, dict) or 8 not in r:
            continue
        tail = r[64]["p99_us"] / max(1, r[64]["p50_us"])
        print(f"{name:22} {r[1]['p50_us']:11} {r[8]['rps']:10.0f} {r[64]['rps']:11.0f} {tail:13.1f} "
              f"{r[8].get('cpu_us', 0):11.1f}")
    for name in ("c", "node", "python"):
        cold = results[f"cold {name}"]
        print(f"cold start {name:10} {cold['init_ms']:8.1f} ms, bare process {cold['bare_ms']:.1f} ms")
    print(f"start to first answer {results['start_ms']:.1f} ms, idle {results['idle_mb']:.1f} MB, "
          f"after the load {results['loaded_mb']:.1f} MB")


def goals(results):
    """(what, measured, goal, whether more is better); None: a peer was left out."""
    def of(name, connections, key):
        return results[name][connections][key] if name in results else None

    def ratio(a, b):
        return a / b if a is not None and b else None

    def tail(name):
        return results[name][64]["p99_us"] / max(1, results[name][64]["p50_us"])

    def cold(name):
        return results[f"cold {name}"]["init_ms"] / results[f"cold {name}"]["bare_ms"]

    workerd = of("workerd", 8, "rps")
    peers = [results[name][1]["p50_us"] for name in ("workerd", "functions-framework") if name in results]
    return [
        ("C, c=8, of workerd", ratio(of("fnexec c", 8, "rps"), workerd), 2.5, True),
        ("Node.js, c=8, of workerd", ratio(of("fnexec node", 8, "rps"), workerd), 2, True),
        ("Python, c=8, of workerd", ratio(of("fnexec python", 8, "rps"), workerd), 2, True),
        ("Runtime API C, c=8, of workerd", ratio(of("fnexec api", 8, "rps"), workerd), 1.6, True),
        ("C, c=1 p50, of the best peer", ratio(of("fnexec c", 1, "p50_us"), min(peers, default=None)), 1, False),
        ("Node.js, c=1 p50, of the best peer", ratio(of("fnexec node", 1, "p50_us"), min(peers, default=None)), 1, False),
        ("C, c=64 p99/p50", tail("fnexec c"), 3, False),
        ("Node.js, c=64 p99/p50", tail("fnexec node"), 3, False),
        ("cold start C, of posix_spawn", cold("c"), 5, False),
        ("cold start Python, of the interpreter", cold("python"), 1.3, False),
        ("cold start Node.js, of the interpreter", cold("node"), 1.15, False),
        ("accepting shared, of single commits", ratio(results["accept"][64]["rps"], results["accept"][1]["rps"]), 5, True),
        ("start to first answer, ms", results["start_ms"], 10, False),
        ("idle, MB", results["idle_mb"], 8, False),
        ("growth over the invokes, MB", results["memory"]["last_mb"] - results["memory"]["first_mb"], 1, False),
    ]


def show_goals(results):
    print(f"{'goal':40} {'measured':>9} {'goal':>8}")
    for what, value, goal, more in goals(results):
        if value is None:
            print(f"{what:40} {'-':>9} {'>=' if more else '<='} {goal:5}  peer left out")
            continue
        holds = value >= goal if more else value <= goal
        print(f"{what:40} {value:9.2f} {'>=' if more else '<='} {goal:5}  {'holds' if holds else 'missed'}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=1, help="of one leg in one round")
    parser.add_argument("--invokes", type=int, default=100000)
    parser.add_argument("--instances", type=int, default=2)
    parser.add_argument("--executor", default=ROOT / "build/release/fnexec", type=pathlib.Path)
    parser.add_argument("--peers", default=ROOT / "build/peers", type=pathlib.Path)
    options = parser.parse_args()
    os.environ["PATH"] = "/usr/bin:/bin:" + os.environ["PATH"]
    if not shutil.which("wrk"):
        raise SystemExit("wrk is needed: apt-get install wrk")
    results = {}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        prepare(folder, options.instances)
        bench_cold(options.executor, folder, results)
        bench_start(options.executor, folder, results)
        for name in bench_requests(options, folder, results):
            print(f"left out: {name} is not there")
        bench_accept(options.executor, folder, 3, results)
        bench_memory(options.executor, folder, options.invokes, results)
    table(results)
    show_goals(results)
    print(json.dumps(results))


if __name__ == "__main__":
    main()
