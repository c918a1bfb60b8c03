"""The stand-in installers in plain Debian containers, used as wsb's Dockerfiles use the real ones."""

from __future__ import annotations

import io
import secrets
import subprocess
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from builder.engine.base import ContainerRequest, Output
from builder.engine.docker_sdk import DockerEngine
from tests.engine.support import nothing, request
from tests.support.conda_fixtures import *  # noqa: F403
from tests.support.debian_image import debian_image
from tests.support.http_server import serve

pytestmark = pytest.mark.engine

PREFIX = "/opt/conda/envs/wsb"
_TELL = 'import os, sys; print(sys.prefix, os.environ.get("CONDA_DEFAULT_ENV"), os.environ.get("UDUNITS2_XML_PATH"))'
_UNITS = """
import ctypes
library = ctypes.CDLL("{prefix}/lib/libudunits2.so.0")
library.ut_read_xml.restype = ctypes.c_void_p
print("database" if library.ut_read_xml(None) else "no database")
"""


@pytest.fixture(scope="session")
def debian(engine: DockerEngine, cache_dir: Path) -> str:
    return debian_image(engine, cache_dir)


@pytest.fixture(scope="module")
def image(engine: DockerEngine, debian: str, channel_url: str, miniconda_installer: Path) -> Iterator[str]:
    """Miniconda's stand-in and one environment, installed by BuildKit with a cache mount for packages."""
    name = f"wsbtest-conda-{secrets.token_hex(4)}:1"
    dockerfile = f"""
FROM {debian}
RUN groupadd --system --gid 990 wsb && useradd --create-home --groups wsb dev && install -d -g wsb -m 2775 /opt/conda
RUN --mount=type=bind,source=installer.sh,target=/tmp/installer.sh umask 002 && bash /tmp/installer.sh -b -u -p /opt/conda
RUN --mount=type=cache,id=wsbtest-conda-pkgs,target=/opt/pkgs,sharing=locked umask 002 \\
 && CONDA_PKGS_DIRS=/opt/pkgs /opt/conda/bin/conda create --yes --prefix {PREFIX} \\
    --override-channels --channel {channel_url}/conda-forge python=3.11 pip
RUN --mount=type=cache,id=wsbtest-conda-pkgs,target=/opt/pkgs,sharing=locked \\
    --mount=type=bind,source=packages.txt,target=/tmp/packages.txt umask 002 \\
 && CONDA_PKGS_DIRS=/opt/pkgs /opt/conda/bin/conda install --yes --prefix {PREFIX} \\
    --override-channels --channel {channel_url}/conda-forge --file /tmp/packages.txt
RUN ln -s {PREFIX} /opt/conda/envs/mnist && ln -s /opt/conda/etc/profile.d/conda.sh /etc/profile.d/conda.sh \\
 && echo '. /opt/conda/etc/profile.d/conda.sh' >> /etc/bash.bashrc
"""
    files = {"installer.sh": miniconda_installer.read_bytes(), "packages.txt": b"udunits2\nmarkupsafe\n"}
    engine.build(replace(request(name, dockerfile, **files), network="host"), nothing)
    yield name
    engine.remove_image(name)


class Container:
    """Runs scripts in new containers of one image, on this machine's network."""

    def __init__(self, engine: DockerEngine, image: str, mounts: Sequence[tuple[Path, str]] = ()) -> None:
        self.engine = engine
        self.image = image
        self.mounts = tuple((str(source), target, True) for source, target in mounts)

    def __call__(
        self, script: str, *, user: str = "root", shell: str = "bash -c", env: Mapping[str, str] | None = None
    ) -> tuple[int, str]:
        """The exit code, and what was printed: the errors first, since the order of two streams is chance."""
        printed = {True: bytearray(), False: bytearray()}

        def keep(output: Output) -> None:
            printed[output.is_stderr].extend(output.data)

        code = self.engine.run(
            ContainerRequest(
                image=self.image,
                command=[*shell.split(), script],
                user=user,
                env={"HOME": "/root" if user == "root" else f"/home/{user}", **(env or {})},
                mounts=self.mounts,
                network="host",
            ),
            keep,
        )
        return code, (printed[True] + printed[False]).decode()


@pytest.fixture
def run(engine: DockerEngine, image: str) -> Container:
    return Container(engine, image)


@pytest.fixture
def bare(engine: DockerEngine, debian: str, miniconda_installer: Path) -> Container:
    """Debian with the installer at /tmp/installer.sh, not yet run."""
    return Container(engine, debian, [(miniconda_installer, "/tmp/installer.sh")])


