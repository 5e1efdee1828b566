"""What somebody sees who previews, approves, refuses and takes back imports on the command line."""

import json
from pathlib import Path

import pytest
from makers.command_line import CommandLine
from makers.crossings import NAMES, Crossing, make_crossing


@pytest.fixture
def crossing(tmp_path: Path) -> Crossing:
    return make_crossing(tmp_path)


@pytest.fixture
def far(crossing: Crossing) -> CommandLine:
    """The command line of the receiving box."""
    line = CommandLine(crossing.root)
    state, source = crossing.receiver.store.state_dir, crossing.receiver.settings.source
    line.environ |= {"ISSBOX_STATE_DIR": str(state), "ISSBOX_CONFIG": str(source)}
    return line


def test_a_preview_fits_a_terminal_and_json_has_everything(crossing: Crossing, far: CommandLine) -> None:
    crossing.publish([0, 1], [0])
    far("content-import", "run", crossing.export()[0])
    crossing.publish([1, 2], range(0, 100, 5))
    (bundle,) = crossing.export()
    text = far("content-import", "preview", bundle, "--limit", "3").stdout
    assert "... and 16 more: --limit 0 shows all" in text
    assert f"  {NAMES[2]}\n" in text
    assert "+19 -0" in text
    table = [line for line in text.splitlines() if line.startswith(("REPOSITORY", "tools/base  "))]
    assert len(table) == 2
    assert max(map(len, table)) <= 80
    assert "more" not in far("content-import", "preview", bundle, "--limit", "0").stdout
    (repository,) = far.json("content-import", "preview", bundle)["repositories"]
    assert len(repository["errata_added"]) == 19
    assert far.json("content-import", "preview", "1")["imported_before"] == 1
    assert far.error("content-import", "preview", "nowhere", code=4)["code"] == "not-found"


def test_a_report_as_text_as_bytes_and_signed(crossing: Crossing, far: CommandLine) -> None:
    far("content-import", "run", crossing.export()[0])
    text = far("content-import", "report", "1").stdout
    assert "Checked and found right:" in text
    data = far("content-import", "report", "1", "--json").stdout
    assert json.loads(data)["import_id"] == 1
    shown = far.json("content-import", "report", "--id", "1")
    assert list(shown) == list(json.loads(data))


def test_a_number_is_that_of_an_import_where_the_account_may_not_look_around(
    crossing: Crossing, far: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    crossing.publish([0, 1], [0])
    far("content-import", "run", crossing.export()[0])

    look = Path.exists

    def refuse(path: Path) -> bool:
        if path.is_absolute():
            return look(path)
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "exists", refuse)  # as in the directory of root, for the account of the box
    assert far.json("content-import", "preview", "1")["imported_before"] == 1
    assert far.error("content-import", "preview", "nowhere", code=12)["code"] == "permission-denied"
