"""What to do about a broken link, in the words of each distribution."""

from __future__ import annotations

from typing import Final

from builder.model.machine import Distribution

_REPOSITORY: Final = "with NVIDIA's repository (nvidia.github.io/libnvidia-container)"
_DRIVER: Final = {
    "debian": (
        "with contrib, non-free and non-free-firmware in the apt sources: `sudo apt-get install linux-headers-amd64 "
        "nvidia-driver firmware-misc-nonfree`, then restart"
    ),
    "ubuntu": "`sudo ubuntu-drivers install`, then restart",
    "fedora": (
        "with RPM Fusion's nonfree repository: `sudo dnf install akmod-nvidia xorg-x11-drv-nvidia-cuda`; when "
        "`modinfo -F version nvidia` answers, restart"
    ),
    "rhel": (
        "with EPEL and NVIDIA's repository: `sudo dnf module install nvidia-driver:open-dkms` (RHEL 10: `sudo dnf install "
        "nvidia-open`), then restart"
    ),
    "arch": "`sudo pacman -S nvidia-open nvidia-utils` (cards before Turing: the legacy driver from the AUR), then restart",
    "suse": (
        "with NVIDIA's repository: `sudo zypper install nvidia-open-driver-G06-signed-kmp-default "
        "nvidia-compute-utils-G06`, then restart"
    ),
    "nixos": (
        '`services.xserver.videoDrivers = [ "nvidia" ];` in configuration.nix, `sudo nixos-rebuild switch`, then restart'
    ),
    "other": "install NVIDIA's driver from your distribution's packages, then restart",
}
_TOOLKIT: Final = {
    "debian": f"{_REPOSITORY}: `sudo apt-get install nvidia-container-toolkit`",
    "fedora": f"{_REPOSITORY}: `sudo dnf install nvidia-container-toolkit`",
    "arch": "`sudo pacman -S nvidia-container-toolkit`",
    "suse": f"{_REPOSITORY}: `sudo zypper install nvidia-container-toolkit`",
    "nixos": "`hardware.nvidia-container-toolkit.enable = true;` in configuration.nix, then `sudo nixos-rebuild switch`",
    "other": "install nvidia-container-toolkit (docs.nvidia.com/datacenter/cloud-native/container-toolkit)",
}
_ENGINE: Final = {
    "debian": "`sudo apt-get install docker.io`",
    "fedora": "`sudo dnf install moby-engine` (or docker-ce from Docker's repository)",
    "rhel": "docker-ce from Docker's repository: `sudo dnf install docker-ce`",
    "arch": "`sudo pacman -S docker docker-buildx`",
    "suse": "`sudo zypper install docker`",
    "alpine": "`doas apk add docker`",
    "nixos": "`virtualisation.docker.enable = true;` in configuration.nix",
    "macos": "install Docker Desktop or Colima",
    "other": "install Docker Engine (docs.docker.com/engine/install)",
}
_START: Final = {
    "alpine": "`doas rc-service docker start`",
    "macos": "start Docker Desktop, or `colima start`",
    "other": "`sudo systemctl start docker` (rootless: `systemctl --user start docker`)",
}
_CERTIFICATES: Final = {
    "debian": "copy it to /usr/local/share/ca-certificates/company.crt and `sudo update-ca-certificates`",
    "fedora": "copy it to /etc/pki/ca-trust/source/anchors/ and `sudo update-ca-trust`",
    "arch": "`sudo trust anchor --store company.pem`",
    "suse": "copy it to /etc/pki/trust/anchors/ and `sudo update-ca-certificates`",
    "macos": "add it to the System keychain and trust it",
    "other": "add it to the system's certificate authorities",
}
_LIKE: Final = {"ubuntu": "debian", "rhel": "fedora"}
_WINDOWS_DRIVER: Final = (
    "update the NVIDIA driver in Windows, then `wsl --update` and `wsl --shutdown` in PowerShell; install none inside WSL"
)
_SECURE_BOOT: Final = (
    "; `dmesg | grep -i nvidia` says why when it does not load: with Secure Boot the module must be signed "
    "(`mokutil --sb-state`), after an update of the kernel it must be built again (`sudo dkms autoinstall`)"
)


def install_driver(distribution: Distribution, *, is_wsl: bool = False) -> str:
    return _WINDOWS_DRIVER if is_wsl else _said(_DRIVER, distribution)


def load_driver(distribution: Distribution) -> str:
    return f"`sudo modprobe nvidia`, or restart; not installed? {_said(_DRIVER, distribution)}{_SECURE_BOOT}"


def install_toolkit(distribution: Distribution) -> str:
    register = f"then `sudo nvidia-ctk runtime configure --runtime=docker` and {restart(distribution)}"
    return f"{_said(_TOOLKIT, distribution)}, {register}"


def restart(distribution: Distribution) -> str:
    return "`sudo systemctl restart docker`" if distribution.family not in ("alpine", "macos") else "restart the engine"


def install_engine(distribution: Distribution, *, is_wsl: bool = False) -> str:
    desktop = "Docker Desktop in Windows with its WSL integration switched on, or " if is_wsl else ""
    return desktop + _said(_ENGINE, distribution)


def start_engine(distribution: Distribution, *, is_wsl: bool = False) -> str:
    if is_wsl:
        return "start Docker Desktop in Windows; for an engine inside WSL `sudo service docker start`"
    return _said(_START, distribution)


def trust(distribution: Distribution) -> str:
    return f"`sources: {{ca: /path/of/company-ca.pem}}` in wsb.yaml; for the whole machine {_said(_CERTIFICATES, distribution)}"


def _said(words: dict[str, str], distribution: Distribution) -> str:
    family = distribution.family
    return words.get(family) or words.get(_LIKE.get(family, "")) or words["other"]
