"""Errors under conda's names, so that what is printed reads like conda's own."""

from __future__ import annotations

import os


class CondaError(Exception):
    """A message for standard error; the class's name is printed before it, as conda does."""

    exit_code = 1

    @property
    def title(self) -> str:
        return type(self).__name__


class StandinDoesNotKnow(CondaError):
    """Something that real conda may know and this stand-in does not."""

    exit_code = 2

    def __init__(self, what: str) -> None:
        super().__init__(f"stand-in conda does not know {what}")


class ArgumentError(CondaError):
    exit_code = 2


class CondaValueError(CondaError):
    pass


class CondaKeyError(CondaError):
    def __init__(self, key: str, message: str) -> None:
        super().__init__(f"'{key}': {message}")


class CondaSystemExit(CondaError):
    exit_code = 0


class DryRunExit(CondaError):
    exit_code = 0

    def __init__(self) -> None:
        super().__init__("Dry run. Exiting.")


class EnvironmentLocationNotFound(CondaError):
    def __init__(self, prefix: object) -> None:
        super().__init__(f"Not a conda environment: {prefix}")


class EnvironmentNameNotFound(CondaError):
    def __init__(self, name: str) -> None:
        super().__init__(
            f"Could not find conda environment: {name}\nYou can list all discoverable environments with `conda info --envs`."
        )


class DirectoryNotACondaEnvironmentError(CondaError):
    def __init__(self, prefix: object) -> None:
        super().__init__(
            "The target directory exists, but it is not a conda environment.\n"
            "Use 'conda create' to convert the directory to a conda environment.\n"
            f"  target directory: {prefix}"
        )


class EnvironmentNotWritableError(CondaError):
    def __init__(self, prefix: object) -> None:
        super().__init__(
            "The current user does not have write permissions to the target environment.\n"
            f"  environment location: {prefix}\n  uid: {os.geteuid()}\n  gid: {os.getegid()}"
        )


class EnvironmentIsFrozenError(CondaError):
    def __init__(self, prefix: object, reason: str) -> None:
        told = f"Reason:\n\n    {reason}\n\n" if reason else ""
        super().__init__(
            f"Cannot modify '{prefix}'. The environment is marked as frozen. {told}"
            "You can bypass these protections with the `--override-frozen` flag, at your own risk."
        )


class NoWritablePkgsDirError(CondaError):
    def __init__(self, folders: list[str]) -> None:
        super().__init__("No writeable pkgs directories configured." + "".join(f"\n  - {folder}" for folder in folders))


class PackagesNotFoundInChannelsError(CondaError):
    def __init__(self, specs: list[str], channels: list[str]) -> None:
        super().__init__(
            "The following packages are not available from current channels:\n"
            + "".join(f"\n  - {spec}" for spec in specs)
            + "\n\nCurrent channels:\n"
            + "".join(f"\n  - {channel}" for channel in channels)
            + "\n\nTo search for alternate channels that may provide the conda package you're\n"
            "looking for, navigate to\n\n    https://anaconda.org\n\n"
            "and use the search bar at the top of the page."
        )


class PackagesNotFoundInPrefixError(CondaError):
    def __init__(self, specs: list[str], prefix: object) -> None:
        super().__init__(
            f"The following packages are missing from the target environment:\n  prefix: {prefix}"
            + "".join(f"\n  - {spec}" for spec in specs)
        )


class NoChannelsConfiguredError(CondaError):
    def __init__(self, specs: list[str]) -> None:
        super().__init__(
            "No channels are configured. Conda requires at least one channel to search for packages.\n\n"
            f"You have attempted to install: {', '.join(specs)}"
        )


class LibMambaUnsatisfiableError(CondaError):
    """The solver's own explanation; real conda's is worded by libmamba, this one by rattler."""

    def __init__(self, explanation: str) -> None:
        super().__init__(f"Encountered problems while solving:\n{explanation}")


class CondaHTTPError(CondaError):
    def __init__(self, url: str, status: str = "000 CONNECTION FAILED", cause: str = "") -> None:
        told = f"\n{cause}" if cause else ""
        super().__init__(
            f"HTTP {status} for url <{url}>\nElapsed: -\n\n"
            "An HTTP error occurred when trying to retrieve this URL.\n"
            f"HTTP errors are often intermittent, and a simple retry will get you on your way.\n'{url}'{told}"
        )


class CondaSSLError(CondaError):
    def __init__(self, url: str, cause: str) -> None:
        super().__init__(
            f"Encountered an SSL error. Most likely a certificate verification issue.\n\nException: {cause}\n{url}"
        )


class UnavailableInvalidChannel(CondaError):
    def __init__(self, name: str, url: str, status: str) -> None:
        super().__init__(
            f"HTTP {status} for channel {name} <{url}>\n\n"
            "The channel is not accessible or is invalid.\n\n"
            "You will need to adjust your conda configuration to proceed.\n"
            "Use `conda config --show channels` to view your configuration's current state,\n"
            "and use `conda config --show-sources` to view config file locations."
        )


class CondaEnvException(CondaError):
    pass


class EnvironmentFileNotFound(CondaEnvException):
    def __init__(self, name: str) -> None:
        super().__init__(f"'{name}' file not found")


class ChecksumMismatchError(CondaError):
    pass


class _TermsError(CondaError):
    _what: str

    def __init__(self, urls: list[str]) -> None:
        super().__init__(
            f"{self._what}\n"
            + "\n".join(f"    - {url}" for url in urls)
            + "\n\nTo accept these channels' Terms of Service, run the following commands:\n"
            + "\n".join(f"    conda tos accept --override-channels --channel {url}" for url in urls)
            + "\n\nFor information on safely removing channels from your conda configuration,\n"
            "please see the official documentation:\n\n"
            "    https://www.anaconda.com/docs/tools/working-with-conda/channels"
        )


class CondaToSNonInteractiveError(_TermsError):
    _what = (
        "Terms of Service have not been accepted for the following channels. Please accept or remove them before proceeding:"
    )


class CondaToSRejectedError(_TermsError):
    _what = "Terms of Service has been rejected for the following channels. Please remove or accept them before proceeding:"
