"""What buildx prints and is asked, without one."""

from __future__ import annotations

import base64
import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from builder.engine import buildx, rawjson
from builder.engine.base import BuildRequest, StepFinished, StepOutput, StepStarted
from builder.engine.stream import BuildStream
from builder.errors import WsbError

STEP = {
    "digest": "sha256:1",
    "name": "[2/2] RUN true",
    "started": "2026-11-25T20:03:52.218771263Z",
    "completed": "2026-11-25T20:03:53.218771263Z",
    "cached": True,
}


def test_a_line_of_progress_becomes_the_events_of_the_other_engine() -> None:
    told: list[object] = []
    stream = BuildStream(told.append, lambda: 0.0)
    running = {key: value for key, value in STEP.items() if key not in ("completed", "cached")}
    log = {"vertex": "sha256:1", "stream": 1, "data": base64.b64encode(b"hello\n").decode()}
    for document in ({"vertexes": [running]}, {"logs": [log]}, {"vertexes": [STEP]}):
        status = rawjson.parse(json.dumps(document).encode())
        assert status is not None
        stream.take(status)
    assert [type(event) for event in told] == [StepStarted, StepOutput, StepFinished]
    last = told[-1]
    assert isinstance(last, StepFinished)
    assert (last.is_cached, last.seconds) == (True, 1.0)


@pytest.mark.parametrize(
    "line", [b"ERROR: failed to solve", b"{", b"[]", b'{"vertexes": [1]}', b'{"logs": [{"data": "%"}]}', b""]
)
def test_what_is_no_progress_is_left_to_people(line: bytes) -> None:
    assert rawjson.parse(line) is None


@pytest.mark.parametrize(
    ("text", "rest"),
    [("2026-11-25T20:03:52Z", 0), ("2026-11-25T20:03:52.5Z", 500_000_000), ("2026-11-25T20:03:52.000000001Z", 1)],
)
def test_times_are_read_to_the_nanosecond(text: str, rest: int) -> None:
    found = rawjson._nanoseconds(text)
    assert found is not None
    assert found % 1_000_000_000 == rest
    assert rawjson._nanoseconds(None) is None


def test_only_steps_that_download_get_the_mounts() -> None:
    network = "--mount=type=bind,source=.wsb/network,target=/run/wsb/network"
    text = f"FROM a\nRUN {network} \\\n    apt-get update\nRUN true\n"
    assert buildx.with_mounts(text, ["--mount=type=ssh"]).splitlines()[1] == f"RUN {network} --mount=type=ssh \\"
    assert buildx.with_mounts(text, []) == text


def test_the_context_keeps_its_bytes_but_for_the_dockerfile() -> None:
    def context() -> io.BytesIO:
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as archive:
            for name, content in (("Dockerfile", b"RUN " + buildx._NETWORK.encode()), ("big", bytes(3_000_000))):
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        out.seek(0)
        return out

    made = b"".join(buildx._with_mounts(BuildRequest(tag="x", context=context), ["--mount=type=ssh"]))
    with tarfile.open(fileobj=io.BytesIO(made)) as archive:
        assert archive.getnames() == ["Dockerfile", "big"]
        dockerfile, big = archive.extractfile("Dockerfile"), archive.extractfile("big")
        assert dockerfile is not None
        assert dockerfile.read().endswith(b" --mount=type=ssh")
        assert big is not None
        assert big.read() == bytes(3_000_000)
    assert b"".join(buildx._with_mounts(BuildRequest(tag="x", context=context), [])) == context().read()


def test_without_buildx_it_says_what_to_install(tmp_path: Path) -> None:
    docker = tmp_path / "docker"
    docker.write_text("#!/bin/sh\necho \"docker: 'buildx' is not a docker command.\" >&2\nexit 1\n")
    docker.chmod(0o755)
    with pytest.raises(WsbError) as caught:
        buildx._check_version({"PATH": f"{tmp_path}:/bin:/usr/bin"})
    assert caught.value.code == "tool-missing"
    docker.write_text("#!/bin/sh\necho 'github.com/docker/buildx v0.10.5 abc'\n")
    with pytest.raises(WsbError, match="too old"):
        buildx._check_version({"PATH": f"{tmp_path}:/bin:/usr/bin"})
    docker.write_text("#!/bin/sh\necho 'github.com/docker/buildx 0.13.1+ds1 0.13.1+ds1-3'\n")
    buildx._check_version({"PATH": f"{tmp_path}:/bin:/usr/bin"})


def _engine(folder: Path, driver: str, **options: object) -> buildx.BuildxEngine:
    """One whose docker says that its builder is of this kind."""
    docker = folder / "docker"
    docker.write_text(f"#!/bin/sh\nprintf 'Name: x\\nDriver: {driver}\\n'\n")
    docker.chmod(0o755)
    chosen = buildx.BuildxOptions(**options)  # type: ignore[arg-type]
    return buildx.BuildxEngine(None, {"PATH": f"{folder}:/bin:/usr/bin"}, chosen)  # type: ignore[arg-type]


def test_a_builder_elsewhere_pushes_what_it_packs_and_dates(tmp_path: Path) -> None:
    engine = _engine(tmp_path, "docker-container", push_to="registry.example.org/one", compression="zstd", compression_level=3)
    asked = BuildRequest(tag="one:latest", context=io.BytesIO, args={"SOURCE_DATE_EPOCH": "1735689600"}, labels={"a": "b c"})
    pushing = "--output=type=image,name=registry.example.org/one,push-by-digest=true,push=true"
    packing = "compression=zstd,compression-level=3,force-compression=true,oci-mediatypes=true"
    assert engine._pushing(asked) == ["--provenance=false", f"{pushing},rewrite-timestamp=true,{packing}"]
    assert "--label=a=b c" in engine._command(asked)
    attesting = _engine(tmp_path, "remote", push_to="registry.example.org/one", attest=("type=sbom",))
    assert attesting._pushing(replace(asked, args={})) == ["--attest=type=sbom", pushing]


def test_the_engine_s_own_builder_packs_the_workspace_and_leaves_the_torch_stage(tmp_path: Path) -> None:
    engine = _engine(tmp_path, "docker", compression="estargz")
    workspace = BuildRequest(tag="one:latest", context=io.BytesIO)
    packing = "compression=estargz,force-compression=true,oci-mediatypes=true"
    assert engine._output(workspace, tmp_path) == ["--provenance=false", f"--output=type=image,name=one:latest,{packing}"]
    assert engine._output(replace(workspace, target="torch"), tmp_path) == ["--provenance=false", "--load"]
    assert _engine(tmp_path, "docker")._output(workspace, tmp_path) == ["--provenance=false", "--load"]
