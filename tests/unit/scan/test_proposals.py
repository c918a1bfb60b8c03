"""What `wsb init` proposes: which file counts, which Python and torch, what is added and what is left out, each with why."""

from __future__ import annotations

from builder.config import read_spec
from builder.scan.relaxing import LEVELS, relaxed_conda, relaxed_pip, relaxed_version
from tests.unit.scan.folders import CATALOG, lines_of, proposed, written

ENVIRONMENT = """\
name: x
channels: [pytorch, defaults]
dependencies:
- python=3.8.5
- pytorch=1.11.0
- cudatoolkit=11.3
- numpy=1.21.2
"""


def value(files: dict[str, str | bytes], field: str, **options: object) -> str | None:
    pick = getattr(proposed(files, **options), field)  # type: ignore[arg-type]
    return pick.value if pick else None


# --- which file ----------------------------------------------------------------------------------------------------


def chosen(*paths: str, name: str = "mnist", torch: str = "torch==2.0.1\n") -> list[str]:
    files: dict[str, str | bytes] = {path: ENVIRONMENT if path.endswith((".yml", ".yaml")) else torch for path in paths}
    return [finding.path for finding in proposed(files, name=name).sources.findings]


def test_an_environment_counts_before_requirements() -> None:
    assert chosen("requirements.txt", "environment.yml") == ["environment.yml"]


def test_a_file_for_another_system_or_the_processor_is_passed_over() -> None:
    assert chosen("environment-cpu.yml", "environment-cuda.yml") == ["environment-cuda.yml"]
    assert chosen("conda_environment_macos.yaml", "conda_environment.yaml", "conda_environment_real.yaml") == [
        "conda_environment.yaml"
    ]
    assert chosen("requirements_windows.txt", "requirements_linux.txt", "requirements_rocm.txt") == ["requirements_linux.txt"]


def test_the_nearest_file_counts_and_one_that_is_called_like_the_project() -> None:
    assert chosen("a/b/environment.yml", "a/environment.yml") == ["a/environment.yml"]
    assert chosen("include/other.yml", "include/dl_design.yml", "include/zz.yml", name="nrbennet__dl_design") == [
        "include/dl_design.yml"
    ]


def test_a_file_with_torch_counts_before_one_without() -> None:
    files: dict[str, str | bytes] = {"requirements.txt": "numpy\n", "gpu/requirements.txt": "torch==2.0.1\n"}
    assert [one.path for one in proposed(files).sources.findings] == ["gpu/requirements.txt"]


def test_a_thin_environment_takes_the_requirements_beside_it() -> None:
    files: dict[str, str | bytes] = {
        "environment.yml": "dependencies: [python=3.9, pytorch=1.9, cudatoolkit=11.1]",
        "requirements.txt": "einops\n",
    }
    assert [one.path for one in proposed(files).sources.findings] == ["environment.yml", "requirements.txt"]


def test_what_was_not_chosen_is_said_with_the_reason() -> None:
    left = proposed(
        {"environment.yml": ENVIRONMENT, "environment-cpu.yml": ENVIRONMENT, "docs/requirements.txt": "sphinx"}
    ).left_out
    assert any(line.startswith("environment-cpu.yml: it is the processor's twin") for line in left)
    assert any(line.startswith("docs/requirements.txt: ") for line in left)


# --- torch ---------------------------------------------------------------------------------------------------------


def test_a_file_that_pins_torch_is_left_to_say_so() -> None:
    proposal = proposed({"environment.yml": ENVIRONMENT})
    assert proposal.torch is None
    assert proposal.python is None


def test_the_readme_names_the_torch_that_requirements_leave_open() -> None:
    readme = "```\npip install torch==1.12.1+cu113 --extra-index-url https://download.pytorch.org/whl/cu113\n```"
    proposal = proposed({"requirements.txt": "torch\nnumpy\n", "README.md": readme})
    (line,) = [one for one in proposal.added if one.section == "pip"]
    assert line.line == "torch==1.12.1+cu113"
    assert line.because.startswith("README.md:2 says torch ==1.12.1+cu113")


def test_a_dockerfile_counts_before_the_readme_and_the_other_answer_is_asked_about() -> None:
    files: dict[str, str | bytes] = {
        "requirements.txt": "torch>=1.7\n",
        "Dockerfile": "FROM pytorch/pytorch:1.9.1-cuda11.1-cudnn8-devel\n",
        "README.md": "pip install torch==1.12.1\n",
    }
    proposal = proposed(files)
    assert lines_of(proposal, "pip") == ["torch==1.9.1+cu111"]
    (question,) = [one for one in proposal.questions if one.field == "torch"]
    assert [option for option, _ in question.options] == ["1.9.1", "1.12.1"]
    assert lines_of(proposed(files, answers={"torch": "1.12.1"}), "pip") != ["torch==1.9.1+cu111"]


