"""The sections of wsb.yaml: keys that stand below another key. The top of the table is in keys.py."""

from __future__ import annotations

from builder.config import names, packages, places
from builder.config.kinds import Key, Many, Pairs, RefusedError, Section, Text, TextOrSection, number_up_to, text_like
from builder.config.suggest import shown
from builder.model.spec import BaseRequest, PackagesSpec, RunSpec, SourcesSpec, UserSpec
from builder.model.values import Located


def _parse_true_or_false(text: str) -> bool:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    meant = {"yes": "true", "on": "true", "1": "true", "y": "true", "no": "false", "off": "false", "0": "false", "n": "false"}
    word = meant.get(text.lower())
    raise RefusedError(f"{shown(text, 40)} is neither true nor false", f"did you mean `{word}`?" if word else "")


_URL = text_like(
    "a URL or a local path", places.parse_source, "https://mirror.example.org/simple", pattern=places.SOURCE_PATTERN
)
_TRUE_OR_FALSE = Text(expected="true or false", examples=(True, False), parse=_parse_true_or_false, schema={"type": "boolean"})

PACKAGES = Section(
    make=PackagesSpec,
    keys=(
        Key(
            name="conda",
            kind=Many(
                item=text_like(
                    "a conda package", packages.parse_conda, "numpy=1.26", pattern=packages.CONDA_PATTERN, is_looser=True
                )
            ),
            description="Conda packages, as `conda install` takes them; a channel may stand before it (conda-forge::gcc).",
            default=[],
        ),
        Key(
            name="pip",
            kind=Many(
                item=text_like(
                    "a pip requirement",
                    packages.parse_pip,
                    "einops",
                    "einops>=0.8",
                    pattern=r"^[^-\s][^\x00-\x1f]*$",
                    is_looser=True,
                )
            ),
            description="Python packages, as a line of requirements.txt: a name with versions, extras and marker, or a URL.",
            default=[],
        ),
        Key(
            name="apt",
            kind=Many(item=text_like("a Debian package", packages.parse_apt, "libgl1", pattern=packages.APT_PATTERN)),
            description="Packages of the distribution, such as the libraries that OpenCV loads.",
            default=[],
            synonyms=("apt_get", "system", "system_packages", "debian"),
        ),
    ),
)

_SINGLE_SOURCES = Section(
    make=SourcesSpec,
    keys=(
        Key(
            name="registry",
            kind=text_like(
                "the address of a registry", places.parse_registry, "registry.example.org", pattern=places.REGISTRY_PATTERN
            ),
            description="Where base images are pulled from, instead of Docker Hub.",
            synonyms=("docker", "dockerhub", "hub"),
        ),
        Key(name="apt", kind=_URL, description="Mirror of the distribution's packages."),
        Key(name="conda", kind=_URL, description="Where channels given by name are looked for, instead of conda.anaconda.org."),
        Key(
            name="miniconda",
            kind=_URL,
            description="Where the installer of Miniconda, Miniforge or micromamba is downloaded.",
            synonyms=("anaconda", "installer", "miniforge"),
        ),
        Key(
            name="pip",
            kind=_URL,
            description="Package index for everything but torch, instead of PyPI.",
            synonyms=("pypi", "index", "index_url"),
        ),
        Key(
            name="torch",
            kind=_URL,
            description="Mirror of download.pytorch.org/whl, or a folder of wheels.",
            synonyms=("pytorch",),
        ),
        Key(
            name="ca",
            kind=text_like(
                "the path of a PEM file", places.parse_file, "/etc/ssl/certs/lab-ca.pem", pattern=places.FILE_PATTERN
            ),
            description="Certificate authorities to trust during the build, beside the usual ones.",
            synonyms=("ca_bundle", "cert", "certificate"),
        ),
        Key(
            name="keep_ca",
            kind=_TRUE_OR_FALSE,
            description="Whether the finished image trusts them too.",
            default=False,
        ),
        Key(
            name="keep_proxies",
            kind=_TRUE_OR_FALSE,
            description="Whether the finished image is told of the proxies of the machine that builds it.",
            default=False,
            synonyms=("keep_proxy",),
        ),
    ),
)

