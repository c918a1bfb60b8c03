"""`wsb init` and an expert agree; on a corpus that is not part of this project, where WSB_CORPUS names one."""

from __future__ import annotations

import pytest

from builder.host.local import local_host
from tests.support.agreement import corpus, rows, shares, torch_fits


@pytest.mark.skipif(corpus() is None, reason="WSB_CORPUS names no corpus")
def test_init_agrees_with_an_expert_on_python_torch_and_build() -> None:
    folder = corpus()
    assert folder is not None
    agreed = shares(list(rows(folder, local_host())))
    assert {field for field in ("python", "torch", "variant") if agreed[field] >= 0.95} == {"python", "torch", "variant"}


def test_what_an_expert_wrote_is_understood() -> None:
    assert torch_fits(">=2.1,<2.6", "2.5.1")
    assert not torch_fits(">=2.1,<2.6", "2.6.0")
    assert torch_fits("2.0.1 (env) or 2.1.2 (Dockerfile)", "2.1.2")
    assert torch_fits("1.9.x (env)", "1.9.1")
    assert torch_fits("1.2.0 - 1.13.1", "1.3.1")
    assert torch_fits("1.6.0 or 1.13.1, but torchvision must be changed", "1.13.1")
    assert torch_fits("no torch needed (none)", "none")
    assert not torch_fits("2.0.1", "none")
