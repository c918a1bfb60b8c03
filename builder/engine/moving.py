"""Images on their way: out of an engine and into one, as a tar or through a registry."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO, Final

import docker.utils

from builder.engine import translate
from builder.engine.base import LayerProgress, Listener, Note, Pushed
from builder.engine.calls import Client, messages, translated

_BLOCK: Final = 1 << 20
_DIGEST: Final = re.compile(r"^\S+: digest: (sha256:[0-9a-f]{64}) size: \d+$")


def archive(api: Client, image: str, path: str) -> Iterator[bytes]:
    """A tar of what lies at path, in pieces; "/" for everything, as `docker export` has it."""
    with translated(f"reading {path} of {image}"):
        # never started, so the command need not exist; an image without one is refused otherwise
        container = api.create_container_from_config({"Image": image, "Cmd": ["wsb"], "Entrypoint": []})["Id"]
        try:
            yield from api.export(container, _BLOCK) if path == "/" else api.get_archive(container, path, _BLOCK)[0]
        finally:
            api.remove_container(container, force=True, v=True)


def save(api: Client, references: Sequence[str]) -> Iterator[bytes]:
    """The tar of several images; layers they share are in it once."""
    doing = f"saving {', '.join(references)}"
    with translated(doing):
        response = api._get(api._url("/images/get"), params={"names": list(references)}, stream=True, timeout=None)
        api._raise_for_status(response)
        yield from response.iter_content(_BLOCK)


def load(api: Client, tar: BinaryIO, listener: Listener) -> tuple[str, ...]:
    """Raises engine-refused for what is no such tar; the engine keeps nothing of it then."""
    doing = "loading an image"
    found = []
    with translated(doing):
        response = api._post(
            api._url("/images/load"),
            data=iter(lambda: tar.read(_BLOCK), b""),
            headers={"Content-Type": "application/x-tar"},
            stream=True,
            timeout=None,
        )
        api._raise_for_status(response)
        for message in messages(response):
            text = (message.get("errorDetail") or {}).get("message") or message.get("error")
            if text:
                raise translate.refused(doing, text)
            for line in str(message.get("stream") or "").splitlines():
                for head in ("Loaded image: ", "Loaded image ID: "):
                    if line.startswith(head):
                        found.append(line.removeprefix(head).strip())
                        listener(Note(text=line))
    return tuple(found)


def push(api: Client, reference: str, listener: Listener) -> Pushed:
    """Raises registry-refused; what was sent before stays in the registry, so that the next push goes on from there."""
    repository, tag = docker.utils.parse_repository_tag(reference)
    sent: dict[str, int] = {}
    there: set[str] = set()
    digest = ""
    with translated(f"pushing {reference}", lambda _, text, __: translate.push_refused(reference, text)):
        for message in api.push(repository, tag=tag or "latest", stream=True, decode=True):
            text = (message.get("errorDetail") or {}).get("message") or message.get("error")
            if text:
                raise translate.push_refused(reference, text)
            layer, status = message.get("id") or "", str(message.get("status") or "")
            # the last words of both kinds of image store; the older one says it by itself too
            said = _DIGEST.search(status)
            digest = (message.get("aux") or {}).get("Digest") or (said[1] if said else digest)
            detail = message.get("progressDetail") or {}
            if status == "Pushing" and detail.get("current"):
                sent[layer] = int(detail["current"])
                listener(
                    LayerProgress(
                        image=reference, layer=layer, what=status, current=sent[layer], total=int(detail.get("total") or 0)
                    )
                )
            elif status == "Pushed":
                sent.setdefault(layer, 0)
                listener(LayerProgress(image=reference, layer=layer, what=status, current=0, total=0))
            elif status == "Layer already exists" or status.startswith("Mounted from"):
                there.add(layer)
                listener(LayerProgress(image=reference, layer=layer, what="Layer already exists", current=0, total=0))
    return Pushed(
        reference=reference, digest=digest, sent_bytes=sum(sent.values()), layers_sent=len(sent), layers_there=len(there)
    )
