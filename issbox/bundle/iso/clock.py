"""Lets pycdlib see one time, in UTC, while an image is made: it asks the clock for every record it writes."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from time import struct_time
from typing import Any

import pycdlib.dates
import pycdlib.headervd
import pycdlib.pycdlib
import pycdlib.udf
import pycdlib.utils


class _Clock(threading.local):
    """Stands where these modules have the module `time`; in a thread that froze nothing, it is that module."""

    frozen: float | None = None
    broken_down: struct_time | None = None

    def time(self) -> float:
        return time.time() if self.frozen is None else self.frozen

    def localtime(self, seconds: float | None = None) -> struct_time:
        return time.localtime(seconds) if self.frozen is None else self.gmtime(seconds)

    def gmtime(self, seconds: float | None = None) -> struct_time:
        # Every record asks for the same time, several times.
        if self.broken_down is not None and seconds == self.frozen:
            return self.broken_down
        return time.gmtime(seconds)

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


_clock = _Clock()
for _module in (pycdlib.dates, pycdlib.headervd, pycdlib.pycdlib, pycdlib.udf, pycdlib.utils):
    # The only way in: pycdlib takes no time from its callers, and the same bundle must give the same image twice.
    _module.time = _clock  # type: ignore[attr-defined] # their name for the module


@contextmanager
def frozen(seconds: float) -> Iterator[None]:
    """Show pycdlib this time (seconds since 1970) in this thread."""
    _clock.frozen, _clock.broken_down = seconds, time.gmtime(seconds)
    try:
        yield
    finally:
        _clock.frozen = _clock.broken_down = None