@pytest.mark.parametrize("user", ["root", "dev"])
@pytest.mark.parametrize("shell", ["bash -lc", "bash -ic", "sh -c"])
def test_an_environment_is_activated_in_every_shell(run: Container, user: str, shell: str) -> None:
    source = ". /opt/conda/etc/profile.d/conda.sh; " if shell == "sh -c" else ""
    code, printed = run(f"{source}conda activate mnist && python -c '{_TELL}'", user=user, shell=shell)
    alias = "/opt/conda/envs/mnist"
    assert code == 0
    assert printed.splitlines()[-1] == f"{alias} mnist {alias}/share/udunits/udunits2.xml"


def test_a_library_that_needs_its_activation_script_works_only_with_it(run: Container) -> None:
    script = _UNITS.format(prefix=PREFIX)
    assert run(f"{PREFIX}/bin/python - <<'E'\n{script}\nE")[1].endswith("no database\n")
    code, printed = run(f"conda activate wsb && python - <<'E'\n{script}\nE", shell="bash -lc")
    assert (code, printed.splitlines()[-1]) == (0, "database")


def test_conda_run_passes_output_and_exit_code_on(run: Container) -> None:
    code, printed = run(f"/opt/conda/bin/conda run -n wsb --no-capture-output python -c '{_TELL}; sys.exit(7)'", user="dev")
    assert (code, printed) == (7, f"{PREFIX} wsb {PREFIX}/share/udunits/udunits2.xml\n")


def test_every_file_and_folder_belongs_to_the_group_and_is_writable_for_it(run: Container) -> None:
    assert run(r"find /opt/conda ! -type l \( ! -perm -g+w -o ! -group wsb \) | head") == (0, "")
    assert run("find /opt/conda -type d ! -perm -2000 | head") == (0, "")


def test_packages_of_a_cache_mount_are_copied_and_leave_nothing_behind(run: Container) -> None:
    assert run(f"find {PREFIX} -type f -links +1 | wc -l; ls /opt/pkgs 2>/dev/null | wc -l") == (0, "0\n0\n")


def test_the_environments_python_stands_on_its_own(run: Container) -> None:
    script = "import bz2, ctypes, curses, lzma, readline, sqlite3, ssl, sysconfig, venv, zlib, pip, markupsafe._speedups; "
    script += "print(sysconfig.get_path('purelib'), sysconfig.get_config_var('INCLUDEPY'))"
    expected = f"{PREFIX}/lib/python3.11/site-packages {PREFIX}/include/python3.11\n"
    assert run(f'{PREFIX}/bin/python -I -W ignore -c "{script}"', user="dev") == (0, expected)
    assert run(f"{PREFIX}/bin/python -m venv /tmp/v && /tmp/v/bin/pip --version", user="dev")[0] == 0


def test_a_member_of_the_group_may_install_and_another_user_may_not(run: Container, channel_url: str) -> None:
    install = f"umask 002; /opt/conda/bin/conda install -y -q -n wsb --override-channels -c {channel_url}/conda-forge tqdm"
    assert run(f"{install} && {PREFIX}/bin/tqdm --version", user="dev")[0] == 0
    code, printed = run(f"useradd -m other; runuser -u other -- sh -c '{install}'")
    assert code == 1
    assert "EnvironmentNotWritableError: The current user does not have write permissions" in printed


def test_an_environment_file_needs_a_condarc_without_defaults(run: Container, channel_url: str) -> None:
    file = f"channels: [{channel_url}/conda-forge, nodefaults]\ndependencies: [six=1.16, pip, {{pip: [./local]}}]\n"
    setup = f"mkdir -p /tmp/p/local && cd /tmp/p && echo '{file}' > environment.yml && printf '[project]\\nname=\"own\"\\n"
    setup += 'version="1"\\n\' > local/pyproject.toml && '
    update = "PIP_NO_BUILD_ISOLATION=0 /opt/conda/bin/conda env update -q -p /opt/conda/envs/wsb -f environment.yml"
    code, printed = run(setup + update)
    assert code == 1
    assert "CondaToSNonInteractiveError: Terms of Service have not been accepted" in printed
    condarc = f"printf 'channels: [conda-forge]\\nchannel_alias: {channel_url}\\n' > /opt/conda/.condarc && "
    code, printed = run(f"{setup}{condarc}{update} && /opt/conda/bin/conda list -p {PREFIX} '^(six|own)$'")
    assert code == 0, printed
    assert [line.split() for line in printed.splitlines()[-2:]] == [
        ["own", "1", "pypi_0", "pypi"],
        ["six", "1.16.0", "pyh_wsb_0", "conda-forge"],
    ]


