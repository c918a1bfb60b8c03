"""The sources of a project → the imports that some other distribution must provide. Read by ast; nothing is imported.

Python's own modules and the project's own are left out. What the code can do without (in try/except ImportError, behind a
check of the system, for type checkers) is marked as optional.
"""

from __future__ import annotations

import ast
import posixpath
import re
import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from builder.model.frozen import frozen
from builder.model.values import Location
from builder.scan.notebooks import read_notebook
from builder.scan.standard_library import is_standard

MAX_PARSED = 512 << 10  # characters; a tree takes some hundred times its text. Longer sources are read line by line

_PARTS_OF_A_TEST = re.compile(
    r"(^|/)(tests?|testing|docs?|conftest\.py|setup\.py|noxfile\.py|tasks\.py|test_[^/]*|[^/]*_test\.py)(/|$)"
)
_IMPORT_ERRORS = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})
_GUARDS = frozenset(
    {"TYPE_CHECKING", "version_info", "platform", "system", "name", "PY2", "PY3", "find_spec", "PYTHON_VERSION"}
)
_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


@frozen
class Import:
    """One import statement's module. name: dotted as written, such as "google.protobuf".

    is_optional: the code goes on without it. own_file: the project's file or folder that answers it, "" when none does.
    """

    name: str
    where: Location
    is_optional: bool = False
    own_file: str = ""

    @property
    def top(self) -> str:
        return self.name.partition(".")[0]

    @property
    def is_in_tests(self) -> bool:
        """Whether it stands in tests, documentation or a build script: not needed to run the program."""
        return _PARTS_OF_A_TEST.search(self.where.file.partition(":cell ")[0]) is not None


@frozen
class Imports:
    """needed: what others must provide, in the order of files and lines, every place of each.

    own: those that a file of the project answers (a file yaml.py of one's own hides a package yaml).
    unparsed: files that are no Python 3; they were read line by line.
    """

    needed: tuple[Import, ...]
    own: tuple[Import, ...] = ()
    unparsed: tuple[str, ...] = ()

    def names(self) -> dict[str, tuple[Import, ...]]:
        """Top-level name → its places, sorted by name."""
        found: dict[str, list[Import]] = {}
        for one in self.needed:
            found.setdefault(one.top, []).append(one)
        return {name: tuple(found[name]) for name in sorted(found)}


def is_source(path: str) -> bool:
    """Whether a file can hold imports."""
    return path.endswith((".py", ".pyw", ".ipynb"))


def read_imports(sources: Mapping[str, str], files: Iterable[str] = (), known: Collection[str] = ()) -> Imports:
    """The imports of sources: path relative to the project → text.

    files: every file of the project, to know its own modules by; those of sources count anyway.
    known: import names of packages that the project declares: a file in some far folder does not answer those.
    """
    own = _OwnModules((*sources, *files), known)
    for path in sources:
        if posixpath.basename(path) == "setup.py":
            own.built(_compiled_by(sources[path]), path)
    needed: list[Import] = []
    answered: list[Import] = []
    unparsed: list[str] = []
    for path in sorted(sources):
        found, is_parsed = imports_of(sources[path], path)
        if not is_parsed:
            unparsed.append(path)
        for one in found:
            if is_standard(one.name):
                continue
            own_file = own.file_of(one.name, path)
            if own_file:
                answered.append(replace(one, own_file=own_file))
            else:
                needed.append(one)
    return Imports(needed=tuple(needed), own=tuple(answered), unparsed=tuple(unparsed))


def imports_of(text: str, path: str) -> tuple[tuple[Import, ...], bool]:
    """Every absolute import of one file, and whether all of it could be parsed."""
    if not path.endswith(".ipynb"):
        return _of_code(text, path)
    found: list[Import] = []
    is_parsed = True
    for cell in read_notebook(text, path):
        imports, is_cell_parsed = _of_code(cell.code, cell.file)
        found.extend(imports)
        is_parsed = is_parsed and is_cell_parsed
    return tuple(found), is_parsed


def _of_code(code: str, file: str) -> tuple[tuple[Import, ...], bool]:
    if len(code) > MAX_PARSED:
        return tuple(_by_line(code, file)), False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes of other people's strings
            tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return tuple(_by_line(code, file)), False
    return tuple(_of_tree(tree, file, has_calls="import_module" in code or "__import__" in code)), True


# --- the tree ------------------------------------------------------------------------------------------------------


def _of_tree(tree: ast.Module, file: str, *, has_calls: bool) -> Iterator[Import]:
    """Imports in the order of their lines. A stack of its own: nesting of foreign code must not be ours.

    has_calls: whether expressions are looked through too, for imports by call; they are nine tenths of a tree.
    """
    found: list[Import] = []
    waiting: list[tuple[ast.AST, bool]] = [(tree, False)]
    while waiting:
        node, is_optional = waiting.pop()
        found.extend(_of_node(node, file, is_optional))
        waiting.extend(_below(node, is_optional, has_calls))
    yield from sorted(found, key=lambda one: (one.where.line, one.where.column))


def _of_node(node: ast.AST, file: str, is_optional: bool) -> Iterator[Import]:
    match node:
        case ast.Import():
            names = [alias.name for alias in node.names]
        case ast.ImportFrom(level=0, module=str(module)):
            names = [module]
        case ast.Call(args=[ast.Constant(value=str(name)), *_]) if _is_import_call(node.func) and _NAME.fullmatch(name):
            names = [name]
        case _:
            return
    where = Location(file=file, line=node.lineno, column=node.col_offset + 1)
    for name in names:
        yield Import(name=name, where=where, is_optional=is_optional)


