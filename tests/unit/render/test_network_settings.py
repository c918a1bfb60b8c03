"""What the steps that download are told."""

from __future__ import annotations

import pytest

from builder import pipeline
from builder.catalog import load
from builder.config import read_spec
from builder.errors import WsbError
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


def dockerfile(sources: str, environ: dict[str, str]) -> str:
    plan = resolve(read_spec(f"name: one\nmanager: venv\nsources: {sources}\n", "wsb.yaml"), EMPTY_PROJECT, load(), NO_GPU)
    return pipeline.render(pipeline.with_local_sources(plan, environ))["Dockerfile"].decode()


PROXIES = {"HTTPS_PROXY": "http://proxy.example:3128", "no_proxy": "localhost,10.0.0.0/8"}


def test_proxies_stay_out_of_the_image_unless_they_are_asked_for() -> None:
    assert "proxy.example" not in dockerfile("default", PROXIES)
    kept = dockerfile("{keep_proxies: true}", PROXIES)
    assert 'ENV HTTPS_PROXY="http://proxy.example:3128" \\\n    no_proxy="localhost,10.0.0.0/8"\n' in kept
    assert "ENV" not in dockerfile("{keep_proxies: true}", {}).partition("86-proxies")[2]


def test_a_proxy_with_a_login_never_stays() -> None:
    with pytest.raises(WsbError, match="HTTPS_PROXY holds a login"):
        dockerfile("{keep_proxies: true}", {"HTTPS_PROXY": "http://ada:secret@proxy.example:3128"})
