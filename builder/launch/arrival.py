"""Whether the GPU that was asked for has arrived: looked at inside the container, before the command begins.

An engine may take a request and do nothing (Podman's API does so with --gpus). The command would then run on the processor,
slowly, and nobody would know why. So it is started by a few lines of shell that look for the device files, say what is
missing, and otherwise become the command.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from builder.launch.gpus import ChosenGpus
from builder.model.values import Passthrough

_NVIDIA: Final = "/dev/nvidia[0-9]* /dev/dxg /dev/nvgpu /dev/nvmap"
_LOOKED_FOR: Final = {
    Passthrough.GPUS: _NVIDIA,
    Passthrough.CDI: _NVIDIA,
    Passthrough.RUNTIME: _NVIDIA,
    Passthrough.ROCM: "/dev/kfd /dev/dri/renderD*",
    Passthrough.XPU: "/dev/dri/renderD*",
}
EXIT_CODE: Final = 1

# $1 patterns, $2 how many numbered cards must be there ("" when not known), $3 how they were asked for, then the command
_SCRIPT: Final = r"""
patterns=$1 wanted=$2 way=$3; shift 3
found= cards=0
for file in $patterns; do
  [ -e "$file" ] || continue
  found=$file
  case $file in /dev/nvidia[0-9]*) cards=$((cards + 1)) ;; esac
done
if [ -z "$found" ]; then
  echo "wsb: error: a GPU was asked for ($way) and none is in the container: the engine took the request and ignored it" >&2
  echo "wsb: hint: wsb doctor says which link is missing; --gpus none runs without a GPU" >&2
  exit 1
fi
if [ -n "$wanted" ] && [ "$cards" -gt 0 ] && [ "$cards" -ne "$wanted" ]; then
  echo "wsb: error: $wanted GPUs were asked for ($way) and $cards are in the container" >&2
  exit 1
fi
exec "$@"
"""


def watched(command: Sequence[str], mode: Passthrough, chosen: ChosenGpus) -> tuple[str, ...]:
    """The command, started only where the GPU has arrived; unchanged where none is handed in.

    A device of another kind, asked for by its CDI name, has no files known here: the engine refuses what it does not know.
    """
    patterns = _LOOKED_FOR.get(mode)
    if patterns is None or any(not name.startswith("nvidia.com/gpu=") for name in chosen.cdi):
        return tuple(command)
    wanted = "" if chosen.count is None else str(chosen.count)
    return ("sh", "-c", _SCRIPT.strip(), "wsb", patterns, wanted, mode.value, *command)
