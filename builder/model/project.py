"""What the project's own files declare, as far as wsb.yaml points at them (environment.yml, requirements.txt)."""

from __future__ import annotations

from builder.model.frozen import frozen
from builder.model.values import CudaVersion, Located, Variant, VersionRequest


@frozen
class Project:
    """Declarations of a project, each with the place it was written.

    torch, torchvision, torchaudio, python: the request, None when the files do not say.
    torch_variant: a build named by a local version (+cu117) or an index address (…/whl/cu118).
    cuda: pytorch-cuda=11.8 or cudatoolkit=11.3 of an environment.yml.
    cuda_selector: the conda package that chose a build of torch, pytorch-cuda or cudatoolkit, also without a version.
    channels: of the environment file, in its order.
    conda: conda dependencies as written, without python, pip, the torch family and CUDA selectors.
    pip: requirements as written (name, specifier, extras, marker, or a URL), without the torch family and index options.
    index_urls, find_links: as written, without torch's own index.
    files: every file that was read, relative to the project, in reading order (includes too).
    local_paths: requirements that are directories of the project itself ("." or "./libs/x"), editable or not.
    editable_urls: those of pip that were written with -e: some only work from their whole source tree.
    constraints: requirement lines of -c files: they bound versions without asking for a package.
    notes: what was read but not taken, or taken otherwise than written, and why.
    """

    python: Located[VersionRequest] | None = None
    torch: Located[VersionRequest] | None = None
    torchvision: Located[VersionRequest] | None = None
    torchaudio: Located[VersionRequest] | None = None
    torch_variant: Located[Variant] | None = None
    cuda: Located[CudaVersion] | None = None
    cuda_selector: Located[str] | None = None
    channels: tuple[Located[str], ...] = ()
    conda: tuple[Located[str], ...] = ()
    pip: tuple[Located[str], ...] = ()
    index_urls: tuple[Located[str], ...] = ()
    find_links: tuple[Located[str], ...] = ()
    files: tuple[str, ...] = ()
    local_paths: tuple[Located[str], ...] = ()
    editable_urls: tuple[Located[str], ...] = ()
    constraints: tuple[Located[str], ...] = ()
    notes: tuple[Located[str], ...] = ()


@frozen
class EntryPoint:
    """A program of the project. path: relative to it.

    has_arguments: it reads a command line. required: those of its arguments that it does not start without.
    """

    path: str
    has_arguments: bool = False
    required: tuple[str, ...] = ()


EMPTY_PROJECT = Project()
