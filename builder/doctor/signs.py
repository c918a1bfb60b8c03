"""How a single line of a log reads: as an error, as one that was dealt with, as mere talk about errors.

Precision is worth more than reach here: a training log is full of the word "error" and of warnings that harm nobody.
"""

from __future__ import annotations

import re
from typing import Final

TRACEBACK: Final = "Traceback (most recent call last)"
FRAME: Final = re.compile(r'\s*(?:[|│]\s*)?File "(?P<path>[^"]+)", line \d+')
_DONE: Final = re.compile(r"DONE \d+\.\d+s$")
# Python tidying up at its end: the traceback that follows stopped nothing.
AT_EXIT: Final = re.compile(r"Exception ignored in|Error in sys\.excepthook")
NATIVE_FRAME: Final = re.compile(r"\s*frame #\d+:")

# Pieces of plain text: a bunch of lines without any of them holds nothing that this module calls an error.
WORDS: Final = (
    "Error",
    "ERROR",
    "error:",
    "error #",
    'error"',
    "=error",
    "Exception",
    "FAILED",
    "Fatal",
    "fatal",
    "FATAL",
    "CRITICAL",
    TRACEBACK,
    '", line ',
    "frame #",
    "core dumped",
    "Segmentation fault",
    "Aborted",
    "E: ",
    "npm ERR!",
    "panic: ",
    "undefined reference",
    "terminate called",
    "exited with ",
    "non-zero",
    "closing signal",
    "DONE ",
    "Root Cause (first observed failure)",
    "\\n",
)

# The last line of a traceback: a class by its name, then a message or nothing.
_RAISED: Final = re.compile(r"(?:[A-Za-z_]\w*\.)*_*[A-Z]\w*(?::(?:\s|$)|$)")
_RAISED_BY_NAME: Final = re.compile(
    r"(?:[A-Za-z_]\w*\.)*_*[A-Z]\w*(?:Error|Exception|Failure|Fault|Timeout|Expired|Unavailable)(?::\s|:?$)"
    r"|(?:[a-z_]\w*\.)+error: \S"
)


def _any(*patterns: str, flags: int = 0) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), flags)


