#!/usr/bin/env python3
"""demo.py PROGRAMS [--seed N] [--seconds S]: the whole system on this machine.

Starts fnexec with the functions beside this file, plays uneven load, lets fnscope collect, receives its alerts, and
opens the dashboard; without a terminal it plays for S seconds and prints what happened. PROGRAMS is the folder of
fnexec, fnscope and demo_transform. Ends what it started and removes its folder however it ends; a run that was not
interrupted leaves its store and report in the user's cache.
"""
import argparse
import ctypes
import http.server
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ALERTS = {"dlq-depth": "dead letters", "throttles": "throttling"}
START_S, ALERT_S, END_S = 30, 60, 10
CONFIG = """sources:
  fnexec: {{type: aws, region: eu-west-1, endpoint: "{endpoint}", poll: 1s, overlap: 10s, discover: 5s,
           config_every: 10s, queues_every: 1s, metrics_every: 2s, budget: 0}}
notify:
  demo: {{type: webhook, url: "{receiver}"}}
store: {{url: "{store}"}}
"""


class Stopped(Exception):
    """The user or the system wants the demonstration to end."""


class Receiver(http.server.ThreadingHTTPServer):
    """What a team's webhook would be: keeps each alert with the time of its arrival."""

    daemon_threads = True

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            alert = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            self.server.alerts.append((time.time(), alert))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *args):
            pass

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Receiver.Handler)
        self.alerts = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def fired(self):
        return [(at, alert) for at, alert in list(self.alerts) if alert["event"] == "firing"]


def end_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


