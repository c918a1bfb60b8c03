"""Nothing runs: the error that says why, what exists instead, and the nearest thing that works."""

from __future__ import annotations

import re
from dataclasses import replace

from packaging.version import Version

from builder.errors import WsbError
from builder.model.values import DriverVersion, Located, Location, Variant
from builder.resolve.choice import Choice, Refusal, Search, companion_version
from builder.resolve.given import admits_python, listed
from builder.resolve.releases import admitted
from builder.resolve.target import Target, short


def refused(search: Search, refusals: tuple[Refusal, ...]) -> WsbError:
    """The error for a request that no build satisfies. refusals: of every release that the request admits, newest first."""
    first = _most_telling(refusals)
    match first.kind:
        case "platform":
            return _error(search, first, "platform-not-supported", first.because, _torch_where(search))
        case "glibc":
            hint = f"take a newer base, such as {search.given.catalog.default_base} or ubuntu:22.04"
            return _error(search, first, "glibc-too-old", first.because, search.ground.where, hint)
        case "python" | "companion":
            return _python_error(search, first)
        case "variant":
            return _variant_error(search, first)
        case "driver":
            return _driver_error(search, first)
        case "gpu":
            return _gpu_error(search, first)


def _most_telling(refusals: tuple[Refusal, ...]) -> Refusal:
    """The refusal nearest to running: one for a driver, then a GPU, a build, a Python; the newest of its kind."""
    for kind in ("driver", "gpu", "variant", "glibc", "companion", "python"):
        for refusal in refusals:
            if refusal.kind == kind:
                return refusal
    return refusals[0]


def nearest(search: Search, refusal: Refusal) -> list[str]:
    """What would run here: the first release after the one refused, and the newest of all, as steps to take."""
    working = search.all_among(admitted(search.given, None))
    if not working:
        return _without_the_name(search) or _with_another_python(search) or _on_the_processor(search)
    newest = working[0]
    later = [choice for choice in working if choice.release.version > refusal.release.version]
    hints = []
    if later and later[-1] is not newest:
        hints.append(f'{_exact(later[-1])} is the first that runs here: set `torch: "{later[-1].release.version}"`')
    hints.append(f'{_exact(newest)} is the newest that runs here: set `torch: "{newest.release.version}"`')
    return hints


def _without_the_name(search: Search) -> list[str]:
    """Where a build is named that runs here in no release: what runs when none is named."""
    named = search.target.named
    if named is None:
        return []
    free = replace(search, target=replace(search.target, named=None))
    asked = search.wants.torch.value if search.wants.torch else None
    same = free.among(admitted(search.given, asked))
    found = same if isinstance(same, Choice) else free.among(admitted(search.given, None))
    if not isinstance(found, Choice):
        return []
    also = "" if found is same else f' with `torch: "{found.release.version}"`'
    return [f"{_exact(found)} runs here: leave {named.value} out, or set `accelerator: {found.build.variant}`{also}"]


def _with_another_python(search: Search) -> list[str]:
    """Where no torch runs here with the Python that is asked for: the nearest that does, with the Python nearest to it."""
    asked = search.wants.python
    if asked is None:
        return []
    free = replace(search, wants=replace(search.wants, python=None))
    working = free.all_among(admitted(search.given, None))
    if not working:
        return []
    numbers = [match[0] for one in asked.value.specifiers if (match := re.match(r"\d+(\.\d+)*", one.version))]
    is_future = bool(numbers) and min(map(Version, numbers)) > Version(working[0].pythons[-1])
    near, python = (working[0], working[0].pythons[-1]) if is_future else (working[-1], working[-1].pythons[0])
    does = f"with Python {asked.value} ({asked.where}) no torch runs here; {_exact(near)} does"
    return [f'{does}: set `torch: "{near.release.version}"` and `python: "{python}"`']


def _on_the_processor(search: Search) -> list[str]:
    """What is left where no release computes on this card: the same torch without it."""
    if search.target.kind == "cpu":
        return []
    kept = Target(kind="cpu", os=search.target.os)
    asked = search.wants.torch.value if search.wants.torch else None
    found = replace(search, target=kept).among(admitted(search.given, asked))
    if not isinstance(found, Choice):
        return []
    what = search.target.gpu_names or "this GPU"
    return [f"no torch computes on the {what} here; `accelerator: cpu` runs {_exact(found)} on the processor"]


