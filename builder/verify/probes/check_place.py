"""Who the container's user is, where the project lies, and how much room there is."""

import getpass
import os
import pwd
import resource
import tempfile

from probe_kit import check, failed, passed, skipped, verdict
from probe_memory import memory_limit_bytes

MIB = 1048576


@check("environment.user", limit_s=20, is_quick=True)
def user(context):
    """uid and gid as asked for, and a name to them: getpass.getuser() without one is an exception inside torch."""
    expected = context.get("user") or {}
    try:
        name = getpass.getuser()
    except Exception as error:
        return failed(
            "uid %d has no name: %s" % (os.getuid(), error), "a name", "programs that ask for the user's name will stop"
        )
    try:
        known = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        known = None
    measured = {"uid": os.getuid(), "gid": os.getgid(), "name": name, "in_passwd": known is not None}
    wrong = [key for key in ("uid", "gid") if expected.get(key) not in (None, measured[key])]
    return verdict(not wrong, measured, expected or "a user with a name", "the container runs as somebody else")


@check("environment.home", limit_s=20, is_quick=True)
def home(context):
    del context
    path = os.path.expanduser("~")
    hint = "caches and settings are written there (torch, matplotlib, pip); set HOME to a folder that this user may write"
    try:
        with tempfile.NamedTemporaryFile(prefix=".wsb-", dir=path):
            return passed(path, "exists and can be written")
    except OSError as error:
        return failed("%s: %s" % (path, error.strerror), "exists and can be written", hint)


@check("environment.workspace", limit_s=30, is_quick=True)
def workspace(context):
    """Whether the project is mounted, and what is written there belongs to whom it should. Leaves nothing behind."""
    expected = context.get("workspace")
    if not expected:
        return skipped("no project folder was mounted for this run")
    path, uid = expected["path"], expected.get("uid", os.getuid())
    wanted = {"path": path, "mounted": True, "writable": True, "uid": uid}
    if not os.path.isdir(path):
        return failed("%s is not there" % path, wanted, "the project folder was not mounted")
    measured = {"path": path, "mounted": os.path.realpath(path) in mount_points(), "writable": False}
    try:
        with tempfile.NamedTemporaryFile(prefix=".wsb-probe-", dir=path) as file:
            measured["writable"] = True
            measured["uid"] = os.fstat(file.fileno()).st_uid
    except OSError as error:
        hint = "uid %d may not write there; the folder is %s" % (os.getuid(), owner(path))
        if os.stat(path).st_uid == 0:  # root's folder, or an engine without root, where root inside is the host's own user
            hint += "; in an IDE open .devcontainer/root/devcontainer.json instead"
        return failed(dict(measured, error=error.strerror), wanted, hint)
    hint = "files written here get another owner" if measured["mounted"] else "it is a folder of the image, not your project"
    return verdict(measured == wanted, measured, wanted, hint)


def owner(path):
    facts = os.stat(path)
    return "uid %d's, mode %o" % (facts.st_uid, facts.st_mode & 0o7777)


def mount_points():
    """Where something is mounted; the kernel writes a space as \\040."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        return {line.split(" ")[4].replace("\\040", " ").replace("\\011", "\t") for line in file}


@check("environment.shm", limit_s=20, is_quick=True)
def shm(context):
    """The size of /dev/shm, through which DataLoader's workers hand over their tensors."""
    expected = context.get("shm_bytes")
    hint = "set run.shm_size in wsb.yaml, or start the container with --shm-size"
    if not os.path.isdir("/dev/shm"):
        return failed("no /dev/shm", expected and size(expected), hint)
    facts = os.statvfs("/dev/shm")
    measured = facts.f_blocks * facts.f_frsize
    if not os.access("/dev/shm", os.W_OK):
        return failed("not writable", "writable", "mount /dev/shm with mode 1777")
    if not expected:
        return passed(size(measured), "not told")
    return verdict(measured >= expected, size(measured), "at least " + size(expected), hint)


def size(number):
    return "%g MiB" % round(number / MIB, 1)


@check("environment.resources", limit_s=20)
def resources(context):
    """For the reader: what this container may use. Never a failure."""
    del context
    limit = memory_limit_bytes()
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    measured = {
        "cpus": len(os.sched_getaffinity(0)),
        "cpu_quota": cpu_quota(),
        "memory": size(total),
        "memory_limit": size(limit) if limit else None,
        "open_files": files,
    }
    return passed({key: value for key, value in measured.items() if value is not None}, "for information")


def cpu_quota():
    """How many CPUs' time the container gets; None for no limit."""
    try:
        with open("/sys/fs/cgroup/cpu.max") as file:
            quota, period = file.read().split()
        return None if quota == "max" else round(int(quota) / int(period), 2)
    except (OSError, ValueError):
        return None
