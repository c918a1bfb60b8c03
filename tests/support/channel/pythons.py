"""Real Pythons as conda packages: Debian's own builds, moved into an environment of their own.

Out come `python` and the shared libraries it needs, each a package, as conda-forge cuts them. The binaries are Debian's;
changed are the library search path inside them (relative, as conda-build writes it) and the few lines by which Debian sends
packages to dist-packages. What differs from conda-forge's Python: OpenSSL looks for its certificates in /usr/lib/ssl, tkinter
and gdbm are left out, and the compiler settings are Debian's.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.channel.conda_package import PLACEHOLDER, Package, write_package
from tests.support.channel.debian import DebianArchive
from tests.support.channel.relocate import search_beside


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One Debian release and the Python in it. glibc: what its binaries ask of the machine."""

    suite: str
    number: int
    python: str
    glibc: str
    libraries: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]
    extra: tuple[str, ...] = ()

    @property
    def python_debs(self) -> tuple[str, ...]:
        python = f"python{self.python}"
        parts = (f"lib{python}-{part}" for part in ("minimal", "stdlib", "dev"))
        return (python, f"{python}-minimal", f"{python}-venv", *parts, *self.extra)

    @property
    def debs(self) -> tuple[str, ...]:
        """Every Debian package that this release gives."""
        return (*self.python_debs, *(deb for _, debs, _ in self.libraries for deb in debs))


def _libraries(
    openssl: str, ffi: str, readline: str, db: str, *more: tuple[str, tuple[str, ...], tuple[str, ...]]
) -> tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]:
    """(conda package, Debian packages, conda packages it needs) for every library that Python's modules load."""
    return (
        ("openssl", (openssl,), ()),
        ("libffi", (ffi,), ()),
        ("libzlib", ("zlib1g",), ()),
        ("bzip2", ("libbz2-1.0",), ()),
        ("liblzma", ("liblzma5",), ()),
        ("libexpat", ("libexpat1",), ()),
        ("libuuid", ("libuuid1",), ()),
        ("ncurses", ("libncursesw6", "libtinfo6"), ()),
        ("readline", (readline,), ("ncurses",)),
        ("libsqlite", ("libsqlite3-0",), ("libzlib",)),
        ("libdb", (db,), ()),
        *more,
    )


_CRYPT = ("libxcrypt", ("libcrypt1",), ())
RELEASES = (
    Release(
        suite="bullseye",
        number=11,
        python="3.9",
        glibc="2.31",
        libraries=_libraries("libssl1.1", "libffi7", "libreadline8", "libdb5.3", _CRYPT, ("mpdecimal", ("libmpdec3",), ())),
        extra=("python3-distutils", "python3-lib2to3"),
    ),
    Release(
        suite="bookworm",
        number=12,
        python="3.11",
        glibc="2.36",
        libraries=_libraries("libssl3", "libffi8", "libreadline8", "libdb5.3", _CRYPT),
        extra=("python3-distutils", "python3-lib2to3"),
    ),
    Release(
        suite="trixie",
        number=13,
        python="3.13",
        glibc="2.41",
        libraries=_libraries("libssl3t64", "libffi8", "libreadline8t64", "libdb5.3t64"),
    ),
)

#: Modules left out: they load libraries that are not packaged here, or are Debian's own.
_LEFT_OUT = ("nis.", "_tkinter.", "EXTERNALLY-MANAGED", "sitecustomize.py", "_distutils_system_mod.py")
_LEFT_OUT_FOLDERS = {"test", "idlelib", "__pycache__", "dist-packages"}

_GETSITEPACKAGES = '''def getsitepackages(prefixes=None):
    """The site-packages folder of each prefix; Debian's dist-packages are not looked at here."""
    found = []
    for prefix in PREFIXES if prefixes is None else prefixes:
        path = os.path.join(prefix, "lib", "python%d.%d" % sys.version_info[:2], "site-packages")
        if prefix and path not in found:
            found.append(path)
    return found

'''


def write_pythons(archive: DebianArchive, releases: Iterable[Release], scratch: Path, channel: Path, wheels: Path) -> None:
    """Writes python and its libraries of each release into the channel. wheels: pip's and setuptools', for ensurepip."""
    for release in releases:
        root = scratch / release.suite
        archive.download(release.suite, release.debs)
        depends = list(_write_libraries(archive, release, root, channel, archive.subdir))
        _write_python(archive, release, root, channel, wheels, depends)


