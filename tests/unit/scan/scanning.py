"""What the tests of this folder share: projects as dictionaries of texts."""

from __future__ import annotations

from builder.errors import Problems, WsbError
from builder.model.project import Project
from builder.model.spec import Spec
from builder.model.values import Located, Location
from builder.scan import read_project

WSB = Location(file="wsb.yaml", line=3, column=15)


def spec_naming(*requirements: str, environment: str | None = None, python: str | None = None) -> Spec:
    """A Spec that names these files."""
    from builder.model.values import VersionRequest

    return Spec(
        where=Location(file="wsb.yaml"),
        name=Located("x", WSB),
        python=Located(VersionRequest.parse(python), WSB) if python else None,
        environment=Located(environment, WSB) if environment else None,
        requirements=tuple(Located(path, WSB) for path in requirements),
    )


def project_of(files: dict[str, str | bytes], spec: Spec | None = None) -> Project:
    """The Project of files; by default of requirements.txt and environment.yml, where they are there."""
    spec = spec or spec_naming(
        *(["requirements.txt"] if "requirements.txt" in files else []),
        environment="environment.yml" if "environment.yml" in files else None,
    )

    def read(path: str) -> bytes | None:
        content = files.get(path)
        return content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content

    return read_project(read, spec, lambda: files)


def required(*lines: str) -> Project:
    """The Project of a requirements.txt with these lines."""
    return project_of({"requirements.txt": "\n".join(lines)})


def depending(*lines: str) -> Project:
    """The Project of an environment.yml whose dependencies are these lines."""
    return project_of({"environment.yml": "name: x\ndependencies:\n" + "".join(f"  - {line}\n" for line in lines)})


def problems_of(files: dict[str, str | bytes], spec: Spec | None = None) -> list[WsbError]:
    """The problems of files that have some."""
    try:
        project = project_of(files, spec)
    except Problems as problems:
        return list(problems.errors)
    raise AssertionError(f"read without a problem: {project}")


def texts(located: tuple[Located[str], ...]) -> list[str]:
    return [one.value for one in located]


def notes_of(project: Project) -> str:
    return "\n".join(f"{note.where}: {note.value}" for note in project.notes)
