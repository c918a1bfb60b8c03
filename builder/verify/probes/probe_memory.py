"""What the kernel says of this container's memory: its limit, and whether a process was ended for it."""


def oom_kills():
    """How many processes of this container the kernel has ended for memory; 0 where it does not tell."""
    for path in ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control"):
        try:
            with open(path) as file:
                for line in file:
                    if line.startswith("oom_kill "):
                        return int(line.split()[1])
        except (OSError, ValueError):
            continue
    return 0


def memory_limit_bytes():
    """The container's memory limit, or None when it has none."""
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            with open(path) as file:
                text = file.read().strip()
        except OSError:
            continue
        if text.isdigit() and int(text) < 1 << 60:  # cgroup v1 writes a huge number for no limit
            return int(text)
        return None
    return None


def memory_limit():
    limit = memory_limit_bytes()
    return "this container's limit is %d MiB" % (limit // 1048576) if limit else "this container has no limit of its own"
