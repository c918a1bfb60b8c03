"""The first process of a job's container, on each node: proves the node, starts the command, passes signals on, cleans up.

    python -I /opt/wsb/probes/job.py --plan sha256:… --gpus 2 --nodes 2 --tasks 2 --rendezvous n1:29500 --id 17 -- CMD…

Slurm starts a container with the login node's variables over the image's own, so the image's are put back first. With
--tasks the command is started by torchrun, through job_rank.py, which proves each rank before it becomes the command. A
proof that fails ends the job with exit code 97 and a line "wsb: proof failed: …" that says why.
"""

import sys

sys.dont_write_bytecode = True
# started with -I, so that no variable of the login node changes what is imported; the probes' own folder is then missing
sys.path.insert(0, __file__.rpartition("/")[0])

import argparse  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import signal  # noqa: E402
import socket  # noqa: E402
import tarfile  # noqa: E402

import job_init  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
PROOF_FAILED = 97

# What a job's own variables are called; everything else comes from the image.
KEPT_PREFIXES = ("SLURM_", "NCCL_", "GLOO_", "TORCH_", "WSB_JOB_", "UCX_", "FI_", "KUBERNETES_", "JOB_COMPLETION_INDEX")
KEPT = (
    "CUDA_VISIBLE_DEVICES",
    "CUDA_DEVICE_ORDER",
    "ROCR_VISIBLE_DEVICES",
    "HIP_VISIBLE_DEVICES",
    "GPU_DEVICE_ORDINAL",
    "NVIDIA_VISIBLE_DEVICES",
    "NVIDIA_DRIVER_CAPABILITIES",
    "OMP_NUM_THREADS",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "TERM",
    "TZ",
)


class ProofFailed(Exception):
    """The reason, one sentence."""


def say(text):
    sys.stdout.write("wsb: %s\n" % text)
    sys.stdout.flush()


def environment(outside, image, keep):
    """The variables the command gets: the image's own, then the job's. image: of image.json, None where nothing leaks in."""
    if image is None:
        return dict(outside)
    chosen = dict(text.partition("=")[::2] for text in image["env"])
    if image.get("home"):
        chosen["HOME"] = image["home"]
    for name, value in outside.items():
        if name in KEPT or name in keep or name.startswith(KEPT_PREFIXES):
            chosen[name] = value
    return chosen


def read_json(path):
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return None


def prove_image(root, image, plan):
    """Raises ProofFailed when this is another image than the job was submitted with."""
    if image:
        found = read_json(os.path.join(root, "image.json"))
        there = found.get("id", "") if found else "an image without a mark of wsb"
        if there != image:
            raise ProofFailed("this is %s, and the job was submitted with %s" % (there, image))
    if plan:
        found = (read_json(os.path.join(root, "plan.json")) or {}).get("digest", "no plan at all")
        if found != plan:
            raise ProofFailed("the image here was made from plan %s, and the job was submitted with %s" % (found, plan))


def gpus_given(variables):
    """How many GPUs the scheduler gave to this node's part of the job; None when it does not say."""
    for name in ("CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES"):
        if variables.get(name):
            return len([one for one in variables[name].split(",") if one.strip() and one.strip() != "NoDevFiles"])
    return None


def prove_gpus(variables, wanted, has_devices):
    """What is known of the GPUs before torch is asked. Raises ProofFailed when they are not the ones asked for."""
    if not wanted:
        return "no GPU asked for"
    given = gpus_given(variables)
    if given is None and not has_devices:
        raise ProofFailed(
            "%d GPUs were asked for, and neither CUDA_VISIBLE_DEVICES nor a device of NVIDIA or AMD is in this container"
            % wanted
        )
    if given is not None and given != wanted:
        raise ProofFailed("%d GPUs were asked for, and %d are given here" % (wanted, given))
    return "%d GPUs given" % wanted


def has_devices():
    return any(os.path.exists(path) for path in ("/dev/nvidia0", "/dev/kfd", "/dev/dxg")) or any(
        name.startswith("nvidia") for name in (os.listdir("/dev") if os.path.isdir("/dev") else ())
    )


