"""Queries over drivers and GPUs: what a driver runs, what a card needs, which code runs on which card."""

from __future__ import annotations

import re
from functools import cached_property

from builder.catalog.rows import Architecture, GpuModel, MachineCode, Toolkit
from builder.catalog.tables import Tables
from builder.model.host import OperatingSystem
from builder.model.values import ComputeCapability, CudaVersion, DriverVersion, Variant


class HardwareTable:
    """Drivers, toolkits, GPUs and architectures. Part of the Catalog."""

    tables: Tables

    def driver_floor(self, variant: Variant, os: OperatingSystem) -> DriverVersion | None:
        """The oldest driver that runs a torch build of this CUDA; None when the CUDA is newer than the table.

        os: windows means WSL, where the driver of the Windows host counts.
        Source: data/cuda.json, from NVIDIA's CUDA release notes; one CUDA major from 11 on shares a floor.
        """
        column = "windows" if os == "windows" else "linux"
        for row in self.tables.rows("cuda", "floors"):
            if row["variant"] == variant.name:
                return DriverVersion.parse(row[column])
        for row in self.tables.rows("cuda", "families"):
            if variant.cuda and str(variant.cuda.major) == row["cuda"]:
                return DriverVersion.parse(row[column])
        return None

    @cached_property
    def toolkits(self) -> tuple[Toolkit, ...]:
        """CUDA toolkits with the driver each came with, newest first."""
        return tuple(
            Toolkit(
                cuda=CudaVersion.parse(row["cuda"]),
                update=row["update"],
                linux=DriverVersion.parse(row["linux"]),
                windows=DriverVersion.parse(row["windows"]) if "windows" in row else None,
                unverified=row.get("unverified"),
            )
            for row in self.tables.rows("cuda", "toolkits")
        )

    def driver_cuda(self, driver: DriverVersion, os: OperatingSystem) -> CudaVersion | None:
        """The CUDA a driver itself has, as nvidia-smi shows it; None for one older than the table.

        A newer driver with an unknown Windows number counts by its Linux branch.
        """
        for toolkit in sorted(self.toolkits, key=lambda row: (row.cuda, -row.update), reverse=True):
            least = self.toolkit_driver(toolkit.cuda, os)
            if least is not None and least <= driver:
                return toolkit.cuda
        return None

    def toolkit_driver(self, cuda: CudaVersion, os: OperatingSystem) -> DriverVersion | None:
        """The driver branch that came with the first release of a toolkit.

        Only the branch counts: 550.40 already reports CUDA 12.4 although 12.4 was released with 550.54.14.
        """
        found = [row for row in self.toolkits if row.cuda == cuda]
        if not found:
            return None
        first = min(found, key=lambda row: row.update)
        exact = first.windows if os == "windows" and first.windows else first.linux
        return DriverVersion((exact.parts[0],), str(exact.parts[0])) if exact.parts[0] >= 450 else exact

    @cached_property
    def gpus(self) -> tuple[GpuModel, ...]:
        """GPUs by name, newest architecture first."""
        return tuple(
            GpuModel(
                name=row["gpu"],
                compute_capability=ComputeCapability.parse(row["compute_capability"]),
                is_data_center=row.get("data_center", False),
                is_integrated=row.get("integrated", False),
                unverified=row.get("unverified"),
            )
            for row in self.tables.rows("gpus")
        )

    def gpu(self, name: str) -> GpuModel | None:
        """The GPU that a name such as "NVIDIA GeForce RTX 3090", "rtx3090" or "3090" means; the longest known name wins.

        None for an unknown name, and for one that stands for GPUs of several kinds ("RTX 6000").
        """
        spoken = _tokens(name)
        found = [(length, model) for model in self.gpus if (length := _named_part(_tokens(model.name), spoken))]
        if found:
            return max(found, key=lambda pair: pair[0])[1]
        within = [model for model in self.gpus if spoken and _contains(_tokens(model.name), spoken)]
        if len({model.compute_capability for model in within}) == 1:
            return min(within, key=lambda model: len(model.name))
        return None

    def gpus_called(self, name: str) -> tuple[GpuModel, ...]:
        """Every GPU whose name holds these words; several kinds for a name such as "RTX 6000"."""
        spoken = _tokens(name)
        return tuple(model for model in self.gpus if spoken and _holds(_tokens(model.name), spoken))

    def similar_gpus(self, name: str) -> tuple[str, ...]:
        """Known names that look like this one."""
        import difflib  # only errors need it

        names = {model.name.lower(): model.name for model in self.gpus}
        wanted = name.lower().removeprefix("nvidia ").strip()
        return tuple(names[found] for found in difflib.get_close_matches(wanted, names, n=3, cutoff=0.5))

    @cached_property
    def architectures(self) -> tuple[Architecture, ...]:
        return tuple(
            Architecture(
                name=row["architecture"],
                compute_capabilities=tuple(ComputeCapability.parse(cc) for cc in row["compute_capability"]),
                first_cuda=CudaVersion.parse(row["first_cuda"]),
                last_cuda=CudaVersion.parse(row["last_cuda"]) if "last_cuda" in row else None,
                last_driver=row.get("last_driver"),
            )
            for row in self.tables.rows("gpus", "architectures")
        )

    def architecture(self, capability: ComputeCapability) -> Architecture | None:
        return next((row for row in self.architectures if capability in row.compute_capabilities), None)

    def runs(self, code: MachineCode, capability: ComputeCapability, cuda: CudaVersion | None) -> bool:
        """Whether a GPU of this compute capability runs this machine code, as it is or compiled forward from PTX.

        Code runs on its own major and the same or a later minor; chips that share memory with their CPU run only code
        made for them. Source: data/gpus.json, own_code_only.
        """
        if any(self._fits(target, capability, cuda) for target in code.sm):
            return True
        return any(target <= capability for target in code.ptx)

    def _fits(self, target: ComputeCapability, capability: ComputeCapability, cuda: CudaVersion | None) -> bool:
        rule = self.tables["gpus"]["own_code_only"]
        device = str(capability)
        since = rule["shared_since"].get(device)
        shares = since is not None and cuda is not None and cuda >= CudaVersion.parse(since)
        if device in rule["compute_capability"] and not shares:
            return str(target) in (device, rule["same_as"].get(device))
        return target.major == capability.major and target.minor <= capability.minor


def _tokens(name: str) -> list[str]:
    spaced = re.sub(r"\b(rtx|gtx|gt)(?=\d)", r"\1 ", re.sub(r"[^a-z0-9]+", " ", name.lower()))
    return [word for word in spaced.split() if word not in ("nvidia", "geforce", "tesla")]


def _named_part(known: list[str], spoken: list[str]) -> int:
    """How many words of a known name stand in what was said; 0 when it is not named."""
    return len(known) if _contains(spoken, known) else 0


def _holds(words: list[str], spoken: list[str]) -> bool:
    """Whether all words occur, in their order: "rtx 6000" in "rtx pro 6000 blackwell"."""
    rest = iter(words)
    return all(word in rest for word in spoken)


def _contains(words: list[str], part: list[str]) -> bool:
    return any(words[at : at + len(part)] == part for at in range(len(words) - len(part) + 1))
