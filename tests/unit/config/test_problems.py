"""What is wrong is told with its place, all at once, and with what to write instead."""

from __future__ import annotations

import pytest

from builder.config import read_spec
from builder.errors import ExitCode, Problems
from builder.model.values import Location
from tests.unit.config.reading import problem_of, problems_of, told


def at(line: int, column: int) -> Location:
    return Location(file="wsb.yaml", line=line, column=column)


def test_all_problems_are_told_at_once_in_the_order_of_their_places() -> None:
    found = problems_of("name: My Project\ncuda: 12.6\ntorch: [2.6]\nrun: {ports: [0]}\nname: y\n")
    assert [problem.code for problem in found] == ["bad-value", "unknown-key", "bad-value", "bad-value", "duplicate-key"]
    assert [problem.where and problem.where.line for problem in found] == [1, 2, 3, 4, 5]


def test_problems_of_wsb_yaml_exit_with_2() -> None:
    with pytest.raises(Problems) as raised:
        read_spec("nam: x\n", "wsb.yaml")
    assert raised.value.exit_code is ExitCode.USAGE


def test_a_repeated_key_points_at_the_second_and_names_the_first() -> None:
    (found,) = problems_of("name: x\n\ntorch: none\ntorch: latest\n")
    assert (found.code, found.where) == ("duplicate-key", at(4, 1))
    assert "line 3" in found.message


def test_a_repeated_key_is_seen_inside_a_section_too() -> None:
    (found,) = problems_of("name: x\nrun: {env: {A: 1, A: 2}}\n")
    assert (found.code, found.where) == ("duplicate-key", at(2, 19))


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("cuda: 12.6", 'accelerator: "12.6"'),
        ("gpu: auto", "accelerator: auto"),
        ("pytorch: 2.6", 'torch: "2.6"'),
        ("pythn: 3.11", 'python: "3.11"'),
        ("python-version: 3.11", 'python: "3.11"'),
        ("image: debian", "base"),
        ("pip: [einops]", "packages: {pip: [einops]}"),
        ("apt: libgl1", "packages: {apt: [libgl1]}"),
        ("shm_size: 16g", "run: {shm_size: 16g}"),
        ("volumes: [./a:/a]", "run: {mounts: [./a:/a]}"),
        ("uid: 1001", "user: {uid: 1001}"),
        ("dependencies: [numpy]", "packages: {conda: [], pip: []}"),
        ("env: {A: 1}", "run: {env: {}}"),
        ("mirror: tuna", "sources"),
        ("editor: [vscode]", "ide: [vscode]"),
        ("version: 3", "delete the line"),
    ],
)
def test_unknown_keys_are_answered_with_what_was_meant(line: str, meant: str) -> None:
    found = problem_of(line)
    assert (found.code, found.where) == ("unknown-key", at(2, 1))
    assert meant in told(found)


def test_an_unknown_key_unlike_any_other_is_answered_with_all_keys() -> None:
    assert "accelerator" in told(problem_of("qqqqqq: 1"))


def test_a_top_level_key_inside_a_section_is_sent_back_up() -> None:
    found = problem_of("packages: {channels: [a]}")
    assert "`channels` is a key of its own" in told(found)


def test_a_misspelled_name_is_one_problem_not_two() -> None:
    (found,) = problems_of("nmae: x\n")
    assert "`name: x`" in told(found)


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "---\n...\n", "~"])
def test_an_empty_file_is_answered_with_the_smallest_that_works(text: str) -> None:
    (found,) = problems_of(text)
    assert found.code == "missing-key"
    assert "name: mnist" in told(found)


@pytest.mark.parametrize("text", ["- a\n", "just words\n", "[a, b]\n"])
def test_a_file_that_is_no_mapping_is_refused(text: str) -> None:
    (found,) = problems_of(text)
    assert found.code == "bad-value"


def test_a_missing_name_is_told() -> None:
    (found,) = problems_of("torch: none\n")
    assert (found.code, found.where) == ("missing-key", Location(file="wsb.yaml"))