def _write_libraries(archive: DebianArchive, release: Release, root: Path, channel: Path, subdir: str) -> Iterator[str]:
    """Writes each library; yields the exact dependency on it, in conda's words."""
    versions: dict[str, str] = {}
    for name, needed, _ in release.libraries:
        versions |= archive.unpack(release.suite, needed, root / name / "deb")
    build = f"deb{release.number}_0"
    exact = {name: f"{name} {upstream_version(versions[needed[0]])} {build}" for name, needed, _ in release.libraries}
    for name, needed, requires in release.libraries:
        files = root / name / "files"
        collect_libraries(root / name / "deb", files / "lib")
        package = Package(
            name=name,
            version=upstream_version(versions[needed[0]]),
            build=build,
            subdir=subdir,
            summary=f"{name}, Debian {release.suite}'s build",
            depends=(f"__glibc >={release.glibc}", *(exact[other] for other in requires)),
            extra={"debian": {deb: versions[deb] for deb in needed}},
        )
        write_package(package, files, channel)
        yield exact[name]


def collect_libraries(unpacked: Path, target: Path) -> None:
    """Copies the shared libraries of unpacked Debian packages, links included, so that they find each other in `target`."""
    target.mkdir(parents=True, exist_ok=True)
    for library in sorted(unpacked.glob("**/*-linux-gnu/*.so*")):
        if library.is_symlink():
            (target / library.name).symlink_to(library.readlink())
        elif library.is_file():
            shutil.copy(library, target / library.name)
            search_beside(target / library.name, "$ORIGIN")


def upstream_version(debian_version: str) -> str:
    """`1:1.2.13.dfsg-1` → `1.2.13`: no epoch, no Debian revision, nothing repackaged."""
    found = re.match(r"(?:\d+:)?(\d+(?:\.\d+)*[a-z]?(?![a-z]))", debian_version)
    assert found, debian_version
    return found[1]


def _write_python(
    archive: DebianArchive, release: Release, root: Path, channel: Path, wheels: Path, depends: list[str]
) -> None:
    python = f"python{release.python}"
    versions = archive.unpack(release.suite, release.python_debs, root / "python" / "deb")
    files = root / "python" / "files"
    _lay_out(root / "python" / "deb" / "usr", files, python)
    for wheel in sorted(wheels.glob("*.whl")):
        if wheel.name.startswith(("pip-", "setuptools-")):
            (files / "share" / "python-wheels").mkdir(parents=True, exist_ok=True)
            shutil.copy(wheel, files / "share" / "python-wheels")
    _leave_debian(files, python)
    _compile(files, python)
    version = upstream_version(versions[python])
    major, minor = release.python.split(".")
    abi = f"python_abi {release.python}.* *_cp{major}{minor}"
    package = Package(
        name="python",
        version=version,
        build=f"deb{release.number}_0_cpython",
        subdir=archive.subdir,
        summary=f"Python, Debian {release.suite}'s build in an environment of its own",
        license="Python-2.0",
        depends=(f"__glibc >={release.glibc}", "ca-certificates", *depends),
        constrains=(abi,),
        extra={"debian": versions},
    )
    write_package(package, files, channel)
    empty = root / "python_abi"
    empty.mkdir(parents=True, exist_ok=True)
    marker = Package(
        name="python_abi",
        version=release.python,
        build=f"8_cp{major}{minor}",
        build_number=8,
        subdir="noarch",
        summary="which Python's compiled modules fit",
        noarch="generic",
        constrains=(f"python {release.python}.*",),
    )
    write_package(marker, empty, channel)


def _lay_out(usr: Path, files: Path, python: str) -> None:
    """From Debian's folders to an environment's: bin/, lib/pythonX.Y/, include/."""
    (files / "bin").mkdir(parents=True)
    shutil.copy(usr / "bin" / python, files / "bin" / python)
    search_beside(files / "bin" / python, "$ORIGIN/../lib")
    for link in ("python", "python3"):
        (files / "bin" / link).symlink_to(python)
    (files / "bin" / f"pydoc{python[6:]}").write_text(f"#!{PLACEHOLDER}/bin/{python}\nimport pydoc\n\npydoc.cli()\n")
    (files / "bin" / f"pydoc{python[6:]}").chmod(0o775)
    library = files / "lib" / python
    # Debian 11 and 12 keep distutils and lib2to3 apart, under /usr/lib/python3.
    for source in (usr / "lib" / python, usr / "lib" / "python3"):
        if source.is_dir():
            shutil.copytree(source, library, ignore=_leave_out, dirs_exist_ok=True)
    (library / "site-packages").mkdir()
    (library / "site-packages" / "README.txt").write_text("This folder exists so that packages can be installed.\n")
    for extension in sorted((library / "lib-dynload").glob("*.so")):
        search_beside(extension, "$ORIGIN/../..")
    for include in sorted(usr.glob(f"include/**/{python}")):  # pyconfig.h has its architecture's folder
        shutil.copytree(include, files / "include" / python, dirs_exist_ok=True)


