"""The line mode: everything by numbered menus, on any teletype."""

import errno
import os
import pty
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import pytest
from makers.boxes import Gap
from makers.consoles import arrive, export_library, session_of

from issbox.console import first_run
from issbox.console.plain import PlainConsole
from issbox.console.start import make_box
from issbox.job_running import work_through
from issbox.model import ImportState
from issbox.workflows import history, jobs
from issbox.workflows.environments import environments


class Paper:
    """A teletype that types what it was given, and keeps what it was told."""

    columns = 80

    def __init__(self, typed: Iterable[str]) -> None:
        self._typed = iter(typed)
        self.told: list[str] = []

    def ask(self, prompt: str, *, secret: bool = False) -> str | None:
        typed = next(self._typed, None)
        self.told.append(f"{prompt}{'***' if secret else typed}")
        return typed

    def tell(self, line: str) -> None:
        self.told.append(line)

    @property
    def text(self) -> str:
        return "\n".join(self.told)


def use(gap: Gap, *typed: str, user: str | None = None, inside: bool = False) -> Paper:
    paper = Paper(typed)
    PlainConsole(session_of(gap.inside if inside else gap.outside, user), paper).run()
    return paper


def test_lines_never_are_wider_than_the_paper(gap: Gap) -> None:
    places = [word for number in range(1, 14) for word in ("g", str(number))]
    paper = use(gap, *places, "q")
    assert max(len(line) for line in paper.told if "=>" not in line) <= 80
    for title in ("Overview", "Inbox", "Environments of acme", "Promotions", "Products", "Exports", "Jobs", "People"):
        assert title in paper.text


def test_an_environment_is_made_and_deleted_with_its_consequences(gap: Gap) -> None:
    paper = use(gap, "g", "Environments", "c", "Test lab", "", "Quality", "for tests", "5", "Delete", "y", "q")
    assert "Test lab comes after qa." in paper.text
    assert "This cannot be taken back." in paper.text
    ctx = gap.outside.context()
    assert [each.label for each in environments.list_environments(ctx, "acme")] == ["Library", "dev", "qa", "prod"]


@pytest.mark.usefixtures("_without_workers")
def test_a_promotion_shows_its_plan_and_becomes_a_job(gap: Gap) -> None:
    paper = use(gap, "g", "Promotions", "p", "Servers 2.0", "Quality", "", "", "y", ".", "q")
    assert "Promote servers 2.0 into qa?" in paper.text
    assert "+ gap-traveller" in paper.text
    ctx = gap.outside.context()
    work_through(ctx)
    (job,) = jobs.list_jobs(ctx)
    assert job.result["environment"] == "qa"


def test_a_refusal_is_told_with_what_to_do(gap: Gap) -> None:
    paper = use(gap, "g", "Promotions", "p", "Servers 2.0", "Production", "", "", "q")
    assert "It cannot be done:" in paper.text
    assert jobs.list_jobs(gap.outside.context()) == []


def test_what_a_role_does_not_allow_says_so(gap: Gap) -> None:
    paper = use(gap, "g", "Environments", "c", "?", "q", user="vic")
    assert "not permitted" in paper.text
    assert "the user vic may not" in paper.text


def test_an_arrived_bundle_is_there_with_its_details(gap: Gap) -> None:
    arrive(gap.inside, export_library(gap))
    paper = use(gap, "g", "Inbox", "1", "1", "q", inside=True)
    assert ImportState.IMPORTED.value in paper.text
    assert "signing key" in paper.text


def test_wrong_words_and_an_early_end_do_no_harm(gap: Gap) -> None:
    paper = use(gap, "sing", "999", "g", "no such place", ".", "s", ".", "/nothing has this", "?")
    assert "'sing' is nothing that can be done here" in paper.text
    assert "There is no such line." in paper.text


