"""Lets pycdlib see one time, in UTC, while it makes descriptors: it asks the clock for each of them."""

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

    def time(self) -> float:
        return time.time() if self.frozen is None else self.frozen

    def localtime(self, seconds: float | None = None) -> struct_time:
        return time.localtime(seconds) if self.frozen is None else time.gmtime(seconds)

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


_clock = _Clock()
for _module in (pycdlib.dates, pycdlib.headervd, pycdlib.pycdlib, pycdlib.udf, pycdlib.utils):
    # The only way in: pycdlib takes no time from its callers, and the same bundle must give the same image twice.
    _module.time = _clock  # type: ignore[attr-defined] # their name for the module


@contextmanager
def frozen(seconds: float) -> Iterator[None]:
    """Show pycdlib this time (seconds since 1970) in this thread."""
    _clock.frozen = seconds
    try:
        yield
    finally:
        _clock.frozen = None
