"""What this machine calls itself, and what it has."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.host import machine

OS_RELEASES = {
    "debian": 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n',
    "ubuntu": 'PRETTY_NAME="Ubuntu 24.04.1 LTS"\nID=ubuntu\nID_LIKE=debian\n',
    "fedora": 'PRETTY_NAME="Fedora Linux 42"\nID=fedora\n',
    "rhel": 'PRETTY_NAME="Rocky Linux 9.4"\nID="rocky"\nID_LIKE="rhel centos fedora"\n',
    "arch": 'PRETTY_NAME="EndeavourOS"\nID=endeavouros\nID_LIKE=arch\n',
    "suse": 'PRETTY_NAME="openSUSE Leap 15.6"\nID="opensuse-leap"\nID_LIKE="suse opensuse"\n',
    "other": 'PRETTY_NAME="Gentoo Linux"\nID=gentoo\n',
}


@pytest.mark.parametrize("family", OS_RELEASES)
def test_a_distribution_belongs_to_the_family_whose_tools_it_has(family: str, tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/os-release").write_text(OS_RELEASES[family])
    found = machine.distribution(tmp_path)
    assert found.family == family
    assert found.name in OS_RELEASES[family]


def test_linux_mint_is_like_ubuntu_although_it_is_also_like_debian(tmp_path: Path) -> None:
    (tmp_path / "usr/lib").mkdir(parents=True)
    (tmp_path / "usr/lib/os-release").write_text('NAME="Linux Mint"\nID=linuxmint\nID_LIKE="ubuntu debian"\n')
    assert machine.distribution(tmp_path).family == "ubuntu"


def test_memory_is_read_as_the_kernel_tells_it(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text("MemTotal:       16000 kB\nMemFree:        100 kB\nMemAvailable:    8000 kB\n")
    found = machine.memory(tmp_path)
    assert found is not None
    assert (found.total_bytes, found.available_bytes) == (16000 * 1024, 8000 * 1024)
    assert machine.memory(tmp_path / "none") is None


def test_the_disk_of_a_folder_that_is_not_there_yet_is_its_parent_s(tmp_path: Path) -> None:
    found = machine.volume(str(tmp_path / "not" / "yet"), "project")
    assert found is not None
    assert found.total_bytes > 0


def test_certificates_that_cannot_be_read_say_so(tmp_path: Path) -> None:
    broken = tmp_path / "ca.pem"
    broken.write_text("-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n")
    told = machine.certificates({"SSL_CERT_FILE": str(broken)})
    assert told is not None
    assert "no certificate" in told.trouble
    absent = machine.certificates({"PIP_CERT": "/no/such/file"})
    assert absent is not None
    assert absent.trouble == "does not exist"
    assert machine.certificates({}) is None


def test_programs_are_found_where_administrators_have_them(tmp_path: Path) -> None:
    program = tmp_path / "nvidia-ctk"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert machine.tools(("nvidia-ctk", "no-such-program"), {"PATH": str(tmp_path)}) == {"nvidia-ctk"}
