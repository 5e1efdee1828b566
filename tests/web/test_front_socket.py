"""The socket for the server in front belongs to that server's group, or the service says what to do."""

import os
import shutil
import stat
from pathlib import Path

import pytest

from issbox.errors import ConfigurationError, PermissionDeniedError
from issbox.web.listening import _give_to_group


@pytest.fixture
def socket(tmp_path: Path) -> Path:
    path = tmp_path / "web.sock"
    path.touch(mode=0o600)
    return path


def test_a_group_that_the_account_is_in_gets_it(socket: Path) -> None:
    group = socket.group()
    _give_to_group(socket, group)
    assert stat.S_IMODE(socket.stat().st_mode) == 0o660


def test_a_group_that_is_not_there_is_named(socket: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no group no-such-group"):
        _give_to_group(socket, "no-such-group")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another account, and gives the file to one first")
def test_an_account_outside_the_group_is_told_to_join_it(socket: Path) -> None:
    shutil.chown(socket, user=65534)
    before = os.geteuid()
    os.seteuid(65534)
    try:
        with pytest.raises(PermissionDeniedError) as caught:
            _give_to_group(socket, "adm")
    finally:
        os.seteuid(before)
    assert "usermod --append --groups adm" in caught.value.hint
    assert stat.S_IMODE(socket.stat().st_mode) == 0o600
