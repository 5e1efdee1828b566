"""Small binary fields: numbers of any size in as few bytes as they need, short texts, and ids that are mostly UUIDs."""

from typing import Final, Self
from uuid import UUID

from issbox.bundle.decoding import MAX_NUMBER
from issbox.errors import BadReceiptError

_LONGEST_NUMBER: Final = 8
"""Bytes; 8 times 7 bits hold every number up to 2^53 - 1."""
_LONGEST_TEXT: Final = 1020
_UUID_BYTES: Final = 16


class Packer:
    """Writes fields one after the other."""

    def __init__(self) -> None:
        self._data = bytearray()

    def raw(self, data: bytes) -> Self:
        """Add bytes as they are."""
        self._data += data
        return self

    def number(self, value: int) -> Self:
        """Add a number: seven bits a byte, the lowest first, the eighth bit set in all bytes but the last (LEB128)."""
        while value > 0x7F:
            self._data.append(value & 0x7F | 0x80)
            value >>= 7
        self._data.append(value)
        return self

    def text(self, value: str) -> Self:
        """Add text: the number of its bytes and its UTF-8."""
        data = value.encode()
        return self.number(len(data)).raw(data)

    def id(self, value: str) -> Self:
        """Add an id: the number 0 and 16 bytes for a UUID as it is usually written, or text."""
        try:
            uuid = UUID(value)
        except ValueError:
            return self.text(value)
        return self.number(0).raw(uuid.bytes) if str(uuid) == value else self.text(value)

    def data(self) -> bytes:
        """Give everything that was added."""
        return bytes(self._data)


class Unpacker:
    """Reads fields one after the other; every method raises BadReceiptError when there is no such field."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def raw(self, size: int) -> bytes:
        """Read so many bytes."""
        if size > len(self._data) - self._at:
            raise BadReceiptError("receipt: it is cut")
        self._at += size
        return self._data[self._at - size : self._at]

    def number(self) -> int:
        """Read a number, written as short as it can be."""
        value = 0
        for place in range(_LONGEST_NUMBER):
            (byte,) = self.raw(1)
            value |= (byte & 0x7F) << 7 * place
            if byte < 0x80:
                if value > MAX_NUMBER or (byte == 0 and place > 0):
                    break
                return value
        raise BadReceiptError("receipt: a number is not written as it should be")

    def text(self) -> str:
        """Read text."""
        return self._text(self.number())

    def id(self) -> str:
        """Read an id."""
        size = self.number()
        return str(UUID(bytes=self.raw(_UUID_BYTES))) if size == 0 else self._text(size)

    def finish(self) -> None:
        """Check that nothing is left."""
        if self._at != len(self._data):
            raise BadReceiptError("receipt: there is something after its end")

    def _text(self, size: int) -> str:
        if size > _LONGEST_TEXT:
            raise BadReceiptError("receipt: a text is too long")
        try:
            return self.raw(size).decode()
        except UnicodeDecodeError:
            raise BadReceiptError("receipt: a text is not UTF-8") from None
