"""Lines that the project's own lists lack: the build of torch a witness names, compilers, system libraries, packages that
only an install line of a README names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from builder.catalog import Catalog
from builder.catalog.packages import normal
from builder.model.project import Project
from builder.model.values import Located, Variant, VersionRequest
from builder.scan.compiled import needs_c_compiler, needs_nvcc, submodules_of, wanted_scripts
from builder.scan.deciding import Pick, Told, declared_variant, newer_build, runs_on_no_recent_card
from builder.scan.evidence import Witness
from builder.scan.imports import Imports
from builder.scan.project import Read
from builder.scan.proposed import Added
from builder.scan.survey import Finding

MAX_SCRIPT_BYTES = 256 << 10


def name_of(line: Located[str]) -> str:
    """The distribution of a line, as indexes compare it."""
    found = re.match(r"(?:[^\s:]+::)?([A-Za-z0-9_.-]+)", line.value)
    return normal(found[1]) if found else ""


def with_build(torch: Pick, told: Told) -> tuple[Pick | None, list[Added]]:
    """The build that a witness names stands in a line of packages.pip: taken where it runs, another one elsewhere."""
    own = told.project.torch_variant is not None or told.project.cuda is not None
    release = next((one for one in told.catalog.releases if VersionRequest.parse(torch.value).admits(one.version)), None)
    if own or release is None:
        return torch, []
    declared = torch.variant or _declared_for(torch, told)
    because = f"{torch.because}; built for {declared}, where that runs"
    if declared is None and runs_on_no_recent_card(release):
        declared = newer_build(release)
        default = release.default["linux_x86_64"].cuda
        because = f"{torch.because}; the default build is for CUDA {default}, which no card since 2020 runs"
    if declared is None or declared not in release.builds.get("linux_x86_64", ()):
        return torch, []
    return None, [Added(section="pip", line=f"torch=={release.version}+{declared}", because=because)]


def _declared_for(torch: Pick, told: Told) -> Variant | None:
    declared = declared_variant(told)
    return declared.value if declared is not None and torch.value != "none" else None


def compilers(
    project: Project, documents: Sequence[Finding], heard: Sequence[Witness], names: Sequence[str], read: Read, catalog: Catalog
) -> list[Added]:
    """nvcc where CUDA code is compiled, gcc where only C is, nothing where all comes as wheels."""
    scripts: dict[str, str] = {}
    for path in wanted_scripts(names):
        content = read(path)
        if content is not None and len(content) <= MAX_SCRIPT_BYTES:
            scripts[path] = content.decode("utf-8", "replace")
    modules = read(".gitmodules")
    submodules = submodules_of(modules.decode("utf-8", "replace")) if modules is not None else ()
    nvcc = needs_nvcc(project, [one.project for one in documents], submodules, scripts, catalog)
    devel = next((one for one in heard if one.is_devel is not None), None)
    if nvcc is not None:
        return [Added(section="conda", line="cuda-nvcc", because=f"{nvcc.value} ({nvcc.where})")]
    if devel is not None:
        return [Added(section="conda", line="cuda-nvcc", because=f"{devel.is_devel} stands on an image with nvcc")]
    plain = needs_c_compiler(project, submodules, scripts, catalog)
    if plain is not None:
        return [Added(section="apt", line="build-essential", because=f"{plain.value} ({plain.where})")]
    return []


def from_documents(
    project: Project, documents: Sequence[Finding], names: Sequence[str], catalog: Catalog, imports: Imports | None
) -> list[Added]:
    """Packages that only an install line of a README or Dockerfile names, where the code imports them or nvcc compiles them."""
    known = {name_of(one) for one in (*project.pip, *project.conda)}
    known |= {normal(part) for name in names for part in name.split("/")[:-1]}  # a README installs the project itself too
    imported = {one.top for one in imports.needed if not one.is_optional and not one.is_in_tests} if imports else set()
    wanted = {normal(name) for name in imported} | {
        normal(row["distribution"]) for name in imported if (row := catalog.import_name(name)) is not None
    }
    found: dict[str, Added] = {}
    for finding in documents:
        for one in finding.project.pip:
            name = name_of(one)
            row = catalog.package(name)
            is_compiled = row is not None and row.get("compiles") == "install"
            name = row["package"] if row is not None else name  # mmcv-full and mmcv are one
            if name in known or catalog.is_managed_by_torch(name) or not (name in wanted or is_compiled):
                continue
            found.setdefault(
                name, Added(section="pip", line=one.value, because=f"{one.where} installs it, and no file lists it")
            )
    return list(found.values())


# Packages of a Dockerfile that an application needs when it runs; tools of the image's own making are not among them.
_WORTHWHILE = re.compile(
    r"ffmpeg|sox|libsndfile.*|libgl1.*|libglib2\.0-0|libsm6|libxext6|libxrender.*|espeak.*|git-lfs|libopenmpi.*|graphviz|libaio.*"
)


def apt_of(findings: Sequence[Finding]) -> list[Added]:
    """System libraries that a Dockerfile or README near the root installs, without the tools."""
    found = []
    for finding in findings:
        if finding.kind == "document" and finding.depth <= 1 and not finding.is_aside:
            for one in finding.apt:
                if _WORTHWHILE.fullmatch(one.value):
                    name = "libgl1" if one.value.startswith("libgl1") else one.value
                    found.append(Added(section="apt", line=name, because=f"{one.where} installs it"))
    return list({one.line: one for one in reversed(found)}.values())[::-1]
