"""requirements.txt as people, pip, conda and PowerShell write it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from builder.model.values import Location, Variant
from builder.scan.items import PipItem
from builder.scan.pip_line import read_pip_requirement
from tests.unit.scan.scanning import notes_of, problems_of, project_of, required, spec_naming, texts


def test_names_versions_extras_and_markers_are_kept() -> None:
    project = required("einops", "numpy>=1.21,<2", "huggingface-hub[torch]>=0.22", "tomli; python_version < '3.11'")
    assert texts(project.pip) == [
        "einops",
        "numpy<2,>=1.21",
        "huggingface-hub[torch]>=0.22",
        'tomli; python_version < "3.11"',
    ]


def test_every_line_knows_its_place() -> None:
    project = required("# first", "", "  einops", "numpy \\", "  >=1.2", "timm")
    assert [one.where for one in project.pip] == [
        Location(file="requirements.txt", line=3, column=3),
        Location(file="requirements.txt", line=4, column=1),
        Location(file="requirements.txt", line=6, column=1),
    ]


def test_torch_and_its_family_are_taken_out() -> None:
    project = required("torch==2.4.1", "torchvision==0.19.1", "torchaudio", "torchmetrics")
    assert project.torch is not None
    assert str(project.torch.value) == "==2.4.1"
    assert project.torchvision is not None
    assert project.torchaudio is not None
    assert project.torchaudio.value.is_any
    assert texts(project.pip) == ["torchmetrics"]


@pytest.mark.parametrize(
    ("lines", "variant"),
    [
        (["torch==1.11.0+cu113"], "cu113"),
        (["--extra-index-url https://download.pytorch.org/whl/cu118", "torch"], "cu118"),
        (["-i https://download.pytorch.org/whl/cpu", "torch"], "cpu"),
        (["--index-url=https://download.pytorch.org/whl/rocm6.3", "torch"], "rocm6.3"),
        (["torch==1.12.1 --extra-index-url https://download.pytorch.org/whl/cu116"], "cu116"),
        (["-f https://download.pytorch.org/whl/cu113/torch_stable.html", "torch"], "cu113"),
        (["--find-links https://mirror.sjtu.edu.cn/pytorch-wheels/cu121/", "torch"], "cu121"),
        (["https://download.pytorch.org/whl/cu102/torch-1.9.0-cp38-cp38-linux_x86_64.whl"], "cu102"),
        (["https://download.pytorch.org/whl/cpu/torch-1.7.0%2Bcpu-cp36-cp36m-linux_x86_64.whl"], "cpu"),
        (["torch @ https://download.pytorch.org/whl/cu118/torch-2.1.0%2Bcu118-cp310-cp310-linux_x86_64.whl"], "cu118"),
        (["torch", "torch-scatter==2.1.0+pt113cu117"], "cu117"),
        (["torch", "-f https://data.pyg.org/whl/torch-2.1.0+cu121.html"], "cu121"),
        (["torch", "-f https://download.openmmlab.com/mmcv/dist/cu113/torch1.10.0/index.html"], "cu113"),
        (["torch==2.1.0+cu118", "--extra-index-url https://download.pytorch.org/whl/cu121"], "cu118"),
    ],
)
def test_the_build_of_torch_is_found_wherever_it_is_said(lines: list[str], variant: str) -> None:
    project = required(*lines)
    assert project.torch_variant is not None
    assert project.torch_variant.value == Variant(variant)


def test_torchs_own_index_is_not_among_the_others() -> None:
    project = required(
        "--index-url https://pypi.example.org/simple",
        "--extra-index-url https://download.pytorch.org/whl/cu118",
        "-f https://data.pyg.org/whl/torch-2.1.0+cu118.html",
        "-f ./wheels",
    )
    assert texts(project.index_urls) == ["https://pypi.example.org/simple"]
    assert texts(project.find_links) == ["https://data.pyg.org/whl/torch-2.1.0+cu118.html", "./wheels"]


def test_wheels_compiled_for_one_torch_tell_its_release_when_nothing_else_does() -> None:
    project = required("torch", "torch-scatter", "-f https://data.pyg.org/whl/torch-1.13.1+cu117.html")
    assert project.torch is not None
    assert str(project.torch.value) == "1.13"
    pinned = required("torch==1.13.0", "-f https://data.pyg.org/whl/torch-1.12.1+cu113.html")
    assert pinned.torch is not None
    assert str(pinned.torch.value) == "==1.13.0"


def test_a_torch_for_another_machine_is_not_ours() -> None:
    project = required(
        'torch>=0.0.0.dev0; platform_machine == "s390x"',
        "torch==1.13.1; sys_platform == 'win32'",
        'torch>=2.11.0; platform_machine != "s390x"',
    )
    assert project.torch is not None
    assert str(project.torch.value) == ">=2.11.0"
    assert "never holds in the container" in notes_of(project)


def test_a_marker_is_held_against_the_python_that_is_asked_for() -> None:
    lines = "torch==1.10.2; python_version < '3.8'\ntorch==2.1.0; python_version >= '3.8'\n"
    project = project_of({"r.txt": lines}, spec_naming("r.txt", python="3.11"))
    assert project.torch is not None
    assert str(project.torch.value) == "==2.1.0"


def test_what_conda_left_behind_is_taken_from_the_index() -> None:
    project = required(
        "numpy @ file:///tmp/build/80754af9/numpy_and_numpy_base_1634095647912/work",
        "certifi @ file:///croot/certifi/work",
        "apex @ file:///home/me/apex-0.1-cp38-cp38-linux_x86_64.whl",
    )
    assert texts(project.pip) == ["numpy", "certifi", "apex==0.1"]
    assert "file of another machine" in notes_of(project)


def test_repositories_get_the_name_they_carry() -> None:
    project = required(
        "-e git+https://github.com/CompVis/taming-transformers.git@master#egg=taming-transformers",
        "git+https://github.com/openai/CLIP.git",
        "git+https://github.com/cocodataset/cocoapi.git#subdirectory=PythonAPI&egg=pycocotools",
        "clip @ git+https://github.com/openai/CLIP.git@main ; python_version >= '3.8'",
    )
    assert texts(project.pip) == [
        "taming-transformers @ git+https://github.com/CompVis/taming-transformers.git@master",
        "git+https://github.com/openai/CLIP.git",
        "pycocotools @ git+https://github.com/cocodataset/cocoapi.git#subdirectory=PythonAPI",
        "clip @ git+https://github.com/openai/CLIP.git@main ; python_version >= '3.8'",
    ]
    assert texts(project.editable_urls) == texts(project.pip)[:1]


def test_a_protocol_that_is_gone_is_replaced() -> None:
    project = required("git+git://github.com/a/b.git#egg=b")
    assert texts(project.pip) == ["b @ git+https://github.com/a/b.git"]
    assert "no longer served" in notes_of(project)


def test_folders_of_the_project_are_told_apart_from_those_of_another_machine() -> None:
    project = required("-e .", ".[dev]", "./libs/x", "libs/y/", "-e /home/me/x", "-e ../sibling", "C:\\x\\y", "~/z")
    assert texts(project.local_paths) == [".", ".[dev]", "./libs/x", "libs/y"]
    assert notes_of(project).count("left out") == 4


def test_files_are_included_from_where_they_stand() -> None:
    project = project_of(
        {
            "requirements.txt": "-r requirements/base.txt\n--requirement=requirements/more.txt\n-c limits.txt\neinops",
            "requirements/base.txt": "-r nested/deep.txt\nnumpy",
            "requirements/nested/deep.txt": "-r ../base.txt\ntimm",
            "requirements/more.txt": "scipy",
            "limits.txt": "numpy<2\ntorch==2.1.0",
        }
    )
    assert texts(project.pip) == ["timm", "numpy", "scipy", "einops"]
    assert texts(project.constraints) == ["numpy<2"]
    assert project.torch is not None
    assert str(project.torch.value) == "==2.1.0"
    assert project.files == (
        "requirements.txt",
        "requirements/base.txt",
        "requirements/nested/deep.txt",
        "requirements/more.txt",
        "limits.txt",
    )


def test_a_long_chain_of_includes_ends() -> None:
    files: dict[str, str | bytes] = {f"{number}.txt": f"-r {number + 1}.txt" for number in range(200)}
    (found,) = problems_of(files, spec_naming("0.txt"))
    assert "include one another" in found.message


@pytest.mark.parametrize("path", ["/etc/passwd", "../x.txt", "a/../../x.txt", "~/x.txt", "https://x.org/r.txt", "C:\\x.txt"])
def test_an_include_that_leaves_the_project_is_a_problem(path: str) -> None:
    (found,) = problems_of({"requirements.txt": f"einops\n-r '{path}'\n"})
    assert found.where == Location(file="requirements.txt", line=2, column=1)


@pytest.mark.parametrize(
    "content",
    [
        "torch==2.0.1\r\nnumpy\r\n".encode("utf-16"),
        b"\xef\xbb\xbftorch==2.0.1\r\nnumpy",
        b"torch==2.0.1\rnumpy\r",
        "torch==2.0.1\nnumpy\n".encode("utf-16-le"),
        "torch==2.0.1  # Größe\nnumpy\n".encode("latin-1"),
        "# 依赖\ntorch==2.0.1\nnumpy\n".encode("gbk"),
    ],
)
def test_encodings_of_all_shells_are_read(content: bytes) -> None:
    project = project_of({"requirements.txt": content})
    assert texts(project.pip) == ["numpy"]
    assert project.torch is not None


def test_a_requirement_in_an_unknown_encoding_is_a_problem() -> None:
    (found,) = problems_of({"requirements.txt": b"einops\nn\xfcmpy\n"})
    assert found.where == Location(file="requirements.txt", line=2, column=1)


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("numpy=1.24", "numpy==1.24"),
        ("numpy>=1.7.*", "numpy>=1.7"),
        ("numpy>=1.0<2", "numpy<2,>=1.0"),
        ("numpy==1.0,", "numpy==1.0"),
        ("'numpy==1.0'", "numpy==1.0"),
        ("pip install numpy==1.0", "numpy==1.0"),
    ],
)
def test_habits_that_pip_refuses_are_read_as_meant(line: str, meant: str) -> None:
    assert texts(required("einops", line).pip) == ["einops", meant]


def test_pytorch_is_torch_and_python_is_python() -> None:
    project = required("pytorch>=1.11.0", "python==3.8", "cudatoolkit==11.3")
    assert project.torch is not None
    assert str(project.torch.value) == ">=1.11.0"
    assert project.python is not None
    assert str(project.python.value) == "3.8"
    assert project.cuda is not None
    assert str(project.cuda.value) == "11.3"
    assert "cannot be installed by pip" in notes_of(project)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("foo bar", "one requirement a line"),
        ("numpy 1.2", "numpy==1.2"),
        ("conda install numpy", "not commands"),
        ("numpy==", "not a requirement"),
        ("==1.0", "not a requirement"),
        ("numpy; nonsense", "not a requirement"),
        ("<html>", "not a requirement"),
        ("git+https://u:p@x.org/a.git", "password"),
        ("--index-url https://user:secret@x.org/simple", "password"),
        ("a @ https://x.org/$(id).whl", "not an address"),
        ("-f 'https://x.org/a b'", "not an address"),
        ("./a;id", "not the path"),
        ("-r", "no value"),
        ("torch==1.0+b@d", "not a requirement"),
        ("x" * 5000, "at most"),
    ],
)
def test_what_nobody_can_read_is_a_problem_with_its_place(line: str, said: str) -> None:
    (found,) = problems_of({"requirements.txt": f"einops\n{line}\n"})
    assert found.where == Location(file="requirements.txt", line=2, column=1)
    assert said in " ".join([found.message, *found.hints])


def test_variables_are_kept_for_pip_to_fill_in() -> None:
    assert texts(required("a @ https://x.org/${VERSION}/a.zip").pip) == ["a @ https://x.org/${VERSION}/a.zip"]


def test_options_about_pip_itself_leave_a_note_or_nothing() -> None:
    project = required("--trusted-host x.org", "--pre", "opencc==1 --no-binary=opencc", "--require-hashes", "--frobnicate")
    assert texts(project.pip) == ["opencc==1"]
    assert [text in notes_of(project) for text in ("--pre", "--no-binary", "--frobnicate", "--trusted-host")] == [
        True,
        True,
        True,
        False,
    ]


def test_hashes_are_counted_not_kept() -> None:
    project = required("einops==0.8.0 \\", "    --hash=sha256:aa \\", "    --hash=sha256:bb", "timm==1.0 --hash=sha256:cc")
    assert texts(project.pip) == ["einops==0.8.0", "timm==1.0"]
    assert "3 hashes" in notes_of(project)


def test_packages_of_a_command_line_are_taken() -> None:
    project = required("--pre torch torchvision -f https://download.pytorch.org/whl/nightly/cu102/torch_nightly.html")
    assert project.torch is not None
    assert project.torchvision is not None
    assert project.torch_variant is not None
    assert project.torch_variant.value == Variant("cu102")
    assert "nightly" in notes_of(project)


def test_the_first_of_two_files_counts_and_the_other_leaves_a_note() -> None:
    project = project_of(
        {"a.txt": "torch==2.0.1\nnumpy==1.24\neinops\n", "b.txt": "torch==1.13.1\nnumpy==1.21\neinops==0.8\n"},
        spec_naming("a.txt", "b.txt"),
    )
    assert project.torch is not None
    assert str(project.torch.value) == "==2.0.1"
    assert texts(project.pip) == ["numpy==1.24", "einops==0.8"]
    assert "b.txt:1:1: torch ==1.13.1 is not taken: a.txt:1:1 says ==2.0.1" in notes_of(project)
    assert "numpy==1.21 is not taken" in notes_of(project)


def test_lines_with_different_markers_are_all_kept() -> None:
    assert len(required("numpy==1.19; python_version<'3.7'", "numpy==1.24; python_version>='3.7'", "numpy").pip) == 3


def test_windows_only_packages_are_left_out_unless_marked() -> None:
    project = required("pywin32==306", "pywin32; sys_platform == 'win32'", "einops")
    assert texts(project.pip) == ['pywin32; sys_platform == "win32"', "einops"]
    assert "Windows only" in notes_of(project)


def test_a_conda_export_of_the_same_name_is_recognised() -> None:
    project = required(
        "# This file may be used to create an environment using:",
        "# $ conda create --name <env> --file <this file>",
        "# platform: linux-64",
        "_libgcc_mutex=0.1=main",
        "cudatoolkit=10.2.89=hfd86e86_1",
        "einops=0.4.0=pypi_0",
        "numpy=1.21.2=py38h20f2e39_0",
        "python=3.8.12=h12debd9_0",
        "pytorch=1.10.1=py3.8_cuda10.2_cudnn7.6.5_0",
    )
    assert texts(project.conda) == ["_libgcc_mutex=0.1=main", "numpy=1.21.2=py38h20f2e39_0"]
    assert texts(project.pip) == ["einops==0.4.0"]
    assert project.torch is not None
    assert str(project.torch.value) == "1.10.1"
    assert project.cuda is not None
    assert str(project.cuda.value) == "10.2"


def test_an_explicit_file_of_another_system_loses_its_builds() -> None:
    project = required(
        "@EXPLICIT",
        "https://conda.anaconda.org/conda-forge/win-64/numpy-1.24.2-py310h1234_0.conda#aabb",
        "https://conda.anaconda.org/conda-forge/noarch/tqdm-4.64.1-pyhd8ed1ab_0.tar.bz2",
    )
    assert texts(project.conda) == ["numpy=1.24.2", "tqdm=4.64.1=pyhd8ed1ab_0"]


def test_a_missing_file_points_at_wsb_yaml_and_names_the_nearest() -> None:
    (found,) = problems_of({"requirement.txt": ""}, spec_naming("requirements.txt"))
    assert (found.code, found.where and found.where.file) == ("no-such-file", "wsb.yaml")
    assert found.hints == ("did you mean `requirement.txt`?",)


def test_a_missing_file_in_another_folder_is_found_by_its_name() -> None:
    (found,) = problems_of({"env/requirements.txt": ""}, spec_naming("requirements.txt"))
    assert found.hints == ("did you mean `env/requirements.txt`?",)


def test_an_environment_file_among_requirements_is_sent_to_its_key() -> None:
    (found,) = problems_of({"env.yml": "name: x\ndependencies: []\n"}, spec_naming("env.yml"))
    assert found.hints == ("write `environment: env.yml`",)


def test_all_problems_of_all_files_are_told_at_once() -> None:
    found = problems_of({"a.txt": "foo bar\n-r gone.txt\n", "b.txt": "<x>\n"}, spec_naming("a.txt", "b.txt", "c.txt"))
    assert len(found) == 4


_PIECES = (
    *("numpy", "A.b-_c", "x", "_", "-", ".", " ", "\t", ",", ";", "(", ")", "[", "]", "a,b", "@", "\u00e9"),
    *("==", "===", ">=", "<=", "~=", "!=", "<", ">", "=", "python_version<'3.9'"),
    *("1", "1.0", "2.*", "1!2", "1.0rc1", "1+cu118", "1.0-1", "v3", "*"),
)
_NEAR_A_REQUIREMENT = st.lists(st.sampled_from(_PIECES), max_size=8).map("".join)


@given(_NEAR_A_REQUIREMENT)
def test_what_the_standard_reads_is_read_as_the_standard_does(line: str) -> None:
    """Names with versions are read without `packaging.requirements`: whoever reads, the answer is its."""
    try:
        theirs = Requirement(line.strip())
    except InvalidRequirement:
        return
    items = read_pip_requirement(line, Location(file="requirements.txt", line=1))
    if theirs.url is not None or not isinstance(items[0], PipItem):
        return
    marker = None if theirs.marker is None else str(theirs.marker)
    ours = items[0]
    assert (ours.name, ours.text, ours.versions) == (canonicalize_name(theirs.name), str(theirs), str(theirs.specifier))
    assert (ours.marker, len(items)) == (marker, 1)


@given(_NEAR_A_REQUIREMENT)
def test_what_the_standard_refuses_is_never_taken_without_a_word(line: str) -> None:
    try:
        Requirement(line.strip())
    except InvalidRequirement:
        items = read_pip_requirement(line, Location(file="requirements.txt", line=1))
        assert not (len(items) == 1 and isinstance(items[0], PipItem) and items[0].url is None)
