"""What a locked step does beside installing."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from builder import pipeline
from tests.unit.lock.locks import locked, plan


@pytest.mark.parametrize("shell", ["bash", "dash"])
def test_a_file_of_an_earlier_step_is_not_dated_again_though_it_is_of_the_same_second(tmp_path: Path, shell: str) -> None:
    """Else a layer holds, on some runs, files that it did not change, and has another digest then."""
    files = pipeline.render(plan(), locked=locked())
    begin = tmp_path / "begin"
    begin.write_bytes(files[".wsb/locked/begin"])
    for count in range(5):
        script = f"touch {tmp_path}/earlier; . {begin}; touch {tmp_path}/own; find {tmp_path} -type f -newermt @$WSB_BEGAN"
        done = subprocess.run([shell, "-ec", script], capture_output=True, text=True, check=True)
        assert done.stdout.split() == [f"{tmp_path}/own"], count