class Demo:
    def __init__(self, options):
        self.options = options
        self.stop = threading.Event()
        self.children = []
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: self.stop.set())
        self.work = tempfile.mkdtemp(prefix="fnscope-demo.")
        self.store = os.path.join(self.work, "store")
        self.config = os.path.join(self.work, "config.yaml")

    # --- processes

    def program(self, name):
        return os.path.join(self.options.programs, name)

    def spawn(self, words, log, own_session=True):
        """A child of its own session does not get the terminal's Ctrl-C: it is ended in order."""
        with open(os.path.join(self.work, log), "wb") as out:
            child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=out, preexec_fn=end_with_parent,
                                     start_new_session=own_session, env=self.environment())
        self.children.append(child)
        return child

    def environment(self):
        # The system's interpreters first: shims of version managers take seconds to start.
        return {**os.environ, "PATH": "/usr/bin:/bin:" + os.environ.get("PATH", ""),
                "AWS_ACCESS_KEY_ID": "demo", "AWS_SECRET_ACCESS_KEY": "demo", "NO_PROXY": "127.0.0.1"}

    def pause(self, seconds):
        if self.stop.wait(seconds):
            raise Stopped

    def wait_for(self, what, ask, seconds):
        end = time.monotonic() + seconds
        while not ask():
            for child in self.children:
                if child.poll() not in (None, 0):
                    sys.exit(f"demo: {os.path.basename(child.args[0])} ended: {self.tail(child)}")
            if time.monotonic() > end:
                return False
            self.pause(0.05)
        return True

    def tail(self, child):
        name = os.path.basename(child.args[0]) + ".log"
        path = os.path.join(self.work, name)
        if not os.path.exists(path):
            return f"status {child.returncode}"
        with open(path, encoding="utf-8", errors="replace") as f:
            return f.read()[-400:].strip()

    def end(self, child):
        if child.poll() is None:
            child.terminate()
            try:
                child.wait(END_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        if child in self.children:
            self.children.remove(child)

    def close(self):
        for child in reversed(list(self.children)):
            self.end(child)
        shutil.rmtree(self.work, ignore_errors=True)

    def fnscope(self, *words, **more):
        return subprocess.run([self.program("fnscope"), *words, "--config", self.config], check=False,
                              env=self.environment(), **more)

    # --- the parts

    def start_functions(self):
        functions = os.path.join(self.work, "functions")
        shutil.copytree(HERE, functions)
        shutil.copy(self.program("demo_transform"), os.path.join(functions, "transform", "transform"))
        self.pictures = os.path.join(functions, "pictures")
        os.mkdir(self.pictures)
        port = os.path.join(self.work, "port")
        self.spawn([self.program("fnexec"), "serve", os.path.join(functions, "functions.yaml"), "--port", "0", "--port-file",
                    port, "--state", os.path.join(self.work, "state"), "--scratch", os.path.join(self.work, "scratch")],
                   "fnexec.log")
        if not self.wait_for("fnexec", lambda: os.path.exists(port) and os.path.getsize(port), START_S):
            sys.exit("demo: fnexec does not listen")
        with open(port, encoding="ascii") as f:
            self.endpoint = "http://127.0.0.1:" + f.read().strip()

    def start_collector(self):
        self.receiver = Receiver()
        with open(self.config, "w", encoding="utf-8") as f:
            f.write(CONFIG.format(endpoint=self.endpoint, store=self.store,
                                  receiver=f"http://127.0.0.1:{self.receiver.server_address[1]}/alerts"))
        self.collector = self.spawn([self.program("fnscope"), "collect", "--config", self.config], "fnscope.log")
        if not self.wait_for("the store", lambda: os.path.exists(os.path.join(self.store, "meta.db")), START_S):
            sys.exit("demo: fnscope collect does not start")

    def start_player(self, seconds):
        self.player = self.spawn([sys.executable, os.path.join(HERE, "play.py"), self.endpoint, self.pictures, "--seed",
                                  str(self.options.seed), "--seconds", str(seconds)], "play.log")

    def both_fired(self):
        return set(ALERTS) <= {alert["rule"] for _, alert in self.receiver.fired()}

    def rows(self):
        out = self.fnscope("sql", "-o", "json", "select count(*) n from invocations", capture_output=True).stdout
        return json.loads(out)["rows"][0]["n"] if out else 0

    # --- two ways to look at it

    def show(self):
        """The dashboard, over load that goes on until it is left."""
        self.start_player(24 * 3600)
        self.wait_for("the first rows", self.rows, START_S)
        top = subprocess.Popen([self.program("fnscope"), "top", "--since", "15m", "--config", self.config],
                               preexec_fn=end_with_parent)
        self.children.append(top)
        try:
            while top.poll() is None:
                self.pause(0.05)
        finally:
            self.end(top)
        self.end(self.player)

    def watch(self):
        """Some seconds of load, and then what became of it."""
        print(f"fnexec serves 8 functions at {self.endpoint}; {self.options.seconds:g} s of load, seed {self.options.seed}",
              flush=True)
        self.start_player(self.options.seconds)
        self.wait_for("the load", lambda: self.player.poll() is not None, self.options.seconds + START_S)
        if not self.wait_for("the alerts", self.both_fired, ALERT_S):
            sys.exit("demo: an alert did not arrive")
        self.pause(3)
        with open(os.path.join(self.work, "play.log"), encoding="utf-8") as f:
            print("\nWhat was sent, and how it ended:\n" + f.read(), end="")

    def finish(self):
        self.end(self.collector)
        folder = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "fnscope", "demo", "live")
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder, mode=0o700)
        report = os.path.join(folder, "report.html")
        self.fnscope("report", "-o", "html", "-O", report)
        if not sys.stdout.isatty():
            print(flush=True)
            self.fnscope("top", "--once", "--size", "100x24", "--since", "15m")
        print("\nAlerts that were delivered to a webhook:")
        for at, alert in self.receiver.fired():
            print(f"  {time.strftime('%H:%M:%S', time.localtime(at))}  {alert['rule']:15} {alert['summary']}")
        shutil.move(self.store, os.path.join(folder, "store"))
        print(f"\nThe report for the browser: {report}\n"
              f"The store of the demo:      fnscope top --store {os.path.join(folder, 'store')}")

    def run(self):
        try:
            self.start_functions()
            self.start_collector()
            if sys.stdin.isatty() and sys.stdout.isatty():
                self.show()
            else:
                self.watch()
            self.finish()
        except Stopped:
            print("\nstopped; nothing is left behind", file=sys.stderr)
            return 130
        finally:
            self.close()
        return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("programs")
    parser.add_argument("--seed", type=int, default=1, help="another seed plays other load")
    parser.add_argument("--seconds", type=float, default=30, help="how long, without a terminal")
    options = parser.parse_args()
    options.programs = os.path.abspath(options.programs)
    sys.exit(Demo(options).run())


if __name__ == "__main__":
    main()
