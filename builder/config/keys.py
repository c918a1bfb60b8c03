"""The keys of wsb.yaml, each declared once. The reader, did-you-mean, `wsb schema` and the README's reference walk this table.

Names of keys and of the model's fields are the same.
"""

from __future__ import annotations

from builder.config import names, places, versions
from builder.config.kinds import Key, Kind, Many, Section, Text, TextOrSection, one_of, text_like
from builder.config.sections import BASE, PACKAGES, RUN, SOURCES, USER
from builder.model.spec import Spec
from builder.model.values import Ide, Manager

_PROJECT_FILE = text_like(
    "a file of the project", places.parse_project_path, "environment.yml", pattern=places.PROJECT_PATH_PATTERN, is_looser=True
)
_REQUIREMENTS = text_like(
    "a file of the project", places.parse_project_path, "requirements.txt", pattern=places.PROJECT_PATH_PATTERN, is_looser=True
)
_MANAGER = one_of(
    tuple(manager.value for manager in Manager),
    Manager,
    "a manager of environments",
    {
        "conda": "miniconda",
        "anaconda": "miniconda",
        "mamba": "miniforge",
        "mambaforge": "miniforge",
        "pip": "venv",
        "virtualenv": "venv",
        "uv": "venv",
        "none": "venv",
    },
)
_IDE = one_of(
    tuple(ide.value for ide in Ide),
    Ide,
    "an editor",
    {
        "code": "vscode",
        "vs code": "vscode",
        "visual studio code": "vscode",
        "cursor": "vscode",
        "jetbrains": "pycharm",
        "idea": "pycharm",
        "jupyterlab": "jupyter",
        "notebook": "jupyter",
        "lab": "jupyter",
    },
)


KEYS = Section(
    make=Spec,
    keys=(
        Key(
            name="name",
            kind=text_like(
                "a name", names.parse_name, "mnist", pattern=names.NAME_PATTERN, limit=names.NAME_LIMIT, is_looser=True
            ),
            description="Name of the workspace; also the image's repository and the environment's name.",
            is_required=True,
            synonyms=("project", "title"),
        ),
        Key(
            name="python",
            kind=Text(
                expected="a version of Python",
                examples=("3.11", ">=3.10,<3.13"),
                parse=versions.parse_python,
                schema=versions.PYTHON_SCHEMA,
            ),
            description='Version of Python: "3.11", "3.11.9" or a range. Missing: the newest that the chosen torch supports.',
            synonyms=("python_version", "py", "pythonversion"),
        ),
        Key(
            name="torch",
            kind=Text(
                expected="a version of torch",
                examples=("2.6", "2.6.0", "2.6.0+cu126", ">=2.4,<2.7", "latest", "none"),
                parse=versions.parse_torch,
                schema=versions.TORCH_SCHEMA,
            ),
            description='Version of PyTorch: "2.6" is the newest 2.6.x, "2.6.0" exact, ">=2.4,<2.7" a range, none no torch.',
            default="latest",
            synonyms=("pytorch", "torch_version", "pytorch_version"),
        ),
        Key(
            name="accelerator",
            kind=Text(
                expected="an accelerator",
                examples=("auto", "cpu", "cuda", "12.6", "cu126", "rocm"),
                parse=versions.parse_accelerator,
                schema=versions.ACCELERATOR_SCHEMA,
                is_looser=True,
            ),
            description='What torch computes on: auto (what this machine has), cpu, cuda, rocm, xpu, or one build ("12.6").',
            default="auto",
            synonyms=("cuda", "gpu", "device", "cuda_version", "cudatoolkit", "compute", "backend", "rocm", "variant"),
        ),
        Key(
            name="manager",
            kind=_MANAGER,
            description="What makes the environment inside the image.",
            default="miniconda",
            synonyms=("package_manager", "env_manager", "installer", "tool"),
        ),
        Key(
            name="environment",
            kind=_PROJECT_FILE,
            description="The project's conda environment file, taken as it stands, with its pip section.",
            synonyms=("environment_file", "conda_env", "env_file", "conda_environment"),
        ),
        Key(
            name="requirements",
            kind=Many(item=_REQUIREMENTS),
            description="Files that list packages, with their includes: requirements.txt, pyproject.toml, setup.py, Pipfile.",
            default=[],
            synonyms=("requirement", "requirements_file", "reqs", "requirements_txt"),
        ),
        Key(
            name="packages",
            kind=PACKAGES,
            description="Packages beside those of the project's own files.",
            synonyms=("dependencies", "deps", "package", "install"),
        ),
        Key(
            name="channels",
            kind=Many(
                item=text_like(
                    "a channel", names.parse_channel, "conda-forge", pattern=f"({names.CHANNEL_PATTERN})|({places.URL_PATTERN})"
                )
            ),
            description="Conda channels, the first before the others. defaults needs Anaconda's terms accepted.",
            default=["conda-forge"],
            synonyms=("channel", "conda_channels"),
        ),
        Key(
            name="base",
            kind=BASE,
            description="Base image: auto, an image reference, or {bootstrap: bookworm}, made of the suite's packages.",
            default="auto",
            synonyms=("image", "from", "base_image", "docker_image", "os"),
        ),
        Key(
            name="sources",
            kind=SOURCES,
            description="Mirrors: default, a preset such as tuna, ustc or aliyun, or single sources.",
            default="default",
            synonyms=("mirror", "mirrors", "source", "proxy", "index"),
        ),
        Key(name="user", kind=USER, description="The user inside the container."),
        Key(name="run", kind=RUN, description="How a container of the image is started.", synonyms=("runtime", "container")),
        Key(
            name="ide",
            kind=Many(item=_IDE),
            description="What people write and run code with: files are written for it, and what it runs inside is installed.",
            default=["vscode", "pycharm"],
            synonyms=("ides", "editor", "editors"),
        ),
    ),
)

# Unknown keys that need more than another name.
_EXPLAINED = {
    "version": "wsb.yaml needs no version; delete the line",
    "dependencies": (
        "packages go under `packages: {conda: [], pip: []}`; `environment: environment.yml` names a conda environment file"
    ),
    "env": "variables go under `run: {env: {}}`; `environment: environment.yml` names a conda environment file",
    "prefix": "prefix means a folder of another machine; delete the line",
}


def explained(name: str) -> str | None:
    """The hint for a key that is not there but often expected; None for others."""
    return _EXPLAINED.get(name.lower())


def section_of(kind: Kind) -> Section | None:
    """The keys below a key, if it has any."""
    match kind:
        case Section():
            return kind
        case TextOrSection():
            return kind.section
        case _:
            return None
