"""The script that gives apt a mirror for one step, run here on folders that look like a base's."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.support.readme import ROOT

SCRIPT = ROOT / "dockerfiles" / "files" / "network" / "apt-mirror"
DEBIAN = """\
deb http://deb.debian.org/debian bookworm main
deb http://security.debian.org/debian-security bookworm-security main
deb https://packages.example.org/own stable main
"""
UBUNTU = "Types: deb\nURIs: http://de.archive.ubuntu.com/ubuntu/ http://security.ubuntu.com/ubuntu/\nSuites: noble\n"


def rewritten(tmp_path: Path, mirror: str, *, has_certificates: bool = True) -> tuple[str, str]:
    """(sources.list, ubuntu.sources) as the step's apt reads them."""
    apt = tmp_path / "root" / "etc" / "apt"
    (apt / "sources.list.d").mkdir(parents=True)
    (apt / "sources.list").write_text(DEBIAN)
    (apt / "sources.list.d" / "ubuntu.sources").write_text(UBUNTU)
    if has_certificates:
        certificates = tmp_path / "root" / "etc" / "ssl" / "certs"
        certificates.mkdir(parents=True)
        (certificates / "ca-certificates.crt").write_text("x")
    environ = {**os.environ, "WSB_APT_MIRROR": mirror}
    subprocess.run(["sh", SCRIPT, tmp_path / "into", tmp_path / "root"], check=True, env=environ)
    assert (apt / "sources.list").read_text() == DEBIAN
    return (tmp_path / "into/sources.list").read_text(), (tmp_path / "into/parts/ubuntu.sources").read_text()


def test_the_distributions_own_hosts_are_replaced_and_others_are_not(tmp_path: Path) -> None:
    debian, ubuntu = rewritten(tmp_path, "https://mirror.example.org/")
    assert debian.splitlines() == [
        "deb https://mirror.example.org/debian bookworm main",
        "deb https://mirror.example.org/debian-security bookworm-security main",
        "deb https://packages.example.org/own stable main",
    ]
    assert "URIs: https://mirror.example.org/ubuntu/ https://mirror.example.org/ubuntu/\n" in ubuntu


def test_a_base_without_certificates_is_served_without_tls(tmp_path: Path) -> None:
    debian, _ = rewritten(tmp_path, "https://mirror.example.org", has_certificates=False)
    assert "deb http://mirror.example.org/debian bookworm main" in debian


def test_a_day_of_the_archive_is_a_mirror_too(tmp_path: Path) -> None:
    debian, _ = rewritten(tmp_path, "http://snapshot.debian.org/archive/debian/20261101T000000Z")
    assert debian.splitlines()[:2] == [
        "deb http://snapshot.debian.org/archive/debian/20261101T000000Z/ bookworm main",
        "deb http://snapshot.debian.org/archive/debian-security/20261101T000000Z/ bookworm-security main",
    ]
