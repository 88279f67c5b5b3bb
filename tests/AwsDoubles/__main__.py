"""`python3 tests/AwsDoubles --port 0`: prints where it listens, ends when its stdin closes."""

import argparse
import json
import os
import signal
import sys

from server import Server
from world import World

KEYS = ["AKIDORCHESTRATOR:orchestrator-secret:ota-orchestrator", "AKIDSOMEBODY:somebody-secret:somebody"]


def main():
    parser = argparse.ArgumentParser(prog="AwsDoubles", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--key", action="append", metavar="ID:SECRET:USER", help=f"an access key, repeatable; without any: {', '.join(KEYS)}")
    parser.add_argument("--period-seconds", type=float, default=60, help="how long one minute of CloudWatch's metrics lasts here")
    parser.add_argument("--minute-seconds", type=float, default=60, help="how long one minute of a CodeDeploy configuration lasts here")
    parser.add_argument("--bucket-folder", action="append", default=[], metavar="BUCKET=FOLDER", help="objects of the bucket also lie there as files, for whoever hands them out")
    parser.add_argument("--ready-file", metavar="FILE", help="say there where it listens, as JSON, and run until terminated")
    arguments = parser.parse_args()
    keys = {}
    for entry in arguments.key or KEYS:
        identifier, secret, user = entry.split(":", 2)
        keys[identifier] = (secret, user)
    world = World(keys)
    world.services["s3"].folders.update(entry.split("=", 1) for entry in arguments.bucket_folder)
    world.settings.update(periodSeconds=arguments.period_seconds, minuteSeconds=arguments.minute_seconds)
    server = Server(world, arguments.port)
    server.start()
    print(f"listening on {server.url}", flush=True)
    if arguments.ready_file:
        with open(arguments.ready_file + ".new", "w") as file:
            json.dump({"url": server.url}, file)
        os.replace(arguments.ready_file + ".new", arguments.ready_file)
        signal.pause()
    sys.stdin.buffer.read()
    os._exit(0)  # whoever holds a call or waits for a client's patience dies with us


main()
