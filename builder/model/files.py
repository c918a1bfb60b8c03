"""What will be written: paths and bytes, nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from builder.model.frozen import frozen


@frozen
class File:
    """path: relative, with forward slashes. mode: permission bits. yields: a file somebody else wrote there is left alone."""

    path: str
    content: bytes
    mode: int = 0o644
    yields: bool = False


@frozen(kw_only=False)
class FileSet:
    """Files sorted by path; a path occurs once."""

    files: tuple[File, ...]

    def __post_init__(self) -> None:
        paths = [file.path for file in self.files]
        if len(set(paths)) != len(paths):
            raise ValueError(f"a path occurs twice in {sorted(paths)}")
        for path in paths:
            if path.startswith("/") or ".." in path.split("/"):
                raise ValueError(f"{path!r} leaves the folder it is written into")
        object.__setattr__(self, "files", tuple(sorted(self.files, key=lambda file: file.path)))

    def __iter__(self) -> Iterator[File]:
        return iter(self.files)

    def __getitem__(self, path: str) -> bytes:
        for file in self.files:
            if file.path == path:
                return file.content
        raise KeyError(path)

    def __contains__(self, path: str) -> bool:
        return any(file.path == path for file in self.files)

    @property
    def digest(self) -> str:
        """sha256 over paths, modes and contents."""
        total = hashlib.sha256()
        for file in self.files:
            total.update(f"{file.path}\0{file.mode:o}\0{len(file.content)}\0".encode())
            total.update(file.content)
        return f"sha256:{total.hexdigest()}"
