"""What engines say, in wsb's errors. The sentences are the engines' own, of the versions named beside them."""

from __future__ import annotations

import pytest

from builder.engine import translate
from builder.engine.base import BuildFailed
from builder.engine.stream import Failure
from builder.engine.translate import Seen
from builder.errors import ExitCode

RUN = "[torch 2/3] RUN uv pip install torch"

BASES = [
    # BuildKit in Docker 20.10
    'failed to do request: Head "https://registry-1.docker.io/v2/library/debian/manifests/x": dial tcp: no such host',
    # BuildKit in Docker 23 to 29
    "failed to solve: debian: failed to resolve source metadata for docker.io/library/debian:bookworm: no active sessions",
    "pull access denied for debian, repository does not exist or may require 'docker login': denied: requested access",
    # dockerd's classic builder and its pulls
    'Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io: no such host',
    'Get "https://registry-1.docker.io/v2/": net/http: request canceled while waiting for connection (Client.Timeout exceeded)',
    "manifest for debian:bookwurm not found: manifest unknown: manifest unknown",
    "toomanyrequests: You have reached your pull rate limit.",
    # Podman 4.3
    "creating build container: initializing source docker://debian:bookworm: pinging container registry registry-1.docker.io",
    'short-name "debian" did not resolve to an alias and no unqualified-search registries are defined',
]


@pytest.mark.parametrize("text", BASES)
def test_a_base_that_cannot_be_had_exits_4_and_names_the_flag(text: str) -> None:
    error = translate.build_failure(
        "wsb/mnist", Failure(message=text, step_name="[1/9] FROM docker.io/library/debian:bookworm")
    )
    assert error.code == "base-unreachable"
    assert error.exit_code == ExitCode.ENGINE
    assert "debian" in error.message
    assert any("--fallback" in hint for hint in error.hints)


@pytest.mark.parametrize("text", BASES)
def test_a_pull_that_fails_says_the_same(text: str) -> None:
    assert translate.base_unreachable("debian:bookworm", text).code == "base-unreachable"


def test_the_registry_is_named() -> None:
    assert "from registry-1.docker.io" in translate.base_unreachable("debian", BASES[0]).message
    assert "from ghcr.io" in translate.base_unreachable("ghcr.io/a/b:1", "denied").message
    assert "from docker.io" in translate.base_unreachable("a/b:1", "denied").message
    assert "from localhost:5000" in translate.base_unreachable("localhost:5000/b", "denied").message


def test_a_refused_pull_speaks_of_logging_in_and_an_unreachable_one_does_not() -> None:
    assert any("docker login ghcr.io" in hint for hint in translate.base_unreachable("ghcr.io/a/b", "denied: denied").hints)
    assert not any("login" in hint for hint in translate.base_unreachable("debian", BASES[3]).hints)


def test_a_base_of_another_platform_is_no_such_base() -> None:
    error = translate.base_unreachable("a/b", "no matching manifest for linux/arm64/v8 in the manifest list entries")
    assert error.code == "no-such-base"


def test_a_failed_step_exits_5_with_its_name_code_and_lines() -> None:
    error = translate.build_failure("wsb/mnist", Failure(message="…", step_name=RUN, exit_code=1, output=("a", "b")))
    assert isinstance(error, BuildFailed)
    assert (error.code, error.exit_code) == ("build-failed", ExitCode.BUILD_FAILED)
    assert (error.step_name, error.step_exit_code) == (RUN, 1)
    assert error.message == "a step failed with exit code 1"
    assert error.details == (RUN, "a", "b")


def test_a_failed_step_with_v2_in_its_command_is_no_base() -> None:
    failure = Failure(message='process "curl http://x/v2/" did not complete: exit code: 7', step_name=RUN, exit_code=7)
    assert translate.build_failure("t", failure).code == "build-failed"


def test_a_step_that_prints_nothing_shows_the_engine_s_words() -> None:
    error = translate.build_failure(
        "t", Failure(message="failed to compute cache key: /a not found", step_name="[2/2] COPY a /a")
    )
    assert error.code == "build-failed"
    assert "failed to compute cache key: /a not found" in error.details


def test_a_dockerfile_that_cannot_be_read_fails_before_its_first_step() -> None:
    error = translate.build_failure("t", Failure(message="dockerfile parse error line 2: unknown instruction: RUNN"))
    assert error.code == "build-failed"
    assert error.details == ["dockerfile parse error line 2: unknown instruction: RUNN"]


@pytest.mark.parametrize(
    "failure",
    [
        Failure(message="write /var/lib/docker/tmp/x: no space left on device"),
        Failure(message="exit code: 1", step_name=RUN, exit_code=1, output=("OSError: [Errno 28] No space left on device",)),
        Failure(message="failed to copy: disk quota exceeded", step_name=RUN),
    ],
)
def test_a_full_disk_is_said_whoever_met_it(failure: Failure) -> None:
    error = translate.build_failure("t", failure)
    assert (error.code, error.exit_code) == ("disk-full", ExitCode.ENGINE)
    assert any("wsb prune" in hint for hint in error.hints)


