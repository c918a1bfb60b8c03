"""What is asked of the engine for a container, and how its output is taken apart."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.engine.base import ContainerRequest, Output
from builder.engine.containers import Demultiplexer, config


def frame(stream: int, data: bytes) -> bytes:
    return struct.pack(">BxxxL", stream, len(data)) + data


@given(st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=20)), max_size=6), st.data())
def test_frames_may_be_cut_anywhere(frames: list[tuple[int, bytes]], data: st.DataObject) -> None:
    wire = b"".join(frame(*one) for one in frames)
    demultiplexer = Demultiplexer()
    found: list[Output] = []
    while wire:
        cut = data.draw(st.integers(1, len(wire)))
        found += demultiplexer.feed(wire[:cut])
        wire = wire[cut:]
    for is_stderr in (False, True):
        expected = b"".join(content for stream, content in frames if (stream == 2) is is_stderr)
        assert b"".join(one.data for one in found if one.is_stderr is is_stderr) == expected


def test_a_piece_of_a_frame_is_passed_on_at_once() -> None:
    demultiplexer = Demultiplexer()
    assert list(demultiplexer.feed(frame(1, b"hello")[:10])) == [Output(is_stderr=False, data=b"he")]


def test_every_field_of_a_request_reaches_the_engine() -> None:
    body = config(
        ContainerRequest(
            image="i",
            command=["python", "-c", "1"],
            user="1000:1000",
            groups=["44"],
            workdir="/workspace",
            env={"B": "2", "A": "1"},
            mounts=[("/home/a", "/workspace", False), ("cache", "/cache", True)],
            ports=[(8888, 8888), (6006, 0)],
            shm_size="8g",
            labels={"dev.wsb": "1"},
            network="none",
            has_tty=True,
            entrypoint=["/bin/sh"],
            device_requests=[{"Driver": "cdi", "DeviceIDs": ["nvidia.com/gpu=all"]}],
            devices=["/dev/kfd"],
            runtime="nvidia",
        ),
        has_stdin=True,
    )
    host = body.pop("HostConfig")
    assert body == {
        "Image": "i",
        "Cmd": ["python", "-c", "1"],
        "Entrypoint": ["/bin/sh"],
        "User": "1000:1000",
        "WorkingDir": "/workspace",
        "Env": ["A=1", "B=2"],
        "Labels": {"dev.wsb": "1"},
        "Tty": True,
        "OpenStdin": True,
        "StdinOnce": True,
        "AttachStdin": True,
        "AttachStdout": True,
        "AttachStderr": True,
        "ExposedPorts": {"8888/tcp": {}, "6006/tcp": {}},
    }
    assert host == {
        "Init": True,
        "LogConfig": {"Type": "none", "Config": {}},
        "GroupAdd": ["44"],
        "Mounts": [
            {"Type": "bind", "Source": "/home/a", "Target": "/workspace", "ReadOnly": False},
            {"Type": "volume", "Source": "cache", "Target": "/cache", "ReadOnly": True},
        ],
        "PortBindings": {
            "8888/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8888"}],
            "6006/tcp": [{"HostIp": "127.0.0.1", "HostPort": ""}],
        },
        "DeviceRequests": [{"Driver": "cdi", "DeviceIDs": ["nvidia.com/gpu=all"]}],
        "Devices": [{"PathOnHost": "/dev/kfd", "PathInContainer": "/dev/kfd", "CgroupPermissions": "rwm"}],
        "ShmSize": 8 << 30,
        "NetworkMode": "none",
        "Runtime": "nvidia",
    }


@pytest.mark.parametrize("absent", ["ShmSize", "NetworkMode", "Runtime"])
def test_what_is_not_asked_for_is_left_to_the_engine(absent: str) -> None:
    assert absent not in config(ContainerRequest(image="i", command=[]), has_stdin=False)["HostConfig"]


def test_the_image_s_own_entrypoint_is_kept_unless_another_is_named() -> None:
    assert "Entrypoint" not in config(ContainerRequest(image="i", command=[]), has_stdin=False)
    assert config(ContainerRequest(image="i", command=[], entrypoint=[]), has_stdin=False)["Entrypoint"] == []
