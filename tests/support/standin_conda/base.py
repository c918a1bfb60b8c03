"""Makes the base environment that the stand-in installers carry: a real Python, py-rattler, PyYAML, and the stand-in itself.

It is a true conda environment, solved and linked from the local channel and from a second one that holds only what base needs,
with a placeholder where its own path belongs.
"""

from __future__ import annotations

import asyncio
import io
import shutil
import subprocess
import tarfile
from pathlib import Path

import rattler

from tests.support.channel import wheels
from tests.support.channel.conda_package import FIXED_TIME_S, Package, write_package
from tests.support.channel.index import write_index
from tests.support.channel.pythons import fixed_environment
from tests.support.standin_conda.program import CONDA_VERSION, STANDIN, relocate

PYTHON = "3.11"
PREFIX_PLACEHOLDER = "/wsb_standin_base_" + "placehold_" * 8

#: py-rattler of the same release as the tests use would do as well; pinned so that the installer is the same next year.
_WHEELS = ("py-rattler==0.28.0", "pyyaml==6.0.3")
_PROGRAM = Path(__file__).with_name("program")


def build_base(channel: Path, scratch: Path) -> Path:
    """A prefix with everything but configuration; text files name PREFIX_PLACEHOLDER as its path."""
    private = scratch / "base-channel"
    subdir = next(path.name for path in sorted((channel / "conda-forge").iterdir()) if path.name.startswith("linux"))
    _write_wheels(scratch, private, subdir)
    _write_conda(scratch, private)
    write_index(private, (subdir, "noarch"))
    prefix = scratch / "base"
    asyncio.run(_install([private, channel / "conda-forge"], prefix, scratch))
    compile_all = [str(prefix / "bin" / "python"), "-s", "-B", "-m", "compileall", "-f", "-q"]
    flags = ["--invalidation-mode", "unchecked-hash", "-s", str(prefix)]
    site_packages = str(prefix / "lib" / f"python{PYTHON}" / "site-packages")
    subprocess.run([*compile_all, *flags, site_packages], env=fixed_environment(), check=False, capture_output=True)
    (prefix / "CACHEDIR.TAG").unlink(missing_ok=True)
    for record in (prefix / "conda-meta").glob("*.json"):
        text = record.read_text().replace(f"{private.as_uri()}/", "https://conda.anaconda.org/wsb-standin/")
        text = text.replace(f"{(channel / 'conda-forge').as_uri()}/", "https://conda.anaconda.org/conda-forge/")
        record.write_text(text.replace(str(scratch / "cache"), f"{PREFIX_PLACEHOLDER}/pkgs"))
    for folder in ("envs", "pkgs"):
        (prefix / folder).mkdir()
        (prefix / folder / ".standin").touch()
    return prefix


async def _install(channels: list[Path], prefix: Path, scratch: Path) -> None:
    specs = [f"python={PYTHON}", "conda", "pip", "setuptools", "wheel"]
    records = await rattler.solve(
        sources=[rattler.Channel(path.as_uri()) for path in channels],
        specs=specs,
        virtual_packages=rattler.VirtualPackage.detect(),
        gateway=rattler.Gateway(cache_dir=scratch / "repodata"),
    )
    await rattler.install(
        records,
        prefix,
        cache_dir=scratch / "cache",
        alternative_target_prefix=PREFIX_PLACEHOLDER,
        requested_specs=[rattler.MatchSpec(spec)._match_spec for spec in specs],  # 0.28 does not unwrap them
        show_progress=False,
    )


def _write_wheels(scratch: Path, channel: Path, subdir: str) -> None:
    for wheel, requirement in zip(wheels.download(_WHEELS, scratch / "base-wheels", python=PYTHON), _WHEELS, strict=True):
        name, _, version = requirement.partition("==")
        files = scratch / "base-packages" / name
        wheels.unpack(wheel, files, site_packages=f"lib/python{PYTHON}/site-packages")
        summary = f"{name}, from its wheel on PyPI"
        depends = (f"python {PYTHON}.*",)
        package = Package(name=name, version=version, build="wsb_0", subdir=subdir, summary=summary, depends=depends)
        write_package(package, files, channel)