UNREACHABLE = [
    ("curl: (6) Could not resolve host: repo.anaconda.com", "repo.anaconda.com"),
    ("curl: (7) Failed to connect to repo.anaconda.com port 443 after 3 ms: Couldn't connect to server", "repo.anaconda.com"),
    ("fatal: unable to access 'https://github.com/a/b/': Could not resolve host: github.com", "github.com"),
    ("  Could not resolve 'deb.debian.org'", "deb.debian.org"),
    ("  Could not connect to deb.debian.org:80 (151.101.2.132). - connect (111: Connection refused)", "deb.debian.org"),
    ("wget: unable to resolve host address ‘repo.anaconda.com’", "repo.anaconda.com"),
    ("CondaHTTPError: HTTP 000 CONNECTION FAILED for url <https://conda.anaconda.org/conda-forge/x>", "conda.anaconda.org"),
    ("critical libmamba Download error (6) Could not resolve hostname [https://conda.anaconda.org/x]", "conda.anaconda.org"),
    (
        "WARNING: Retrying: HTTPSConnectionPool(host='pypi.org', port=443): Max retries exceeded with url: /simple/",
        "pypi.org",
    ),
    ("  Caused by: error sending request for url (https://download.pytorch.org/whl/cpu/torch/)", "download.pytorch.org"),
]


@pytest.mark.parametrize(("line", "host"), UNREACHABLE)
def test_a_step_that_cannot_reach_a_host_exits_4_and_names_it(line: str, host: str) -> None:
    failure = Failure(message="exit code: 1", step_name=RUN, exit_code=1, output=("before", line, "after"))
    error = translate.build_failure("t", failure)
    assert isinstance(error, BuildFailed)
    assert (error.code, error.exit_code, error.host) == ("source-unreachable", ExitCode.ENGINE, host)
    assert host in error.message
    assert any("--fallback" in hint for hint in error.hints)


def test_an_ordinary_failure_blames_no_host() -> None:
    assert translate.unreachable_host(("error: subprocess-exited-with-error", "https://pypi.org/simple is fine")) == ""


@pytest.mark.parametrize("seen", list(Seen))
def test_an_engine_that_does_not_answer_exits_4_with_all_usual_causes(seen: Seen) -> None:
    error = translate.unreachable("unix:///var/run/docker.sock", seen)
    assert (error.code, error.exit_code) == ("engine-unreachable", ExitCode.ENGINE)
    for word in ("not installed?", "not running?", "no permission?"):
        assert any(hint.startswith(word) for hint in error.hints)


def test_the_cause_that_was_seen_comes_first() -> None:
    assert translate.unreachable("x", Seen.NO_SOCKET).hints[0].startswith("not installed?")
    assert translate.unreachable("x", Seen.REFUSED).hints[0].startswith("not running?")
    assert translate.unreachable("x", Seen.DENIED).hints[0].startswith("no permission?")


def test_another_socket_is_offered_first() -> None:
    error = translate.unreachable("x", Seen.NO_SOCKET, others=["/home/a/.docker/run/docker.sock"])
    assert "DOCKER_HOST=unix:///home/a/.docker/run/docker.sock" in error.hints[0]


def test_an_ssh_engine_without_its_package_names_it() -> None:
    error = translate.unreachable("ssh://gpu", Seen.UNKNOWN, "Install paramiko package to enable ssh:// support")
    assert "docker[ssh]" in error.hints[0]


@pytest.mark.parametrize(
    "text",
    [
        'could not select device driver "" with capabilities: [[gpu]]',
        "CDI device injection failed: unresolvable CDI devices nvidia.com/gpu=all",
        "nvidia-container-cli: initialization error: load library failed: libnvidia-ml.so.1",
        "unknown or invalid runtime name: nvidia",
        "failed to discover GPU vendor from CDI: no known GPU vendor found",
        "AMD CDI spec not found",
    ],
)
def test_a_gpu_that_the_engine_cannot_hand_over_points_to_doctor(text: str) -> None:
    error = translate.refused("running x", text, 500)
    assert error.code == "gpu-refused"
    assert "GPU" in error.message
    assert any("wsb doctor" in hint for hint in error.hints)


@pytest.mark.parametrize(
    ("text", "code", "word"),
    [
        ("No such image: wsb/mnist:latest", "image-missing", "wsb build"),
        ("Bind for 127.0.0.1:8888 failed: port is already allocated", "engine-refused", "ports"),
        ('invalid mount config for type "bind": bind source path does not exist: /x', "engine-refused", "mounts"),
        ("no space left on device", "disk-full", "wsb prune"),
    ],
)
def test_refusals_with_a_known_remedy(text: str, code: str, word: str) -> None:
    error = translate.refused("running x", text, 409)
    assert error.code == code
    assert any(word in hint for hint in error.hints)


def test_any_other_refusal_shows_the_engine_s_words() -> None:
    error = translate.refused("tagging x", "something new", 418)
    assert error.message == "the engine refused while tagging x (HTTP 418)"
    assert error.details == ["something new"]


def test_a_lost_engine_is_one_sentence() -> None:
    error = translate.lost("building wsb/mnist", "Connection reset by peer")
    assert (error.code, error.message) == ("engine-lost", "the engine stopped answering while building wsb/mnist")


def test_an_old_engine_says_what_would_do() -> None:
    error = translate.too_old("1.13", "1.26", "1.40")
    assert error.code == "engine-too-old"
    assert "1.40" in error.details[0]


@pytest.mark.parametrize(
    "text",
    [
        # Docker 26.1 and 27.5 with the containerd image store (moby#47717)
        "failed to read downloaded context: failed to load cache key: dial tcp: lookup build-context-9f86d081: no such host",
        "failed to read downloaded context: failed to load cache key: invalid response status 403",
    ],
)
def test_an_engine_that_loses_the_context_is_too_old_and_another_way_is_named(text: str) -> None:
    error = translate.build_failure("t", Failure(message=text, step_name="[internal] load remote build context"))
    assert (error.code, error.exit_code) == ("engine-too-old", ExitCode.ENGINE)
    assert any("--builder default" in hint for hint in error.hints)
