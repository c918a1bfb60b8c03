"""Plan → FileSet: the Dockerfile and all that its steps read."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from builder.lock.text import digest, part_files
from builder.model.files import File, FileSet
from builder.model.lock import LockedPlatform
from builder.model.plan import InstallerPlan, Plan
from builder.render import commands, names
from builder.render.devcontainer import Parts
from builder.render.dockerfile import render_dockerfile, shared_part, values
from builder.render.labels import labels
from builder.render.templates import make_environment


def render_files(
    plan: Plan,
    *,
    document: bytes,
    expected: bytes,
    templates: Mapping[str, str],
    probes: Mapping[str, str],
    devcontainer: Parts,
    version: str,
    inputs_digest: str = "",
    locked: LockedPlatform | None = None,
) -> FileSet:
    """Everything `wsb build` sends and `wsb render` writes, besides the project's own files.

    document: the plan's JSON as the image will carry it. expected: what its probes find when an IDE started it. templates:
    path below dockerfiles/ → text. probes: name → text. devcontainer: the parts of devcontainer/.
    inputs_digest: over wsb.yaml and what it led to. locked: build exactly this.
    """
    environment = make_environment(templates)
    lock_digest = digest(locked) if locked else ""
    image_labels = labels(
        plan, version=version, inputs_digest=inputs_digest, devcontainer=devcontainer, lock_digest=lock_digest
    )
    facts = values(plan, version=version, image_labels=image_labels, locked=locked)
    activate = environment.get_template("files/activate.sh.j2").render(facts)
    settings = network_settings(plan)
    network = environment.get_template("files/network.env.j2").render(
        settings=settings, has_apt_mirror=any(name == "WSB_APT_MIRROR" for name, _ in settings)
    )
    files = [
        _text("Dockerfile", render_dockerfile(templates, facts)),
        _text(".wsb/network/env", network),
        _text(".wsb/network/apt-mirror", templates["files/network/apt-mirror"]),
        _text(".wsb/user/make-user", templates["files/make-user"], mode=0o755),
        _text(".wsb/image/activate.sh", activate),
        _text(".wsb/image/bin/entry", templates["files/entry"], mode=0o755),
        File(path=".wsb/image/plan.json", content=document),
        File(path=".wsb/image/expect.json", content=expected),
        *(_text(f".wsb/image/probes/{name}", text) for name, text in probes.items()),
        _text(".wsb/uv/get-uv", templates["files/get-uv"], mode=0o755),
        _text(".wsb/uv/requirements.txt", _uv_requirement()),
    ]
    if plan.packages.pip:
        files.append(_text(".wsb/pip/requirements.txt", _lines(plan.packages.pip)))
        files.append(_text(".wsb/pip/constraints.txt", _lines(commands.constraints(plan))))
    if commands.uses_uv(plan):
        files.append(_text(".wsb/chosen/by-size.py", templates["files/by-size.py"]))
    if plan.packages.conda:
        files.append(_text(".wsb/conda/packages.txt", _lines(plan.packages.conda)))
    if locked:
        files += _locked_files(templates, facts, locked, plan.installer)
    return FileSet((*files, _text(".dockerignore", render_dockerignore(plan))))


def _locked_files(
    templates: Mapping[str, str], facts: Mapping[str, Any], locked: LockedPlatform, installer: InstallerPlan | None
) -> list[File]:
    """The lists of each part, and the scripts of the locked steps."""
    environment = make_environment(templates)
    files = [_text(".wsb/locked/begin", environment.get_template("files/locked/begin.j2").render(facts))]
    for name in ("apt", "conda", "conda-meta.py", "debs", "get", "pip", "settle"):
        files.append(_text(f".wsb/locked/{name}", templates[f"files/locked/{name}"]))
    for stage, part in (("torch", locked.torch), ("workspace", locked.workspace)):
        files += [_text(f".wsb/lock/{stage}/{kind}/list", text) for kind, text in part_files(part).items()]
        files.append(_text(f".wsb/lock/{stage}/apt/date", f"{part.date or locked.date}\n"))
    if installer is not None:
        files.append(_text(".wsb/lock/torch/installer/list", f"{installer.url} {installer.sha256}\n"))
    return files


def solve_files(
    plan: Plan, *, templates: Mapping[str, str], version: str, stage_image: str, asked: bytes, files: FileSet
) -> FileSet:
    """What finds out what to lock: one step on top of the torch stage. files: of the plan, for the network and uv."""
    facts = values(plan, version=version, image_labels={})
    step = make_environment(templates).get_template("layers/locked/solve.j2").render(facts)
    read = (".wsb/network/", ".wsb/uv/", ".wsb/pip/", ".wsb/conda/", ".dockerignore")
    kept = tuple(file for file in files if file.path.startswith(read))
    return FileSet(
        (
            *kept,
            _text("Dockerfile", f'FROM {stage_image}\nSHELL ["/bin/bash", "-o", "pipefail", "-c"]\n{step}'),
            _text(".wsb/solve/solve.py", templates["files/solve.py"]),
            File(path=".wsb/solve/asked.json", content=asked),
        )
    )


def fetch_files(
    plan: Plan, *, templates: Mapping[str, str], version: str, stage_image: str, files: FileSet, locked: LockedPlatform
) -> FileSet:
    """What gathers the files of a lock: one step on top of the torch stage. files: of the plan, rendered for this lock."""
    facts = values(plan, version=version, image_labels={}, locked=locked)
    one = plan.installer
    facts["fetch_installer"] = f"{shlex.quote(one.url)} {one.sha256}" if one else "- -"
    facts["fetch_from"] = commands.download_options(plan)
    step = make_environment(templates).get_template("layers/locked/fetch.j2").render(facts)
    kept = tuple(file for file in files if file.path.startswith((".wsb/network/", ".wsb/uv/", ".wsb/lock/", ".wsb/locked/")))
    return FileSet(
        (
            *kept,
            _text("Dockerfile", f'FROM {stage_image}\nSHELL ["/bin/bash", "-o", "pipefail", "-c"]\n{step}'),
            _text(".wsb/locked/fetch", templates["files/locked/fetch"]),
        )
    )


def torch_stage_files(files: FileSet, dockerfile: str) -> FileSet:
    """What the torch stage is made of: its text and the files its steps read; two equal sets make one image."""
    folders = (".wsb/uv/",)  # the network's settings say where from, not what
    mounted = tuple(file for file in files if file.path.startswith(folders))
    return FileSet((_text("Dockerfile", shared_part(dockerfile)), *mounted))


def network_settings(plan: Plan) -> tuple[tuple[str, str], ...]:
    """Variables for the steps that download: where each kind of thing comes from, when not from its usual place."""
    sources = plan.sources.used
    remote = [url for url in sources.extra_pip if not url.startswith("file:")]
    chosen = (
        ("PIP_INDEX_URL", sources.pip),
        ("UV_DEFAULT_INDEX", sources.pip),
        ("PIP_EXTRA_INDEX_URL", " ".join(remote) or None),
        ("UV_INDEX", " ".join(remote) or None),
        ("PIP_TRUSTED_HOST", " ".join(_unencrypted_hosts(sources.pip, *remote)) or None),
        ("WSB_TORCH_INDEX", sources.torch if plan.torch and plan.torch.index_url else None),
        ("CONDA_CHANNEL_ALIAS", sources.conda),
        ("WSB_INSTALLER_URL", _installer_url(plan)),
        ("WSB_APT_MIRROR", apt_root(sources.apt) if sources.apt else None),
    )
    return tuple((name, value) for name, value in chosen if value)


def _installer_url(plan: Plan) -> str | None:
    """Where this machine's own mirror of Miniconda's folder has the pinned file; None for the plan's own address."""
    mirror, one = dict(plan.sources.of_machine).get("miniconda"), plan.installer
    if mirror is None or one is None or one.kind != "Miniconda3" or plan.sources.miniconda is not None:
        return None
    return f"{mirror.partition('#')[0].rstrip('/')}/{one.url.rpartition('/')[2]}"


