"""Takes its time."""
import time


def handler(event, context):
    time.sleep(event.get("seconds", 0.2))
    return "done"
