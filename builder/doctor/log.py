"""A log as lines, whatever wrote it: bytes in, numbered text out, in bounded memory.

UTF-16, progress bars drawn over with \\r and colours are undone here. `place` takes the prefix off a line that a launcher, a
cluster, a builder or a logger put before it, and tells whose line it is.
"""

from __future__ import annotations

import codecs
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, Final

from builder.model.frozen import frozen

_CHUNK: Final = 1 << 18
_LONGEST: Final = 1 << 16
_LARGEST: Final = 1 << 20
_PIECE: Final = 4000
_OVERLAP: Final = 600
_ESCAPE: Final = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]")


@frozen
class Line:
    """One line. text: without prefix, its indentation kept. stream: whose it is among several that write one log.

    rank: of the process group, where the prefix tells. has_prefix: whether anything was taken off, as a logger's time.
    """

    number: int
    text: str
    stream: str = ""
    rank: int | None = None
    has_prefix: bool = False

    @property
    def indent(self) -> int:
        return len(self.text) - len(self.text.lstrip())


Numbered = tuple[int, str]


def read(stream: BinaryIO) -> Iterator[Numbered]:
    """(line number, text) of every line; of one that was drawn over, every drawing under the same number."""
    number, pending = 1, ""
    for text in _decoded(stream):
        *whole, pending = (pending + text).split("\n")
        for line in whole:
            yield from _drawings(number, line)
            number += 1
        if len(pending) > _LONGEST:  # a progress bar of many hours, or a dump without line breaks
            cut = pending.rfind("\r") + 1 or len(pending)
            yield from _drawings(number, pending[:cut])
            pending = pending[cut:]
    yield from _drawings(number, pending)


def lines_of(text: str) -> Iterator[Numbered]:
    """The same of a text that is in memory."""
    for number, line in enumerate(text.split("\n"), 1):
        yield from _drawings(number, line)


def _drawings(number: int, line: str) -> Iterator[Numbered]:
    if "\x1b" in line:
        line = _ESCAPE.sub("", line)
    if len(line) <= _PIECE and "\r" not in line:
        yield number, line
        return
    for drawing in line.split("\r"):
        if len(drawing) <= _PIECE:
            if drawing:
                yield number, drawing
            continue
        # no pattern runs over more than a piece; the overlap keeps a message in one of them
        for start in range(0, len(drawing) - _OVERLAP, _PIECE - _OVERLAP):
            yield number, drawing[start : start + _PIECE]


def _decoded(stream: BinaryIO) -> Iterator[str]:
    pieces = _unpacked(stream)
    first = next(pieces, b"")
    decoder = codecs.getincrementaldecoder(_encoding(first))("replace")
    yield decoder.decode(first)
    for piece in pieces:
        yield decoder.decode(piece)
    yield decoder.decode(b"", True)


def _unpacked(stream: BinaryIO) -> Iterator[bytes]:
    """Logs that were put away are often packed by gzip; one that breaks off is read as far as it goes."""
    unpack: Any = None
    while data := stream.read(_CHUNK):
        if unpack is None:
            unpack = zlib.decompressobj(wbits=31) if data.startswith(b"\x1f\x8b") else False
        if unpack is False:
            yield data
            continue
        try:
            piece = unpack.decompress(data, _LARGEST)
            while piece:
                yield piece
                piece = unpack.decompress(unpack.unconsumed_tail, _LARGEST)
        except zlib.error:
            return


def _encoding(first: bytes) -> str:
    """PowerShell writes UTF-16, with a mark at its start or without."""
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if first.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    sample = first[:4000]
    if len(sample) > 3 and sample[1::2].count(0) > len(sample) * 0.4:
        return "utf-16-le"
    if len(sample) > 3 and sample[::2].count(0) > len(sample) * 0.4:
        return "utf-16-be"
    return "utf-8"


# a line of a traceback, or its last one: what some loggers and launchers put their prefix before as well
_OF_TRACEBACK: Final = r"""(?=Traceback[ ]\(|[ ]{2,}\S|(?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception)\b)"""
_PREFIX: Final = re.compile(
    rf"""(?:
      \[(?:rank|default|trainer|worker)[ ]?(?P<rank>\d+)\]:?[ ]?
    | \[\d+,(?P<mpi>\d+)\]<std(?:err|out)>:[ ]?
    | (?:rank|Rank|RANK)[ _=]?(?P<named>\d+)[ ]?[:|][ ]
    | \d{{1,4}}:[ ](?=[ ]*\S)                                         # srun --label
    | (?P<step>\#\d+)[ ](?:\d+\.\d+[ ])?                            # BuildKit
    | \d{{1,5}}\.\d{{1,3}}[ ](?=[ ]*[A-Za-z\[×│╰])                      # BuildKit, repeating a failed step
    | \[?\d{{4}}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[ ]?UTC|[+-]\d\d:?\d\d)?\]?[:,]?[ ]
    | \[?\d\d:\d\d:\d\d(?:[.,]\d+)?\]?[ ]
    | (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[ ]+\d+[ ]\d\d:\d\d:\d\d[ ]\S+[ ][^\s:]+:[ ]
    | \[[ ]*\d+\.\d{{6}}\][ ]                                         # dmesg
    | std(?:err|out)[ ][FP][ ]                                      # containerd
    | (?P<service>[\w.-]+[-_]\d+)[ ]+\|[ ]                          # docker compose
    | \[pod/(?P<pod>[^\]]+)\][ ]
    | \((?P<actor>(?:[\w.:]+[ ])?pid=\d+)(?:,[ ]ip=[\d.]+)?\)[ ]?   # ray
    | E[ ]{{3,}}(?=\S)                                              # pytest
    | (?:DEBUG|INFO|WARNING|ERROR)[ ]\d\d-\d\d[ ]\d\d:\d\d:\d\d[ ]\[[^\]\s]+\][ ]{_OF_TRACEBACK}        # vLLM
    | [IWEF]\d{{4}}[ ]\d\d:\d\d:\d\d\.\d+[ ]+\d+[ ]\S+\][ ]{_OF_TRACEBACK}                             # glog
    | (?!\S*(?:Error|Exception|Warning):)(?P<host>[A-Za-z][\w.-]*):[ ]{_OF_TRACEBACK}                # pdsh
    )""",
    re.VERBOSE,
)


def place(number: int, text: str) -> Line:
    """The line without its prefixes."""
    stream, rank, written = "", None, text
    if text.startswith('{"log":"'):
        text = _docker_json(text)
    for _ in range(6):
        found = _PREFIX.match(text)
        if found is None:
            break
        groups = found.groupdict()
        told = groups["rank"] or groups["mpi"] or groups["named"]
        rank = int(told) if told else rank
        stream += next((groups[name] for name in ("step", "service", "pod", "actor", "host") if groups[name]), "")
        text = text[found.end() :]
    if rank is not None:
        stream += f"rank{rank}"
    return Line(number=number, text=text.rstrip(), stream=stream, rank=rank, has_prefix=text != written)


def _docker_json(text: str) -> str:
    try:
        return str(json.loads(text)["log"]).rstrip("\n")
    except (ValueError, KeyError, TypeError):
        return text


def blocks(lines: Iterable[Numbered], size: int = 200) -> Iterator[list[Numbered]]:
    """Lines in bunches, so that whole bunches without anything of interest can be passed over."""
    block: list[Numbered] = []
    for line in lines:
        block.append(line)
        if len(block) >= size:
            yield block
            block = []
    if block:
        yield block
