"""The driver's checks beside device files that are told: what they say of libraries that a test has put there.

    python gpu_driver_probe.py PROBES JSON

JSON: checks (names of functions of check_gpu_driver and check_gpu), expect, nodes, is_mock, kernel (its driver's version),
torch (what its version module tells). Prints check → answer.
"""

import json
import sys
import types

sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
told = json.loads(sys.argv[2])

import check_gpu  # noqa: E402
import check_gpu_driver  # noqa: E402
import probe_gpu  # noqa: E402
import probe_kit  # noqa: E402


class Wiring(probe_gpu.Wiring):
    def __init__(self):
        self.nodes = told.get("nodes", ["/dev/nvidia-uvm", "/dev/nvidia0", "/dev/nvidiactl"])
        self.is_mock = told.get("is_mock", False)


check_gpu_driver.Wiring = check_gpu.Wiring = Wiring
check_gpu_driver.kernel_version = lambda: told.get("kernel")
if "torch" in told:
    sys.modules["torch"] = types.SimpleNamespace(version=types.SimpleNamespace(**told["torch"]))
context = probe_kit.Context({}, {"gpu": {"mode": "required", **told.get("expect", {})}})
answers = {}
for name in told["checks"]:
    function = getattr(check_gpu_driver, name, None) or getattr(check_gpu, name)
    answers[name] = function(context)
print(json.dumps(answers))
