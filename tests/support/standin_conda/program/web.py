"""Channels as addresses, and a first look at each, so that what fails is said in conda's words."""

from __future__ import annotations

import os
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import unquote, urlsplit

from .errors import CondaHTTPError, CondaSSLError, UnavailableInvalidChannel
from .settings import Settings, as_bool


def channel_urls(settings: Settings, names: list[str]) -> list[str]:
    """Each channel's address, `defaults` and other multichannels taken apart, no address twice."""
    urls: list[str] = []
    for name in names:
        for url in _addresses(settings, name):
            if url not in urls:
                urls.append(url)
    return urls


def _addresses(settings: Settings, name: str) -> list[str]:
    if name in settings["custom_multichannels"]:
        return [url for part in settings["custom_multichannels"][name] for url in _addresses(settings, part)]
    if name == "defaults":
        return [url for part in settings["default_channels"] for url in _addresses(settings, part)]
    if "://" in name:
        return [name.rstrip("/")]
    if name.startswith(("/", "./", "../", "~")):
        return [Path(name).expanduser().resolve().as_uri()]
    first = name.split("/")[0]
    for custom, base in settings["custom_channels"].items():
        if custom in (name, first):
            return [f"{str(base).rstrip('/')}/{name}"]
    return [f"{settings['channel_alias'].rstrip('/')}/{name}"]


def short_name(settings: Settings, url: str) -> str:
    """What conda shows for a channel: without the alias, `defaults` for one of the default channels."""
    alias = settings["channel_alias"].rstrip("/") + "/"
    if url in channel_urls(settings, ["defaults"]):
        return "/".join(url.split("/")[-2:])
    return url.removeprefix(alias)


def prepare_environment(settings: Settings) -> None:
    """Hands conda's proxy and certificate settings to what really fetches: rattler and urllib read the usual variables."""
    for scheme, proxy in settings["proxy_servers"].items():
        if "://" not in scheme:
            os.environ.setdefault(f"{scheme}_proxy", str(proxy))
    bundle = settings["ssl_verify"]
    if bundle.lower() not in ("true", "false", "yes", "no", "1", "0", "truststore"):
        os.environ["SSL_CERT_FILE"] = bundle
    elif "REQUESTS_CA_BUNDLE" in os.environ:
        os.environ["SSL_CERT_FILE"] = os.environ["REQUESTS_CA_BUNDLE"]


def verifies(settings: Settings) -> bool:
    value: str = settings["ssl_verify"]
    return as_bool(value) or value.lower() not in ("false", "no", "0")


def get(settings: Settings, url: str, *, head: bool = False) -> bytes:
    """One document. Raises urllib.error.HTTPError for an answer that says no, CondaHTTPError and CondaSSLError otherwise."""
    if urlsplit(url).scheme == "file":
        try:
            return b"" if head and Path(unquote(urlsplit(url).path)).stat() else Path(unquote(urlsplit(url).path)).read_bytes()
        except OSError as error:
            raise urllib.error.HTTPError(url, 404, "NOT FOUND", None, None) from error  # type: ignore[arg-type]
    context = ssl.create_default_context()
    if not verifies(settings):
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    request = urllib.request.Request(url, method="HEAD" if head else "GET", headers={"User-Agent": "wsb-standin-conda"})
    try:
        with urllib.request.urlopen(request, context=context, timeout=10) as answer:
            content: bytes = answer.read()
            return content
    except urllib.error.HTTPError:
        raise
    except urllib.error.URLError as error:
        if isinstance(error.reason, ssl.SSLError):
            raise CondaSSLError(url, str(error.reason)) from error
        raise CondaHTTPError(url, cause=str(error.reason)) from error
    except OSError as error:
        raise CondaHTTPError(url, cause=str(error)) from error


def look_at(settings: Settings, urls: list[str], subdir: str) -> None:
    """Raises where a channel cannot be reached or is none. A missing subdir is nothing; a missing noarch is."""
    if settings["offline"]:
        return
    for url in urls:
        for part in (subdir, "noarch"):
            try:
                get(settings, f"{url}/{part}/repodata.json", head=True)
            except urllib.error.HTTPError as error:
                status = f"{error.code} {error.reason}"
                if error.code not in (403, 404):
                    raise CondaHTTPError(f"{url}/{part}/repodata.json", status) from error
                if part == "noarch":
                    raise UnavailableInvalidChannel(short_name(settings, url), url, status) from error
