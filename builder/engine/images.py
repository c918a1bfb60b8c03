"""Images of an engine: looked up, pulled, imported, tagged, removed, and read without being started."""

from __future__ import annotations

import io
import posixpath
import re
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO, Final

import docker.errors
import docker.utils

from builder.engine import translate
from builder.engine.base import ImageInfo, Listener
from builder.engine.calls import Client, Refusal, messages, translated
from builder.engine.stream import layer_progress
from builder.errors import WsbError

_BLOCK: Final = 1 << 18
_MAX_LINKS: Final = 16


def image(api: Client, reference: str) -> ImageInfo | None:
    with translated(f"looking for the image {reference}"):
        try:
            return _info(api.inspect_image(reference))
        except docker.errors.NotFound:
            return None


def images(api: Client, label: str) -> tuple[ImageInfo, ...]:
    """Images with this label ("key" or "key=value"; "" for all images), newest first."""
    with translated("listing the images"):
        details = []
        for one in _listed(api, label):
            with suppress(docker.errors.NotFound):  # removed by someone else in the meantime
                details.append(_info(api.inspect_image(one["Id"])))
        # the listing's own times are whole seconds
        return tuple(sorted(details, key=lambda one: (one.created.rstrip("Z"), one.id), reverse=True))


def tags(api: Client, label: str) -> tuple[str, ...]:
    with translated("listing the images"):
        newest_first = sorted(_listed(api, label), key=lambda one: int(one.get("Created") or 0), reverse=True)
        found = [_familiar(tag) for one in newest_first for tag in one.get("RepoTags") or ()]
    return tuple(tag for tag in found if tag != "<none>:<none>")  # as engines before 25 call what has no name


def _listed(api: Client, label: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.images(filters={"label": label} if label else {})
    return found


def pull(api: Client, reference: str, platform: str, listener: Listener) -> ImageInfo:
    """Raises base-unreachable, no-such-base. An interrupt ends the pull: the engine stops with the connection."""
    repository, tag = docker.utils.parse_repository_tag(reference)
    with translated(f"pulling {reference}", lambda _, text, __: translate.base_unreachable(reference, text)):
        for message in api.pull(repository, tag=tag or "latest", stream=True, decode=True, platform=platform or None):
            text = (message.get("errorDetail") or {}).get("message") or message.get("error")
            if text:
                raise translate.base_unreachable(reference, text)
            event = layer_progress(reference, message)
            if event:
                listener(event)
    return _present(api, reference)


def import_rootfs(api: Client, tar: BinaryIO, name: str, changes: Sequence[str]) -> ImageInfo:
    """Streams the tar; nothing is tagged when it is cut short or is no tar."""
    doing = f"importing {name}"
    made = ""
    with translated(doing):
        response = api._post(
            api._url("/images/create"),
            # named afterwards: Podman takes no tag here and would call it :latest
            params={"fromSrc": "-", "changes": list(changes)},
            data=_blocks(tar),
            headers={"Content-Type": "application/x-tar"},
            stream=True,
            timeout=None,
        )
        api._raise_for_status(response)
        for message in messages(response):
            text = (message.get("errorDetail") or {}).get("message") or message.get("error")
            if text:
                raise translate.refused(doing, text)
            made = str(message.get("status") or made)
    tag(api, made, name)
    return _present(api, name)


def tag(api: Client, image: str, tag: str) -> None:
    repository, name = docker.utils.parse_repository_tag(tag)
    with translated(f"tagging {tag}"):
        api.tag(image, repository, name or "latest")


def remove(api: Client, reference: str) -> None:
    """Removing what is not there is no error."""
    with translated(f"removing the image {reference}", _in_use(reference)), suppress(docker.errors.NotFound):
        api.remove_image(reference)


def _in_use(reference: str) -> Refusal:
    """A container that holds an image, running or not, is the usual reason why it cannot go."""

    def refusal(doing: str, text: str, status: int) -> WsbError:
        found = re.search(r"container ([0-9a-f]{12,64})", text)
        if status != 409 or found is None:
            return translate.refused(doing, text, status)
        container = found[1][:12]
        return WsbError(
            "engine-refused",
            f"{reference} is in use by the container {container}",
            hints=(f"end it first: `docker rm --force {container}`",),
        )

    return refusal


def files(api: Client, image: str, paths: Iterable[str]) -> dict[str, bytes]:
    """Contents of regular files; symbolic links are followed inside the image."""
    with translated(f"reading files of {image}"), _never_started(api, image) as container:
        found = {path: _file(api, container, path) for path in paths}
    return {path: content for path, content in found.items() if content is not None}


@contextmanager
def _never_started(api: Client, image: str) -> Iterator[str]:
    """The id of a container to read from."""
    # its command need not exist, but an image without one is refused otherwise
    container: str = api.create_container_from_config({"Image": image, "Cmd": ["wsb"], "Entrypoint": []})["Id"]
    try:
        yield container
    finally:
        api.remove_container(container, force=True, v=True)


def _file(api: Client, container: str, path: str) -> bytes | None:
    for _ in range(_MAX_LINKS):
        try:
            stream, _ = api.get_archive(container, path)
        except docker.errors.NotFound:
            return None
        with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as archive:
            member = archive.next()
            content = archive.extractfile(member) if member and member.isreg() else None
            if content:
                return content.read()
        if member is None or not member.issym():
            return None
        path = posixpath.normpath(posixpath.join(posixpath.dirname(path), member.linkname))
    return None


def _present(api: Client, reference: str) -> ImageInfo:
    found = image(api, reference)
    if found is None:
        raise translate.refused(f"looking for {reference}", "no such image, though the engine said that it made it")
    return found


def _info(answer: dict[str, Any]) -> ImageInfo:
    config = answer.get("Config") or {}
    platform = [answer.get("Os", ""), answer.get("Architecture", ""), answer.get("Variant", "")]
    return ImageInfo(
        id=answer["Id"],
        tags=tuple(_familiar(tag) for tag in answer.get("RepoTags") or ()),
        labels=dict(config.get("Labels") or {}),
        env=tuple(config.get("Env") or ()),
        size_bytes=int(answer.get("Size") or 0),
        layers=tuple((answer.get("RootFS") or {}).get("Layers") or ()),
        created=answer.get("Created") or "",
        platform="/".join(filter(None, platform)),
        user=config.get("User") or "",
        digests=tuple(_familiar(one) for one in answer.get("RepoDigests") or ()),
        workdir=config.get("WorkingDir") or "",
        entrypoint=tuple(config.get("Entrypoint") or ()),
        command=tuple(config.get("Cmd") or ()),
    )


def _familiar(tag: str) -> str:
    """As people write it: Podman spells Docker Hub out, Docker does not."""
    return tag.removeprefix("docker.io/library/").removeprefix("docker.io/")


def _blocks(tar: BinaryIO) -> Iterator[bytes]:
    while block := tar.read(_BLOCK):
        yield block
