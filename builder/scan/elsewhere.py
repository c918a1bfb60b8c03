"""Packages that exist for Windows or macOS only. The container is always Linux, whatever the project was exported on.

Source: file lists of the packages on anaconda.org and PyPI; the names are those that exports of other systems carry.
"""

from __future__ import annotations

import re

_WINDOWS = re.compile(
    r"vc|vc14_runtime|vs2015_runtime|vs2015_win-64|vs20(17|19|22)_win-64|vcomp14|ucrt|icc_rt|m2w64-.*|msys2-conda-epoch"
    r"|pywin32|pywin32-ctypes|pypiwin32|pywinpty|winpty|win-inet-pton|win_inet_pton|wincertstore|menuinst|console_shortcut"
    r"|console_shortcut_miniconda|powershell_shortcut|powershell_shortcut_miniconda|wmi|windows-curses|windows-gsl|pygrabber"
    r"|win-unicode-console|comtypes|pycaw|triton-windows|tensorflow-intel|libwinpthread|_windows_.*|windows_.*"
)
_MACOS = re.compile(
    r"appnope|pyobjc.*|tensorflow-macos|tensorflow-metal|libcxxabi|macfsevents|cctools|ld64|clang_osx-64|clangxx_osx-64"
)


def other_system_of(name: str) -> str | None:
    """ "Windows" or "macOS" for a package that exists only there; None for all others."""
    if _WINDOWS.fullmatch(name):
        return "Windows"
    return "macOS" if _MACOS.fullmatch(name) else None
