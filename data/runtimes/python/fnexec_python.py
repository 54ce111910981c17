"""Runs a Python handler for fnexec: frames on descriptors 3 and 4 (executor/frame_proto.h).

bootstrap.py calls main(), in the function's folder; _HANDLER names module.function. Every import here is paid at
each cold start: logging and traceback are there when the function asks for them, or fails.
"""
import json
import os
import struct
import sys
import time

HEAD = struct.Struct("<IB")
U32 = struct.Struct("<I")
I64 = struct.Struct("<q")
REQUESTS_FD, ANSWERS_FD = 3, 4
READ_BYTES = 65536
# An encoder of its own: json.dumps makes one a call for separators that are not its default.
ENCODE = json.JSONEncoder(separators=(",", ":")).encode
# One byte more than an answer may have tells as much as all of a larger one.
ANSWER_MOST_BYTES = (6 << 20) + 101
JSON_LOGS = os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON"


class Channel:
    """Frames in and out of two pipes."""

    def __init__(self):
        self.request_id = ""  # of the invocation under way
        self._buffer = b""  # what came behind a frame, or before its end

    def send(self, kind, payload):
        frame = HEAD.pack(len(payload) + 1, ord(kind)) + payload
        sent = os.write(ANSWERS_FD, frame)
        while sent < len(frame):
            sent += os.write(ANSWERS_FD, memoryview(frame)[sent:])

    def _fill(self, size):
        pieces, have = [self._buffer], len(self._buffer)
        while have < size:
            piece = os.read(REQUESTS_FD, READ_BYTES)
            if not piece:
                os._exit(0)
            pieces.append(piece)
            have += len(piece)
        self._buffer = b"".join(pieces)

    def receive(self):
        self._fill(4)
        end = U32.unpack_from(self._buffer)[0] + 4
        self._fill(end)
        frame, self._buffer = self._buffer[4:end], self._buffer[end:]
        return frame


class Named:
    """An object with these attributes, those a dictionary lacks None: what Lambda makes of its JSON."""

    def __init__(self, given, **names):
        for attribute, key in names.items():
            setattr(self, attribute, given.get(key))


def client_context(text):
    if not text:
        return None
    context = Named(json.loads(text), custom="custom", env="env", client="client")
    if context.client:
        names = "installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name"
        context.client = Named(context.client, **{name: name for name in names})
    return context


def identity(text):
    return Named(json.loads(text) if text else {}, cognito_identity_id="cognitoIdentityId",
                 cognito_identity_pool_id="cognitoIdentityPoolId")


class Context:
    """What Lambda hands a handler as its second argument."""

    function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
    function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")
    memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
    log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
    log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")

    def __init__(self, fields, deadline_ms):
        self.aws_request_id = fields[0]
        self.invoked_function_arn = fields[1]
        self.client_context = client_context(fields[3])
        self.identity = identity(fields[4])
        self._deadline_ms = deadline_ms

    def get_remaining_time_in_millis(self):
        return max(0, int(self._deadline_ms - time.time() * 1000))


def set_up_logging(logging, channel):
    """One log event a record, in the form of Lambda's own runtime."""
    class LogHandler(logging.Handler):
        def _text(self, record):
            stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            return "[%s]\t%s.%03dZ\t%s\t%s\n" % (
                record.levelname, stamp, record.msecs, channel.request_id, self.format(record))

        def _json(self, record):
            stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created))
            out = {"timestamp": stamp, "level": record.levelname, "message": record.getMessage(),
                   "logger": record.name, "requestId": channel.request_id}
            if record.exc_info:
                kind, value, trace = record.exc_info
                out["errorType"] = kind.__name__
                out["errorMessage"] = str(value)
                out["stackTrace"] = format_trace(trace)
            return json.dumps(out) + "\n"

        def emit(self, record):
            text = self._json(record) if JSON_LOGS else self._text(record)
            channel.send("L", text.encode())

    logging.getLogger().addHandler(LogHandler())
    if JSON_LOGS:
        logging.getLogger().setLevel(os.environ.get("AWS_LAMBDA_LOG_LEVEL", "INFO"))


class LoggingFinder:
    """Sets logging up when it is imported for the first time."""

    def __init__(self, channel):
        self._channel = channel

    def find_spec(self, name, path=None, target=None):
        if name != "logging":
            return None
        sys.meta_path.remove(self)
        for finder in sys.meta_path:
            spec = finder.find_spec(name, path, target)
            if spec:
                self._follow(spec.loader)
                return spec
        return None

    def _follow(self, loader):
        run, channel = loader.exec_module, self._channel

        def exec_module(module):
            run(module)
            set_up_logging(module, channel)
        loader.exec_module = exec_module