@pytest.mark.parametrize(
    ("written", "better"),
    [
        ("My Project", "my-project"),
        ("Ümläut", "ml-ut"),
        ("a--.b", "a-b"),
        ("-x-", "x"),
        ("UPPER_case", "upper_case"),
        ("a/b", "a-b"),
    ],
)
def test_a_name_that_docker_refuses_gets_a_better_one(written: str, better: str) -> None:
    (found,) = problems_of(f'name: "{written}"\n')
    assert f"`name: {better}`" in told(found)
    assert read_spec(f"name: {better}\n", "wsb.yaml").name.value == better


@pytest.mark.parametrize("name", ["base", "root", "wsb", "scratch"])
def test_names_that_mean_something_already_are_refused(name: str) -> None:
    (found,) = problems_of(f"name: {name}\n")
    assert found.code == "bad-value"


def test_a_name_of_64_characters_is_too_long() -> None:
    (found,) = problems_of(f"name: {'a' * 64}\n")
    assert "at most 63" in told(found)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("python: python3.11", '`python: "3.11"`'),
        ("python: 3.11.x", '`python: "3.11"`'),
        ("python: 3.11+x", '`python: "3.11"`'),
        ("python:", 'write `python: "3.11"`'),
        ('python: ""', "not a version of Python"),
        ("torch: v2.6", '`torch: "2.6"`'),
        ("torch: torch==2.6.0", '`torch: "2.6.0"`'),
        ("torch: 2.6+", "not a version of torch"),
        ("torch: cpu", "accelerator: cpu"),
        ("torch: null", 'write `torch: "2.6"`'),
        ("torch: no", "torch: none"),
        ("torch: stable", "torch: latest"),
        ("torch: 2.6.0+cuda126", "accelerator"),
        ("torch: {version: 2.6}", "a mapping stands where a version of torch"),
        ("torch: '>=2.4 <2.7'", "not a version of torch"),
        ("accelerator: cuda12.6", 'accelerator: "12.6"'),
        ("accelerator: 12", '"12.6"'),
        ("accelerator: nvidia", "`cuda`"),
        ("accelerator: CPU", "`cpu`"),
        ("accelerator: cu12.6", 'accelerator: "12.6"'),
        ("manager: conda", "`miniconda`"),
        ("manager: mamba", "`miniforge`"),
        ("manager: pip", "`venv`"),
        ("manager: [miniconda]", "a list stands where"),
        ("ide: vscode", "`ide: [vscode]`"),
        ("ide: [cursor]", "`vscode`"),
        ("requirements: requirements.txt", "`requirements: [requirements.txt]`"),
        ("requirements: [/abs.txt]", "not a path inside the project"),
        ("requirements: [../x.txt]", "leaves the project"),
        ("requirements: ['a\\b.txt']", "a/b.txt"),
        ("requirements: [https://x.org/r.txt]", "web address"),
        ("environment: ~/env.yml", "not a path inside the project"),
        ("environment: [a.yml]", "a list stands where a file"),
        ("environment: .", "not the path of a file"),
        ("packages: {pip: einops timm}", "`pip: [einops, timm]`"),
        ("packages: {pip: [-r x.txt]}", "`requirements: [x.txt]`"),
        ("packages: {pip: [a = 1.0]}", "`a==1.0`"),
        ("packages: {pip: [{einops: 0.8}]}", "`einops==0.8`"),
        ('packages: {pip: ["a\\nb"]}', "line break"),
        ("packages: {pip: [git+https://u:p@x.org/a.git]}", "password"),
        ("packages: {pip: ['a @ https://x.org/$(id)']}", "not an address"),
        ("packages: {pip: [../lib]}", "leaves the project"),
        ("packages: {apt: [libGL1]}", "`libgl1`"),
        ("packages: {apt: ['a;b']}", "not a package that apt can read"),
        ("packages: {apt: ['-y']}", "not a package that apt can read"),
        ("packages: {apt: [foo bar1]}", "`[foo, bar1]`"),
        ("packages: {conda: ['numpy && id']}", "not a package that conda can read"),
        ("packages: {conda: ['$(id)']}", "not a package that conda can read"),
        ("packages: {conda: [python=3.9]}", '`python: "3.9"`'),
        ("packages: {conda: [cpuonly]}", "`accelerator: cpu`"),
        ("packages: {conda: [pytorch-cuda=11.8]}", '`accelerator: "11.8"`'),
        ("packages: {npm: [x]}", "it has conda, pip, apt"),
        ("packages: [einops]", "a list stands where a mapping"),
        ("channels: conda-forge", "`channels: [conda-forge]`"),
        ("channels: ['a b']", "not a channel"),
        ("base: Debian:12", "`debian:12`"),
        ("base: docker://debian", "without the scheme"),
        ("base: 'a b'", "not an image reference"),
        ("base: scratch", "nothing could run"),
        ("base: {}", "base.bootstrap is missing"),
        ("base: {bootstrap: 'book worm'}", "suite"),
        ("base: [debian]", "a list stands"),
        ("sources: https://x.org", "mapping such as"),
        ("sources: {pip: 'https://u:p@x.org'}", "password"),
        ("sources: {pip: tuna}", "neither a URL nor a path"),
        ("sources: {pypi: https://x.org/simple}", "sources: {pip: https://x.org/simple}"),
        ("sources: {keep_ca: yes}", "`true`"),
        ("sources: {registry: 'a b'}", "registry"),
        ("user: {name: root}", "own"),
        ("user: {name: Me Too}", "`name: metoo`"),
        ("user: {name: www-data}", "already has"),
        ("user: {uid: 0}", "from 1 to 60000"),
        ("user: {uid: 60001}", "from 1 to 60000"),
        ("user: {uid: -1}", "from 1 to 60000"),
        ("user: dev", "a mapping is expected"),
        ("run: {shm_size: 8 GB}", "`shm_size: 8g`"),
        ("run: {shm_size: 8}", "`shm_size: 8g`"),
        ("run: {shm_size: 1k}", "at least 1m"),
        ("run: {ports: ['8888:8888']}", "`8888`"),
        ("run: {ports: 8888}", "`ports: [8888]`"),
        ("run: {ports: [65536]}", "from 1 to 65535"),
        ("run: {ports: [8888.0]}", "from 1 to 65535"),
        ("run: {mounts: [data]}", "`./data:/data:ro`"),
        ("run: {mounts: ['a:b']}", "not a mount"),
        ("run: {mounts: ['./a:/opt/conda']}", "hide"),
        ("run: {mounts: ['./a:/']}", "not a mount"),
        ("run: {mounts: ['./a:/usr/']}", "hide"),
        ("run: {mounts: ['./a:/data/../opt/conda']}", "hide"),
        ("run: {env: [A=1]}", "a list stands where a mapping"),
        ("run: {env: {A-B: 1}}", "`A_B`"),
        ("run: {env: {A: }}", '`A: ""`'),
        ('run: {env: {A: "x\\ny"}}', "line break"),
        ("run: {env: {A: [1]}}", "a list stands where a text"),
    ],
)
def test_a_wrong_value_is_answered_with_a_right_one(line: str, said: str) -> None:
    found = problem_of(line)
    assert said in told(found)
    assert found.where is not None
    assert found.where.line in (0, 2)


def test_a_long_value_is_shown_short() -> None:
    assert len(told(problem_of(f"torch: {'x' * 4000}"))) < 400


def test_more_than_a_hundred_problems_are_not_listed() -> None:
    found = problems_of("name: x\n" + "".join(f"key{number}: 1\n" for number in range(5000)))
    assert len(found) == 101
    assert "more than 100" in found[-1].message


def test_a_file_above_a_mebibyte_is_not_read() -> None:
    (found,) = problems_of(b"name: x # " + b"y" * (1 << 20))
    assert "at most" in told(found)


def test_bytes_that_are_no_utf_8_are_told_with_their_line() -> None:
    (found,) = problems_of("name: x\n# Größe\n".encode("latin-1"))
    assert found.where == Location(file="wsb.yaml", line=2)
    assert "UTF-8" in found.message
