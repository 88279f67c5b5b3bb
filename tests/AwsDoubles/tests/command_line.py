"""Runs the `aws` command line once per line of stdin: its own entry point, without starting Python each time.

It brings a botocore of its own, so it can't share a process with the tests."""

import contextlib
import io
import json
import os
import sys

from awscli.clidriver import create_clidriver

drivers = {}
for line in sys.stdin:
    request = json.loads(line)
    os.environ.update(request["environment"])
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        key = request["environment"]["AWS_ACCESS_KEY_ID"]
        drivers[key] = drivers.get(key) or create_clidriver()  # it remembers its credentials
        code = drivers[key].main(request["arguments"])
    sys.stdout.write(json.dumps({"code": code, "out": out.getvalue(), "err": err.getvalue()}) + "\n")
    sys.stdout.flush()
