"""The machine that will run the image, and its engine: this one, or, behind a remote DOCKER_HOST, the engine's own.

What a remote machine has is read by a container there that prints the kernel's files, which a container sees as they are;
they are then read like those of any machine. Only NVML's part is missing: the driver's version and the cards' names are not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from builder.errors import WsbError
from builder.host.bus import ID_TABLES
from builder.host.engine import with_cdi_devices
from builder.host.local import local_host, tree_host
from builder.model.host import Architecture, Host
from builder.model.values import Unknown

if TYPE_CHECKING:
    from builder.engine.base import Engine, EngineInfo, Output

_LIMIT_S: Final = 60
_MARK: Final = "wsb-file "
# what host/ reads, printed as a heading and the file; links as what they point to
_PRINT: Final = r"""
for file in /proc/sys/kernel/osrelease /proc/driver/nvidia/version /proc/driver/nvidia/gpus/*/information \
  /proc/device-tree/model /sys/class/kfd/kfd/topology/nodes/*/properties \
  /sys/class/kfd/kfd/topology/nodes/*/mem_banks/*/properties
do [ -r "$file" ] && echo "wsb-file $file" && cat "$file" && echo; done
for device in /sys/bus/pci/devices/*; do
  read -r class < "$device/class" || continue
  case $class in 0x0300*|0x0302*|0x0380*|0x1200*) ;; *) continue ;; esac
  for file in class vendor device; do echo "wsb-file $device/$file"; cat "$device/$file"; done
  [ -L "$device/driver" ] && echo "wsb-file $device/driver" && echo "-> $(readlink "$device/driver")"
done
true
"""


def host_to_plan_for(environ: Mapping[str, str]) -> Host:
    """This machine; its engine is asked only where it matters: where there is a GPU, or the engine may be elsewhere."""
    host = local_host()
    if not host.gpus and not _may_be_elsewhere(environ):
        return host
    from builder.engine.docker_sdk import DockerEngine

    try:
        engine = DockerEngine.connect(environ)
    except WsbError as error:
        return replace(host, engine=Unknown(error.message))
    try:
        return host_of(engine, with_cdi_devices(engine.info()), host)
    except WsbError as error:
        return replace(host, engine=Unknown(error.message))
    finally:
        engine.close()


def _may_be_elsewhere(environ: Mapping[str, str]) -> bool:
    return bool(environ.get("DOCKER_CONTEXT")) or environ.get("DOCKER_HOST", "").startswith(("tcp:", "ssh:", "http"))


def host_of(engine: Engine, info: EngineInfo, here: Host | None = None) -> Host:
    """The machine that this engine's containers run on. here: this machine, when it was looked at already."""
    if not info.is_remote:
        return replace(here or local_host(), engine=info)
    return replace(_elsewhere(engine, info), engine=info)


def _elsewhere(engine: Engine, info: EngineInfo) -> Host:
    import tempfile

    from builder.engine.base import ContainerRequest

    arch: Architecture = "aarch64" if info.arch in ("arm64", "aarch64") else "x86_64"
    # wsb's own first, which surely have a shell
    image = next((tag for label in ("dev.wsb.plan.digest", "") for tag in engine.tags(label)), None)
    where = f"the engine's machine ({info.endpoint})"
    if image is None:
        because = Unknown(f"{where} has no image yet that it could be asked with")
        return Host(os="linux", arch=arch, driver=because, gpus=because)
    out: list[bytes] = []

    def keep(output: Output) -> None:
        if not output.is_stderr:
            out.append(output.data)

    request = ContainerRequest(image=image, command=("-c", _PRINT), entrypoint=("/bin/sh",), user="0:0")
    try:
        code = engine.run(request, keep, timeout_s=_LIMIT_S)
    except WsbError as error:
        code, because = 1, Unknown(f"{where} could not be asked: {error.message}")
    else:
        because = Unknown(f"{where} could not be asked: a container of {image} ended with exit code {code}")
    if code:
        return Host(os="linux", arch=arch, driver=because, gpus=because)
    with tempfile.TemporaryDirectory(prefix="wsb-host-") as folder:
        Path(folder, "sys/bus/pci/devices").mkdir(parents=True)  # there, and empty where it told of none
        for path, content in _files(b"".join(out).decode("utf-8", "replace")):
            _plant(Path(folder), path, content)
        _lend_names(Path(folder))
        return replace(tree_host(Path(folder)), arch=arch)


def _files(text: str) -> Iterator[tuple[str, str]]:
    for part in text.split(_MARK)[1:]:
        path, _, content = part.partition("\n")
        yield path, content


def _lend_names(root: Path) -> None:
    """The table of what cards are called: no fact of that machine, so this one's does."""
    for name in ID_TABLES:
        if Path("/", name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).symlink_to(Path("/", name))


def _plant(root: Path, path: str, content: str) -> None:
    target = root / path.lstrip("/")
    if root not in target.resolve().parents:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if content.startswith("-> "):
        target.symlink_to(content.removeprefix("-> ").strip())
    else:
        target.write_text(content)
