"""Which files of a folder say what a project needs, and what each says. In: names and a way to read. Out: findings.

A folder may hold several answers: environments for other systems, requirements of a demo, a Dockerfile from two years ago.
Here they are only found and read; which of them counts is decided in choosing.py.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable
from typing import Literal

from builder.config.kinds import RefusedError
from builder.config.places import parse_project_path
from builder.config.text import decode_loosely
from builder.errors import WsbError
from builder.model.frozen import frozen
from builder.model.project import Project
from builder.model.spec import Spec
from builder.model.values import Located, Location
from builder.scan import documents
from builder.scan.conda_lock import decode_lock
from builder.scan.gathering import Gathering
from builder.scan.items import AptItem, CondaItem, ImageItem, Item
from builder.scan.manifests import manifest_reader
from builder.scan.pip_line import read_pip_requirement
from builder.scan.project import Read, read_readable

Kind = Literal["environment", "requirements", "manifest", "document"]

MAX_FINDINGS = 80
MAX_DEPTH = 4

_REQUIREMENTS = re.compile(
    r"([\w.-]*[-_.])?req(uirement)?s?([-_.][\w.-]*)?\.(txt|in)|[\w.-]*pip[\w.-]*\.txt|spec[-_]?file\.txt", re.I
)
_IN_REQUIREMENTS = re.compile(r"(^|.*/)requirements/[^/]+\.(txt|in)", re.I)
_NO_REQUIREMENTS = re.compile(r"constraint|readme|license|robots|cmakelists", re.I)
_NO_ENVIRONMENT = re.compile(
    r"(^|/)(\.github|\.gitlab|\.circleci|recipe|conda[._-]recipe)/|(^|/)meta\.ya?ml$|docker-compose|mkdocs|\.pre-commit"
)
_DEPENDENCIES = re.compile(r"^\s*[\"']?dependencies[\"']?[ \t]*:[ \t]*(\[|#|$)", re.MULTILINE)

# What a file is called that is not for the program itself on Linux with an NVIDIA GPU.
_OTHER_SYSTEM = re.compile(
    r"(?:^|[-_./])(mac|macos|osx|darwin|win|windows|arm64|silicon|m1|rocm|amd|hip|xpu|npu|tpu|hpu|mps|ascend|jetson)(?=[-_./0-9]|$)",
    re.I,
)
_SIDE_PURPOSE = re.compile(
    r"(?:^|[-_./])(dev|develop|test|tests|testing|lint|docs?|ci|demo|demos|example|examples|onnx|optional|extra|extras|min|minimal|web"
    r"|app|readthedocs|mminstall|streamlit|gradio|replicate|notebooks?|third_party|submodules|vendor|runpod|colab|benchmark|eval|real|robot|tutorials?)(?=[-_./]|$)",
    re.I,
)
_CPU_ONLY = re.compile(r"(?:^|[-_./])cpu(_?only)?(?=[-_./]|$)", re.I)

# Documents in the order in which they are believed.
_DOCUMENTS: tuple[tuple[re.Pattern[str], Callable[[str, str], tuple[Item, ...]]], ...] = (
    (re.compile(r"\.python-version|runtime\.txt"), documents.read_python_version),
    (re.compile(r"([\w.-]*[-_.])?dockerfile([-_.][\w.-]*)?", re.I), documents.read_dockerfile),
    (re.compile(r"cog\.ya?ml"), documents.read_cog),
    (re.compile(r"[\w-]*(install|setup|build_env|create_env|prepare_env)[\w-]*\.sh", re.I), documents.read_shell_script),
    (re.compile(r"readme[\w.-]*|install(ation)?\.(md|rst|txt)|getting_started\.md", re.I), documents.read_readme),
    (re.compile(r"\.?devcontainer\.json"), documents.read_devcontainer),
    (re.compile(r"[^/]+\.ipynb"), documents.read_notebook_installs),
)


@frozen
class Finding:
    """One file that says something. project: what it says, with the files it includes.

    rank: how far down the list of documents its kind stands. images, apt: what only documents tell.
    problems: lines of it that could not be understood.
    """

    path: str
    kind: Kind
    project: Project
    rank: int = 0
    images: tuple[Located[str], ...] = ()
    apt: tuple[Located[str], ...] = ()
    problems: tuple[WsbError, ...] = ()

    @property
    def depth(self) -> int:
        return self.path.count("/")

    @property
    def is_for_another_system(self) -> bool:
        return _OTHER_SYSTEM.search(self.path) is not None

    @property
    def is_aside(self) -> bool:
        """For a demo, the tests, one special use."""
        return _SIDE_PURPOSE.search(self.path) is not None

    @property
    def is_for_cpu(self) -> bool:
        return _CPU_ONLY.search(self.path) is not None

    @property
    def has_torch(self) -> bool:
        return self.project.torch is not None


def survey(names: Iterable[str], read: Read) -> tuple[Finding, ...]:
    """What the files of a folder say: those that a plan can be made from first, nearest to the root first."""
    near = sorted(
        (name for name in names if name.count("/") <= MAX_DEPTH and _can_be_named(name)),
        key=lambda name: (name.count("/"), name),
    )
    found: list[Finding] = []
    for path in near:
        if len(found) >= MAX_FINDINGS:
            break
        finding = _finding(path, read)
        if finding is not None:
            found.append(finding)
            said = _commented_out(finding, read)
            found.extend([said] if said is not None else [])
    return tuple(found)


def _can_be_named(path: str) -> bool:
    """Whether wsb.yaml could name this file: what a Dockerfile or a shell would trip over it does not take."""
    try:
        return path.isprintable() and parse_project_path(path) == path
    except RefusedError:
        return False


def _finding(path: str, read: Read) -> Finding | None:
    name = posixpath.basename(path)
    if manifest_reader(path) is not None:
        return _declaring(path, "manifest", read)
    for rank, (pattern, reader) in enumerate(_DOCUMENTS):
        if pattern.fullmatch(name) and path.count("/") <= 2:
            return _document(path, rank, reader, read)
    if name.lower().endswith((".yml", ".yaml")) and not _NO_ENVIRONMENT.search(path):
        return _declaring(path, "environment", read) if _is_environment(path, read) else None
    if (_REQUIREMENTS.fullmatch(name) or _IN_REQUIREMENTS.fullmatch(path)) and not _NO_REQUIREMENTS.search(name):
        return _declaring(path, "requirements", read)
    return None


_COMMENTED_PIN = re.compile(r"^\s*#+\s*((?:torch|torchvision|torchaudio)\s*==\s*[\w.+]+)\s*$", re.MULTILINE)
_COMMENTED_WHEEL = re.compile(r"^\s*#.*-(?:cp(?P<tag>3[0-9]{1,2}))-cp3[0-9]{1,2}m?-\w*linux\w*x86_64\.whl", re.MULTILINE)


def _commented_out(finding: Finding, read: Read) -> Finding | None:
    """What a requirements file that does not name torch says of it in lines that are commented out."""
    text = _text(finding.path, read) if finding.kind == "requirements" and not finding.has_torch else None
    if text is None:
        return None
    items: list[Item] = []
    for found in _COMMENTED_PIN.finditer(text):
        where = Location(file=finding.path, line=text.count("\n", 0, found.start(1)) + 1)
        items.extend(read_pip_requirement(found[1], where))
    wheel = _COMMENTED_WHEEL.search(text)
    if wheel:
        where = Location(file=finding.path, line=text.count("\n", 0, wheel.start("tag")) + 1)
        version = f"{wheel['tag'][0]}.{wheel['tag'][1:]}"
        items.append(CondaItem(name="python", text=f"python={version}", version=f"={version}", where=where))
    return _document(finding.path, len(_DOCUMENTS), lambda *_: tuple(items), read) if items else None


def _is_environment(path: str, read: Read) -> bool:
    content = read(path)
    if content is not None and decode_lock(content) is not None:
        return True
    text = _text(path, read)
    return text is not None and _DEPENDENCIES.search(text) is not None


def _text(path: str, read: Read) -> str | None:
    content = read(path)
    if content is None:
        return None
    try:
        return decode_loosely(content, path)[0]
    except WsbError:
        return None


def _declaring(path: str, kind: Kind, read: Read) -> Finding | None:
    project, problems = read_readable(
        read, spec_of(path if kind == "environment" else None, () if kind == "environment" else (path,))
    )
    if kind == "manifest" and not (project.pip or project.conda or project.torch or project.python):
        return None
    return Finding(path=path, kind=kind, project=project, problems=problems)


def spec_of(environment: str | None, requirements: Iterable[str]) -> Spec:
    """A spec that names these files and nothing else."""
    where = Location(file="wsb.yaml")
    return Spec(
        where=where,
        name=Located("project", where),
        environment=Located(environment, where) if environment else None,
        requirements=tuple(Located(path, where) for path in requirements),
    )


def _document(path: str, rank: int, reader: Callable[[str, str], tuple[Item, ...]], read: Read) -> Finding | None:
    text = _text(path, read)
    items = reader(text, path) if text is not None else ()
    if not items:
        return None
    gathering = Gathering()
    problems = [problem for item in items for problem in gathering.take(item)]
    return Finding(
        path=path,
        kind="document",
        project=gathering.project((path,)),
        rank=rank,
        images=tuple(Located(item.image, item.where) for item in items if isinstance(item, ImageItem)),
        apt=tuple(Located(item.name, item.where) for item in items if isinstance(item, AptItem)),
        problems=tuple(problems),
    )
