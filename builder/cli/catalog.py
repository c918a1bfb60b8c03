"""`wsb catalog`: the rows of the tables, with their sources."""

from __future__ import annotations

import click


@click.command("catalog")
@click.argument("kind", required=False, metavar="[KIND]")
@click.argument("words", nargs=-1, metavar="[NAME]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--torch", metavar="VERSION", help="Beside this torch.")
@click.option("--torchvision", metavar="VERSION", help="Beside this torchvision.")
@click.option("--torchaudio", metavar="VERSION", help="Beside this torchaudio.")
@click.option("--python", metavar="VERSION", help="For this Python.")
@click.option(
    "--platform", metavar="NAME", help="Wheels of linux_x86_64, linux_aarch64, win_amd64, macos_arm64 or macos_x86_64."
)
@click.option("--variant", metavar="NAME", help="For this build, such as cu126.")
@click.option("--cuda", metavar="VERSION", help="Of this CUDA, such as 12.6.")
@click.option("--ubuntu", metavar="VERSION", help="On this Ubuntu, such as 22.04.")
@click.option("--want", metavar="WORDS", help='What an image is wished for, such as "nvidia/cuda devel+cudnn".')
@click.option(
    "--os", type=click.Choice(["linux", "windows", "wsl", "macos"]), default="linux", help="Of a driver: windows means WSL."
)
def command(kind: str | None, words: tuple[str, ...], as_json: bool, want: str | None, os: str, **narrowed: str | None) -> None:
    """Ask the tables; a kind without a name lists all that there is. KIND is one of:

    \b
    torch [2.6]          builds, Pythons, companions, what the default index serves
    companions 2.6       torchvision and torchaudio for a torch
    python 3.13          releases with a wheel for it (--torch: has this one?)
    driver 550.54.15     the CUDA and the torch a driver runs
    cuda 12.6            the driver a CUDA needs, the torch built for it
    gpu "RTX 3090"       what a card needs
    image "nvidia/cuda devel" --cuda 12.6
    package xformers --torch 2.6
    import cv2           the distribution behind an import name
    conda pytorch=1.7.1 cudatoolkit=11.0
    installer miniconda  the pinned installers and their sha256
    """
    from builder.catalog import load
    from builder.catalog.ask import Question, ask
    from builder.catalog.listings import overview

    if kind is None:
        document = overview(load())
    else:
        words = (*words, want) if want else words
        system = "windows" if os == "wsl" else os
        document = ask(load(), Question(kind=kind, words=words, os=system, **narrowed))  # type: ignore[arg-type]
    if as_json:
        import json

        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
        return
    from builder.ui.catalog_text import catalog_lines

    click.echo("\n".join(catalog_lines(document)))
