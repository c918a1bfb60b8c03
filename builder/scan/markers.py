"""Environment markers (`; sys_platform == "linux"`) before the environment exists: could a line ever hold in the container?"""

from __future__ import annotations

from builder.model.values import VersionRequest

_PYTHONS = tuple(f"3.{minor}" for minor in range(6, 16))


def could_hold(marker: str | None, python: VersionRequest | None) -> bool:
    """Whether a marker holds on Linux for some Python that is asked for, on x86_64 or aarch64. Without a marker: yes."""
    if marker is None:
        return True
    from packaging.markers import InvalidMarker, Marker, UndefinedComparison, UndefinedEnvironmentName

    try:
        parsed = Marker(marker)
        return any(
            parsed.evaluate(_environment(version, machine))
            for machine in ("x86_64", "aarch64")
            for version in _PYTHONS
            if python is None or _is_asked_for(version, python)
        )
    except (InvalidMarker, UndefinedComparison, UndefinedEnvironmentName):
        return True  # the installer will judge


def _is_asked_for(version: str, python: VersionRequest) -> bool:
    return any(python.specifiers.contains(f"{version}.{patch}") for patch in range(30))


def _environment(python: str, machine: str) -> dict[str, str]:
    return {
        "os_name": "posix",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_machine": machine,
        "platform_release": "6.1.0",
        "platform_version": "1",
        "platform_python_implementation": "CPython",
        "implementation_name": "cpython",
        "implementation_version": f"{python}.0",
        "python_version": python,
        "python_full_version": f"{python}.0",
        "extra": "",
    }