def format_trace(trace):
    import traceback
    return traceback.format_tb(trace)


def error_of(kind, value, trace):
    return {
        "errorMessage": str(value),
        "errorType": kind.__name__,
        "requestId": "",
        "stackTrace": format_trace(trace),
    }


def error_frame(error, kind):
    name = kind.encode()
    return U32.pack(len(name)) + name + json.dumps(error).encode()


def log_error(channel, error, request_id):
    """An unhandled error stands in the log as well."""
    if JSON_LOGS:
        line = dict(error, timestamp=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                    log_level="ERROR", requestId=request_id)
        channel.send("L", (json.dumps(line) + "\n").encode())
        return
    text = "[ERROR] %s: %s\r" % (error["errorType"], error["errorMessage"])
    trace = "".join(error["stackTrace"])
    if trace:
        text += "Traceback (most recent call last):\r" + trace.rstrip("\n").replace("\n", "\r")
    channel.send("L", (text + "\n").encode())


class MarshalError(Exception):
    """What a handler returned cannot be written as JSON."""


def load_handler(name):
    module_name, _, function_name = name.rpartition(".")
    if not module_name:
        raise ValueError("Bad handler '%s': not enough values to unpack" % name)
    sys.path.insert(0, os.getcwd())
    module = __import__(module_name.replace("/", "."), fromlist=[function_name])
    return getattr(module, function_name)


INIT_ERRORS = {
    "ImportError": "Runtime.ImportModuleError",
    "ModuleNotFoundError": "Runtime.ImportModuleError",
    "SyntaxError": "Runtime.UserCodeSyntaxError",
    "AttributeError": "Runtime.HandlerNotFound",
    "ValueError": "Runtime.MalformedHandlerName",
}


def init(channel):
    try:
        return load_handler(os.environ["_HANDLER"])
    except Exception:  # as Lambda's own: sys.exit() ends the program, with its status
        kind, value, trace = sys.exc_info()
        error = error_of(kind, value, trace)
        error["errorType"] = INIT_ERRORS.get(kind.__name__, "Runtime.Unknown")
        log_error(channel, error, "")
        sys.stdout.flush()
        channel.send("X", error_frame(error, error["errorType"]))
        os._exit(1)


def parse(frame):
    deadline_ms = I64.unpack_from(frame, 1)[0]
    at = 9
    fields = []
    for _ in range(5):
        size = U32.unpack_from(frame, at)[0]
        fields.append(frame[at + 4:at + 4 + size].decode())
        at += 4 + size
    return deadline_ms, fields, frame[at:]


def encode(result):
    try:
        return ENCODE(result).encode()
    except (TypeError, ValueError) as e:
        raise MarshalError("Unable to marshal response: %s" % e) from None


def run(channel, handler, frame):
    deadline_ms, fields, event = parse(frame)
    channel.request_id = fields[0]
    if fields[2]:
        os.environ["_X_AMZN_TRACE_ID"] = fields[2]
    try:
        result = handler(json.loads(event) if event else None, Context(fields, deadline_ms))
        answer = encode(result)[:ANSWER_MOST_BYTES]
        kind = "O"
    except MarshalError as e:
        error = {"errorMessage": str(e), "errorType": "Runtime.MarshalError", "requestId": fields[0],
                 "stackTrace": []}
        log_error(channel, error, fields[0])
        answer, kind = error_frame(error, error["errorType"]), "E"
    except Exception:
        error = error_of(*sys.exc_info())
        error["requestId"] = fields[0]
        # The first entry is this file's.
        error["stackTrace"] = error["stackTrace"][1:]
        log_error(channel, error, fields[0])
        answer = error_frame(error, error["errorType"])
        kind = "E"
    sys.stdout.flush()
    sys.stderr.flush()
    channel.send(kind, answer)


def main():
    sys.stdout.reconfigure(line_buffering=True)
    channel = Channel()
    if "logging" in sys.modules:
        set_up_logging(sys.modules["logging"], channel)
    else:
        sys.meta_path.insert(0, LoggingFinder(channel))
    handler = init(channel)
    channel.send("R", b"")
    while True:
        run(channel, handler, channel.receive())
