"""What the scenarios ask of a function: echo, print, sleep, fail, die, eat memory."""
import os
import time


def handler(event, context):
    print("event of", context.aws_request_id)
    if "print" in event:
        print(event["print"])
    if "env" in event:
        return os.environ.get(event["env"])
    if "spawn" in event:
        os.spawnlp(os.P_NOWAIT, "sleep", "sleep", "1000")
    if "sleep" in event:
        time.sleep(event["sleep"])
    if "die" in event:
        os._exit(event["die"])
    if "fail" in event:
        raise RuntimeError(event["fail"])
    if "eat" in event:
        eaten = bytearray(event["eat"] << 20)
        time.sleep(2)
        return len(eaten)
    return {"event": event, "left": context.get_remaining_time_in_millis() > 0}