def _is_import_call(function: ast.expr) -> bool:
    match function:
        case ast.Name(id="__import__" | "import_module"):
            return True
        case ast.Attribute(attr="import_module", value=ast.Name(id="importlib")):
            return True
    return False


def _children(node: ast.AST, has_calls: bool) -> Iterator[ast.AST]:
    if has_calls:
        yield from ast.iter_child_nodes(node)
        return
    for field in ("body", "handlers", "orelse", "finalbody", "cases"):
        below = getattr(node, field, None)
        if isinstance(below, list):
            yield from below


def _below(node: ast.AST, is_optional: bool, has_calls: bool) -> Iterator[tuple[ast.AST, bool]]:
    """What stands below a node, and whether the code can do without it."""
    match node:
        case ast.Try() if any(_catches_import_error(handler) for handler in node.handlers):
            parts = [*node.body, *node.handlers]
            yield from ((part, True) for part in parts)
            yield from ((part, is_optional) for part in (*node.orelse, *node.finalbody))
        case ast.If() if _is_guard(node.test):
            yield from ((part, True) for part in (*node.body, *node.orelse))
        case _:
            yield from ((part, is_optional) for part in _children(node, has_calls))


def _catches_import_error(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(isinstance(kind, ast.Name) and kind.id in _IMPORT_ERRORS for kind in kinds)


def _is_guard(test: ast.expr) -> bool:
    """A check of the system, of Python's version, of what is installed, or for type checkers only."""
    for part in ast.walk(test):
        name = part.id if isinstance(part, ast.Name) else part.attr if isinstance(part, ast.Attribute) else ""
        if name in _GUARDS and (name != "name" or _is_os_name(part)):
            return True
        if "available" in name.lower() or name.lower().startswith(("has_", "have_")):
            return True
    return False


def _is_os_name(part: ast.AST) -> bool:
    return isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name) and part.value.id == "os"


# --- what is no Python 3 -------------------------------------------------------------------------------------------

_LINE = re.compile(
    r"^[ \t]*(?:import[ \t]+(?P<names>[^\n#;]+)|from[ \t]+(?P<module>[A-Za-z_][\w.]*)[ \t]+import\b)", re.MULTILINE
)
_LONG_STRING = re.compile(r"('''|\"\"\").*?(\1|\Z)", re.DOTALL)


def _by_line(code: str, file: str) -> Iterator[Import]:
    """Import statements by their look: Python 2, templates, sources too long for a tree."""
    code = _LONG_STRING.sub(lambda found: "\n" * found[0].count("\n"), code)
    line, seen = 1, 0
    for found in _LINE.finditer(code):
        line += code.count("\n", seen, found.start())
        seen = found.start()
        names = [found["module"]] if found["module"] else [part.split(" as ")[0].strip() for part in found["names"].split(",")]
        column = len(found[0]) - len(found[0].lstrip()) + 1
        for name in names:
            if _NAME.fullmatch(name):
                yield Import(name=name, where=Location(file=file, line=line, column=column))


# --- the project's own ---------------------------------------------------------------------------------------------

_CODE = (".py", ".pyw", ".pyx", ".so", ".pyd")


class _OwnModules:
    """The files of a project as modules. A script sees its own folder; a package is imported from the root or from src."""

    def __init__(self, files: Iterable[str], known: Collection[str]) -> None:
        self._known = frozenset(known)
        self._modules: dict[tuple[str, str], str] = {}  # (folder, name) → file or folder
        self._anywhere: dict[str, str] = {}
        for path in sorted({path for path in files if path.endswith(_CODE)}):
            self._add(path)

    def built(self, names: Iterable[str], by: str) -> None:
        """Modules that a setup.py compiles: they have no file yet."""
        for name in names:
            self._anywhere.setdefault(name.partition(".")[0], by)

    def _add(self, path: str) -> None:
        folder, name = posixpath.split(path)
        stem = name.partition(".")[0]
        if stem != "__init__":
            self._put(folder, stem, path)
        while folder:  # every folder above it is a package, with or without __init__
            above, _, name = folder.rpartition("/")
            if (above, name) in self._modules:
                return
            self._put(above, name, folder)
            folder = above

    def _put(self, folder: str, name: str, path: str) -> None:
        self._modules.setdefault((folder, name), path)
        self._anywhere.setdefault(name, path)

    def file_of(self, name: str, importing: str) -> str:
        """The project's file or folder that an import finds, "" when none.

        Looked for where Python looks: beside the importing file, in the folders above it, in their src and lib. People
        also extend sys.path: a name found anywhere counts, unless a package of that name is known.
        """
        top = name.partition(".")[0]
        folder = posixpath.dirname(importing)
        while True:
            for beside in (folder, posixpath.join(folder, "src"), posixpath.join(folder, "lib")):
                if (beside, top) in self._modules:
                    return self._modules[(beside, top)]
            if not folder:
                return "" if top in self._known else self._anywhere.get(top, "")
            folder = posixpath.dirname(folder)


def _compiled_by(setup: str) -> Iterator[str]:
    """Names of the extension modules in a setup.py, where they are written out."""
    for found in re.finditer(r"Extension\(\s*(?:name\s*=\s*)?['\"]([A-Za-z_][\w.]*)['\"]", setup):
        yield found[1]
