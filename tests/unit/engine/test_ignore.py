"""Docker's rules for .dockerignore, against the examples of its documentation and of its own matcher's tests."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.engine.ignore import Ignore


def ignores(text: str, path: str) -> bool:
    return Ignore.parse(text).ignores(path)


# docs.docker.com/build/concepts/context/#matching and #negating-matches
DOCUMENTED = [
    ("# comment\n*/temp*\n*/*/temp*\ntemp?", "somedir/temporary.txt", True),
    ("# comment\n*/temp*\n*/*/temp*\ntemp?", "somedir/temp", True),
    ("# comment\n*/temp*\n*/*/temp*\ntemp?", "somedir/subdir/temporary.txt", True),
    ("# comment\n*/temp*\n*/*/temp*\ntemp?", "tempa", True),
    ("# comment\n*/temp*\n*/*/temp*\ntemp?", "tempab", False),
    ("# comment\n*/temp*\n*/*/temp*\ntemp?", "temporary.txt", False),
    ("**/*.go", "main.go", True),
    ("**/*.go", "a/b/main.go", True),
    ("/foo/bar", "foo/bar", True),
    ("foo/bar", "foo/bar", True),
    ("*.md\n!README.md", "README.md", False),
    ("*.md\n!README.md", "NOTES.md", True),
    ("*.md\n!README*.md\nREADME-secret.md", "README-public.md", False),
    ("*.md\n!README*.md\nREADME-secret.md", "README-secret.md", True),
    ("*.md\nREADME-secret.md\n!README*.md", "README-secret.md", False),
    ("# comment", "comment", False),
    ("# comment", "# comment", False),
]

# github.com/moby/patternmatcher, patternmatcher_test.go
MOBY = [
    ("**", "dir/file", True),
    ("**/", "file", True),
    ("**/**", "dir/file", True),
    ("dir/**", "dir/dir2/file", True),
    ("**/dir", "dir", True),
    ("**/dir", "dir/file", True),
    ("**/dir2/*", "dir/dir2/file", True),
    ("**/dir2/**", "dir/dir2/dir3/file", True),
    ("**file", "file", True),
    ("**file", "dir/dir/file", True),
    ("**/file*", "dir/dir/file.txt", True),
    ("**/file*txt", "dir/dir/file.txt", True),
    ("**/**/*.txt2", "dir/dir/file.txt", False),
    ("**/**/*.txt", "file.txt", True),
    ("a**/*.txt", "a/file.txt", True),
    ("a**/*.txt", "a/dir/dir/file.txt", True),
    ("a/*.txt", "a/dir/file.txt", False),
    ("a/*.txt**", "a/file.txt", True),
    ("a[b-d]e", "ae", False),
    ("a[b-d]e", "ace", True),
    ("a[^b-d]e", "aze", True),
    (".*", ".foo", True),
    (".*", "foo", False),
    ("abc.def", "abcZdef", False),
    ("abc?def", "abcZdef", True),
    ("a\\\\", "a\\", True),
    ("**/foo/bar", "dir/dir2/foo/bar", True),
    ("abc/**", "abc", False),
    ("abc/**", "abc/def/ghi", True),
    ("**/.foo", "bar.foo", False),
    ("a(b)c/def", "a(b)c/def", True),
    ("a.|)$(}+{bc", "a.|)$(}+{bc", True),
    ("dist/*.whl", "dist/proxy.py-2.4.0rc3.dev36+g08acad9-py3-none-any.whl", True),
    ("**\n!util/docker/web", "util/docker/web/foo", False),
    ("**\n!util/docker/web\nutil/docker/web/foo", "util/docker/web/foo", True),
    ("a\\*b", "a*b", True),
    ("a\\*b", "ab", False),
    ("docs\n!docs/README.md", "docs/README.md", False),
    ("docs/\n!docs/README.md", "docs/README.md", False),
    ("docs\n  !docs/README.md  ", "docs/README.md", False),
    ("!fileutils.go\n*.go", "fileutils.go", True),
    ("a*b?c*x", "abxbbxdbxebxczzx", True),
    ("a?b", "a☺b", True),
    ("a???b", "a☺b", False),
    ("a?b", "a/b", False),
    ("[\\]a]", "]", True),
    ("[x\\-]", "-", True),
    ("[\\-x]", "a", False),
]


@pytest.mark.parametrize(("text", "path", "expected"), DOCUMENTED)
def test_the_documentation_s_examples(text: str, path: str, expected: bool) -> None:
    assert ignores(text, path) is expected


@pytest.mark.parametrize(("text", "path", "expected"), MOBY)
def test_docker_s_own_cases(text: str, path: str, expected: bool) -> None:
    assert ignores(text, path) is expected


@pytest.mark.parametrize("text", ["!", "[", "[^", "[]a]", "a[", "\\", "[Local-Only]/"])
def test_a_line_that_docker_refuses_is_refused_with_its_number(text: str) -> None:
    with pytest.raises(ValueError, match="line 2"):
        Ignore.parse(f"ok\n{text}\n")


def test_a_windows_file_with_a_mark_at_its_start_is_read() -> None:
    assert ignores("\ufeff*.pyc\r\ndata\r\n", "data/x")


def test_a_dot_ignores_nothing() -> None:
    assert not ignores(".\n/\n", "file")


@pytest.mark.parametrize(
    ("negation", "folder", "expected"),
    [
        ("!data/keep.txt", "data", True),
        ("!data/keep.txt", "datasets", False),
        ("!data/keep.txt", "data/raw", False),
        ("!data/*/keep.txt", "data/raw", True),
        ("!src/**/*.py", "src/a/b", True),
        ("!src/**/*.py", "data", False),
        ("!**/*.py", "data/a", True),
        ("!data", "data/raw", True),
    ],
)
def test_a_folder_is_entered_only_where_something_may_be_let_in(negation: str, folder: str, expected: bool) -> None:
    assert Ignore.parse(f"*\n{negation}").may_let_in_below(folder) is expected


paths = st.lists(st.sampled_from(["a", "b", "ab", ".c", "a.b"]), min_size=1, max_size=4).map("/".join)
lines = st.lists(
    st.tuples(st.sampled_from(["", "!"]), st.text(alphabet="ab.c*/?", min_size=1, max_size=6)).map("".join), max_size=5
)


@given(lines, paths)
def test_skipping_a_folder_never_loses_a_file(lines: list[str], path: str) -> None:
    ignore = Ignore.parse("\n".join(lines))
    parts = path.split("/")
    folders = ["/".join(parts[:count]) for count in range(1, len(parts))]
    if not ignore.ignores(path):
        assert all(not ignore.ignores(folder) or ignore.may_let_in_below(folder) for folder in folders)


@given(st.text(max_size=30), paths)
def test_any_text_is_understood_or_refused(text: str, path: str) -> None:
    try:
        ignore = Ignore.parse(text)
    except ValueError:
        return
    ignore.ignores(path)
