"""What the scenarios ask of a function: echo, print, sleep, fail, die, eat memory."""
import ctypes
import errno
import multiprocessing
import os
import platform
import resource
import signal
import time

CLONE = {"x86_64": 56, "aarch64": 220}[platform.machine()]


def refused(name, *arguments):
    """How the machine answers a system call no function needs."""
    libc = ctypes.CDLL(None, use_errno=True)
    result = getattr(libc, name)(*arguments)
    return errno.errorcode.get(ctypes.get_errno(), "?") if result < 0 else "allowed"


def fences():
    """What stands around this process, as it sees it."""
    with open("/proc/self/status") as status:
        fields = {line.partition(":")[0]: line.partition(":")[2].strip() for line in status}
    return {
        "trace": refused("ptrace", 0, 0, 0, 0),
        "mount": refused("mount", b"none", b"/tmp", b"tmpfs", 0, None),
        "unshare": refused("unshare", 0x10000000),
        "clone": refused("syscall", CLONE, 0x10000000 | signal.SIGCHLD, 0, 0, 0, 0),
        "clone3": refused("syscall", 435, 0, 0),
        "host name": refused("sethostname", b"other", 5),
        "no new privileges": fields["NoNewPrivs"],
        "capabilities": [int(fields[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")],
        "filter": fields["Seccomp"],
        "files": resource.getrlimit(resource.RLIMIT_NOFILE),
        "core": resource.getrlimit(resource.RLIMIT_CORE),
        "own group": os.getpgid(0) == os.getpid(),
        "batch": os.sched_getscheduler(0) == os.SCHED_BATCH,
    }


def handler(event, context):
    print("event of", context.aws_request_id)
    if "print" in event:
        print(event["print"])
    if "env" in event:
        return os.environ.get(event["env"])
    if "folder" in event:
        return [sorted(os.listdir(event["folder"])), os.getcwd()]
    if "fences" in event:
        return fences()
    if "client" in event:
        return [context.client_context.custom, context.client_context.client.app_title,
                context.identity.cognito_identity_id]
    if "large" in event:
        return "x" * event["large"]
    if "process" in event:
        child = multiprocessing.get_context(event["process"]).Process(target=refused, args=("getpid",))
        child.start()
        child.join()
        return child.exitcode
    if "unknown" in event:
        return {"no JSON": context}
    if "spawn" in event:
        os.spawnlp(os.P_NOWAIT, "sleep", "sleep", "1000")
    if "sleep" in event:
        time.sleep(event["sleep"])
    if "signal" in event:
        os.kill(os.getpid(), event["signal"])
    if "abort" in event:
        os.abort()
    if "die" in event:
        os._exit(event["die"])
    if "fail" in event:
        raise RuntimeError(event["fail"])
    if "children" in event:
        for _ in range(3):
            if os.fork() == 0:
                eaten = b"x" * (event["children"] << 20)
                time.sleep(1000)
                os._exit(len(eaten))
        time.sleep(1)
        return "fed"
    if "eat" in event:
        eaten = bytearray(event["eat"] << 20)
        time.sleep(2)
        return len(eaten)
    return {"event": event, "left": context.get_remaining_time_in_millis() > 0}
