"""Where things lie inside an image, and what images are called. Every other room takes these names from here."""

from __future__ import annotations

from builder.model.plan import Plan
from builder.model.values import Manager

GROUP = "wsb"
GROUP_GID = 900
WORKSPACE = "/workspace"
SELF = "/opt/wsb"
SMOKE = "/opt/wsb/probes/smoke.py"  # the smoke test as people and IDEs start it inside the container
UV_VERSION = "0.13.9"

# The hour that everything made in a locked step is dated with: 2025-01-01, after which every file of it was made.
EPOCH = 1735689600

# The label of a torch image: the whole digest over all that makes it, of which its tag has the beginning.
TORCH_IMAGE = "dev.wsb.torch-image"

# The wheels of uv as PyPI serves them, by platform.
UV_SHA256 = {
    "linux/amd64": "d7f459fe4fd247d830351c75686d3996ace3c6f3f728eb0e85a30b7ada0cef19",
    "linux/arm64": "ecb6028d79dc96fbeafffe5c8af62a7099487ebc05a701e76714eebcffd06375",
}


def root_prefix(manager: Manager) -> str:
    """The folder the environments of a manager lie in, writable through the group."""
    return "/opt/conda" if manager.is_conda else "/opt/venv"


def environment_prefix(manager: Manager) -> str:
    """The environment's real place, the same for every project, so that its layers can be shared."""
    return "/opt/conda/envs/wsb" if manager.is_conda else "/opt/venv/wsb"


def environment_alias(plan: Plan) -> str:
    """The environment under the project's own name, the one that people and IDEs see."""
    folder = "/opt/conda/envs" if plan.manager.is_conda else "/opt/venv"
    return f"{folder}/{plan.name}"


def interpreter(plan: Plan) -> str:
    """The Python that runs the project's code."""
    return f"{environment_alias(plan)}/bin/python"


def image_tag(plan: Plan) -> str:
    """The tag a built workspace gets: the project's name is the repository."""
    return f"{plan.name}:latest"


def torch_image_repository() -> str:
    """Images of the torch stage, shared by all projects with the same choice."""
    return "wsb/torch"
