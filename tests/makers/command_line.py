"""The command line in this process, on a state directory of its own."""

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from issbox.cli.app import root


class CommandLine:
    """Runs commands against one state directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.state = directory / "state"
        self.environ: dict[str, str | None] = {
            "ISSBOX_STATE_DIR": str(self.state),
            "ISSBOX_CONFIG": None,
            "XDG_CONFIG_HOME": str(directory / "config"),
            "HOME": str(directory),
        }

    def __call__(self, *words: str | Path, stdin: str | bytes | None = None, code: int = 0) -> Result:
        """Run a command and check its exit code."""
        result = CliRunner(env=self.environ).invoke(root, list(map(str, words)), input=stdin)
        said = f"{words} gave {result.exit_code}:\n{result.stdout}{result.stderr}"
        assert result.exit_code == code, said
        return result

    def json(self, *words: str | Path, stdin: str | None = None) -> Any:
        """Run a command with --json and give what it wrote."""
        return json.loads(self(*words, "--json", stdin=stdin).stdout)

    def error(self, *words: str | Path, code: int) -> dict[str, Any]:
        """Run a command that fails with --json and give its error; nothing is written to standard output."""
        result = self(*words, "--json", code=code)
        assert result.stdout == ""
        error: dict[str, Any] = json.loads(result.stderr.splitlines()[-1])["error"]
        assert error["exit_code"] == code
        return error