USER = Section(
    make=UserSpec,
    keys=(
        Key(
            name="name",
            kind=text_like("a user name", names.parse_user, "dev", pattern=names.USER_PATTERN, is_looser=True),
            description="The user inside the container; root is not allowed.",
            default="dev",
            synonyms=("username", "user"),
        ),
        Key(
            name="uid",
            kind=number_up_to(60000, "a user id", names.parse_uid, 1000),
            description="Its number; yours (`id -u`) makes files in the project yours.",
            default=1000,
            synonyms=("id", "user_id"),
        ),
    ),
)

RUN = Section(
    make=RunSpec,
    keys=(
        Key(
            name="shm_size",
            kind=text_like("a size", names.parse_shm_size, "8g", pattern=names.SHM_PATTERN, is_looser=True),
            description="Shared memory, which DataLoader workers pass batches through. Docker's own 64m is too little.",
            default="8g",
            synonyms=("shm", "shared_memory", "ipc"),
        ),
        Key(
            name="ports",
            kind=Many(item=number_up_to(65535, "a port", names.parse_port, 8888)),
            description="Ports opened on this machine, under the same number.",
            default=[],
            synonyms=("port", "expose"),
        ),
        Key(
            name="mounts",
            kind=Many(
                item=text_like("a mount", places.parse_mount, "./data:/data:ro", pattern=places.MOUNT_PATTERN, is_looser=True)
            ),
            description="Folders of this machine: source:target, with :ro for reading only. The project is always mounted.",
            default=[],
            synonyms=("volumes", "volume", "mount", "binds"),
        ),
        Key(
            name="env",
            kind=Pairs(
                key=text_like("the name of a variable", names.parse_variable, "WANDB_MODE", pattern=names.VARIABLE_PATTERN),
                value=Text(
                    expected="a text",
                    examples=("offline",),
                    parse=names.parse_variable_value,
                    schema={
                        "anyOf": [
                            {"type": "string", "pattern": r"^[^\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029]*$"},
                            {"type": "number"},
                            {"type": "boolean"},
                        ]
                    },
                ),
            ),
            description="Variables of the running container, kept as written. Nothing secret: this file is shared.",
            default={},
            synonyms=("environment_variables", "variables", "envs"),
        ),
    ),
)

_BOOTSTRAP = Section(
    make=dict,
    keys=(
        Key(
            name="bootstrap",
            kind=text_like("the name of a suite", places.parse_suite, "bookworm", pattern=places.SUITE_PATTERN),
            description="Suite of Debian or Ubuntu whose packages the base is made of; needs no registry.",
            is_required=True,
            synonyms=("suite", "debootstrap", "mmdebstrap"),
        ),
    ),
)

BASE = TextOrSection(
    expected="auto, an image, or {bootstrap: bookworm}",
    text=Text(
        expected="an image",
        examples=("auto", "debian:bookworm-slim"),
        parse=places.parse_base,
        schema={"type": "string", "pattern": places.IMAGE_PATTERN, "maxLength": 512, "not": {"const": "scratch"}},
    ),
    section=_BOOTSTRAP,
    from_text=lambda located: located,
    from_section=lambda located: Located(
        BaseRequest(kind="bootstrap", value=located.value["bootstrap"].value), located.value["bootstrap"].where
    ),
)


def _preset(located: Located[str]) -> SourcesSpec:
    return SourcesSpec() if located.value == "default" else SourcesSpec(preset=located)


SOURCES = TextOrSection(
    expected="default, a preset such as tuna, or a mapping such as {pip: https://mirror.example.org/simple}",
    text=text_like("a preset", places.parse_preset, "default", "tuna", pattern=places.PRESET_PATTERN),
    section=_SINGLE_SOURCES,
    from_text=_preset,
    from_section=lambda located: SourcesSpec(**located.value),
)