def _write_conda(scratch: Path, channel: Path) -> None:
    """The stand-in as a package called conda, so that `conda list` in base shows what people look for."""
    files = scratch / "base-packages" / "conda"
    shutil.copytree(_PROGRAM, files / "site-packages" / "standin_conda", ignore=shutil.ignore_patterns("__pycache__"))
    placeholder = PREFIX_PLACEHOLDER
    program = "from standin_conda.__main__ import main\nfrom standin_conda.leaving import leave\n\nleave(main())\n"
    conda = f"#!{placeholder}/bin/python\n{program}"
    source = f'. "{placeholder}/etc/profile.d/conda.sh" || return $?\n'
    exports = "".join(
        f"export {name}='{value}'\n"
        for name, value in {
            "CONDA_EXE": f"{placeholder}/bin/conda",
            "_CE_M": "",
            "_CE_CONDA": "",
            "CONDA_PYTHON_EXE": f"{placeholder}/bin/python",
            "_CONDA_EXE": f"{placeholder}/bin/conda",
            "_CONDA_ROOT": placeholder,
        }.items()
    )
    texts = {
        "bin/conda": conda,
        "condabin/conda": conda,
        "bin/activate": f'{source}conda activate "$@"\n',
        "bin/deactivate": f"{source}conda deactivate\n",
        "etc/profile.d/conda.sh": exports + (_PROGRAM / "conda.sh").read_text(),
    }
    for name, text in texts.items():
        path = files / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        if name.endswith("/conda"):
            path.chmod(0o775)
    package = Package(
        name="conda",
        version=CONDA_VERSION,
        build="standin_0",
        subdir="noarch",
        noarch="python",
        summary=f"not conda: {STANDIN}",
        depends=(f"python {PYTHON}.*", "py-rattler", "pyyaml"),
    )
    write_package(package, files, channel)


def pack(prefix: Path, extra: dict[str, str]) -> bytes:
    """The prefix as a compressed tar, the same bytes every time. extra: more files, by their path in it."""
    names = [name for name, text in _texts(prefix) if PREFIX_PLACEHOLDER in text]
    added = {**extra, relocate.LIST: "".join(f"{name}\n" for name in [PREFIX_PLACEHOLDER, *sorted(names)])}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=4, format=tarfile.GNU_FORMAT) as tar:
        for path in sorted(prefix.rglob("*")):
            tar.add(path, path.relative_to(prefix).as_posix(), recursive=False, filter=_plain)
        for name, text in sorted(added.items()):
            info = tarfile.TarInfo(name)
            info.size, info.mode, info.mtime = len(text.encode()), 0o664, FIXED_TIME_S
            tar.addfile(info, io.BytesIO(text.encode()))
    # gzip's header carries the time of packing: bytes 4 to 8.
    return buffer.getvalue()[:4] + b"\0\0\0\0" + buffer.getvalue()[8:]


def _texts(prefix: Path) -> list[tuple[str, str]]:
    found = []
    for path in prefix.rglob("*"):
        if path.is_file() and not path.is_symlink():
            content = path.read_bytes()
            if PREFIX_PLACEHOLDER.encode() in content and b"\0" not in content:
                found.append((path.relative_to(prefix).as_posix(), content.decode()))
    return found


def _plain(info: tarfile.TarInfo) -> tarfile.TarInfo:
    if info.islnk():
        raise AssertionError(f"{info.name} is a hard link inside the prefix")
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    info.mtime = FIXED_TIME_S
    info.mode = 0o777 if info.issym() else 0o775 if info.isdir() or info.mode & 0o100 else 0o664
    return info