def test_an_explicit_list_makes_the_same_environment_again(run: Container, channel_url: str) -> None:
    conda = "/opt/conda/bin/conda"
    create = f"{conda} create -y -q -n again --override-channels -c {channel_url}/conda-forge --file /tmp/list"
    compare = f"diff <({conda} list -e -n wsb) <({conda} list -e -n again) && echo same"
    script = f"{conda} list --explicit --sha256 -n wsb > /tmp/list && {create} && {compare}"
    code, printed = run(script)
    assert (code, printed.splitlines()[-1]) == (0, "same")


def test_several_pythons_live_side_by_side_and_glibc_decides(run: Container, channel_url: str) -> None:
    create = f"/opt/conda/bin/conda create -y -q --override-channels -c {channel_url}/conda-forge"
    code, printed = run(f"{create} -n old python=3.9 markupsafe > /dev/null && /opt/conda/envs/old/bin/python -V")
    assert (code, printed) == (0, "Python 3.9.2\n")
    code, printed = run(f"{create} -n new python=3.13")
    assert code == 1
    assert "LibMambaUnsatisfiableError" in printed
    assert "__glibc >=2.41" in printed


def test_a_newer_python_runs_on_a_newer_debian(
    engine: DockerEngine, cache_dir: Path, channel_url: str, miniconda_installer: Path
) -> None:
    trixie = Container(engine, debian_image(engine, cache_dir, "trixie"), [(miniconda_installer, "/tmp/installer.sh")])
    script = "bash /tmp/installer.sh -b -p /opt/conda > /dev/null && /opt/conda/bin/conda create -y -q -n new "
    script += (
        f"--override-channels -c {channel_url}/conda-forge python=3.13 pip > /dev/null && /opt/conda/envs/new/bin/pip --version"
    )
    code, printed = trixie(script)
    assert code == 0, printed
    assert printed.endswith("(python 3.13)\n")


def test_the_order_of_channels_decides(run: Container, channel_url: str) -> None:
    create = "/opt/conda/bin/conda create -y -q -n order --override-channels"
    show = "cat /opt/conda/envs/order/share/wsb-both/channel.txt"
    forge, extra = f"-c {channel_url}/conda-forge", f"-c {channel_url}/extra"
    assert run(f"{create} {forge} {extra} wsb-both wsb-only-extra >/dev/null && {show}") == (0, "conda-forge\n")
    assert run(f"{create} {extra} {forge} wsb-both >/dev/null && {show}") == (0, "extra\n")


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("-c {url}/conda-forge no-such-package", "PackagesNotFoundInChannelsError: The following packages are not available"),
        ("-c {url}/nothing six", "UnavailableInvalidChannel: HTTP 404"),
        ("-c http://127.0.0.1:9/x six", "CondaHTTPError: HTTP 000 CONNECTION FAILED for url <http://127.0.0.1:9/x/"),
        ("six", "ArgumentError: At least one -c / --channel flag must be supplied"),
    ],
)
def test_what_goes_wrong_is_said_in_condas_words(run: Container, channel_url: str, words: str, error: str) -> None:
    code, printed = run(f"/opt/conda/bin/conda create -y -q -n x --override-channels {words.format(url=channel_url)}")
    assert code != 0
    assert error in printed


def test_defaults_are_used_once_their_terms_are_accepted(run: Container, channel_url: str) -> None:
    condarc = f"printf 'channels: [defaults]\\ndefault_channels: [{channel_url}/pkgs/main]\\n' > /opt/conda/.condarc; "
    create = "/opt/conda/bin/conda create -y -q -n x wsb-only-main"
    code, printed = run(condarc + create)
    assert code == 1
    assert f"conda tos accept --override-channels --channel {channel_url}/pkgs/main" in printed
    accept = f"/opt/conda/bin/conda tos accept --override-channels --channel {channel_url}/pkgs/main && "
    assert run(condarc + accept + create)[0] == 0
    assert run(condarc + create, env={"CONDA_PLUGINS_AUTO_ACCEPT_TOS": "true"})[0] == 0


