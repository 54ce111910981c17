#!/usr/bin/python3
"""Receivers of alerts for scenarios: an HTTP server and an SMTP server on free ports of loopback.

alert_receivers.py DIR: writes DIR/http.port and DIR/smtp.port once both listen, then appends each
POST as a line of JSON (path, headers, body, at) to DIR/http.ndjson and each mail as DIR/mail.N. With a
file DIR/refuse the HTTP server answers 503; the SMTP server takes no mail to left@... Ends with SIGTERM.
"""
import asyncio
import http.server
import json
import os
import signal
import sys
import threading
import time

try:
    from aiosmtpd.smtp import SMTP
except ImportError:  # only the HTTP half is needed then
    SMTP = None

folder = sys.argv[1]
lock = threading.Lock()


def publish(name, value):
    path = os.path.join(folder, name)
    with open(path + ".new", "w", encoding="ascii") as f:
        f.write(str(value))
    os.rename(path + ".new", path)


class Hook(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        refused = os.path.exists(os.path.join(folder, "refuse"))
        if not refused:
            line = json.dumps({"path": self.path, "headers": dict(self.headers), "body": body, "at": time.time()})
            with lock, open(os.path.join(folder, "http.ndjson"), "a", encoding="utf-8") as f:
                f.write(line + "\n")
        self.send_response(503 if refused else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        pass  # a sender that was killed


class Mails:
    count = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("left@"):
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        Mails.count += 1
        with open(os.path.join(folder, f"mail.{Mails.count}"), "wb") as f:
            f.write(envelope.content)
        return "250 OK"


def main():
    hook = Server(("127.0.0.1", 0), Hook)
    threading.Thread(target=hook.serve_forever, daemon=True).start()
    if SMTP:
        loop = asyncio.new_event_loop()
        start = loop.create_server(lambda: SMTP(Mails(), hostname="127.0.0.1", loop=loop), "127.0.0.1", 0)
        server = loop.run_until_complete(start)
        threading.Thread(target=loop.run_forever, daemon=True).start()
        publish("smtp.port", server.sockets[0].getsockname()[1])
    publish("http.port", hook.server_address[1])
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    os._exit(0)


signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
main()
