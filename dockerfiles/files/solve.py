"""Finds out what a step would install, and the hash of each file: runs in an image of the stage before it, with its tools.

usage: solve.py apt|conda|pip, under the environment's own Python (3.8 or newer); the standard library only. The question is
/run/wsb/solve/asked.json, the answer /wsb-solved-<kind>.json.
Nothing is decided here that apt, conda or uv would not decide in the build itself: they are asked, and their answers noted.
"""

import glob
import hashlib
import json
import os
import re
import shlex
import subprocess
import sys

STALE = "wsb: no longer at the mirror: "


def main(kind):
    with open("/run/wsb/solve/asked.json") as stream:
        asked = json.load(stream)
    answer = {"apt": solved_apt, "conda": solved_conda, "pip": solved_pip}[kind](asked)
    with open("/wsb-solved-%s.json" % kind, "w") as stream:
        json.dump(answer, stream, indent=1, sort_keys=True)


def solved_apt(asked):
    there = asked["torch_apt"]
    torch = debs(["%s:%s=%s" % (one["name"], one["arch"], one["version"]) for one in there], there)
    return {"torch": torch, "workspace": wanted_debs(asked["apt"])}


def solved_conda(asked):
    before = conda_packages(asked["prefix"])
    if not asked["conda_install"]:
        return {"torch": before, "workspace": []}
    shell(asked["conda_install"])
    after = conda_packages(asked["prefix"])
    return {"torch": before, "workspace": after if after != before else []}


def solved_pip(asked):
    torch = hashed(asked, installed_by_uv(asked["prefix"]), asked["torch_from"]) if asked["solves_torch"] else ""
    return {"torch": torch, "workspace": wanted_pip(asked)}


