"""A wsb.yaml that is there, and a new proposal → the same text with what it lacks. What a person wrote counts, always."""

from __future__ import annotations

from builder.config import edit
from builder.config.nodes import ListNode, MapNode, Node, TextNode, read_nodes
from builder.errors import WsbError
from builder.scan.proposed import Proposal
from builder.scan.writing import because


def merged(text: str, proposal: Proposal) -> tuple[str, tuple[str, ...]]:
    """The text with missing keys and packages added, and the changes in words.

    Raises WsbError when the file cannot be read, or is written in a way that cannot be edited safely.
    """
    present = _present(text)
    changes: list[str] = []
    for key, pick in (("python", proposal.python), ("torch", proposal.torch), ("accelerator", proposal.accelerator)):
        if pick is not None and key not in present:
            text = edit.set_value(text, (key,), pick.value, note=because(pick))
            changes.append(f"{key}: {pick.value}")
    sources = proposal.sources
    if sources.environment is not None and "environment" not in present:
        text = edit.set_value(text, ("environment",), sources.environment.path)
        changes.append(f"environment: {sources.environment.path}")
    if sources.requirements and "requirements" not in present:
        for finding in sources.requirements:
            text = edit.add_item(text, ("requirements",), finding.path)
            changes.append(f"requirements: {finding.path}")
    known = _package_lines(present.get("packages"))
    for one in proposal.added:
        if _bare(one.line) not in known and not (_bare(one.line) == "torch" and "torch" in present):
            text = edit.add_item(text, ("packages", one.section), one.line, note=one.because)
            changes.append(f"packages.{one.section}: {one.line}")
    return text, tuple(changes)


def _present(text: str) -> dict[str, Node]:
    problems: list[WsbError] = []
    node = read_nodes(text, "wsb.yaml", problems)
    if problems:
        raise problems[0]
    return {key.text: value for key, value in node.entries} if isinstance(node, MapNode) else {}


def _package_lines(node: Node | None) -> set[str]:
    """The names of the packages that the file lists."""
    found: set[str] = set()
    for _, value in node.entries if isinstance(node, MapNode) else ():
        for item in value.items if isinstance(value, ListNode) else (value,):
            if isinstance(item, TextNode):
                found.add(_bare(item.text))
    return found


def _bare(line: str) -> str:
    from builder.resolve.lines import pip_line

    return pip_line(line).name or line
