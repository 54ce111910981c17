#!/usr/bin/env python3
"""Makes the price book (aws-lambda.json, aws-logs.json, aws-calls.json) from collected price facts.

Usage: convert.py FACTS_DIR
FACTS_DIR holds aws_lambda.json, aws_lambda_regions.json and aws_hidden.json. The output is written
beside this script and is the same bytes for the same input. README.md describes the format.
"""
import json
import os
import sys
from decimal import Decimal

LIST_DATE = "2026-09-19"
# When a meter came into force. x86 duration and request prices have not changed since the service
# became generally available.
SINCE = {
    "": "2015-04-09",
    "provisioned": "2019-12-03",
    "arm": "2021-09-29",
    "storage": "2022-03-24",
    "edge": "2017-07-17",
    "streaming": "2023-04-07",
    "snapstart": "2024-11-18",
    "kafka": "2024-11-21",
    "vended": "2025-05-01",
    "2025": "2025-11-18",
    "durable": "2025-12-02",
    "microvm": "2026-01-01",
}
INFERRED_TIER = "; price beyond the first tier inferred from us-east-1 by ratio"


def plain(value):
    """A decimal as text without exponent and trailing zeros."""
    text = format(Decimal(value), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def tier(begin, end, price, confidence=None):
    out = {"from": plain(begin)}
    if end not in (None, "Inf"):
        out["to"] = plain(end)
    out["price"] = plain(price)
    if confidence:
        out["confidence"] = confidence
    return out


class Book:
    def __init__(self, service, sources):
        self.service, self.sources, self.rows = service, sources, []

    def add(self, meter, region, unit, tiers, **more):
        if isinstance(tiers, str):
            tiers = [tier("0", None, tiers)]
        row = {"meter": meter, "region": region, "unit": unit,
               "valid_from": more.get("since", SINCE[""])}
        if "until" in more:
            row["valid_to"] = more["until"]
        row["currency"] = more.get("currency", "USD")
        row["retrieved"] = more.get("retrieved", LIST_DATE)
        row["confidence"] = more.get("confidence", "two")
        row["source"] = more.get("source", "page, price list")
        if "note" in more:
            row["note"] = more["note"]
        row["tiers"] = tiers
        self.rows.append(row)

    def write(self, path):
        head = {"schema": "fnscope.prices", "version": 1, "provider": "aws",
                "service": self.service, "sources": self.sources}
        lines = [json.dumps(r, ensure_ascii=False) for r in
                 sorted(self.rows, key=lambda r: (r["meter"], r["region"], r["valid_from"]))]
        with open(path, "w", encoding="utf-8") as f:
            text = json.dumps(head, indent=1, ensure_ascii=False)
            f.write(text[:-2] + ',\n "rows": [\n  ' + ",\n  ".join(lines) + "\n ]\n}\n")


def regional_tiers(region, arch, first, us, is_flat):
    """us-east-1's tiers; elsewhere x0.9 and x0.8 of the first price, marked as inferred."""
    if is_flat:
        return [tier("0", None, first)]
    out = []
    for i, (begin, end, price) in enumerate(us[arch]):
        if i == 0 or region == "us-east-1":
            out.append(tier(begin, end, first if i == 0 else price))
        elif Decimal(first) == Decimal(us[arch][0][2]):
            out.append(tier(begin, end, price, "inferred"))
        else:
            factor = Decimal("0.9") if i == 1 else Decimal("0.8")
            price = (Decimal(first) * factor).quantize(Decimal("1e-10"))
            out.append(tier(begin, end, price, "inferred"))
    return out


def confidence(row, key):
    c = row["confidence"]
    for k in (key, key.split("_gb_second")[0].rsplit("_", 1)[0] + "_*", "*"):
        if k in c:
            return c[k]
    return "one"


def word(text):
    """The confidence word; the rest of the remark is the source's."""
    return text.split()[0].rstrip(":,;")


def add_region(book, name, r, us):
    common = {"currency": r["currency"],
              "retrieved": LIST_DATE if name == "us-east-1" else
              "2026-08-21" if r["currency"] == "CNY" else "2024/2025"}
    is_flat = "tiers" in r

    def put(meter, unit, tiers, key, **more):
        c = confidence(r, key)
        book.add(meter, name, unit, tiers, confidence=word(c),
                 source=more.pop("source", "page, price list" if name == "us-east-1"
                                 else "calculator map"), **common, **more)

    request, note = r["request"], {}
    if request is None:  # the price of every region whose duration costs what us-east-1's does
        request = "0.0000002"
        note = {"note": "inferred: same duration price as us-east-1"}
    for meter, since in (("Request", ""), ("Request-ARM", "arm")):
        if meter == "Request-ARM" and r["gb_second_arm_tier1"] is None:
            continue
        if note:
            book.add(meter, name, "request", request, confidence="inferred",
                     source="calculator map", since=SINCE[since], **common, **note)
        else:
            put(meter, "request", request, "request", since=SINCE[since])
    put("Lambda-GB-Second", "GB-s",
        regional_tiers(name, "x86", r["gb_second_x86_tier1"], us, is_flat), "gb_second_x86_tier1")
    if r["gb_second_arm_tier1"] is not None:
        put("Lambda-GB-Second-ARM", "GB-s",
            regional_tiers(name, "arm64", r["gb_second_arm_tier1"], us, is_flat),
            "gb_second_arm_tier1", since=SINCE["arm"])
    for arch, suffix in (("x86", ""), ("arm", "-ARM")):
        for key, meter in (("provisioned_concurrency", "Lambda-Provisioned-Concurrency"),
                           ("provisioned_duration", "Lambda-Provisioned-GB-Second")):
            price = r.get(f"{key}_gb_second_{arch}")
            if price is not None:
                put(meter + suffix, "GB-s", price, "provisioned_*", since=SINCE["provisioned"])
        storage = r["ephemeral_storage_gb_second"]
        if storage is not None and (arch == "x86" or r["gb_second_arm_tier1"] is not None):
            put("Lambda-Storage-GB-Second" + suffix, "GB-s", storage,
                "ephemeral_storage_gb_second", since=SINCE["storage"])


def add_global(book, f):
    """Meters known for us-east-1 only, and those that are the same everywhere."""
    page = {"source": "page, price list"}
    free = f["free_tier_monthly"]
    book.add("Global-Request", "*", "request", [tier("0", str(free["requests"]), "0")],
             note="monthly free tier per payer: all regions, both architectures", **page)
    book.add("Global-Lambda-GB-Second", "*", "GB-s", [tier("0", str(free["gb_seconds"]), "0")],
             note="monthly free tier per payer: never provisioned concurrency", **page)
    edge = f["lambda_at_edge"]
    book.add("Lambda-Edge-Request", "*", "request", edge["request"], since=SINCE["edge"], **page)
    book.add("Lambda-Edge-GB-Second", "*", "GB-s", edge["gb_second"], since=SINCE["edge"], **page)
    stream = f["response_streaming"]
    book.add("Lambda-Streaming-Response-Processed-Bytes", "us-east-1", "GB", stream["per_gb"],
             since=SINCE["streaming"], note="bytes past the first 6 MB of each response; GB = 1024 MB",
             **page)
    book.add("Global-Lambda-Streaming-Response-Processed-Bytes", "*", "GB",
             [tier("0", str(stream["free_gb_month"]), "0")], since=SINCE["streaming"],
             note="monthly free tier", **page)
    snap = f["snapstart"]
    book.add("Lambda-SnapStart-Cached-GB-Second", "us-east-1", "GB-s", snap["cache_gb_second"],
             since=SINCE["snapstart"], note="at least 3 hours; free for Java managed runtimes", **page)
    book.add("Lambda-SnapStart-Restored-GB", "us-east-1", "GB", snap["restore_per_gb"],
             since=SINCE["snapstart"], note="free for Java managed runtimes", **page)
    book.add("Lambda-Managed-Instances-Request", "us-east-1", "request",
             f["managed_instances"]["request"], since=SINCE["2025"], **page)
    book.add("Lambda-Managed-Instances-Management-Fee", "us-east-1", "USD of EC2 on-demand",
             f["managed_instances"]["management_fee_fraction_of_ec2_on_demand"],
             since=SINCE["2025"], **page)
    durable = f["durable_functions"]
    book.add("Lambda-Durable-Operation", "us-east-1", "operation", durable["operation"],
             since=SINCE["durable"], **page)
    book.add("Lambda-Durable-Data-Written", "us-east-1", "GB", durable["data_written_per_gb"],
             since=SINCE["durable"], **page)
    book.add("Lambda-Durable-Data-Retained", "us-east-1", "GB-month",
             durable["retention_per_gb_month"], since=SINCE["durable"], **page)
    tenant = f["tenant_isolation"]["per_gb_environment_created"]
    book.add("Tenant-Isolation", "us-east-1", "GB", tenant["x86_page_example"],
             since=SINCE["2025"], confidence="one", source="page",
             note=f"the price list of {LIST_DATE} says {tenant['x86_price_list']}; the page's own "
                  "bill uses the rounded price")
    book.add("Tenant-Isolation-ARM", "us-east-1", "GB", tenant["arm64"], since=SINCE["2025"],
             confidence="one", source="price list")
    esm = f["event_source_mapping_provisioned"]
    book.add("Event-Poller-Unit-Hours", "us-east-1", "EPU-h", esm["kafka_epu_hour"],
             since=SINCE["kafka"], **page)
    book.add("SQS-Event-Poller-Unit-Hours", "us-east-1", "EPU-h", esm["sqs_epu_hour"],
             since=SINCE["2025"], **page)
    vm = f["microvms_arm"]
    for meter, unit, key in (("Lambda-MicroVM-vCPU-Second", "vCPU-s", "vcpu_second"),
                             ("Lambda-MicroVM-GB-Second", "GB-s", "gb_second"),
                             ("Lambda-MicroVM-Snapshot-Write", "GB", "snapshot_write_per_gb"),
                             ("Lambda-MicroVM-Snapshot-Read", "GB", "snapshot_read_per_gb"),
                             ("Lambda-MicroVM-Storage", "GB-month", "storage_gb_month")):
        book.add(meter, "us-east-1", unit, vm[key], since=SINCE["microvm"], confidence="one",
                 source="page")
    plan = f["compute_savings_plan"]
    for name, key in (("no-upfront", "no_upfront_1y_or_3y"), ("all-upfront", "all_upfront")):
        for arch, meter in (("x86", "Lambda-GB-Second"), ("arm64", "Lambda-GB-Second-ARM")):
            book.add(f"SavingsPlan:{name}:{meter}", "us-east-1", "GB-s", plan[key][arch],
                     confidence="one", source="price list summary",
                     note="Compute Savings Plan; not on requests and storage")
    for meter, key in (("Lambda-Provisioned-Concurrency", "concurrency"),
                       ("Lambda-Provisioned-GB-Second", "duration")):
        book.add(f"SavingsPlan:no-upfront:{meter}", "us-east-1", "GB-s",
                 plan["provisioned_no_upfront"][key], confidence="one",
                 source="price list summary", note="Compute Savings Plan")


def terabytes(text, step):
    return text if text in ("0", "Inf") else str(int(text.split()[0]) * step)


def add_logs(book, hidden):
    """Ingestion of Lambda logs: a flat price, graduated since 2025-05-01."""
    by = {i.get("usagetype"): i for i in hidden["items"] if i["service"] == "CloudWatchLogs"}
    stand_in = "us-east-1's price stands in: other regions were not captured"
    bands = by["VendedLog-Bytes"]["price"]
    flat = by["DataProcessing-Bytes"]["price"]
    egress = by["S3-Egress-Bytes"]["price"]
    for region, conf, more in (("us-east-1", "two", {}), ("*", "inferred", {"note": stand_in})):
        for meter, step in (("VendedLog-Bytes", 1000), ("VendedLog-Bytes:binary", 1024)):
            tiers = [tier(terabytes(b, step), terabytes(e, step), p) for b, e, p in bands]
            book.add(meter, region, "GB", tiers, since=SINCE["vended"], confidence=conf,
                     source="Duckbill analysis, price-list readers", retrieved="2026-08-11", **more)
        book.add("DataProcessing-Bytes", region, "GB", flat, since="2014-07-10", confidence=conf,
                 source="infracost goldens, deployment note", retrieved="2026-08-21", **more)
        book.add("TimedStorage-ByteHrs", region, "GB-month", by["TimedStorage-ByteHrs"]["price"],
                 since="2014-07-10", confidence=conf, source="infracost goldens, deployment note",
                 retrieved="2026-08-21", **more)
        tiers = [tier(terabytes(b, 1000), terabytes(e, 1000), p,
                      "recalled" if 0 < i < 3 else None) for i, (b, e, p) in enumerate(egress)]
        book.add("S3-Egress-Bytes", region, "GB", tiers, since=SINCE["vended"],
                 confidence="one" if region != "*" else conf, source="classmethod",
                 retrieved="2026-01-24", **more)
    book.add("Global-DataProcessing-Bytes", "*", "GB", [tier("0", "5", "0")], since="2014-07-10",
             source="infracost goldens, deployment note", retrieved="2026-08-21",
             note="monthly free tier of ingestion, archive and scan together")


def add_calls(book, hidden):
    """What reading of the provider's APIs costs: fnscope's own bill."""
    items = {(i["service"], i["item"]): i for i in hidden["items"]}
    stand_in = "us-east-1's price stands in: other regions were not captured"
    own = "meter of our own: the usage type was not captured"
    rows = (("API:CW:GMD-Metrics", "metric", ("CloudWatch", "GetMetricData"), 1000, "page excerpt", None),
            ("API:SQS-Requests", "request", ("SQS", "standard requests"), 1, "pricing note", own),
            ("API:XRay-TracesRead", "trace", ("XRay", "traces retrieved or scanned"), 1,
             "page, negotiation guide", own))
    for meter, unit, key, per, source, note in rows:
        price = plain(Decimal(items[key]["price"]) / per)
        for region in ("us-east-1", "*"):
            notes = [n for n in (note, stand_in if region == "*" else None) if n]
            more = {"note": "; ".join(notes)} if notes else {}
            book.add(meter, region, unit, price, since="2026-01-01", source=source, retrieved="2026",
                     confidence=items[key]["confidence"] if region != "*" else "inferred", **more)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)

    def read(name):
        with open(os.path.join(sys.argv[1], name), encoding="utf-8") as f:
            return json.load(f)

    here = os.path.dirname(os.path.abspath(__file__))
    facts, regions, hidden = (read(n) for n in
                              ("aws_lambda.json", "aws_lambda_regions.json", "aws_hidden.json"))
    book = Book("AWSLambda", {
        "page": "AWS Lambda pricing page, copy of 2026",
        "price list": "AWS price list, offer AWSLambda, published 2026-09-19",
        "price list summary": "AWS Lambda pricing regimes as of 2026-09-28",
        "calculator map": "AWS pricing calculator map meteredUnitMaps/lambda, copy of 2024 or 2025, "
                          "checked against independent region tables"})
    for name, row in regions["regions"].items():
        add_region(book, name, row, facts["duration_gb_second"])
    add_global(book, facts)
    book.write(os.path.join(here, "aws-lambda.json"))
    logs = Book("AmazonCloudWatchLogs", {
        "Duckbill analysis": "Duckbill Group on the change of 2025-05-01",
        "infracost goldens": "infracost test outputs, 2026-08-21 (Apache-2.0)",
        "deployment note": "price list as read on 2026-08-11",
        "classmethod": "dev.classmethod.jp, 2026-01-24"})
    add_logs(logs, hidden)
    logs.write(os.path.join(here, "aws-logs.json"))
    calls = Book("API calls", {
        "page excerpt": "excerpt of the CloudWatch pricing page, 2026",
        "page": "aws.amazon.com/cn/xray/pricing, 2026",
        "negotiation guide": "awsnegotiations.com, 2026",
        "pricing note": "SQS list prices as read in 2026"})
    add_calls(calls, hidden)
    calls.write(os.path.join(here, "aws-calls.json"))


if __name__ == "__main__":
    main()