# At the start of a line, behind its prefix.
_ERRORS: Final = _any(
    r"(?:ERROR|FATAL|CRITICAL|Error|error|fatal|Fatal|FAILED)!?:\s+(?!none\b|None\b|no\b|No\b|null\b|nan\b)[^\s\d]",
    r"E: \S",
    r"(?:fatal|Fatal Python|CMake) [Ee]rror\b",
    r"[\w./+-]+[:(]\d[\d:,)]*:? (?:fatal )?error(?::| #)",  # a compiler: file, line, error
    r"(?:collect2|ld|g?cc|g\+\+|clang|nvcc|cc1plus|c\+\+|rustc|ptxas)(?:: | )(?:fatal |error|fatal error)",
    r"npm ERR! \S",
    r"panic: \S",
    r"(?:\S+: )?undefined reference to ",
    r"(?:\S+: )?(?:line \d+: +\d+ )?(?:Segmentation fault|Aborted|Bus error|Floating point exception)\b",
    r"docker: Error response from daemon: ",
    r"[\w./-]+: error: \S",  # argparse, and programs like it
    r".{0,200}?[\"']?(?:level|levelname|severity)[\"']?\s*[:=]\s*[\"']?(?:error|critical|fatal|ERROR|CRITICAL|FATAL)\b",
    r"(?:curl|wget|git|tar|unzip|ssh|rsync|scp|mount|chown|python\d?): (?:error|fatal|cannot|can't)\b",
    r"Exception in thread ",
    r"FAILED (?:\(|\S+::|\S+\.py)",
    r"terminate called after throwing",
    r"Error (?:response from daemon|occurred|executing|during|while|in)\b.*\S",
    r"×\s+\S",
)
_METRIC: Final = re.compile(r"\b(?:ERROR|CRITICAL|FATAL)\b[\w\s:=|%-]{0,60}?[\s:=|][-+]?\d[\d.e%-]{0,20}$")
_FAILURE: Final = re.compile(r"fail|could not|cannot|can't|unable|error|exception", re.IGNORECASE)
_LEVEL: Final = re.compile(
    r"(?P<level>(?<![^\s\[|(:-])(?:DEBUG|INFO|WARN(?:ING)?|ERROR|CRITICAL|FATAL)(?=[\]\s:|)-]|$))"
    r"|^\[?(?P<letter>[IWEFC])(?:\d{4}[ ]\d\d:\d\d| \d{4}-\d\d-\d\d| \d\d:\d\d:\d\d| (?:tensorflow|external)/)"
    r"|^(?P<word>[Ww]arning):"
)
_DEALT_WITH: Final = _any(
    r"\bfall(?:ing|s)?[ -]?back\b",
    r"\bfell back\b",
    r"\b(?:using|as|use) (?:a |the )?fallback\b",
    r"\bretrying\b",
    r"\bretries left\b",
    r"\bwill (?:be )?retr(?:y|ied)\b",
    r"\bignor(?:ed|ing)\b",
    r"\b(?-i:[Ss]kipp(?:ed|ing))\b",  # pytest's SKIPPED is another matter
    r"\bcontinu(?:e|es|ing) (?:with|without|anyway|training|on\b|to\b)",
    r"(?<!before )\bproceeding\b",
    r"\b(?:using|trying) [\w.'` -]{1,60}?\binstead\b",
    r"\bnot (?:fatal|critical)\b|\bnon-fatal\b|\bharmless\b|\bnothing to worry\b",
    r"\brecover(?:ed|ing)\b",
    r"\b(?:error|exception) (?:was )?caught\b",
    r"\bcaught (?:an? |and |the |exception|error|\w+Error)",
    r"\bhandled\b",
    r"\b(?:reduc(?:ed|ing)|lowering|halving) (?:the )?(?:batch|micro)",
    r"\btrying (?:again|next|another|with|batch|smaller)",
    r"\bexpected (?:error|failure|exception)\b",
    r"\b(?:support|backend|feature|plugin|acceleration)s? (?:is |are |will be )?(?:disabled|unavailable|not available)\b",
    r"\bsucceeded (?:on|after)\b",
    flags=re.IGNORECASE,
)
_PYTHON_WARNING: Final = re.compile(r"\w+Warning:")
_SECOND_TRY: Final = re.compile(r"\bretrying\b|\brecovered\b|\bsucceeded (?:on|after)\b", re.IGNORECASE)
# Before a message, in its own line.
_TALK: Final = _any(
    r"\bif (?:you|this|it|there|the|an?)\b",
    r"\bin case (?:of|you)\b",
    r"\bwhen(?:ever)? you\b",
    r"\bto (?:avoid|prevent|fix|debug|reproduce|test|simulate)\b",
    r"\b(?:avoid|prevent|fix|handle|simulate)(?:s|es|ed|ing)?\b(?! with)",
    r"\bworkaround for\b|\bsuch as\b|\be\.g\.",
    r"\bmay (?:cause|lead|result|raise|give)\b|\bmight (?:raise|give|see|get)\b|\bknown issues?\b",
    r"\b(?:hint|tip|note|faq|example|docs?|see|todo|fixme)\b[: ]|\btroubleshoot",
    r"\bno (?:more )?$|(?<![\w.])0 $|\bwithout (?:any )?$",
    r"(?:^|\s)#\s|::test_|\btests? for\b|\bgrep\b",
    r"\b(?:assert|assertRaises|except|raise)\b",
    flags=re.IGNORECASE,
)
# What was to be run, or somebody's source: not what came of it.
_COMMAND: Final = _any(
    r"\s*(?:=> |\+{1,4} |\$ |>>> |\.\.\. |-{2,}> \d*|#\s|//\s|❱|│.*❱)",
    r"\s*\[[\w -]*\d+/\d+\] |Step \d+/\d+ :|\s*> \[|\s*\d+ \| ",
    r"\s*(?:>+ )?(?:RUN|COPY|ADD|ENV|ARG|CMD|ENTRYPOINT|SHELL) ",
    r"\s*(?:[Rr]unning|[Ee]xecuting)(?: command:? |: )|\s*[Cc]ommand: |\s*cmd: ",
    r"commit [0-9a-f]{7,}|(?=[0-9a-f]*[a-f])(?=[a-f]*\d)[0-9a-f]{7,12} [A-Za-z]|diff --git|[-+]{3} |@@ ",
)
_WENT_WELL: Final = _any(
    r"\b(?:PASSED|SKIPPED|XFAIL|XPASS|ok|✓)\s*(?:\[\s*\d+%\])?$",
    r"\b(?:0|no) errors?\b",
    r"\berrors?[:=] ?0\b",
    r"\b0 failed\b",
    flags=re.IGNORECASE,
)
_PACKAGE: Final = re.compile(r"/(?:site|dist)-packages/(?P<package>[A-Za-z_]\w*)")
_BUILDING: Final = re.compile(r"setup\.py|build_meta|<string>|pip-|_in_process|build-env|builds-v0|setuptools|hatchling|meson")