def _exact(choice: Choice) -> str:
    return f"torch {choice.build.local}"


def _builds(refusal: Refusal) -> tuple[str, ...]:
    return tuple(f"{build.local}: {because}" for build, because in refusal.builds)


def _error(search: Search, refusal: Refusal, code: str, message: str, where: Location | None, *first_hints: str) -> WsbError:
    return WsbError(
        code,
        message,
        where or search.given.spec.where,
        hints=(*first_hints, *nearest(search, refusal)),
        details=_builds(refusal),
    )


def _driver_error(search: Search, refusal: Refusal) -> WsbError:
    target, catalog = search.target, search.given.catalog
    floors = [catalog.driver_floor(build.variant, target.os) for build, why in refusal.builds if "driver" in why]
    floor = max(filter(None, (min((one for one in floors if one is not None), default=None), *_first_drivers(search))))
    machine = "the Windows driver of this machine" if target.os == "windows" else "this machine's driver"
    message = f"torch {refusal.release.version} needs NVIDIA driver {floor} or newer; {machine} is {target.driver}"
    hints = [f"install NVIDIA driver {floor} or newer on the machine itself (not in the container)"]
    hints += _jetson(search)
    if target.gpus and all((model := catalog.gpu(gpu.name)) and model.is_data_center for gpu in target.gpus):
        hints.append(
            "on data-centre cards NVIDIA's cuda-compat package can lift this limit: "
            "take a `base:` of nvidia/cuda with that CUDA, which carries it"
        )
    hints += _unadvertised(search, refusal)
    return _error(search, refusal, "driver-too-old", message, _build_where(search), *hints)


def _first_drivers(search: Search) -> list[DriverVersion]:
    """The first driver that knows each card, where it is newer than the one that is there: no older one would do."""
    catalog, target = search.given.catalog, search.target
    rows = [catalog.architecture(gpu.compute_capability) for gpu in target.gpus if gpu.compute_capability]
    first = [catalog.toolkit_driver(row.first_cuda, target.os) for row in rows if row is not None]
    return [one for one in first if one is not None and target.driver is not None and target.driver < one]


def _jetson(search: Search) -> list[str]:
    """What to do on a board whose GPU shares memory with its processor, for which PyPI's wheels hold no code."""
    boards = [model for gpu in search.target.gpus if (model := search.given.catalog.gpu(gpu.name)) and model.is_integrated]
    if not boards:
        return []
    return [
        f"for the {boards[0].name} NVIDIA makes wheels and images of its own (its Jetson pages): name such an image as `base:`"
    ]


def _gpu_error(search: Search, refusal: Refusal) -> WsbError:
    target = search.target
    capabilities = {str(gpu.compute_capability) for gpu in target.gpus}
    if len(capabilities) > 1:
        named = listed(f"the {short(gpu.name)} (compute capability {gpu.compute_capability})" for gpu in target.gpus)
        message = f"no build of torch {refusal.release.version} has machine code for all of {named}"
        return _error(search, refusal, "gpu-not-supported", message, _build_where(search), *_one_card_each(search))
    message = (
        f"torch {refusal.release.version} has no build with machine code for the {target.gpu_names} "
        f"(compute capability {listed(sorted(capabilities))}, NVIDIA's number for its generation)"
    )
    hints = _unadvertised(search, refusal) + _jetson(search)
    return _error(search, refusal, "gpu-not-supported", message, _build_where(search), *hints)


def _one_card_each(search: Search) -> list[str]:
    """For several cards that no build serves together: a build for each, to choose by."""
    hints = []
    asked = search.wants.torch.value if search.wants.torch else None
    for gpu in {gpu.compute_capability: gpu for gpu in search.target.gpus}.values():
        alone = replace(search, target=replace(search.target, gpus=(gpu,)))
        found = alone.among(admitted(search.given, asked))
        if isinstance(found, Choice):
            hints.append(
                f"`accelerator: {found.build.variant}` runs the {short(gpu.name)} ({_exact(found)}) and leaves the others out"
            )
    return hints


def _unadvertised(search: Search, refusal: Refusal) -> list[str]:
    """A build that exists without being advertised and would run, named so that one can take it."""
    if search.target.named is not None:
        return []
    hints = []
    for variant in refusal.release.unadvertised:
        if _runs(search, refusal, variant):
            hints.append(f"torch {refusal.release.version}+{variant} exists without being advertised: `accelerator: {variant}`")
    return hints