def test_a_word_that_contradicts_the_requirements_does_not_count() -> None:
    assert value({"requirements.txt": "torch>=2.0,!=2.1.0\n", "README.md": "pip install torch==1.12.1\n"}, "torch") != "1.12.1"


def test_the_declared_cuda_picks_the_newest_torch_of_its_conda_selector() -> None:
    files: dict[str, str | bytes] = {"environment.yml": "dependencies: [python=3.8, pytorch, cudatoolkit=11.1]"}
    assert value(files, "torch") == "1.10"
    files = {"environment.yml": "dependencies: [python=3.9, 'pytorch>=1.12', 'cudatoolkit>=10']"}
    assert lines_of(proposed(files), "pip") == ["torch==1.12.1+cu116"]  # the last that cudatoolkit chose a build of


def test_pins_date_a_torch_that_is_left_open() -> None:
    files: dict[str, str | bytes] = {"requirements.txt": "torch\ntransformers==2.1.1\nnumpy==1.17.2\ntqdm==4.36.1\n"}
    proposal = proposed(files)
    assert proposal.torch is not None
    assert proposal.torch.value == "1.3"
    assert "transformers==2.1.1" in proposal.torch.because


def test_an_upper_bound_dates_a_project_as_a_pin_does() -> None:
    assert value({"requirements.txt": "torch>=1.7.0\nnumpy>=1.18.5,<1.24.0\n"}, "torch") == "2.0"


def test_without_any_date_the_newest_torch_that_is_no_longer_fresh_is_taken() -> None:
    files: dict[str, str | bytes] = {"requirements.txt": "torch\neinops\n"}
    pick = proposed(files).torch
    assert pick is not None
    release = next(one for one in CATALOG.releases if one.minor == pick.value)
    assert release.version.micro > 0 or release.released < "2026-08-25"


def test_the_month_in_the_tag_of_nvidias_image_dates_a_project() -> None:
    files: dict[str, str | bytes] = {
        "requirements.txt": "torch>=1.0\nnumpy\n",
        "Dockerfile": "FROM nvcr.io/nvidia/pytorch:20.06-py3\n",
    }
    assert value(files, "torch") == "1.5"


def test_a_pin_in_no_index_becomes_the_nearest_release() -> None:
    pick = proposed({"requirements.txt": "torch==0.4.1.post2\n"}).torch
    assert pick is not None
    assert pick.value == "0.4.1"
    assert "in no index" in pick.because


def test_a_torch_that_init_picks_is_built_for_cards_of_today_where_it_can_be() -> None:
    proposal = proposed({"requirements.txt": "torch\ntransformers==4.10.0\nnumpy==1.21.2\ntqdm==4.62.2\n"})
    assert lines_of(proposal, "pip") == ["torch==1.9.1+cu111"]


def test_a_project_on_another_framework_gets_no_torch() -> None:
    assert value({"requirements.txt": "onnxruntime-gpu==1.26.0\nnumpy\n"}, "torch") == "none"
    assert value({"requirements.txt": "tensorflow==2.12.0\n", "train.py": "import tensorflow"}, "torch") == "none"
    assert value({"requirements.txt": "tensorflow==2.12.0\n", "train.py": "import tensorflow, torch"}, "torch") != "none"


# --- Python --------------------------------------------------------------------------------------------------------


def test_the_python_of_an_old_torch_is_one_that_was_settled_then() -> None:
    assert value({"requirements.txt": "torch==1.4.0\n"}, "python") == "3.7"
    assert value({"requirements.txt": "torch==2.0.1\n"}, "python") == "3.10"


def test_pins_narrow_the_python_to_those_with_wheels() -> None:
    pick = proposed({"requirements.txt": "torch==1.7.1\nnumpy==1.18.5\nscipy>=1.4,<1.6\n"}).python
    assert pick is not None
    assert pick.value == "3.8"
    assert "numpy==1.18.5" in pick.because
    pick = proposed({"requirements.txt": "torch==2.4.1\nnumpy>=1.20,<1.22\n"}).python
    assert pick is not None
    assert pick.value == "3.9"