@pytest.mark.parametrize("digits", [30, 5000])
def test_a_number_beyond_all_lists_is_no_line(gap: Gap, digits: int) -> None:
    number = "9" * digits
    paper = use(gap, number, "g", number, ".", "g", "Audit log", number, "q")
    assert paper.text.count("is nothing that can be done here") == 2
    paper = use(gap, "g", "Audit log", "9" * 12, "q")
    assert "There is no such line." in paper.text


def test_the_audit_log_is_written_where_nothing_is(gap: Gap, tmp_path: Path) -> None:
    place = tmp_path / "new" / "audit.jsonl"
    assert "written to" in use(gap, "g", "Audit log", "w", str(place), "", "q").text
    assert place.read_text().startswith("{")
    assert "exists already" in use(gap, "g", "Audit log", "w", str(place), "", "q").text
    assert "cannot be a path" in use(gap, "g", "Audit log", "w", "a\0b", "", "q").text


def test_a_mistake_of_issbox_is_told_and_the_console_goes_on(gap: Gap, monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(*_: object) -> None:
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr(history, "list_exports", stumble)
    paper = use(gap, "g", "Exports", "g", "Jobs", "q")
    assert "ZeroDivisionError: by nothing" in paper.text
    assert "(code bug)" in paper.text
    assert paper.told[-1].startswith("issbox (Jobs) =>")


def test_what_the_disk_says_in_the_first_run_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[object] = []

    def do(*given: object) -> str:
        tried.append(given)
        if len(tried) == 1:
            raise OSError(errno.ENOSPC, "No space left on device", "/var/lib/issbox")
        return "It is made."

    monkeypatch.setattr(first_run, "STEPS", (first_run.Step("This box", "It has a name.", (), do),))
    paper = Paper(())
    assert make_box(paper)
    assert "/var/lib/issbox: No space left on device" in paper.text
    assert paper.told[-1] == "It is made."


ASK = "from issbox.console.start import StandardTeletype; print(ascii(StandardTeletype().ask('Name: ', secret={})))"


def test_keys_of_another_encoding_end_nothing() -> None:
    command = [sys.executable, "-c", ASK.format(False)]
    environ = {**os.environ, "PYTHONIOENCODING": "utf-8:strict"}
    asked = subprocess.run(command, input=b"M\xfcller\n", env=environ, capture_output=True, check=True)
    assert asked.stdout == b"Name: 'M\\ufffdller'\n"


def test_the_end_of_input_ends_a_hidden_question_too() -> None:
    child, terminal = pty.fork()
    if child == 0:
        os.execv(sys.executable, [sys.executable, "-c", ASK.format(True)])  # with a terminal of its own
    said = b""
    with suppress(OSError):  # how Linux says that nobody is there any more
        while part := os.read(terminal, 1000):
            said += part
            if b"Name: " in part:
                os.write(terminal, b"\x04")
    os.close(terminal)
    assert os.waitpid(child, 0)[1] == 0, said
    assert b"None" in said


def test_it_is_the_mode_of_a_dumb_terminal(gap: Gap) -> None:
    environment = {**os.environ, **gap.outside.environment(), "TERM": "dumb"}
    command = [sys.executable, "-m", "issbox", "tui"]
    done = subprocess.run(command, input="g\n3\nq\n", env=environment, capture_output=True, text=True, check=True)
    assert "Environments of acme" in done.stdout
    assert "\x1b" not in done.stdout


def test_a_first_run_makes_a_box(tmp_path: Path) -> None:
    environment = {**os.environ, "ISSBOX_STATE_DIR": str(tmp_path / "state"), "XDG_CONFIG_HOME": str(tmp_path)}
    typed = "Island\nAcme Corporation\nacme\nzoe\nZoe\n\n\n\ng\n8\nq\n"
    command = [sys.executable, "-m", "issbox", "tui", "--plain"]
    done = subprocess.run(command, input=typed, env=environment, capture_output=True, text=True, check=True)
    assert "Island is made in" in done.stdout
    assert "super-admin" in done.stdout
