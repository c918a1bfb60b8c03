"""What only docker buildx can do, as options: where they are named, the second engine builds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

from builder.cli.option_groups import handed_as
from builder.model.frozen import frozen
from builder.model.host import Architecture, Host

if TYPE_CHECKING:
    from builder.engine.base import Engine
    from builder.engine.buildx import BuildxOptions

ARCHITECTURES: dict[str, Architecture] = {"linux/amd64": "x86_64", "linux/arm64": "aarch64"}

F = TypeVar("F", bound=Callable[..., Any])

_LEVELS = {"gzip": 9, "zstd": 22, "estargz": 9}  # the highest of each

_OPTIONS = (
    click.option("--push", metavar="REGISTRY", help="Push the image there when it is built."),
    click.option("--platform", "platforms", metavar="LIST", help="For these, such as linux/amd64,linux/arm64; needs buildx."),
    click.option("--builder", metavar="NAME", help="Build with this builder of docker buildx."),
    click.option("--cache-from", multiple=True, metavar="SPEC", help="As buildx has it, such as type=registry,ref=…"),
    click.option("--cache-to", multiple=True, metavar="SPEC", help="As buildx has it."),
    click.option(
        "--secret", "secrets", multiple=True, metavar="SPEC", help="Into every step that downloads; as buildx has it."
    ),
    click.option("--ssh", multiple=True, metavar="SPEC", help="The same, for git over ssh."),
    click.option("--attest", multiple=True, metavar="SPEC", help="type=sbom or type=provenance, pushed with the image."),
    click.option("--compression", type=click.Choice(list(_LEVELS)), help="How the pushed layers are packed; needs buildx."),
    click.option("--compression-level", type=int, metavar="N", help="0-9; with zstd 0-22."),
)

_OTHER_BUILDER = "`docker buildx create --name NAME --bootstrap` makes one that does; then `wsb build --builder NAME`"
_OTHER_STORE = (
    "let the engine keep images as registries do, in /etc/docker/daemon.json: "
    '{"features": {"containerd-snapshotter": true}}; then `wsb build --builder default`'
)


@frozen
class Remote:
    """As they were given."""

    push: str | None
    platforms: str | None
    builder: str | None
    cache_from: tuple[str, ...]
    cache_to: tuple[str, ...]
    secrets: tuple[str, ...]
    ssh: tuple[str, ...]
    attest: tuple[str, ...]
    compression: str | None
    compression_level: int | None

    @property
    def needs_buildx(self) -> bool:
        several = (self.cache_from, self.cache_to, self.secrets, self.ssh, self.attest)
        return bool(self.platforms or self.builder or self.compression or any(several))

    @property
    def platform_list(self) -> tuple[str, ...]:
        """Raises click.BadParameter for one that is none."""
        found = tuple(dict.fromkeys(one.strip() for one in (self.platforms or "").split(",") if one.strip()))
        for one in found:
            if one not in ARCHITECTURES:
                raise click.BadParameter(f"{one} is not linux/amd64 or linux/arm64, which PyTorch is built for")
        if len(found) > 1 and not self.push:
            raise click.UsageError("an engine holds one platform of an image: several are pushed, with --push REGISTRY")
        if self.attest and not self.push:
            raise click.UsageError("attestations lie beside an image in a registry: they need --push REGISTRY")
        self._check_compression()
        return found

    def planned_for(self, host: Host) -> Host:
        """The machine with the processor of the one platform that is asked for; as it is where that is none or several."""
        platforms = self.platform_list
        return replace(host, arch=ARCHITECTURES[platforms[0]]) if len(platforms) == 1 else host

    def connect(self, name: str) -> Engine:
        """The engine, by way of buildx where an option wants that. name: of what is built."""
        from builder.cli import common

        return common.connect_buildx(self.options(name)) if self.needs_buildx else common.connect()

    def _check_compression(self) -> None:
        if self.compression is None:
            if self.compression_level is not None:
                raise click.UsageError("--compression-level is of a --compression: gzip, zstd or estargz")
            return
        if not self.push:
            raise click.UsageError("--compression is of the layers in a registry: it needs --push REGISTRY")
        if self.compression_level is not None and not 0 <= self.compression_level <= _LEVELS[self.compression]:
            raise click.BadParameter(f"{self.compression} has levels from 0 to {_LEVELS[self.compression]}")

    def check_own_builder(self, platforms: tuple[str, ...], engine: Engine, *, is_only_one: bool = False) -> None:
        """What the engine's own builder does not do, before it begins. Raises WsbError tool-missing.

        is_only_one: no other builder would do.
        """
        wanted = "several platforms" if len(platforms) > 1 else "attestations" if self.attest else ""
        if wanted:
            from builder.errors import WsbError

            raise WsbError(
                "tool-missing",
                f"{wanted} need a builder that pushes by itself; this one is the engine's own",
                hints=[_OTHER_BUILDER],
            )
        if self.compression and not engine.info().has_containerd_store:
            from builder.errors import WsbError

            # buildx would pass it over in silence and the registry would get gzip
            raise WsbError(
                "tool-missing",
                f"this engine cannot pack layers with {self.compression}: it keeps them unpacked and pushes gzip",
                hints=[_OTHER_STORE] if is_only_one else [_OTHER_BUILDER, _OTHER_STORE],
            )

    def options(self, name: str) -> BuildxOptions:
        """For the engine. name: the project's."""
        from builder.engine.buildx import BuildxOptions

        return BuildxOptions(
            builder=self.builder or "",
            push_to=f"{self.push.rstrip('/')}/{name}" if self.push else "",
            cache_from=self.cache_from,
            cache_to=self.cache_to,
            attest=self.attest,
            secrets=self.secrets,
            ssh=self.ssh,
            compression=self.compression or "",
            compression_level=self.compression_level,
        )


def buildx_options(command: F) -> F:
    """Hands the command one argument, remote: a Remote."""
    return handed_as("remote", Remote, _OPTIONS)(command)
