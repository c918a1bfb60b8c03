"""Packages that exist for Windows or macOS only. The container is always Linux, whatever the project was exported on.

Source: file lists of the packages on anaconda.org and PyPI; the names are those that exports of other systems carry.
"""

from __future__ import annotations

_WINDOWS = frozenset(
    {"vc", "vc14_runtime", "vs2015_runtime", "vs2015_win-64", "vs2017_win-64", "vs2019_win-64", "vs2022_win-64", "vcomp14"}
    | {"ucrt", "icc_rt", "msys2-conda-epoch", "pywin32", "pywin32-ctypes", "pypiwin32", "pywinpty", "winpty"}
    | {"win-inet-pton", "win_inet_pton", "wincertstore", "menuinst", "console_shortcut", "console_shortcut_miniconda"}
    | {"powershell_shortcut", "powershell_shortcut_miniconda", "wmi", "windows-curses", "windows-gsl", "pygrabber"}
    | {"win-unicode-console", "comtypes", "pycaw", "triton-windows", "tensorflow-intel", "libwinpthread"}
)
_MACOS = frozenset(
    {"appnope", "tensorflow-macos", "tensorflow-metal", "libcxxabi", "macfsevents", "cctools", "ld64", "clang_osx-64"}
    | {"clangxx_osx-64"}
)


def other_system_of(name: str) -> str | None:
    """ "Windows" or "macOS" for a package that exists only there; None for all others."""
    if name in _WINDOWS or name.startswith(("m2w64-", "_windows_", "windows_")):
        return "Windows"
    return "macOS" if name in _MACOS or name.startswith("pyobjc") else None
