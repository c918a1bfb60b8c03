"""Makes what conda wrote down of an installation the same each time: no hour, and addresses as the lock has them.

usage: conda-meta.py PREFIX; the lock's explicit list is /run/wsb/lock/list. Runs under the environment's own Python.
"""

import json
import os
import re
import sys

meta = os.path.join(sys.argv[1], "conda-meta")
urls = {}
try:
    with open("/run/wsb/lock/list") as stream:
        for line in stream:
            url = line.strip().partition("#")[0]
            urls[url.rpartition("/")[2]] = url
except OSError:
    pass


def rewrite(path, text):
    with open(path) as stream:
        if stream.read() == text:
            return
    with open(path, "w") as stream:
        stream.write(text)


for name in sorted(os.listdir(meta)):
    path = os.path.join(meta, name)
    if name == "history":
        with open(path) as stream:
            history = stream.read()
        history = re.sub(r"==> \d{4}-\d\d-\d\d \d\d:\d\d:\d\d <==", "==> 2000-01-01 00:00:00 <==", history)
        for file, url in urls.items():
            history = re.sub(r"[a-z]+://[^\s'\"]*/" + re.escape(file), url, history)
        rewrite(path, history)
    elif name.endswith(".json"):
        with open(path) as stream:
            record = json.load(stream)
        url = urls.get(record.get("fn") or name[: -len(".json")] + ".conda")
        if url:
            record["url"] = url
            record["channel"] = url.rpartition("/")[0]
            record.pop("requested_spec", None)
            record.pop("requested_specs", None)
        rewrite(path, json.dumps(record, indent=2, sort_keys=True))
