"""What the engine tests share."""

from __future__ import annotations

from builder.engine.base import (
    BuildRequest,
    Event,
    StepFinished,
)
from builder.engine.context import build_context
from builder.engine.docker_sdk import DockerEngine
from builder.model.files import File, FileSet


def containers(engine: DockerEngine, label: str) -> list[str]:
    found = engine._api.containers(all=True, filters={"label": f"dev.wsb.test={label}"})
    return [container["Id"] for container in found]


def processes(engine: DockerEngine, tiny: str) -> str:
    """All processes of the machine the engine runs on."""
    host = engine._api.create_host_config(pid_mode="host")
    container = engine._api.create_container(tiny, ["ps", "-o", "args"], host_config=host)["Id"]
    try:
        engine._api.start(container)
        engine._api.wait(container)
        return engine._api.logs(container).decode()
    finally:
        engine._api.remove_container(container, force=True)


def request(name: str, dockerfile: str, **files: bytes) -> BuildRequest:
    content = [File(path="Dockerfile", content=dockerfile.encode())]
    content += [File(path=path, content=data) for path, data in files.items()]
    return BuildRequest(tag=name, context=build_context(FileSet(tuple(content))))


def built(engine: DockerEngine, request: BuildRequest) -> list[Event]:
    events: list[Event] = []
    engine.build(request, events.append)
    return events


def finished(events: list[Event]) -> dict[str, StepFinished]:
    return {event.name: event for event in events if isinstance(event, StepFinished)}


def nothing(_: object) -> None:
    pass