def shell(command, check=True):
    # again, because a shell's functions do not reach its children: apt-get is one where there is a mirror
    command = ". /run/wsb/network/env && " + command
    done = subprocess.run(["/bin/bash", "-c", command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if check and done.returncode:
        sys.stdout.write(done.stdout)
        sys.exit(done.returncode)
    return done


# --- the distribution's packages


def wanted_debs(names):
    """What `apt-get install` of these would unpack."""
    if not names:
        return []
    apt_update()
    words = " ".join(shlex.quote(name) for name in names)
    told = shell("apt-get install --simulate --yes --no-install-recommends " + words).stdout
    found = re.findall(r"^Inst (\S+) (?:\[\S+\] )?\((\S+) .*\[(\S+)\]\)", told, re.MULTILINE)
    packages = [{"name": name.partition(":")[0], "version": version, "arch": arch} for name, version, arch in found]
    return debs(["%s:%s=%s" % (one["name"], one["arch"], one["version"]) for one in packages], packages)


def debs(requests, packages):
    """Address and hash of each."""
    if not requests:
        return []
    apt_update()
    done = shell("apt-get download --print-uris " + " ".join(map(shlex.quote, requests)), check=False)
    if done.returncode:
        missing = re.findall(
            r"Version '([^']+)' for '([^']+)' was not found|Can't find a source to download version '([^']+)' of '([^']+)'",
            done.stdout,
        )
        print(done.stdout)
        for one in missing:
            print(STALE + " ".join(filter(None, (one[1] or one[3], one[0] or one[2]))))
        sys.exit(1)
    where = {}
    for url, file, sha256 in re.findall(r"^'([^']+)' (\S+) \d+ SHA256:([0-9a-f]{64})", done.stdout, re.MULTILINE):
        name, version, arch = file[: -len(".deb")].rsplit("_", 2)
        where[name, version.replace("%3a", ":"), arch] = (url, sha256)
    answer = []
    for one in packages:
        key = (one["name"], one["version"], one["arch"])
        if key not in where:
            sys.exit("wsb: apt names no sha256 for %s %s" % key[:2])
        url, sha256 = where[key]
        answer.append(dict(one, url=canonical_deb(url), sha256=sha256))
    return answer


def canonical_deb(url):
    """Without the mirror that is only this machine's."""
    mirror = os.environ.get("WSB_APT_MIRROR", "").rstrip("/") + "/"
    own = {"debian": "deb.debian.org", "debian-security": "security.debian.org", "ubuntu": "archive.ubuntu.com"}
    rest = url[len(mirror) :] if mirror != "/" and url.startswith(mirror) else ""
    host = own.get(rest.partition("/")[0])
    return "http://%s/%s" % (host, rest) if host else url


_updated = []


def apt_update():
    if not _updated:
        shell("apt-get update")
        _updated.append(True)


# --- conda


def conda_packages(prefix):
    """Every package of the environment, in the order conda links them: as its own explicit list has them."""
    alias = os.environ.get("CONDA_CHANNEL_ALIAS", "").rstrip("/") + "/"
    packages = []
    for path in sorted(glob.glob(os.path.join(prefix, "conda-meta", "*.json"))):
        with open(path) as stream:
            record = json.load(stream)
        if not record.get("sha256"):
            sys.exit("wsb: the channel names no sha256 for %s" % os.path.basename(path))
        url = record["url"]
        if alias != "/" and url.startswith(alias):
            url = "https://conda.anaconda.org/" + url[len(alias) :]
        packages.append({"url": re.sub(r"//[^/@]+@", "//", url), "sha256": record["sha256"]})
    return packages


# --- pip


def wanted_pip(asked):
    """What the installing commands would add, with the hashes of every file of each version."""
    pins = added(asked["pip_install"], asked["kept"]) if asked["pip_install"] else []
    if asked["editable_install"]:
        # what the project's own packages ask for, as their build backend tells it
        shell("mkdir -p /workspace && cp -a /run/wsb/project/. /workspace/")
        with open("/tmp/held.txt", "w") as stream:
            stream.write("".join(pin + "\n" for pin in pins))
        names = {plain(pin) for pin in pins}
        pins += [
            pin
            for pin in added(asked["editable_install"] + " --constraint /tmp/held.txt", asked["kept"])
            if plain(pin) not in names
        ]
    if asked["ide_install"]:
        # held where they are: what the environment has by then, the project's own packages among it
        freeze = shell(shlex.quote(asked["python"]) + " -m pip list --disable-pip-version-check --format=freeze").stdout
        held = [line for line in freeze.splitlines() if re.match(r"[A-Za-z0-9._-]+==[0-9][0-9A-Za-z.+!]*$", line)]
        names = {plain(pin) for pin in pins}
        with open("/tmp/held.txt", "w") as stream:
            stream.write("".join(line + "\n" for line in pins + [line for line in held if plain(line) not in names]))
        pins += [pin for pin in added(asked["ide_install"], asked["kept"]) if plain(pin) not in names]
    return hashed(asked, pins, asked["pip_from"])


def plain(pin):
    return re.sub(r"[-_.]+", "-", pin.partition("==")[0]).lower()


def added(command, kept):
    """name==version of each package that a command would install; as it was locked before where that still goes."""
    path = "/tmp/wsb-kept.txt"
    with open(path, "w") as stream:
        stream.write("".join(line + "\n" for line in kept))
    done = shell("%s --dry-run --color never --constraint %s" % (command, path), check=False)
    if done.returncode:
        done = shell(command + " --dry-run --color never")
    pins = []
    for name, version, origin in re.findall(r"^ [+~] ([\w.-]+)==(\S+)(?: \(from (\S+)\))?$", done.stdout, re.MULTILINE):
        if origin and not origin.startswith("file://"):
            sys.exit("wsb: %s is taken from %s: only packages of an index can be locked by hash" % (name, origin))
        if not origin:
            pins.append("%s==%s" % (name, version))
    return pins


def installed_by_uv(prefix):
    """name==version of what uv put there; what ensurepip or conda brought is not asked for from an index."""
    pins = []
    for installer in glob.glob(os.path.join(prefix, "lib", "python*", "site-packages", "*.dist-info", "INSTALLER")):
        with open(installer) as stream:
            if stream.read().strip() != "uv":
                continue
        with open(os.path.join(os.path.dirname(installer), "METADATA"), encoding="utf-8", errors="replace") as stream:
            head = stream.read().split("\n\n")[0]
        name, version = (re.search("^%s: *(.+)$" % key, head, re.MULTILINE).group(1).strip() for key in ("Name", "Version"))
        pins.append("%s==%s" % (re.sub(r"[-_.]+", "-", name).lower(), version))
    return sorted(pins)


def hashed(asked, pins, where_from):
    """These very versions with the hashes of all their files: a requirements file."""
    if not pins:
        return ""
    with open("/tmp/wsb-pins.in", "w") as stream:
        stream.write("".join(pin + "\n" for pin in pins))
    command = "%s pip compile --quiet --no-deps --generate-hashes --no-annotate --no-header --python %s %s /tmp/wsb-pins.in"
    shell((command + " --output-file /tmp/wsb-pins.txt") % (asked["uv"], shlex.quote(asked["python"]), where_from))
    with open("/tmp/wsb-pins.txt") as stream:
        text = stream.read()
    os.remove("/tmp/wsb-pins.txt")
    for wheel in sorted(glob.glob("/run/wsb/wheels/*.whl")):
        name, version = os.path.basename(wheel).split("-")[:2]
        with open(wheel, "rb") as stream:
            digest = hashlib.sha256()
            for block in iter(lambda: stream.read(1 << 20), b""):
                digest.update(block)
        line = "%s==%s" % (name.replace("_", "-").lower(), version)
        text = re.sub(
            r"^%s(?: \\\n(?:    --hash=\S+(?: \\)?\n)+|\n)" % re.escape(line),
            lambda _, line=line, digest=digest: "%s --hash=sha256:%s\n" % (line, digest.hexdigest()),
            text,
            flags=re.MULTILINE,
        )
    return text


main(sys.argv[1])
