"""Sorts the packages that a step has just installed by their size, so that what is large gets a layer of its own.

usage: by-size.py BEFORE INTO [LOCK], under the environment's own Python (3.8 or newer); the standard library only. BEFORE
lists the metadata folders that were there before the step. Writes INTO/large/list and INTO/small/list: requirements that
install exactly these packages, each without what it depends on. With a lock they are the lines of LOCK/list, with their
hashes, and a bundle's files from LOCK/files go beside the list that asks for them.

A package more that is small changes the small list only: the large packages' layer is neither written nor sent again.
"""

import glob
import json
import os
import re
import shutil
import sys
import sysconfig

LARGE = 1 << 20  # bytes on disk


def main(before, into, lock=None):
    with open(before) as stream:
        known = set(stream.read().split("\n"))
    new = {}
    for folder in installed():
        if folder not in known:
            name, line = requirement(folder)
            new[plain(name)] = (line, size(folder))
    lines = locked_lines(lock) if lock else {name: line for name, (line, _) in new.items()}
    sizes = {name: new[name][1] if name in new else 0 for name in lines}
    for part in ("large", "small"):
        chosen = sorted(name for name in lines if (sizes[name] >= LARGE) == (part == "large"))
        os.makedirs(os.path.join(into, part))
        with open(os.path.join(into, part, "list"), "w") as stream:
            stream.write("".join(lines[name] + "\n" for name in chosen))
        if lock and os.path.isdir(lock + "/files"):
            hand_on(chosen, lock + "/files", os.path.join(into, part, "files"))
        print("wsb: %s, in a layer of their own: %s" % (part, " ".join(chosen) or "none"))


def installed():
    """The metadata folder of every package of this environment."""
    places = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    return sorted(folder for place in places for folder in glob.glob(os.path.join(place, "*.dist-info")))


def requirement(folder):
    """(name, what installs just this): by version, or from where it came when that was no index."""
    with open(os.path.join(folder, "METADATA"), encoding="utf-8", errors="replace") as stream:
        head = stream.read().split("\n\n")[0]
    name, version = (re.search("^%s: *(.+)$" % key, head, re.MULTILINE).group(1).strip() for key in ("Name", "Version"))
    try:
        with open(os.path.join(folder, "direct_url.json")) as stream:
            origin = json.load(stream)
    except FileNotFoundError:
        return name, "%s==%s" % (name, version)
    url = origin["url"]
    if "vcs_info" in origin:
        url = "%s+%s@%s" % (origin["vcs_info"]["vcs"], url, origin["vcs_info"]["commit_id"])
    if origin.get("subdirectory"):
        url += "#subdirectory=" + origin["subdirectory"]
    return name, "%s @ %s" % (name, url)


def size(folder):
    """Bytes on disk, by the package's own list of its files."""
    with open(os.path.join(folder, "RECORD"), encoding="utf-8", errors="replace") as stream:
        return sum(int(count) for count in re.findall(r",(\d+)$", stream.read(), re.MULTILINE))


def locked_lines(lock):
    """Name → its lines in the lock."""
    with open(lock + "/list") as stream:
        text = stream.read()
    entries = re.findall(r"^(?:.*\\\n)*.+$", text, re.MULTILINE)
    return {plain(re.match(r"[\w.-]+", entry).group()): entry for entry in entries}


def hand_on(names, files, into):
    """A bundle's files of these packages."""
    os.makedirs(into)
    for path in glob.glob(files + "/*"):
        file = os.path.basename(path)
        owner = file.split("-")[0] if file.endswith(".whl") else file.rpartition("-")[0]
        if plain(owner) in names:
            shutil.copy(path, into)


def plain(name):
    return re.sub(r"[-_.]+", "-", name).lower()


main(*sys.argv[1:])
