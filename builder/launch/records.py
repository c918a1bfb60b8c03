"""The jobs that were submitted from this machine: a small file each, below the state folder of whoever runs wsb."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from builder.errors import WsbError
from builder.launch.job import Record


def folder(environ: Mapping[str, str]) -> Path:
    """XDG_STATE_HOME/wsb/jobs."""
    state = environ.get("XDG_STATE_HOME")
    return (Path(state) if state else Path(environ.get("HOME", "~")).expanduser() / ".local" / "state") / "wsb" / "jobs"


def remember(environ: Mapping[str, str], record: Record) -> None:
    """Raises WsbError when the file cannot be written: a job nobody can find again is worth a word."""
    place = folder(environ)
    name = "-".join(part.replace("/", "_") for part in (record.on, record.place, record.id) if part)
    part = place / f".{name}.part"
    try:
        place.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(record.document(), indent=1, ensure_ascii=False) + "\n", "utf-8")
        part.replace(place / f"{name}.json")
    except OSError as error:
        raise WsbError(
            "cannot-write",
            f"job {record.id} is submitted, but it cannot be noted in {place}: {error.strerror}",
            hints=[f"ask the cluster itself for it: its files are in {record.files.get('directory', 'the cluster')}"],
        ) from error


def all_records(environ: Mapping[str, str]) -> tuple[Record, ...]:
    """Newest first; what is no record of ours is passed over."""
    found = []
    for path in folder(environ).glob("*.json"):
        try:
            found.append(Record.from_document(json.loads(path.read_text("utf-8"))))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return tuple(sorted(found, key=lambda one: (one.submitted, one.id), reverse=True))


def find(environ: Mapping[str, str], id: str) -> Record:
    """The job of this id; the newest one for "". Raises WsbError no-such-job."""
    known = all_records(environ)
    found = [one for one in known if id in ("", one.id, f"{one.place}/{one.id}")]
    if not found:
        what = f"no job {id} was submitted from this machine" if id else "no job was submitted from this machine"
        near = [f"the last ones: {', '.join(one.id for one in known[:5])}"] if known else []
        raise WsbError("no-such-job", what, hints=[*near, "`wsb status` lists them"])
    return found[0]