def command(options, python):
    """The words to start: torchrun with a prover a rank, or the command itself."""
    if not options.tasks:
        return options.command
    prover = [python, os.path.join(HERE, "job_rank.py"), "--gpus", str(options.gpus)]
    launch = [
        python,
        os.path.join(HERE, "job_torchrun.py"),
        "--nnodes=%d" % options.nodes,
        "--nproc-per-node=%d" % options.tasks,
        "--rdzv-id=%s" % options.id,
        "--rdzv-backend=c10d",
        "--rdzv-endpoint=%s" % options.rendezvous,
        "--no-python",
    ]
    if options.node_rank is not None:
        # where the place in the job is known, nobody has to find out who the first one is
        launch = [word for word in launch if not word.startswith("--rdzv-")]
        address, _, port = options.rendezvous.rpartition(":")
        launch[-1:-1] = ["--node-rank=%d" % options.node_rank, "--master-addr=" + address, "--master-port=" + port]
    return [*launch, *prover, "--", *options.command]


def unpack(archive, folder):
    """The user's own files, links and all; newer Pythons would refuse some of them unasked."""
    trusted = {"filter": "fully_trusted"} if hasattr(tarfile, "fully_trusted_filter") else {}
    with tarfile.open(archive) as opened:
        opened.extractall(folder, **trusted)


def leave_behind(path, code):
    """Write the code for the job's script, unless another node has: of several the first one tells why."""
    try:
        with open(path, "x", encoding="ascii") as file:
            file.write("%d\n" % code)
    except OSError:
        return


def threads(variables, tasks):
    """What torchrun would set to 1 for want of knowledge: the cores of this node's part of the job, shared by its processes."""
    if tasks and hasattr(os, "sched_getaffinity"):
        variables.setdefault("OMP_NUM_THREADS", str(max(1, len(os.sched_getaffinity(0)) // tasks)))


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--image", default="", help="the image's id, as exported with it")
    parser.add_argument("--plan", default="", help="the digest of the plan the image was made from")
    parser.add_argument("--gpus", type=int, default=0, help="GPUs asked for on each node")
    parser.add_argument("--nodes", type=int, default=1)
    parser.add_argument("--tasks", type=int, default=0, help="processes a node that torchrun starts; 0: no torchrun")
    parser.add_argument("--rendezvous", default="127.0.0.1:29500", metavar="HOST:PORT")
    parser.add_argument("--node-rank", type=int, help="this node's place, where it is known")
    parser.add_argument("--id", default="wsb")
    parser.add_argument("--failed", default="", metavar="FILE", help="left behind with the exit code when it is not 0")
    parser.add_argument("--project", default="", metavar="FILE", help="an archive of the project, unpacked into --workspace")
    parser.add_argument("--workspace", default="/workspace", metavar="DIR")
    parser.add_argument("--workdir", default="", metavar="DIR", help="where the command starts; default: where this does")
    parser.add_argument("--keep", action="append", default=[], metavar="NAME", help="a variable the user set for the job")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args(arguments)
    if options.command[:1] == ["--"]:
        options.command = options.command[1:]
    return options


def main(arguments, root="/opt/wsb"):
    options = parse(arguments)
    code, was_told = prove_and_run(options, root)
    if code and options.failed and not was_told:
        leave_behind(options.failed, code)
    return code


def prove_and_run(options, root):
    """(exit code, whether it was told to end from outside)."""
    node = socket.gethostname()
    try:
        prove_image(root, options.image, options.plan)
        gpus = prove_gpus(os.environ, options.gpus, has_devices())
    except ProofFailed as failure:
        say("proof failed: %s (on %s)" % (failure, node))
        return PROOF_FAILED, False
    say("%s: the image is right, %s" % (node, gpus))
    if not options.tasks and not options.command:
        return 0, False
    if options.project:
        unpack(options.project, options.workspace)
    if options.workdir:
        os.chdir(options.workdir)
    image = read_json(os.path.join(root, "image.json")) if options.image else None
    variables = environment(os.environ, image, options.keep)
    variables.setdefault("PYTHONNOUSERSITE", "1")  # nothing from a mounted home folder gets into the environment
    threads(variables, options.tasks)
    return job_init.run([os.path.join(root, "bin", "entry"), *command(options, sys.executable)], variables)


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.exit(main(sys.argv[1:]))
