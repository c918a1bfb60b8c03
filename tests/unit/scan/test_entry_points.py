"""Which sources of a project are programs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.model.project import EntryPoint
from builder.scan.entry_points import LIMIT, entry_points, is_test

GUARD = 'if __name__ == "__main__":\n    main()\n'
ARGUMENTS = """
import argparse
def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("source")
    parser.add_argument("rest", nargs="*")
    parser.add_argument("where", nargs="?", default=".")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("-o", "--out", required=True)
    return parser.parse_args()
"""


def only(text: str, path: str = "a.py") -> EntryPoint | None:
    found = entry_points({path: text})
    return found[0] if found else None


@pytest.mark.parametrize(
    "text",
    [GUARD, GUARD.replace('"', "'"), 'if "__main__" == __name__:\n    main()\n', "if (__name__ == '__main__'):\n    main()\n"],
)
def test_a_guard_makes_a_program(text: str) -> None:
    assert only(text) == EntryPoint(path="a.py")


@pytest.mark.parametrize(
    "text",
    [
        "def main(): pass\n",
        "# if __name__ == '__main__':\n",
        '"""\nif __name__ == "__main__":\n"""\n',
        "class A:\n    if __name__ == '__main__':\n        pass\n",
        ARGUMENTS,  # a parser that only a function makes: a library
        "",
    ],
)
def test_a_module_is_none(text: str) -> None:
    assert only(text) is None


def test_reading_the_command_line_at_once_makes_a_program_too() -> None:
    assert only("import argparse\nargs = argparse.ArgumentParser().parse_args()\n") == EntryPoint(
        path="a.py", has_arguments=True
    )


def test_arguments_that_must_be_given_are_told() -> None:
    assert only(ARGUMENTS + GUARD) == EntryPoint(path="a.py", has_arguments=True, required=("source", "-o"))


def test_python_2_is_read_by_its_words() -> None:
    assert only("print 'x'\n" + GUARD) == EntryPoint(path="a.py")


@pytest.mark.parametrize(
    "path", ["setup.py", "tests/run.py", "test_x.py", "docs/make.py", ".github/x.py", "third_party/x/a.py"]
)
def test_what_a_person_does_not_start_is_left_out(path: str) -> None:
    assert only(GUARD, path) is None


def test_those_people_look_for_come_first_and_the_list_is_short() -> None:
    sources = dict.fromkeys(("z/deep.py", "tools.py", "eval.py", "train_net.py", "main.py"), GUARD)
    assert [one.path for one in entry_points(sources)] == ["main.py", "train_net.py", "eval.py", "tools.py", "z/deep.py"]
    assert len(entry_points({f"m{number}.py": GUARD for number in range(50)})) == LIMIT


@given(st.text(max_size=60))
def test_no_text_breaks_it(text: str) -> None:
    entry_points({"a.py": text, "b.py": text + "\n" + GUARD})


def test_tests_are_told_by_their_names() -> None:
    assert is_test("tests/test_a.py")
    assert is_test("a_test.py")
    assert not is_test("testing.py")
    assert not is_test("test_data.csv")
