"""What the steps that download are told."""

from __future__ import annotations

from builder.catalog import load
from builder.config import read_spec
from builder.model.host import Host
from builder.model.project import EMPTY_PROJECT
from builder.render.files import network_settings
from builder.resolve import resolve

NO_GPU = Host(os="linux", arch="x86_64", driver=None, gpus=())


def settings(sources: str) -> dict[str, str]:
    text = f"name: one\nmanager: venv\nsources: {sources}\n"
    return dict(network_settings(resolve(read_spec(text, "wsb.yaml"), EMPTY_PROJECT, load(), NO_GPU)))


def test_an_index_over_plain_http_is_taken_at_its_word_by_pip_too() -> None:
    told = settings("{pip: 'http://10.1.2.3:8080/simple'}")
    assert told["PIP_INDEX_URL"] == told["UV_DEFAULT_INDEX"] == "http://10.1.2.3:8080/simple"
    assert told["PIP_TRUSTED_HOST"] == "10.1.2.3:8080"


def test_an_index_over_https_is_never_trusted_without_its_certificate() -> None:
    assert "PIP_TRUSTED_HOST" not in settings("{pip: 'https://mirror.example/simple'}")
    assert "PIP_TRUSTED_HOST" not in settings("default")
