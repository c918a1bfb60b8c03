"""The sources of a project → the programs among them: what a person would start from an IDE. Nothing is imported.

A program is a source with `if __name__ == "__main__"`, or one that reads a command line with argparse as it is run.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Mapping

from builder.model.project import EntryPoint
from builder.scan.imports import MAX_PARSED

LIMIT = 12  # a list that is longer helps nobody; the shallowest and best known come first

# Sources that are run by something else than a person: tests, build scripts, documentation, copies of others' work.
_NOT_PROGRAMS = re.compile(
    r"(^|/)(tests?|testing|docs?|build|third_party|thirdparty|vendor|external|extern|submodules|\.[^/]*)/"
    r"|(^|/)(setup|conftest|noxfile|versioneer|test_[^/]*|[^/]*_test|__[^/]*__)\.py$"
)
_KNOWN = ("main", "train", "run", "finetune", "pretrain", "eval", "evaluate", "test", "demo", "app", "infer", "inference")
_GUARD = re.compile(r"""^if\s*\(?\s*(__name__\s*==\s*['"]__main__['"]|['"]__main__['"]\s*==\s*__name__)""", re.MULTILINE)
_PARSER = re.compile(r"\bArgumentParser\s*\(")


def is_candidate(path: str) -> bool:
    """Whether a file could be a program of the project, by its path."""
    return path.endswith(".py") and not _NOT_PROGRAMS.search(path)


def is_test(path: str) -> bool:
    """Whether pytest would look into a file, by its path."""
    name = path.rpartition("/")[2]
    return name.endswith(".py") and (name.startswith("test_") or name.endswith("_test.py"))


def entry_points(sources: Mapping[str, str]) -> tuple[EntryPoint, ...]:
    """The programs among sources (path → text), those people look for first; at most LIMIT."""
    found = [one for path, text in sources.items() if is_candidate(path) and (one := _entry_point(path, text))]
    return tuple(sorted(found, key=_rank)[:LIMIT])


def _rank(one: EntryPoint) -> tuple[int, int, str]:
    stem = one.path.rpartition("/")[2].removesuffix(".py")
    beginning = re.split(r"[_\-]", stem)[0]
    known = _KNOWN.index(beginning) if beginning in _KNOWN else len(_KNOWN)
    return one.path.count("/"), known, one.path


def _entry_point(path: str, text: str) -> EntryPoint | None:
    if not _GUARD.search(text) and not _PARSER.search(text):
        return None
    tree = _parsed(text)
    if tree is None:  # Python 2, or half written: its words still say enough
        return EntryPoint(path=path, has_arguments=bool(_PARSER.search(text))) if _GUARD.search(text) else None
    parsers = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _called(node) == "ArgumentParser"]
    has_guard = any(isinstance(node, ast.If) and _is_guard(node.test) for node in tree.body)
    if not has_guard and not _parses_at_once(tree):
        return None
    return EntryPoint(path=path, has_arguments=bool(parsers), required=tuple(_required(tree)) if parsers else ())


def _parsed(text: str) -> ast.Module | None:
    if len(text) > MAX_PARSED:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes in other people's strings
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _is_guard(test: ast.expr) -> bool:
    if not isinstance(test, ast.Compare) or len(test.ops) != 1 or not isinstance(test.ops[0], ast.Eq):
        return False
    sides = (test.left, test.comparators[0])
    names = [side.id for side in sides if isinstance(side, ast.Name)]
    values = [side.value for side in sides if isinstance(side, ast.Constant)]
    return names == ["__name__"] and values == ["__main__"]


def _parses_at_once(tree: ast.Module) -> bool:
    """Whether the module's own level, outside of functions and classes, reads a command line."""
    return any(
        _called(node) in ("parse_args", "parse_known_args")
        for statement in tree.body
        if not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
        for node in ast.walk(statement)
        if isinstance(node, ast.Call)
    )


def _required(tree: ast.Module) -> Iterator[str]:
    """Arguments that a start without them would fail for: positional ones, and options that say so."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or _called(node) != "add_argument" or not node.args:
            continue
        name = node.args[0]
        if not isinstance(name, ast.Constant) or not isinstance(name.value, str):
            continue
        given = {word.arg: word.value for word in node.keywords}
        if name.value.startswith("-"):
            if _is(given.get("required"), True):
                yield name.value
        elif "default" not in given and not any(_is(given.get("nargs"), value) for value in ("?", "*")):
            yield name.value


def _is(node: ast.expr | None, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value == value


def _called(node: ast.Call) -> str:
    function = node.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""
