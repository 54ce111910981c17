"""Processes orders. An order whose number ends in 7 never works; one in 3 needs a second try."""
import json
import time


def process(order, attempt):
    time.sleep(0.01)
    if order["number"] % 10 == 7:
        raise ValueError(f"order {order['number']}: the article does not exist")
    if order["number"] % 3 == 0 and attempt == 1:
        raise TimeoutError(f"order {order['number']}: the stock does not answer")


def handler(event, context):
    failed = []
    for record in event["Records"]:
        try:
            process(json.loads(record["body"]), int(record["attributes"]["ApproximateReceiveCount"]))
        except Exception as error:
            print(f"[ERROR] {type(error).__name__}: {error}")
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}
