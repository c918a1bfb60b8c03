"""`wsb diagnose`: reads a log and names the known error, its cause and what helps."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command("diagnose")
@click.argument("file", required=False, default="-", metavar="[FILE]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(directory: str, file: str, as_json: bool) -> int:
    """Read a log, from FILE or standard input, and name the known error, its cause and what helps.

    The first finding is the cause. Says so where the log holds an error that nobody knows, and where to look for it.
    """
    from builder.cli import common
    from builder.doctor.diagnose import diagnose
    from builder.errors import WsbError
    from builder.ui.diagnosis import diagnosis_document, diagnosis_lines

    console = common.console()
    if file == "-":
        if sys.stdin.isatty():
            console.line("reading the log from standard input; Ctrl-D ends it")
        diagnosis = diagnose(sys.stdin.buffer)
    else:
        try:
            with Path(directory, file).open("rb") as stream:
                diagnosis = diagnose(stream)
        except OSError as error:
            raise WsbError("no-such-file", f"cannot read {file}: {error.strerror}") from error
    if as_json:
        console.document(diagnosis_document(diagnosis))
    else:
        from builder.cli.mending import mend_lines, project_of

        lines = list(diagnosis_lines(diagnosis, name="line" if file == "-" else file, width=console.width))
        if diagnosis.findings:
            lines += mend_lines(diagnosis.findings[0].text, project_of(directory))
        console.product("\n".join(lines))
    return 0
