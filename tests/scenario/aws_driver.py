#!/usr/bin/python3
"""aws_driver.py FOLDER: Debian's awscli, loaded once. Starting it takes more than a second of processor time, and a
scenario runs it some sixty times; here each run is a fork of the loaded program and costs a tenth.

Reads requests from the named pipe FOLDER/asked until one is empty: a line of JSON with the arguments, the AWS_* part of
the environment, the folder and the files that stand for standard output and error. Answers with the exit status, a
line in FOLDER/answered."""
import json
import os
import sys

import awscli.clidriver


def run(driver, request):
    for name, way in ((request["out"], 1), (request["err"], 2)):
        os.dup2(os.open(name, os.O_WRONLY | os.O_APPEND), way)
    os.chdir(request["folder"])
    for name in [n for n in os.environ if n.startswith("AWS_") and n != "AWS_DATA_PATH"]:  # that one awscli sets
        del os.environ[name]
    os.environ.update(request["environment"])
    try:
        status = driver.main(request["arguments"])
    except SystemExit as end:
        status = end.code
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status if isinstance(status, int) else 1)


def main():
    driver = awscli.clidriver.create_clidriver()
    while True:
        with open(sys.argv[1] + "/asked", encoding="utf-8") as asked:
            line = asked.read()
        if not line.strip():
            return
        child = os.fork()
        if child == 0:
            run(driver, json.loads(line))
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        with open(sys.argv[1] + "/answered", "w", encoding="utf-8") as answered:
            print(status, file=answered)


main()
