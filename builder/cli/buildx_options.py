"""What only docker buildx can do, as options: where they are named, the second engine builds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

import click

from builder.model.frozen import frozen
from builder.model.host import Architecture

if TYPE_CHECKING:
    from builder.engine.buildx import BuildxOptions

ARCHITECTURES: dict[str, Architecture] = {"linux/amd64": "x86_64", "linux/arm64": "aarch64"}

F = TypeVar("F", bound=Callable[..., Any])

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

    @property
    def needs_buildx(self) -> bool:
        several = (self.cache_from, self.cache_to, self.secrets, self.ssh, self.attest)
        return bool(self.platforms or self.builder or any(several))

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
        return found

    def check_own_builder(self, platforms: tuple[str, ...]) -> None:
        """What the engine's own builder does not do, before it begins. Raises WsbError tool-missing."""
        wanted = "several platforms" if len(platforms) > 1 else "attestations" if self.attest else ""
        if wanted:
            from builder.errors import WsbError

            raise WsbError(
                "tool-missing",
                f"{wanted} need a builder that pushes by itself; this one is the engine's own",
                hints=["`docker buildx create --name NAME --bootstrap` makes one; then `wsb build --builder NAME`"],
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
        )


def buildx_options(command: F) -> F:
    """Hands the command one argument, remote: a Remote."""
    import functools

    @functools.wraps(command)
    def with_remote(*args: Any, **given: Any) -> Any:
        remote = Remote(**{field.name: given.pop(field.name) for field in fields(Remote)})
        return command(*args, remote=remote, **given)

    made: Any = with_remote
    for option in reversed(_OPTIONS):
        made = option(made)
    return made  # type: ignore[no-any-return]