def is_raised(text: str) -> bool:
    """Whether this can be the last line of a traceback that is open."""
    return _RAISED.match(text.lstrip(" |│")) is not None


def is_error(text: str) -> bool:
    """Whether this line by itself says that something failed."""
    bare = text.strip()
    says_so = _RAISED_BY_NAME.match(bare) or _ERRORS.match(bare)
    if not says_so and not (level(bare) in ("ERROR", "CRITICAL", "FATAL") and not _METRIC.search(bare)):
        return False
    return not _WENT_WELL.search(bare) and not _COMMAND.match(text)


def level(text: str) -> str:
    """The level a logger wrote near the start of the line, such as WARNING; "" without one.

    Jupyter's C is none: it says by it what everybody shall read.
    """
    head = text[:120]
    found = _LEVEL.search(head)
    if found is None or head[: found.start()].rstrip().endswith("NCCL") or "NCCL WARN" in head:
        return ""
    if found["letter"]:
        return {"I": "INFO", "W": "WARNING", "E": "ERROR", "F": "FATAL", "C": ""}[found["letter"]]
    return "WARNING" if found["word"] or found["level"] == "WARN" else found["level"]


def is_mild(text: str) -> bool:
    """Whether a logger thought little of it. Python's own warnings (UserWarning: …) are not meant: torch says much by them."""
    return level(text) in ("DEBUG", "INFO", "WARNING") and not _PYTHON_WARNING.search(text)


def is_dealt_with(text: str) -> bool:
    """Whether this line says that a failure was coped with. Python's warnings speak of their own matters."""
    return _DEALT_WITH.search(text) is not None and not _PYTHON_WARNING.search(text)


def is_second_try(text: str) -> bool:
    """Whether this line says that something is tried again, or went well then; it may stand some lines behind the failure."""
    return _SECOND_TRY.search(text) is not None


def is_warned_failure(text: str) -> bool:
    """Whether a logger warned of a failure, no more; a traceback after it is the warning's own."""
    return level(text) == "WARNING" and _FAILURE.search(text) is not None


def is_ordinary(text: str) -> bool:
    """Whether a line that is no error belongs to a program that goes on, not to the report of a failure."""
    return text[0].isalnum() and not text.endswith(":")


def is_done(text: str) -> bool:
    """Whether BuildKit says that a step went well."""
    return _DONE.match(text) is not None


def is_talk(text: str, start: int) -> bool:
    """Whether the message that begins at start is only spoken of: a hint, a comment, a command, a test's name."""
    if _COMMAND.match(text) or _WENT_WELL.search(text):
        return True
    return _TALK.search(text[max(0, start - 100) : start]) is not None


def package_of(frames: tuple[str, ...]) -> str:
    """The package whose code stands last in a traceback; "" for the project's own."""
    found = _PACKAGE.search(frames[-1]) if frames else None
    return found["package"] if found else ""


def is_plain_run(frames: tuple[str, ...]) -> bool:
    """Whether a traceback shows a program of the user, and no package that was being built."""
    return bool(frames) and not any(_BUILDING.search(path) for path in frames)
