"""Every check of `wsb doctor` by its name, in the order of the chain."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from builder.doctor import card, machine, workspace
from builder.doctor.facts import Facts
from builder.model.frozen import frozen
from builder.model.report import Finding, Severity


@frozen
class Check:
    """name: the link it looks at. title: what people call that. of_chain: whether it lies between the card and a kernel."""

    name: str
    title: str
    look: Callable[[Facts], Iterator[Finding]]
    of_chain: bool = True


CHECKS: Final = (
    Check(name="gpu", title="GPU", look=card.gpu),
    Check(name="driver", title="driver", look=card.driver),
    Check(name="nvml", title="NVML", look=card.nvml),
    Check(name="toolkit", title="container toolkit", look=workspace.toolkit),
    Check(name="engine", title="engine", look=workspace.engine),
    Check(name="passthrough", title="runtime or CDI", look=workspace.passthrough),
    Check(name="container", title="container", look=workspace.container),
    Check(name="torch", title="torch's build", look=workspace.torch),
    Check(name="kernel", title="a kernel", look=workspace.kernel),
    Check(name="disk", title="disk", look=machine.disk, of_chain=False),
    Check(name="memory", title="memory", look=machine.memory, of_chain=False),
    Check(name="shm", title="shared memory", look=machine.shm, of_chain=False),
    Check(name="clock", title="clock", look=machine.clock, of_chain=False),
    Check(name="proxy", title="proxy", look=machine.proxy, of_chain=False),
    Check(name="ca", title="certificates", look=machine.certificates, of_chain=False),
    Check(name="network", title="sources", look=machine.network, of_chain=False),
)


def examine(facts: Facts) -> tuple[Finding, ...]:
    """What all checks have to say, in the order of the chain."""
    return tuple(finding for check in CHECKS for finding in check.look(facts))


def may_ask_a_container(facts: Facts) -> bool:
    """Whether the links before the container hold, so that one that sees the GPU can be expected to start."""
    before = CHECKS[: next(number for number, check in enumerate(CHECKS) if check.name == "container")]
    return not is_broken(tuple(finding for check in before for finding in check.look(facts)))


def is_broken(findings: tuple[Finding, ...]) -> bool:
    """Whether something stands in the way of building and running a workspace here."""
    return any(finding.severity is Severity.ERROR for finding in findings)
