"""The log in systemd's journal, as entries with fields: its native protocol, without libsystemd.

The protocol is described in https://systemd.io/JOURNAL_NATIVE_PROTOCOL/. Facts of a line become fields ISSBOX_*, so
that `journalctl ISSBOX_STATE=refused` finds what `state=refused` says.
"""

import errno
import fcntl
import logging
import os
import re
import socket
import struct
from collections.abc import Iterator, Mapping
from typing import IO, Final

from issbox.watcher.facts import Facts

SOCKET: Final = "/run/systemd/journal/socket"
IDENTIFIER: Final = "issbox"
_PRIORITIES: Final = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
_NAME: Final = re.compile(r"[^A-Z0-9_]")
_LONGEST_NAME: Final = 64
_SEALS: Final = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL


def journal_listens(environ: Mapping[str, str], stream: IO[str]) -> bool:
    """Tell whether a stream goes to the journal: JOURNAL_STREAM names its device and inode (systemd.exec(5))."""
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return environ.get("JOURNAL_STREAM", "") == f"{status.st_dev}:{status.st_ino}"


class JournalHandler(logging.Handler):
    """Sends each record as one entry. What the journal does not take goes to the handler for `otherwise`."""

    def __init__(self, otherwise: logging.Handler, address: str = SOCKET) -> None:
        super().__init__()
        self._otherwise = otherwise
        self._address = address
        self._channel: socket.socket | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Send a record; a journal that is being restarted loses none."""
        try:
            self._send(b"".join(self._entry(record)))
        except OSError:
            self._otherwise.handle(record)
        except Exception:  # a log never ends what it tells of
            self.handleError(record)

    def _entry(self, record: logging.LogRecord) -> Iterator[bytes]:
        yield _field("MESSAGE", self.format(record))
        yield _field("PRIORITY", str(next((value for level, value in _PRIORITIES if record.levelno >= level), 7)))
        yield _field("SYSLOG_IDENTIFIER", IDENTIFIER)
        yield _field("CODE_FILE", record.pathname)
        yield _field("CODE_LINE", str(record.lineno))
        yield _field("CODE_FUNC", record.funcName)
        yield _field("ISSBOX_LOGGER", record.name)
        yield _field("ISSBOX_THREAD", record.threadName or "")
        for name, value in _facts(record):
            yield _field(f"ISSBOX_{_NAME.sub('_', name.upper())}"[:_LONGEST_NAME], value)

    def close(self) -> None:
        """Let go of the journal."""
        self._hang_up()
        super().close()

    def _send(self, entry: bytes) -> None:
        """Send an entry on the connection that is kept; a journal that was started anew has another one."""
        if self._channel is not None:
            try:
                _send_on(self._channel, entry)
            except OSError:
                self._hang_up()
            else:
                return
        try:
            _send_on(self._open(), entry)
        except OSError:
            self._hang_up()
            raise

    def _open(self) -> socket.socket:
        self._channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._channel.connect(self._address)
        return self._channel

    def _hang_up(self) -> None:
        channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()


def _facts(record: logging.LogRecord) -> Iterator[tuple[str, str]]:
    """Give what a record states by name: in its arguments, or by `extra={"facts": ...}` beside another form of line."""
    for argument in record.args if isinstance(record.args, tuple) else ():
        if isinstance(argument, Facts):
            yield from argument.values.items()
    beside = getattr(record, "facts", None)
    if isinstance(beside, Mapping):
        yield from ((str(name), str(value)) for name, value in beside.items())


def _send_on(channel: socket.socket, entry: bytes) -> None:
    try:
        channel.send(entry)
    except OSError as error:
        if error.errno not in (errno.EMSGSIZE, errno.ENOBUFS):
            raise
        _send_file(channel, entry)


def _send_file(channel: socket.socket, entry: bytes) -> None:
    """Hand over an entry that is too long for a datagram, as a file in memory that nobody can change any more."""
    descriptor = os.memfd_create("issbox-log", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        with open(descriptor, "wb", closefd=False) as out:
            out.write(entry)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)
        channel.sendmsg([], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack("i", descriptor))])
    finally:
        os.close(descriptor)


def _field(name: str, value: str) -> bytes:
    """Write a field; a text of several lines has its length before it."""
    data = value.encode(errors="backslashreplace")
    if b"\n" not in data:
        return name.encode() + b"=" + data + b"\n"
    return name.encode() + b"\n" + struct.pack("<Q", len(data)) + data + b"\n"
