"""What is in a workspace, as one list: of a lock, or of a built image that is asked itself; and a CycloneDX document of it."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Final, Literal

from builder.engine.base import ContainerRequest, Engine, ImageInfo, Output
from builder.errors import WsbError
from builder.model.lock import LockedPart, LockedPlatform

STATUS: Final = "/var/lib/dpkg/status"
_LIMIT_S: Final = 120.0
# Runs under the environment's own Python and asks it, and what conda wrote down, for every package and version.
_ASK: Final = r"""
import glob, json, os, sys
try:
    from importlib.metadata import distributions
except ImportError:
    from importlib_metadata import distributions
pip, conda = {}, []
for one in distributions():
    name = one.metadata["Name"]
    if name and (one.read_text("INSTALLER") or "").strip() != "conda":
        pip.setdefault(name, one.version)
for path in sorted(glob.glob(os.path.join(sys.prefix, "conda-meta", "*.json"))):
    with open(path) as stream:
        record = json.load(stream)
    conda.append([record.get("url") or os.path.basename(path), record.get("sha256") or ""])
print(json.dumps({"pip": sorted(pip.items()), "conda": conda}))
"""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Part:
    """One package. sha256: of its one file; () for several or none. where: its address, "" when not known."""

    kind: Literal["deb", "conda", "pypi"]
    name: str
    version: str
    arch: str = ""
    sha256: str = ""
    where: str = ""

    def purl(self, distribution: str) -> str:
        """The package URL by which databases of vulnerabilities know it."""
        from packageurl import PackageURL

        qualifiers = {"arch": self.arch} if self.arch else {}
        if self.kind == "conda" and self.where:
            *_, channel, subdir, _ = self.where.rsplit("/", 3)
            qualifiers = {"channel": channel.rpartition("/")[2], "subdir": subdir}
        namespace = distribution if self.kind == "deb" else None
        return PackageURL(self.kind, namespace, self.name, self.version, qualifiers or None).to_string()


def of_lock(locked: LockedPlatform) -> tuple[Part, ...]:
    """Every package that a lock puts on its base. The base's own packages are known only to the image."""
    return tuple(sorted({*_of_part(locked.torch), *_of_part(locked.workspace)}))


def _of_part(part: LockedPart) -> Iterable[Part]:
    for deb in part.apt:
        yield Part(kind="deb", name=deb.name, version=deb.version, arch=deb.arch, sha256=deb.sha256, where=deb.url)
    for package in part.conda:
        yield _conda(package.url, package.sha256)
    for one in part.pip:
        only = one.hashes[0] if len(one.hashes) == 1 else ""
        yield Part(kind="pypi", name=one.name.lower(), version=one.version, sha256=only)


def _conda(url: str, sha256: str) -> Part:
    name, version, _ = url.rpartition("/")[2].rsplit("-", 2)
    return Part(kind="conda", name=name, version=version, sha256=sha256, where=re.sub(r"//[^/@]+@", "//", url))


def of_image(engine: Engine, image: ImageInfo, python: str) -> tuple[Part, ...]:
    """Every package that an image says it has, those of its base too. python: the environment's interpreter.

    Raises WsbError engine-refused when the image does not answer.
    """
    parts = list(of_status(engine.files_from_image(image.id, [STATUS]).get(STATUS, b"").decode("utf-8", "replace")))
    out: list[bytes] = []
    said: list[bytes] = []

    def take(output: Output) -> None:
        (said if output.is_stderr else out).append(output.data)

    request = ContainerRequest(image=image.id, command=[python, "-I", "-c", _ASK], user="root", network="none", entrypoint=[])
    code = engine.run(request, take, _LIMIT_S)
    try:
        told = json.loads(b"".join(out))
    except ValueError:
        last = b"".join(said).decode("utf-8", "replace").splitlines()[-3:]
        raise WsbError("engine-refused", f"the image did not say what is in it (exit code {code})", details=last) from None
    parts += [Part(kind="pypi", name=name.lower().replace("_", "-"), version=version) for name, version in told["pip"]]
    parts += [_conda(url, sha256) for url, sha256 in told["conda"]]
    return tuple(sorted(set(parts)))


def of_status(text: str) -> Iterable[Part]:
    """The installed packages of a Debian or Ubuntu, from its /var/lib/dpkg/status."""
    for paragraph in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in paragraph.splitlines() if ": " in line and not line.startswith(" "))
        if fields.get("Status", "").endswith(" installed"):
            yield Part(kind="deb", name=fields["Package"], version=fields["Version"], arch=fields["Architecture"])


def cyclonedx(parts: Iterable[Part], *, name: str, version: str, source: str, date: str, distribution: str = "debian") -> str:
    """The CycloneDX 1.6 document, as JSON; the same input gives the same bytes.

    source: the digest of the lock or image it tells of. date: as a lock has it. Raises tool-missing without the library.
    """
    try:
        from cyclonedx.model import HashAlgorithm, HashType
        from cyclonedx.model.bom import Bom, BomMetaData
        from cyclonedx.model.component import Component, ComponentType
        from cyclonedx.output.json import JsonV1Dot6
        from packageurl import PackageURL
    except ImportError:
        raise WsbError(
            "tool-missing",
            "an SBOM is written by cyclonedx-python-lib, which is not installed",
            hints=["pip install 'workspace-builder[sbom]'"],
        ) from None

    def component(part: Part) -> Component:
        purl = part.purl(distribution)
        hashes = [HashType(alg=HashAlgorithm.SHA_256, content=part.sha256)] if part.sha256 else []
        return Component(
            name=part.name,
            version=part.version,
            bom_ref=purl,
            type=ComponentType.LIBRARY,
            purl=PackageURL.from_string(purl),
            hashes=hashes,
        )

    subject = Component(name=name, version=version, bom_ref=f"workspace:{name}", type=ComponentType.CONTAINER)
    when = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
    bom = Bom(
        components=[component(part) for part in sorted(parts)],
        serial_number=uuid.uuid5(uuid.NAMESPACE_URL, f"wsb:{name}:{source}"),
        metadata=BomMetaData(component=subject, timestamp=when),
    )
    bom.register_dependency(subject, bom.components)
    document: Mapping[str, Any] = json.loads(JsonV1Dot6(bom).output_as_string())
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