def _leave_out(folder: str, names: list[str]) -> set[str]:
    big = {name for name in names if name.startswith("config-")}  # the static library
    return big | {name for name in names if name in _LEFT_OUT_FOLDERS or name.startswith(_LEFT_OUT)}


def _leave_debian(files: Path, python: str) -> None:
    """Undoes what Debian changes for its own /usr: this Python belongs to an environment.

    Debian leaves virtual environments alone, and takes sys.real_prefix for the mark of one. Asking for sys.exec_prefix
    instead, which is always there, makes every environment of ours one; the names are equally long, so the copy of `site`
    that is frozen into the interpreter can be changed the same way.
    """
    library = files / "lib" / python
    ensurepip = library / "ensurepip" / "__init__.py"
    _edit(ensurepip, r"\n    _ensurepip_is_disabled_in_debian_for_system\(\)\n", "\n")
    if python == "python3.9":
        _edit(library / "site.py", r"def getsitepackages\(.*?(?=def addsitepackages\()", _GETSITEPACKAGES)
        _edit(library / "distutils" / "sysconfig.py", r"elif \(is_default_prefix and", "elif (False and")
        _edit(library / "distutils" / "command" / "install.py", r"or sys\.base_prefix != sys\.prefix\n", "or True\n")
        _edit(ensurepip, r"'/usr/share", f"'{PLACEHOLDER}/share")
        _edit(ensurepip, r'"pkg_resources",', "")
    else:
        sysconfig = library / "sysconfig.py"
        for module in (library / "site.py", sysconfig if sysconfig.is_file() else library / "sysconfig" / "__init__.py"):
            _edit(module, r"hasattr\(sys, \"real_prefix\"\)", 'hasattr(sys, "exec_prefix")')
        interpreter = files / "bin" / python
        interpreter.write_bytes(interpreter.read_bytes().replace(b"real_prefix", b"exec_prefix"))
    if python == "python3.11":
        _edit(library / "distutils" / "sysconfig.py", r"hasattr\(sys, \"real_prefix\"\)", 'hasattr(sys, "exec_prefix")')
    for data in library.glob("_sysconfigdata_*.py"):
        _edit(data, r"/usr/lib/[a-z0-9_]+-linux-gnu", f"{PLACEHOLDER}/lib")
        _edit(data, r"/usr(?!/bin/(?:install|dtrace))(?=[/'\" ])", PLACEHOLDER)


def _edit(path: Path, pattern: str, replacement: str) -> None:
    text, times = re.subn(pattern, lambda _: replacement, path.read_text(encoding="utf-8"), flags=re.DOTALL)
    if not times:
        raise RuntimeError(f"{path} no longer has {pattern!r}: Debian changed its Python, and this module must follow")
    path.write_text(text, encoding="utf-8")


def _compile(files: Path, python: str) -> None:
    """Byte-compiles the library where this machine can run that Python; conda-forge's comes compiled too."""
    library = files / "lib" / python
    beside = sorted(str(path) for path in files.parent.parent.glob("*/files/lib"))
    environment = fixed_environment() | {"LD_LIBRARY_PATH": ":".join(beside)}
    run = [str(files / "bin" / python), "-s", "-B"]  # what it imports itself it must not compile its own way
    flags = ["-f", "-q", "-q", "--invalidation-mode", "unchecked-hash", "-s", str(files), str(library)]
    if subprocess.run([*run, "-c", ""], env=environment, capture_output=True, check=False).returncode == 0:
        subprocess.run([*run, "-m", "compileall", *flags], env=environment, check=False, capture_output=True)
    for compiled in library.glob("**/*.pyc"):
        if PLACEHOLDER.encode() in compiled.read_bytes():  # replacing a path in marshalled code would break it
            compiled.unlink()


def fixed_environment() -> dict[str, str]:
    """For a compiling Python: the order of sets goes into bytecode, so it must not be random."""
    return {"PATH": os.environ["PATH"], "PYTHONHASHSEED": "0"}
