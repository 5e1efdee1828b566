"""What a box on the other end of an SSH connection says, whatever it is that answers there."""

import pytest

from issbox.errors import ExitCode, FarSideError
from issbox.rules.people.ssh_targets import SshTarget
from issbox.ssh import Ended
from issbox.workflows.exchange.far_side import FarSide, far_report

FAR = FarSide(SshTarget("ship"))
DEEP = "[" * 4000


@pytest.mark.parametrize("answer", [b"", b"[]", b"\xff", b'"imported"', DEEP.encode()])
def test_a_report_that_is_none_is_said_to_be(answer: bytes) -> None:
    with pytest.raises(FarSideError, match="without a report that can be read"):
        far_report(FAR, Ended(0, answer, ()))


@pytest.mark.parametrize("line", ['{"error":', '{"error": 7}', '{"error":' + DEEP])
def test_an_error_that_is_none_is_repeated_as_it_came(line: str) -> None:
    with pytest.raises(FarSideError) as raised:
        far_report(FAR, Ended(ExitCode.REFUSED, b"", ("first", line)))
    assert line in str(raised.value)
    assert raised.value.exit_code is ExitCode.REFUSED


def test_an_import_that_has_to_wait_is_no_success() -> None:
    with pytest.raises(FarSideError, match=r"did not import the bundle at once \(waiting\): its base") as raised:
        far_report(FAR, Ended(ExitCode.WAITING, b'{"state": "waiting", "reason": "its base is missing"}', ()))
    assert raised.value.exit_code is ExitCode.WAITING
