"""`issbox completion`."""

from dataclasses import dataclass

import click

from issbox.cli import output
from issbox.cli.command import Run, command
from issbox.cli.shapes import Field, Shape


@dataclass(frozen=True, slots=True)
class CompletionScript:
    """What a shell reads to complete the words of `issbox`."""

    shell: str
    script: str


COMPLETION = Shape[CompletionScript](
    "completion script",
    (
        Field("shell", "`bash`, `zsh` or `fish`", lambda each: each.shell),
        Field("script", "the script", lambda each: each.script),
    ),
)


@command(
    "completion", example="issbox completion bash > ~/.local/share/bash-completion/completions/issbox", shape=COMPLETION
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(run: Run, *, shell: str) -> None:
    """Print the script that completes commands and options of issbox in SHELL.

    For zsh, write it to a file _issbox in a directory of $fpath; for fish, to ~/.config/fish/completions/issbox.fish.
    """
    from click.shell_completion import get_completion_class

    from issbox.cli.app import root

    made = get_completion_class(shell)
    if made is None:
        raise LookupError(f"click knows no completion for {shell}")
    # `source` of bash would look for an installed bash, which the machine that packages issbox may lack.
    completer = made(root, {}, "issbox", "_ISSBOX_COMPLETE")
    script = completer.source_template % completer.source_vars()
    if run.as_json:
        run.show(COMPLETION, CompletionScript(shell, script))
    else:
        output.write(script)