def apt_root(mirror: str) -> str:
    """The address below which debian/ and ubuntu/ lie: some people write it, some the distribution's own folder."""
    bare = mirror.rstrip("/")
    head, _, last = bare.rpartition("/")
    return head if last in ("debian", "ubuntu", "ubuntu-ports") else bare


def _unencrypted_hosts(*urls: str | None) -> tuple[str, ...]:
    """host:port of plain-http addresses. Whoever writes http:// means it; uv takes it so, pip wants to be told."""
    return tuple(sorted({url.split("/")[2].rpartition("@")[2] for url in urls if url and url.startswith("http://")}))


# What lies in the project for others than the build: a change there must not install the project anew.
_FOR_OTHERS = (".git", ".devcontainer", ".vscode", ".run", ".idea", ".wsb/new", ".wsb/rendered.json")
_NO_PACKAGE = (
    *("**/__pycache__", "**/*.pyc", ".venv", "venv", "data", "datasets", "runs", "checkpoints", "wandb", "weights", "outputs"),
    *("mlruns", "lightning_logs", "**/*.ckpt", "**/*.pt", "**/*.pth", "**/*.safetensors", "**/*.h5", "**/*.parquet"),
)


def render_dockerignore(plan: Plan) -> str:
    """Only what COPY and the mounts need is sent: wsb's own files, and the project where it is installed itself."""
    if plan.editable:
        heading = "# Made by wsb. The project itself is installed, so it is sent, without what no package needs.\n"
        return heading + _lines((*_FOR_OTHERS, *_NO_PACKAGE))
    return "# Made by wsb. Code is mounted, not copied: a build needs nothing but these.\n*\n!Dockerfile\n!.wsb\n"


def _uv_requirement() -> str:
    hashes = " ".join(f"--hash=sha256:{digest}" for digest in sorted(names.UV_SHA256.values()))
    return f"uv=={names.UV_VERSION} {hashes}\n"


def _lines(items: tuple[str, ...]) -> str:
    return "".join(f"{item}\n" for item in items)


def _text(path: str, text: str, *, mode: int = 0o644) -> File:
    return File(path=path, content=text.encode("utf-8"), mode=mode)
