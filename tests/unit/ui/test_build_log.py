"""The whole log of a build, in a file."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from builder.engine.base import Event, LayerProgress, Note, StepFinished, StepOutput, StepStarted
from builder.ui.build_log import BuildLog, both, log_directory, log_path

NOW = datetime(2026, 11, 24, 4, 15, 0)
EVENTS: list[Event] = [
    LayerProgress(image="debian", layer="abc", what="Downloading", current=1, total=9),
    LayerProgress(image="debian", layer="abc", what="Downloading", current=2, total=9),
    LayerProgress(image="debian", layer="abc", what="Pull complete", current=0, total=0),
    StepStarted(id="x", name="[1/2] RUN one"),
    StepStarted(id="y", name="[2/2] RUN two"),
    StepOutput(id="x", text="hel"),
    StepOutput(id="y", text="side by side\n"),
    StepOutput(id="x", text="lo\nno newline"),
    Note(text="a note"),
    StepFinished(id="x", name="[1/2] RUN one", is_cached=False, seconds=1.25),
    StepFinished(id="y", name="[2/2] RUN two", is_cached=False, seconds=2, error="exit code: 3"),
    StepFinished(id="z", name="late", is_cached=True, seconds=0),
]
EXPECTED = """\
pull debian abc Downloading
pull debian abc Pull complete
#1 [1/2] RUN one
#2 [2/2] RUN two
#2 side by side
#1 hello
a note
#1 no newline
#1 DONE 1.2s
#2 ERROR 2.0s: exit code: 3
CACHED
"""


def test_every_line_of_every_step_is_kept(tmp_path: Path) -> None:
    with BuildLog(tmp_path / "new" / "log") as log:
        for event in EVENTS:
            log(event)
    assert (tmp_path / "new" / "log").read_text("utf-8") == EXPECTED


def test_what_an_interrupted_step_printed_last_is_kept(tmp_path: Path) -> None:
    with BuildLog(tmp_path / "log") as log:
        log(StepStarted(id="x", name="n"))
        log(StepOutput(id="x", text="half a line"))
    assert (tmp_path / "log").read_text("utf-8") == "#1 n\n#1 half a line\n"


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with BuildLog(tmp_path / "file" / "log") as log:
        assert log.path is None
        for event in EVENTS:
            log(event)


def test_a_disk_that_fills_up_stops_nothing() -> None:
    with BuildLog(Path("/dev/full")) as log:
        for event in EVENTS:
            log(event)
    assert log.path is None


def test_old_logs_go_when_new_ones_come(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / f"2026-{number:02d}.log").write_text("")
    with BuildLog(tmp_path / "2026-99.log"):
        pass
    names = sorted(path.name for path in tmp_path.iterdir())
    assert len(names) == 20
    assert names[-2:] == ["2026-29.log", "2026-99.log"]


def test_logs_lie_where_the_desktop_s_standard_wants_state() -> None:
    assert log_directory({"XDG_STATE_HOME": "/s", "HOME": "/h"}) == Path("/s/wsb/logs")
    assert log_directory({"XDG_STATE_HOME": "relative", "HOME": "/h"}) == Path("/h/.local/state/wsb/logs")
    assert log_directory({}).name == "wsb-logs"


def test_a_log_s_name_has_its_time_and_its_build() -> None:
    path = log_path({"XDG_STATE_HOME": "/s"}, NOW, "build wsb/mnist:1")
    assert path == Path("/s/wsb/logs/20261124-041500-build-wsb-mnist-1.log")


def test_several_listeners_hear_the_same() -> None:
    first: list[Event] = []
    second: list[Event] = []
    both(first.append, second.append)(EVENTS[0])
    assert first == second == [EVENTS[0]]