def test_a_frozen_list_tells_the_python_it_was_made_under() -> None:
    frozen = "torch==1.7.1+cu110\nnumpy==1.21.6\nscipy==1.7.3\npandas==1.3.5\nipython==7.34.0\ndiffusers==0.14.0\n"
    pick = proposed({"requirements.txt": frozen}).python
    assert pick is not None
    assert pick.value == "3.7"


def test_the_python_of_the_readme_counts_where_torch_has_it() -> None:
    files: dict[str, str | bytes] = {"requirements.txt": "torch==1.13.1\n", "README.md": "conda create -n x python=3.8\n"}
    pick = proposed(files).python
    assert pick is not None
    assert (pick.value, pick.because) == ("3.8", "README.md:1 says Python 3.8")
    files["README.md"] = "conda create -n x python=3.6\n"
    assert value(files, "python") != "3.6"


def test_a_range_in_setup_py_bounds_the_python() -> None:
    files: dict[str, str | bytes] = {"requirements.txt": "torch==2.4.1\n", "setup.py": "setup(python_requires='>=3.8,<3.11')"}
    assert value(files, "python") == "3.10"


# --- what is added -------------------------------------------------------------------------------------------------


def test_cuda_code_of_the_project_asks_for_nvcc() -> None:
    files: dict[str, str | bytes] = {
        "requirements.txt": "torch==2.0.1\n",
        "ops/setup.py": "setup(ext_modules=[CUDAExtension('x', [])])",
    }
    (line,) = [one for one in proposed(files).added if one.section == "conda"]
    assert line.line == "cuda-nvcc"
    assert "ops/setup.py:1" in line.because


def test_a_submodule_that_is_known_to_compile_asks_for_nvcc() -> None:
    modules = '[submodule "a"]\n\tpath = submodules/simple-knn\n\turl = https://gitlab.inria.fr/bkerbl/simple-knn.git\n'
    assert lines_of(proposed({"requirements.txt": "torch==1.12.1\n", ".gitmodules": modules}), "conda") == ["cuda-nvcc"]


def test_torch_among_what_the_build_needs_means_that_something_is_compiled() -> None:
    build = '[build-system]\nrequires = ["setuptools", "torch>=2.5.1"]\n'
    assert lines_of(proposed({"pyproject.toml": build}), "conda") == ["cuda-nvcc"]
    with_cython = proposed({"pyproject.toml": build.replace('"setuptools"', '"cython"')})
    assert (lines_of(with_cython, "conda"), lines_of(with_cython, "apt")) == ([], ["build-essential"])


def test_cython_asks_for_a_c_compiler_only() -> None:
    proposal = proposed({"requirements.txt": "torch==1.6.0\nCython==0.29.21\n"})
    assert lines_of(proposal, "apt") == ["build-essential"]
    assert lines_of(proposal, "conda") == []


def test_a_package_that_only_the_readme_installs_is_added_when_the_code_imports_it() -> None:
    files: dict[str, str | bytes] = {
        "requirements.txt": "torch==2.0.1\n",
        "README.md": "pip install lpips tensorboard\n",
        "train.py": "import lpips\n",
    }
    assert lines_of(proposed(files), "pip") == ["lpips"]


def test_libraries_of_a_dockerfile_are_taken_and_its_tools_are_not() -> None:
    files: dict[str, str | bytes] = {
        "requirements.txt": "torch==2.0.1\n",
        "Dockerfile": "FROM x\nRUN apt-get install -y vim ffmpeg libgl1-mesa-glx\n",
    }
    assert lines_of(proposed(files), "apt") == ["ffmpeg", "libgl1"]


def test_what_exists_on_windows_only_is_left_out_and_said() -> None:
    text = written({"requirements.txt": "torch==2.0.1\npywin32==306\n"})
    assert "pywin32 exists for Windows only; it is left out" in text


def test_what_the_plan_will_leave_out_is_said_beforehand() -> None:
    environment = """
channels: [defaults]
dependencies:
- pytorch=2.0.1
- cuda-cudart=11.8.89
- numpy=1.24.3=py310h5f9d8c6_1
- pillow=9.4
- pip: [nvidia-cublas-cu11==11.10.3.66, Pillow==9.5.0]
"""
    left = proposed({"environment.yml": environment}).left_out
    libraries = "environment.yml:5:3: cuda-cudart=11.8.89, nvidia-cublas-cu11==11.10.3.66"
    assert f"{libraries}: left out, since torch's wheel brings the right ones" in left
    assert any(
        line.startswith("environment.yml:6:3: numpy=1.24.3=py310h5f9d8c6_1: taken without the build string") for line in left
    )
    assert "environment.yml:7:3: pillow=9.4: left to pip, which is asked for it too" in left


