"""The command line of the refresh tool: where to read from, what to write, what has changed."""

from __future__ import annotations

import argparse
import datetime
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

from builder.assets import PACKAGE
from builder.catalog.canonical import dump
from builder.catalog.refresh import LosesRows, read_facts, refreshed

_NAMES = ("torch", "companions", "machine_code")


class Web:
    """Bytes over HTTP, with the certificate authorities of the environment."""

    def get(self, url: str, accept: str = "*/*") -> bytes:
        return self._ask(url, {"Accept": accept})[0]

    def part(self, url: str, start: int | None, length: int) -> tuple[bytes, int]:
        wanted = f"bytes=-{length}" if start is None else f"bytes={start}-{start + length - 1}"
        data, headers = self._ask(url, {"Range": wanted})
        total = headers.get("content-range", "").rpartition("/")[2]
        return data, int(total) if total.isdigit() else len(data)

    def _ask(self, url: str, headers: dict[str, str]) -> tuple[bytes, dict[str, str]]:
        request = urllib.request.Request(url, headers=headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read(), {name.lower(): value for name, value in answer.headers.items()}


def pip_index() -> str:
    """The index that pip itself is configured with."""
    if from_environment := os.environ.get("PIP_INDEX_URL"):
        return from_environment
    command = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return answer.stdout.strip() if answer.returncode == 0 and answer.stdout.strip() else "https://pypi.org/simple"


def main(arguments: list[str]) -> int:
    """0 when the tables are as they should be, 1 when --check finds changes, 3 when rows would be lost."""
    parser = argparse.ArgumentParser(prog="python -m builder.catalog.refresh", description=__doc__)
    parser.add_argument("--index", help="a package index that speaks JSON (default: pip's own)")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if anything would change")
    options = parser.parse_args(arguments)
    folder = Path(PACKAGE) / "data"
    before = {name: json.loads((folder / f"{name}.json").read_bytes()) for name in _NAMES}
    try:
        facts = read_facts(options.index or pip_index(), Web(), before)
        today = datetime.datetime.now(tz=datetime.timezone.utc).date().isoformat()
        after = refreshed(before, facts, today)
    except LosesRows as error:
        print(f"error: {error}; nothing was written", file=sys.stderr)
        return 3
    except (urllib.error.URLError, OSError) as error:
        print(f"error: the index cannot be read: {error}; nothing was written", file=sys.stderr)
        return 1
    changed = [name for name in _NAMES if {**after[name], "date": ""} != {**before[name], "date": ""}]
    for name in changed:
        added = len(after[name]["rows"]) - len(before[name]["rows"])
        print(f"{name}: {added} rows added" if added else f"{name}: rows changed", file=sys.stderr)
        if not options.check:
            (folder / f"{name}.json").write_bytes(dump(after[name]))
    if not changed:
        print("the tables are up to date", file=sys.stderr)
    return 1 if options.check and changed else 0
