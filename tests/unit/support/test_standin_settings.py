"""What the stand-in conda reads: condarc files, variables, environment files, channel names, terms of service."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.http_server import serve
from tests.support.standin_conda.program import envfile, settings, terms, web
from tests.support.standin_conda.program.errors import (
    CondaHTTPError,
    CondaKeyError,
    CondaToSNonInteractiveError,
    CondaToSRejectedError,
    StandinDoesNotKnow,
    UnavailableInvalidChannel,
)
from tests.support.standin_conda.program.settings import Settings


def _load(tmp_path: Path, condarc: str = "", home: str = "", **variables: str) -> Settings:
    (tmp_path / "root").mkdir(exist_ok=True)
    (tmp_path / "home").mkdir(exist_ok=True)
    (tmp_path / "root" / ".condarc").write_text(condarc)
    (tmp_path / "home" / ".condarc").write_text(home)
    return settings.load(tmp_path / "root", {"HOME": str(tmp_path / "home"), **variables})


def test_lists_of_all_sources_are_joined_the_strongest_first(tmp_path: Path) -> None:
    loaded = _load(tmp_path, "channels: [defaults]\n", "channels: [conda-forge]\n", CONDA_CHANNELS="mine,conda-forge")
    assert loaded["channels"] == ["mine", "conda-forge", "defaults"]


def test_a_variable_outranks_a_file(tmp_path: Path) -> None:
    loaded = _load(tmp_path, "channel_priority: strict\nalways_yes: true\n", CONDA_CHANNEL_PRIORITY="disabled")
    assert loaded["channel_priority"] == "disabled"
    assert loaded["always_yes"] is True


def test_a_plugin_setting_has_its_own_place_and_variable(tmp_path: Path) -> None:
    assert _load(tmp_path, "plugins:\n  auto_accept_tos: true\n")["plugins.auto_accept_tos"] is True
    assert _load(tmp_path, CONDA_PLUGINS_AUTO_ACCEPT_TOS="yes")["plugins.auto_accept_tos"] is True


def test_package_folders_are_split_at_colons(tmp_path: Path) -> None:
    assert _load(tmp_path, CONDA_PKGS_DIRS="/a:/b").pkgs_dirs == [Path("/a"), Path("/b")]


def test_a_real_setting_that_is_not_honoured_is_refused_as_such() -> None:
    with pytest.raises(StandinDoesNotKnow, match="pinned_packages"):
        settings.check_key("pinned_packages")
    with pytest.raises(CondaKeyError, match="unknown parameter"):
        settings.check_key("chanels")


def test_channel_names_become_addresses(tmp_path: Path) -> None:
    loaded = _load(tmp_path, "channel_alias: http://mirror/\ncustom_channels:\n  nvidia: http://other/cloud\n")
    names = ["conda-forge", "nvidia", "https://x/y/", "defaults"]
    assert web.channel_urls(loaded, names) == [
        "http://mirror/conda-forge",
        "http://other/cloud/nvidia",
        "https://x/y",
        "https://repo.anaconda.com/pkgs/main",
        "https://repo.anaconda.com/pkgs/r",
    ]


def test_a_folder_that_is_no_channel_is_told_from_a_server_that_is_not_there(tmp_path: Path) -> None:
    loaded = _load(tmp_path)
    with serve(tmp_path) as url:
        with pytest.raises(UnavailableInvalidChannel, match="HTTP 404"):
            web.look_at(loaded, [f"{url}/nothing"], "linux-64")
        gone = url
    with pytest.raises(CondaHTTPError, match="000 CONNECTION FAILED"):
        web.look_at(loaded, [gone], "linux-64")


def test_the_default_channels_are_not_used_before_their_terms_are_accepted(tmp_path: Path) -> None:
    loaded = _load(tmp_path)
    urls = web.channel_urls(loaded, ["defaults"])
    with pytest.raises(CondaToSNonInteractiveError) as refused:
        terms.check(loaded, urls, always_yes=True)
    assert "conda tos accept --override-channels --channel https://repo.anaconda.com/pkgs/main" in str(refused.value)
    for url in urls:
        terms.note(url, {"version": 1}, terms.roots(loaded)[4], accepted=True)
    terms.check(loaded, urls, always_yes=True)


def test_rejected_terms_stay_rejected(tmp_path: Path) -> None:
    loaded = _load(tmp_path, CONDA_PLUGINS_AUTO_ACCEPT_TOS="true")
    terms.note("https://repo.anaconda.com/pkgs/r", {"version": 1}, terms.roots(loaded)[4], accepted=False)
    with pytest.raises(CondaToSRejectedError):
        terms.check(loaded, ["https://repo.anaconda.com/pkgs/r"], always_yes=True)


def test_a_mirror_of_the_default_channels_has_terms_where_it_serves_them(tmp_path: Path) -> None:
    loaded = _load(tmp_path)
    (tmp_path / "main").mkdir()
    (tmp_path / "main" / "tos.json").write_text('{"version": 3, "text": "t", "support": "s"}')
    with serve(tmp_path) as url:
        assert terms.terms_of(loaded, f"{url}/main") == {"version": 3, "text": "t", "support": "s"}
        assert terms.terms_of(loaded, f"{url}/other") is None


def test_an_environment_file_is_taken_apart(tmp_path: Path) -> None:
    (tmp_path / "environment.yml").write_text(
        "name: x\nchannels: [conda-forge, nodefaults]\nvariables: {A: 1}\n"
        "dependencies:\n  - python=3.11\n  - pip:\n    - einops\n    - -r more.txt\n"
    )
    found = envfile.read(str(tmp_path / "environment.yml"))
    assert (found.name, found.channels, found.specs) == ("x", ["conda-forge", "nodefaults"], ["python=3.11"])
    assert (found.pip, found.variables) == (["einops", "-r more.txt"], {"A": "1"})


def test_an_explicit_file_holds_addresses_and_a_plain_one_specs(tmp_path: Path) -> None:
    (tmp_path / "explicit.txt").write_text("# made by\n@EXPLICIT\nhttp://x/noarch/a-1-0.conda#abc\n")
    (tmp_path / "packages.txt").write_text("# these\npython=3.11\n\npip\n")
    assert envfile.read(str(tmp_path / "explicit.txt")).explicit == ["http://x/noarch/a-1-0.conda#abc"]
    assert envfile.read(str(tmp_path / "packages.txt")).specs == ["python=3.11", "pip"]