# --- the file ------------------------------------------------------------------------------------------------------


def test_the_first_line_points_editors_at_the_schema() -> None:
    assert written({}).startswith("# yaml-language-server: $schema=.wsb/schema.json\n")


def test_an_empty_folder_gives_a_file_that_can_be_read() -> None:
    text = written({})
    assert read_spec(text.encode(), "wsb.yaml").name.value == "mnist"
    assert "no file here says what the project needs" in text


def test_a_file_with_lines_nobody_can_read_is_written_out_without_them() -> None:
    proposal = proposed({"requirements.txt": "torch==2.0.1\neinops\nfoo bar baz\n"})
    assert proposal.is_written_out
    assert proposal.sources.findings == ()
    assert "einops" in lines_of(proposal, "pip")
    assert any("foo bar baz" in line for line in proposal.left_out)


def test_strange_names_make_a_name_that_wsb_takes() -> None:
    for name in ("Über Projekt!", "base", "---", "a" * 100, "wsb", "X.Y_Z"):
        text = written({"requirements.txt": "torch\n"}, name=name)
        assert read_spec(text.encode(), "wsb.yaml").name.value


def test_comments_stay_on_their_line_whatever_a_file_holds() -> None:
    text = written({"requirements.txt": "torch\nevil\u2028name: x\n\x1b[31mred==1\n"})
    assert read_spec(text.encode(), "wsb.yaml").name.value == "mnist"
    assert "\x1b" not in text


def test_a_file_that_wsb_yaml_cannot_name_is_passed_over() -> None:
    for path in ("a'b/requirements.txt", "requirements\udc80.txt", "x:y/requirements.txt", "requirements`id`.txt"):
        text = written({path: "torch==2.0.1\n"})
        assert read_spec(text.encode(), "wsb.yaml").requirements == ()


def test_two_files_that_name_different_torches_are_asked_about() -> None:
    files: dict[str, str | bytes] = {"environment.yml": ENVIRONMENT, "requirements.txt": "torch==2.0.1\nnumpy\n"}
    (question,) = proposed(files).questions
    assert question.field == "sources"
    assert [option for option, _ in question.options] == ["environment.yml", "requirements.txt"]
    answered = proposed(files, answers={"sources": "requirements.txt"})
    assert [one.path for one in answered.sources.findings] == ["requirements.txt"]
    assert answered.questions == ()
    assert "environment.yml: requirements.txt was chosen" in answered.left_out


# --- relaxing ------------------------------------------------------------------------------------------------------


def test_each_level_loosens_a_pin_a_little_more() -> None:
    assert [relaxed_pip("numpy==1.21.3", level) for level in LEVELS] == [
        "numpy==1.21.3",
        "numpy==1.21.3",
        "numpy>=1.21.3,<1.22",
        "numpy>=1.21.3,<2",
        "numpy",
    ]
    assert [relaxed_conda("numpy=1.21.3=py38_0", level) for level in LEVELS] == [
        "numpy=1.21.3=py38_0",
        "numpy=1.21.3",
        "numpy>=1.21.3,<1.22",
        "numpy>=1.21.3,<2",
        "numpy",
    ]
    assert [relaxed_version("1.11.0", level) for level in LEVELS] == ["1.11.0", "1.11.0", "1.11", ">=1.11.0,<2", "latest"]


def test_relaxing_leaves_ranges_markers_and_addresses_as_they_are() -> None:
    assert relaxed_pip("a>=1.2,<2", "minor") == "a>=1.2,<2"
    assert relaxed_pip("a[x]==1.2.3 ; python_version < '3.9'", "patch") == "a[x]>=1.2.3,<1.3 ; python_version < '3.9'"
    assert relaxed_pip("clip @ git+https://x.org/a.git@main", "all") == "clip @ git+https://x.org/a.git@main"
    assert relaxed_pip("a~=1.4.2", "minor") == "a~=1.4.2"
    assert relaxed_conda("conda-forge::a >=1.2", "patch") == "conda-forge::a>=1.2"


def test_relaxed_packages_stand_in_wsb_yaml_itself() -> None:
    text = written({"environment.yml": ENVIRONMENT}, relax="minor")
    spec = read_spec(text.encode(), "wsb.yaml")
    assert spec.environment is None
    assert [one.value for one in spec.packages.conda] == ["numpy>=1.21.2,<2"]
    assert spec.torch is not None
    assert str(spec.torch.value.version) == ">=1.11.0,<2"
    assert str(spec.python.value if spec.python else None) == "3.8"
