"""What builds need beside the GPU: disk, memory, clock, proxy, certificates, sources."""

from __future__ import annotations

from dataclasses import replace

import pytest

from builder.doctor.checks import examine
from builder.doctor.facts import Facts
from builder.model.host import Host
from builder.model.machine import Certificates, Memory, Place, Volume
from builder.model.report import Finding, Severity
from tests.unit.doctor.hosts import DOCKER, FEDORA, GB, PLACES, facts

HOST = Host(os="linux", arch="x86_64", driver=None, gpus=())


def found(given: Facts) -> dict[str, Finding]:
    return {one.id: one for one in examine(given)}


def answering(source: str, **told: object) -> tuple[Place, ...]:
    """The usual places, one of them answering otherwise."""
    return tuple(replace(place, **told) if place.source == source else place for place in PLACES)  # type: ignore[arg-type]


@pytest.mark.parametrize(("free", "id"), [(1 * GB, "disk-full"), (12 * GB, "disk-low"), (100 * GB, "disk")])
def test_a_disk_is_judged_by_what_a_workspace_takes(free: int, id: str) -> None:
    volume = Volume(path="/var/lib/docker", role="engine", free_bytes=free, total_bytes=500 * GB)
    assert id in found(facts(HOST, volumes=(volume,)))


def test_little_memory_is_told_and_what_it_means_for_shm() -> None:
    given = found(facts(HOST, memory=Memory(total_bytes=3 * GB, available_bytes=2 * GB)))
    assert given["memory-low"].severity is Severity.WARNING
    assert "shm_size" in given["shm-above-memory"].remedy


def test_the_clock_is_judged_by_most_of_the_sources_not_by_one() -> None:
    one_wrong = answering("pip", clock_ahead_s=9000.0)
    assert "clock-off" not in found(facts(HOST, places=one_wrong))
    all_ahead = tuple(replace(place, clock_ahead_s=-4000.0) for place in PLACES)
    given = found(facts(HOST, places=all_ahead, tools=frozenset({"timedatectl"})))["clock-off"]
    assert "4000 s behind" in given.message
    assert given.fix == (("timedatectl", "set-ntp", "true"),)


def test_an_unreachable_source_is_broken_only_where_nothing_stands_in_for_it() -> None:
    gone = answering("registry", why_not="registry-1.docker.io: its name cannot be resolved")
    assert found(facts(HOST, places=gone))["registry-unreachable"].severity is Severity.ERROR
    assert found(facts(HOST, places=gone, can_bootstrap=True))["registry-unreachable"].severity is Severity.WARNING
    assert found(facts(HOST, places=gone, has_base=True))["registry-unreachable"].severity is Severity.WARNING
    no_pip = answering("pip", why_not="pypi.org: connection refused")
    assert found(facts(HOST, places=no_pip))["pip-unreachable"].severity is Severity.ERROR


def test_a_slow_source_is_given_a_nearer_mirror() -> None:
    given = found(facts(HOST, places=answering("conda", bytes_per_s=90_000)))
    assert given["conda-slow"].severity is Severity.WARNING
    assert "tuna" in given["conda-slow"].remedy


def test_a_distrusted_certificate_is_one_finding_with_this_distribution_s_way() -> None:
    places = answering("pip", why_not="pypi.org: certificate verify failed", is_certificate=True)
    given = found(facts(HOST, places=places, distribution=FEDORA))
    assert "update-ca-trust" in given["ca-missing"].remedy
    assert "pip-unreachable" not in given


def test_a_certificate_file_that_cannot_be_read_is_named_with_who_named_it() -> None:
    told = Certificates(variable="SSL_CERT_FILE", path="/no/such.pem", trouble="does not exist")
    assert (
        found(facts(HOST, certificates=told))["ca-unreadable"].message
        == "SSL_CERT_FILE names /no/such.pem, which does not exist"
    )


def test_a_proxy_s_password_is_not_shown() -> None:
    given = facts(HOST, replace(DOCKER, proxy="http://proxy:3128"), proxies=(("HTTPS_PROXY", "http://me:secret@proxy:3128"),))
    assert found(given)["proxy"].message.startswith("http://proxy:3128")
    assert not any("secret" in one.message + one.remedy for one in examine(given))


def test_a_proxy_that_the_engine_does_not_have_is_told() -> None:
    given = found(facts(HOST, proxies=(("https_proxy", "proxy:3128"),)))
    assert "daemon.json" in given["engine-without-proxy"].remedy
    assert given["proxy-without-scheme"].remedy == "HTTPS_PROXY=http://proxy:3128"