def _runs(search: Search, refusal: Refusal, variant: Variant) -> bool:
    """Whether this build of the refused release runs here when it is named."""
    named = replace(search.target, named=Located(variant, search.given.spec.where))
    return isinstance(replace(search, target=named).of(refusal.release), Choice)


def _python_error(search: Search, refusal: Refusal) -> WsbError:
    given, wants = search.given, search.wants
    asked = wants.python.value if wants.python else None
    offered = refusal.release.python_of(given.wheels)
    where = wants.python.where if wants.python else (search.ground.where or _torch_where(search))
    if refusal.kind == "companion":
        message = refusal.because
    elif asked is not None and not any(admits_python(asked, python) for python in offered):
        message = f"torch {refusal.release.version} has no wheel for Python {asked} on {given.platform}"
    else:
        message = refusal.because
    hints = []
    if refusal.kind == "companion":
        fits = _companion_pythons(search, refusal)
        if fits:
            hints.append(f'all of them have wheels for Python {listed(fits)}: set `python: "{fits[-1]}"`')
    elif offered:
        free = replace(search, wants=replace(wants, python=None)).of(refusal.release)
        step = f': set `python: "{free.pythons[-1]}"`' if isinstance(free, Choice) else ""
        hints.append(f"torch {refusal.release.version} is built for Python {listed(offered)}{step}")
    first = _first_with_python(search)
    if first is not None and Version(first) > refusal.release.version:
        release = given.catalog.release(first)
        step = f': set `torch: "{first}"`' if release and isinstance(search.of(release), Choice) else ""
        hints.append(f"torch {first} is the first with Python {asked}{step}")
    if search.ground.pythons is not None:
        hints.append("with `manager: miniconda` the environment has a Python of its own, independent of the base")
    return WsbError("python-not-supported", message, where or given.spec.where, hints=hints + nearest(search, refusal))


def _companion_pythons(search: Search, refusal: Refusal) -> list[str]:
    given = search.given
    rows = [
        given.catalog.companion(package, companion_version(given, search.wants, refusal.release, package))
        for package in search.wants.companions
    ]
    return [
        python
        for python in refusal.release.python_of(given.wheels)
        if all(row is None or row.has_python(given.wheels, python) for row in rows)
    ]


def _first_with_python(search: Search) -> str | None:
    """The oldest release with a wheel for the Python that is asked for."""
    asked = search.wants.python
    if asked is None:
        return None
    for release in reversed(admitted(search.given, None)):
        if any(admits_python(asked.value, python) for python in release.python_of(search.given.wheels)):
            return str(release.version)
    return None


def _variant_error(search: Search, refusal: Refusal) -> WsbError:
    given, target = search.given, search.target
    release = refusal.release
    advertised = [build.variant for build in given.catalog.builds(release, given.wheels)]
    kind = "gpu-not-supported" if target.gpus and target.named is None else "no-such-torch"
    if target.named is not None:
        wanted = (
            f"build {target.named.value}" if target.named.value.cuda is None else f"build for CUDA {target.named.value.cuda}"
        )
    else:
        wanted = {"cuda": "CUDA build", "rocm": "ROCm build", "xpu": "build for Intel GPUs", "cpu": "CPU build"}[target.kind]
    message = f"torch {release.version} has no {wanted} for {given.platform}"
    details = (f"torch {release.version} is built for: {listed(advertised)}",) if advertised else ()
    hints = []
    if target.named is not None:
        others = [variant for variant in advertised if variant.cuda and _runs(search, refusal, variant)]
        hints += [f'set `accelerator: "{variant.cuda}"`, which this torch is built for' for variant in others[-1:]]
    if target.kind in ("rocm", "xpu") and given.platform != "linux/amd64":
        hints.append("such builds exist for x86-64 processors (linux/amd64) only; `accelerator: cpu` runs here")
    error = _error(search, refusal, kind, message, _build_where(search), *hints)
    return WsbError(error.code, error.message, error.where, hints=error.hints, details=details)


def _torch_where(search: Search) -> Location | None:
    return search.wants.torch.where if search.wants.torch else None


def _build_where(search: Search) -> Location | None:
    if search.target.named is not None:
        return search.target.named.where
    accelerator = search.given.spec.accelerator
    return _torch_where(search) or (accelerator.where if accelerator else None)
