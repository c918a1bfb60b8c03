"""A small lock for these tests, and a plan it answers."""

from __future__ import annotations

from builder.catalog import load
from builder.config import read_spec
from builder.lock.agree import asked_of
from builder.model.host import Host
from builder.model.lock import LockedBase, LockedConda, LockedDeb, LockedPart, LockedPip, LockedPlatform
from builder.model.plan import Plan
from builder.model.project import EMPTY_PROJECT
from builder.model.spec import Spec
from builder.resolve import resolve

HOST = Host(os="linux", arch="x86_64", driver=None, gpus=())
WSB_YAML = 'name: one\npython: "3.11"\nmanager: venv\nbase: {bootstrap: bookworm}\nide: []\npackages: {pip: [tqdm]}\n'
DEB = LockedDeb(
    name="curl", version="7.88.1-10", arch="amd64", sha256="a" * 64, url="http://deb.debian.org/debian/pool/c/curl_7.deb"
)
SIX = LockedConda(url="https://conda.anaconda.org/conda-forge/noarch/six-1.17.0-py_0.conda", sha256="d" * 64)


def spec(text: str = WSB_YAML) -> Spec:
    return read_spec(text, "wsb.yaml")


def plan(text: str = WSB_YAML, host: Host = HOST) -> Plan:
    return resolve(spec(text), EMPTY_PROJECT, load(), host)


def pip(name: str, version: str, digit: str = "b") -> LockedPip:
    return LockedPip(name=name, version=version, hashes=(digit * 64, "c" * 64))


def locked(text: str = WSB_YAML, **more: object) -> LockedPlatform:
    made = plan(text)
    return LockedPlatform(
        **{  # type: ignore[arg-type]
            "platform": made.platform,
            "plan": made.digest,
            "asked": asked_of(made),
            "date": "20261125T194400Z",
            "base": LockedBase(image="wsb/base:bookworm", layers=("sha256:" + "1" * 64,)),
            "torch": LockedPart(
                apt=(DEB,),
                conda=(
                    LockedConda(url="https://conda.anaconda.org/conda-forge/noarch/six-1.17.0-py_0.conda", sha256="d" * 64),
                ),
                pip=(pip("torch", "2.6.0+cpu"),),
                date="20261125T194400Z",
            ),
            "workspace": LockedPart(pip=(pip("tqdm", "4.67.1"),)),
            **more,
        }
    )