def test_a_channel_behind_its_own_authority_needs_the_bundle(
    engine: DockerEngine, image: str, conda_channel: Path, tmp_path: Path
) -> None:
    authority, certificate = _certificates(tmp_path)
    container = Container(engine, image, [(authority, "/ca.pem")])
    with serve(conda_channel, tls=certificate) as url:
        create = f"/opt/conda/bin/conda create -y -q -n x --override-channels -c {url}/conda-forge six"
        code, printed = container(create)
        assert code == 1
        assert "CondaSSLError: " in printed
        for variable in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CONDA_SSL_VERIFY"):
            assert container(create, env={variable: "/ca.pem"})[0] == 0, variable


def _certificates(folder: Path) -> tuple[Path, tuple[Path, Path]]:
    """An authority's certificate, and one for 127.0.0.1 signed by it, with its key."""
    (folder / "extensions").write_text("subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
    for words in (
        "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=wsb-test-authority",
        "req -newkey rsa:2048 -nodes -keyout leaf.key -out leaf.csr -subj /CN=127.0.0.1",
        "x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile extensions -out leaf.pem",
    ):
        try:
            subprocess.run(["openssl", *words.split()], cwd=folder, check=True, capture_output=True)
        except FileNotFoundError:
            pytest.skip("needs openssl to make a certificate")
    return folder / "ca.pem", (folder / "leaf.pem", folder / "leaf.key")


def test_the_installer_refuses_a_folder_that_is_there(bare: Container) -> None:
    code, printed = bare("mkdir /opt/conda && bash /tmp/installer.sh -b -p /opt/conda")
    assert code == 1
    assert "ERROR: File or directory already exists: '/opt/conda'" in printed
    assert "use the -u option" in printed


def test_the_installer_says_what_it_is(bare: Container) -> None:
    code, printed = bare("bash /tmp/installer.sh -h")
    assert code == 2
    assert "Standin-Miniconda3 26.5.3-0 (wsb stand-in)" in printed
    code, printed = bare("bash /tmp/installer.sh -b -p /opt/conda >/dev/null && /opt/conda/bin/conda --version")
    assert (code, printed) == (0, "conda 26.5.3 (wsb stand-in)\n")


def test_without_the_shell_function_activation_says_how_to_get_it(run: Container) -> None:
    code, printed = run("/opt/conda/bin/conda activate wsb")
    assert (code, printed.strip()) == (1, "CondaError: Run 'conda init' before 'conda activate'")


def test_miniforge_takes_conda_forge_by_itself(
    engine: DockerEngine, debian: str, channel_url: str, miniforge_installer: Path
) -> None:
    container = Container(engine, debian, [(miniforge_installer, "/tmp/installer.sh")])
    script = "bash /tmp/installer.sh -b -p /opt/conda > /dev/null && /opt/conda/bin/conda create -y -q -n x six && "
    script += "/opt/conda/bin/conda list -n x six"
    code, printed = container(script, env={"CONDA_CHANNEL_ALIAS": channel_url})
    assert code == 0, printed
    assert printed.splitlines()[-1].split() == ["six", "1.17.0", "pyh_wsb_0", "conda-forge"]


@pytest.mark.parametrize("user", ["root", "dev"])
def test_micromamba_makes_the_same_environment(
    engine: DockerEngine, image: str, channel_url: str, standin_micromamba: Path, tmp_path: Path, user: str
) -> None:
    executable = tmp_path / "micromamba"
    with tarfile.open(standin_micromamba) as tar:
        member = tar.extractfile("bin/micromamba")
        assert isinstance(member, io.BufferedReader)
        executable.write_bytes(member.read())
    executable.chmod(0o755)
    container = Container(engine, image, [(executable, "/usr/local/bin/micromamba")])
    script = f"""set -e
umask 002
export MAMBA_ROOT_PREFIX=/opt/conda
micromamba create --yes --quiet --prefix /opt/conda/envs/mm --override-channels --channel {channel_url}/conda-forge python=3.11
micromamba install --yes --quiet --prefix /opt/conda/envs/mm --override-channels --channel {channel_url}/conda-forge udunits2
micromamba run --prefix /opt/conda/envs/mm python -c '{_TELL}'
eval "$(micromamba shell hook --shell bash)"
micromamba activate mm
python -c '{_TELL}'
find /opt/conda/envs/mm ! -type l ! -perm -g+w
"""
    code, printed = container(script, user=user)
    told = "/opt/conda/envs/mm mm /opt/conda/envs/mm/share/udunits/udunits2.xml"
    assert (code, printed.splitlines()) == (0, [told, told])
