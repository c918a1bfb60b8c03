"""Packages made here to show one behaviour each: activation scripts, builds chosen by __cuda, a second channel.

`udunits2` is a real C library (Debian's) with the activation script that conda-forge's package of it has: without activation
it cannot find its own database. The packages named wsb-* exist nowhere else and say so.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

from tests.support.channel.conda_package import Package, write_package
from tests.support.channel.debian import DebianArchive
from tests.support.channel.pythons import collect_libraries, upstream_version

_ACTIVATE = """\
# udunits2 was built for another prefix: tell it where its database lies in this one.
if [ -n "${UDUNITS2_XML_PATH:-}" ]; then
    export _WSB_UDUNITS2_XML_PATH_BEFORE="$UDUNITS2_XML_PATH"
fi
export UDUNITS2_XML_PATH="$CONDA_PREFIX/share/udunits/udunits2.xml"
"""
_DEACTIVATE = """\
unset UDUNITS2_XML_PATH
if [ -n "${_WSB_UDUNITS2_XML_PATH_BEFORE:-}" ]; then
    export UDUNITS2_XML_PATH="$_WSB_UDUNITS2_XML_PATH_BEFORE"
    unset _WSB_UDUNITS2_XML_PATH_BEFORE
fi
"""


def write_udunits2(archive: DebianArchive, suite: str, scratch: Path, channel: Path) -> None:
    """A C library that works only in an activated environment."""
    debs = ("libudunits2-0", "libudunits2-data")
    archive.download(suite, debs)
    versions = archive.unpack(suite, debs, scratch / "udunits2" / "deb")
    files = scratch / "udunits2" / "files"
    collect_libraries(scratch / "udunits2" / "deb", files / "lib")
    database = files / "share" / "udunits"
    database.mkdir(parents=True)
    for xml in sorted((scratch / "udunits2" / "deb" / "usr" / "share").glob("**/udunits/*.xml")):
        (database / xml.name).write_bytes(xml.read_bytes())
    _write(files, "etc/conda/activate.d/udunits2_activate.sh", _ACTIVATE)
    _write(files, "etc/conda/deactivate.d/udunits2_deactivate.sh", _DEACTIVATE)
    package = Package(
        name="udunits2",
        version=upstream_version(versions["libudunits2-0"]),
        build="deb12_0",
        subdir=archive.subdir,
        summary="Units of physical quantities, Debian's build, with an activation script",
        depends=("__glibc >=2.36", "libexpat"),
        extra={"debian": versions},
    )
    write_package(package, files, channel)


def write_ca_certificates(certifi: Path, version: str, scratch: Path, channel: Path) -> None:
    """Mozilla's certificates where conda-forge's package puts them."""
    files = scratch / "ca-certificates"
    (files / "ssl").mkdir(parents=True)
    with zipfile.ZipFile(certifi) as wheel:
        (files / "ssl" / "cacert.pem").write_bytes(wheel.read("certifi/cacert.pem"))
    (files / "ssl" / "cert.pem").symlink_to("cacert.pem")
    package = Package(
        name="ca-certificates",
        version=version,
        build="h_wsb_0",
        subdir="noarch",
        noarch="generic",
        summary="Mozilla's certificates, from certifi's wheel",
    )
    write_package(package, files, channel)


def write_cuda_probe(scratch: Path, channel: Path, subdir: str) -> None:
    """wsb-cuda-probe: a solver takes the CUDA build where __cuda is high enough, the CPU build elsewhere."""
    builds = (
        ("cuda129_2", 2, ("__cuda >=12.9", "__glibc >=2.17"), ""),
        ("cuda118_1", 1, ("__cuda >=11.8", "__glibc >=2.17"), ""),
        ("cpu_0", 0, ("__glibc >=2.17",), "wsb-cuda-probe-cpu"),
    )
    for build, build_number, depends, track_features in builds:
        files = scratch / f"wsb-cuda-probe-{build}"
        _write(files, "share/wsb-cuda-probe/build.txt", f"{build}\n")
        package = Package(
            name="wsb-cuda-probe",
            version="1.0",
            build=build,
            build_number=build_number,
            subdir=subdir,
            summary="made by wsb's tests: tells which build the solver chose",
            depends=depends,
            track_features=track_features,
        )
        write_package(package, files, channel)


def write_marker(name: str, version: str, scratch: Path, channel: Path) -> None:
    """A noarch package that holds the name of the channel it came from."""
    files = scratch / f"{channel.name}-{name}-{version}"
    _write(files, f"share/{name}/channel.txt", f"{channel.name}\n")
    summary = f"made by wsb's tests: tells that it came from {channel.name}"
    package = Package(name=name, version=version, build="wsb_0", subdir="noarch", noarch="generic", summary=summary)
    write_package(package, files, channel)


def _write(files: Path, name: str, text: str) -> None:
    (files / name).parent.mkdir(parents=True, exist_ok=True)
    (files / name).write_text(text)
