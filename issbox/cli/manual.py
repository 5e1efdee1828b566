"""Writes manual pages (man-pages(7)) from the commands themselves: `python -m issbox.cli.manual DIRECTORY`.

issbox(1) lists what there is; issbox-NOUN(1) has every command of a noun.
"""

import inspect
import sys
from pathlib import Path

import click

from issbox import VERSION
from issbox.cli.command import IssboxCommand
from issbox.cli.index import COMMANDS
from issbox.cli.reference import every_command
from issbox.errors import EXIT_CODE_MEANINGS


def pages() -> dict[str, str]:
    """Give every page by its file name, in roff."""
    found: dict[str, list[tuple[str, click.Command]]] = {}
    for path, command in every_command():
        found.setdefault(path.split()[1], []).append((path, command))
    made = {"issbox.1": _overview()}
    made |= {f"issbox-{noun}.1": _page(noun, below) for noun, below in found.items()}
    return made


def _overview() -> str:
    lines = [
        *_head("issbox", "carry software repositories across an air gap"),
        ".SH SYNOPSIS",
        ".B issbox",
        r"\fICOMMAND\fR [\fIOPTION\fR]...",
        ".SH DESCRIPTION",
        _text(
            "A box on each side of the gap mirrors yum repositories, writes signed bundles, takes them in on the other"
            " side, and decides which host sees which content. Every command has --help with an example, and --json."
        ),
        ".SH COMMANDS",
    ]
    for name, entry in COMMANDS.items():
        lines += [".TP", rf"\fBissbox\-{_text(name)}\fR(1)", _text(entry.help)]
    lines += [".SH EXIT STATUS"]
    for code, meaning in EXIT_CODE_MEANINGS.items():
        lines += [".TP", rf"\fB{code.value}\fR", _text(meaning)]
    lines += [
        ".SH ENVIRONMENT",
        ".TP",
        r"\fBISSBOX_CONFIG\fR",
        "The configuration file.",
        ".TP",
        r"\fBISSBOX_STATE_DIR\fR",
        "The directory where the box keeps everything.",
        ".SH FILES",
        r"\fI/etc/issbox/issbox.toml\fR, \fI/var/lib/issbox\fR",
    ]
    return "\n".join(lines) + "\n"


def _page(noun: str, below: list[tuple[str, click.Command]]) -> str:
    lines = [*_head(f"issbox-{noun}", COMMANDS[noun].help.rstrip(".").lower()), ".SH SYNOPSIS"]
    for path, command in below:
        ctx = click.Context(command, info_name=path)
        lines += [rf"\fB{_text(path)}\fR {_text(' '.join(command.collect_usage_pieces(ctx)))}", ".br"]
    lines.append(".SH DESCRIPTION")
    for path, command in below:
        lines += _command(path, command)
    lines += [".SH SEE ALSO", r"\fBissbox\fR(1)"]
    return "\n".join(lines) + "\n"


def _command(path: str, command: click.Command) -> list[str]:
    about = inspect.cleandoc(command.help or "").partition("\n\n\b")[0]
    lines = [rf".SS {_text(path)}"]
    for paragraph in about.split("\n\n"):
        lines += [".PP", _text(" ".join(paragraph.split()))]
    for option in command.params:
        if isinstance(option, click.Option):
            names = ", ".join(rf"\fB{_text(name)}\fR" for name in (*option.opts, *option.secondary_opts))
            value = "" if option.is_flag or not option.metavar else rf" \fI{_text(option.metavar)}\fR"
            lines += [".TP", names + value, _text(option.help or "")]
    if isinstance(command, IssboxCommand):
        lines += [".PP", "Example:", ".PP", ".RS 4", ".nf", _text(command.example), ".fi", ".RE"]
    return lines


def _head(name: str, about: str) -> list[str]:
    return [
        f'.TH "{name.upper()}" "1" "" "issbox {VERSION}" "issbox"',
        ".SH NAME",
        rf"{_text(name)} \- {_text(about)}",
    ]


def _text(text: str) -> str:
    """Write text so that roff takes no character for its own."""
    escaped = text.replace("\\", r"\e").replace("-", r"\-")
    return "\n".join(rf"\&{line}" if line.startswith((".", "'")) else line for line in escaped.split("\n"))


def main(directory: Path) -> None:
    """Write all pages into the directory."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (directory / name).write_text(text)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
