"""An image as files that a cluster can start: an OCI bundle, a squashfs for Pyxis, a SIF for Apptainer, docker's archive.

Everything is written beside its final name and renamed, so that a node never meets half of it. The shell may be a login
node's: then the image goes there straight from the engine, and nothing is kept here.
"""

from __future__ import annotations

import io
import json
import secrets
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from typing import Any, Final

from builder.engine.base import Engine, ImageInfo
from builder.errors import WsbError
from builder.launch import oci
from builder.launch.container import Identity
from builder.launch.shell import Shell
from builder.model.frozen import frozen

Say = Callable[[str], None]

# $1: where the file system goes. Device files cannot be made without root, and every runtime brings its own.
_UNPACK: Final = 'mkdir -p "$1" && tar -x -p -f - --no-same-owner --exclude="dev/*" -C "$1"'
_RENAME: Final = 'mv -f "$1" "$2"'
# Only an empty folder or an earlier bundle of ours gives way; whatever else has that name is somebody's work.
_RENAME_FOLDER: Final = f"""\
if [ -e "$2" ]; then
    if [ -f "$2/rootfs/{oci.MARK}" ]; then rm -rf "$2"; else rmdir "$2"; fi || exit
fi
mv "$1" "$2"
"""


class Form(str, Enum):
    """What an image can be exported as."""

    BUNDLE = "oci-bundle"
    ARCHIVE = "docker-archive"
    SQUASHFS = "sqsh"
    SIF = "sif"


@frozen
class Tool:
    """A program that makes a form from a folder. script: $1 the folder, $2 the file."""

    program: str
    script: str
    hint: str


TOOLS: Final = {
    Form.SQUASHFS: Tool(
        program="mksquashfs",
        script='mksquashfs "$1" "$2" -noappend -no-progress -all-root -comp zstd -Xcompression-level 3 >&2',
        hint="Debian, Ubuntu: `apt-get install squashfs-tools`; on a cluster it comes with Enroot",
    ),
    Form.SIF: Tool(
        program="apptainer",
        script='if command -v apptainer >/dev/null; then apptainer build "$2" "$1"; else singularity build "$2" "$1"; fi >&2',
        hint="export where Apptainer is, as a login node is: `wsb submit --host`; or https://apptainer.org/docs/admin/main/",
    ),
}


@frozen
class Exporter:
    """Writes one image's files through a shell. document: the image's plan, {} for an image that wsb did not make."""

    engine: Engine
    shell: Shell
    image: ImageInfo
    document: Mapping[str, Any]
    say: Say

    @property
    def home(self) -> str:
        return oci.home_of(self.document)

    def bundle(self, directory: str, config: Mapping[str, Any], owner: Identity, *, twin: str = "") -> None:
        """directory/config.json and directory/rootfs.

        twin: a bundle of the same image, whose files are shared by hard links.
        """
        part = _beside(directory)
        self._do('mkdir -p "$1"', part)
        if twin:
            self._do('cp -al "$1" "$2"', f"{twin}/rootfs", f"{part}/rootfs")
        else:
            self.file_system(f"{part}/rootfs")
        self._unpack(part, {"config.json": _json(config)})
        self._give(part, owner)
        try:
            self._do(_RENAME_FOLDER, part, directory)
        except WsbError:
            self.shell.run('rm -rf "$1"', part)
            raise

    def file_system(self, directory: str) -> None:
        """All files of the image, and the mark that says which image it is."""
        self.say(f"exporting {self._name} to {self.shell.where}:{directory}")
        self._do(_UNPACK, directory, stdin=self.engine.archive_from_image(self.image.id, "/"))
        mark = oci.mark(self.image, self.home)
        variables = "".join(f"{line}\n" for line in self.image.env)
        self._unpack(
            directory,
            {oci.MARK: _json(mark), oci.MARK_ID: f"{self.image.id}\n".encode(), "etc/environment": variables.encode()},
        )

    def packed(self, form: Form, path: str) -> None:
        """One file, made by the target's own tool. Raises WsbError tool-missing."""
        tool = TOOLS[form]
        found = self.shell.run(f"command -v {tool.program} || {{ test $1 = sif && command -v singularity; }}", form.value)
        if found.code:
            raise WsbError(
                "tool-missing",
                f"{form.value} is made by {tool.program}, which is not installed on {self.shell.where}",
                hints=[tool.hint],
            )
        part = _beside(path)
        self._do('mkdir -p "$1"', part)
        try:
            self.file_system(f"{part}/rootfs")
            self.say(f"packing {path}")
            self._do(tool.script, f"{part}/rootfs", f"{part}/packed")
            self._do(_RENAME, f"{part}/packed", path)
        finally:
            self.shell.run('chmod -R u+w "$1"; rm -rf "$1"', part)

    def archive(self, path: str) -> None:
        """docker's own archive, as `docker save` writes it."""
        self.say(f"saving {self._name} to {path}")
        part = _beside(path)
        self._do('cat > "$1"', part, stdin=self.engine.save([self.image.tags[0] if self.image.tags else self.image.id]))
        self._do(_RENAME, part, path)

    @property
    def _name(self) -> str:
        return self.image.tags[0] if self.image.tags else self.image.id[:19]

    def _unpack(self, directory: str, files: Mapping[str, bytes]) -> None:
        self._do('mkdir -p "$1" && tar -x -f - --no-same-owner -C "$1"', directory, stdin=_tar(files))

    def _give(self, directory: str, owner: Identity) -> None:
        """Make everything the owner's. Only root can; anybody else's files are his own already."""
        script = 'test "$(id -u)" = "$2" || chown -h -R "$2:$3" "$1"'
        done = self.shell.run(script, directory, str(owner.uid), str(owner.gid))
        if done.code:
            self.shell.run('rm -rf "$1"', directory)
            raise WsbError(
                "bad-value",
                f"only root can make a bundle for another user (uid {owner.uid})",
                details=done.trouble.splitlines()[:1],
                hints=["leave --for-user out, or run this as root"],
            )

    def _do(self, script: str, *words: str, stdin: Iterable[bytes] = ()) -> None:
        done = self.shell.run(script, *words, stdin=stdin)
        if done.code == 0:
            return
        code = "disk-full" if "No space left" in done.trouble else "cannot-write"
        raise WsbError(
            code,
            f"cannot write {words[-1]} on {self.shell.where}",
            details=done.trouble.splitlines()[-3:],
            hints=["name another folder that you may write"] if code == "cannot-write" else [],
        )


def _beside(path: str) -> str:
    return f"{path}.part-{secrets.token_hex(3)}"


def exists(shell: Shell, path: str) -> bool:
    return shell.run('test -e "$1"', path).code == 0


def _json(document: Mapping[str, Any]) -> bytes:
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()


def _tar(files: Mapping[str, bytes]) -> Iterator[bytes]:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, content in files.items():
            member = tarfile.TarInfo(path)
            member.size, member.mode = len(content), 0o644
            archive.addfile(member, io.BytesIO(content))
    yield buffer.getvalue()
