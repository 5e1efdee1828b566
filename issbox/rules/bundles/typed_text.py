"""Text that people read aloud and type: Crockford's base 32 with a CRC-24 that no single slip of a finger passes.

The alphabet has no I, L, O and U; what is typed as I or L counts as 1, and O as 0 (https://www.crockford.com/base32.html).
The checksum is the CRC-24 of OpenPGP (RFC 9580, section 6.1). Its polynomial has degree 24, so every error within 24
consecutive bits is found: a wrong character, and two neighbours swapped.
"""

from typing import Final

from issbox.errors import MistypedError

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CRC_BITS: Final = 24
CHECK_CHARACTERS: Final = 5
"""Characters of a checksum that stands by itself."""
_VALUES: Final = {character: value for value, character in enumerate(ALPHABET)}
_LOOKALIKES: Final = str.maketrans("ILO", "110")
_POLYNOMIAL: Final = 0x864CFB
_START: Final = 0xB704CE


def tidy(text: str) -> str:
    """Give typed text in upper case, without white space, with 1 and 0 for the letters that look like them."""
    return "".join(text.split()).upper().translate(_LOOKALIKES)


def crc24(value: int, bits: int) -> int:
    """Give the CRC-24 of a number's `bits` lowest bits, the highest first."""
    crc = _START
    for place in range(bits - 1, -1, -1):
        carry = (crc >> 23) ^ (value >> place & 1)
        crc = crc << 1 & 0xFFFFFF ^ (_POLYNOMIAL if carry else 0)
    return crc


def check_characters(text: str) -> str:
    """Give the checksum of ASCII text as 5 characters."""
    data = text.encode("ascii")
    return encode(crc24(int.from_bytes(data, "big"), len(data) * 8), CHECK_CHARACTERS)


def encode(value: int, characters: int) -> str:
    """Give a number in base 32 with exactly so many characters."""
    return "".join(ALPHABET[value >> 5 * place & 31] for place in range(characters - 1, -1, -1))


def decode(text: str) -> int:
    """Give the number that tidied text is in base 32; raises MistypedError naming a character that cannot be."""
    value = 0
    for character in text:
        if character not in _VALUES:
            raise MistypedError(f"the text has the character {character!r}, which such a text never has")
        value = value << 5 | _VALUES[character]
    return value


def encode_bytes(data: bytes) -> str:
    """Give bytes in base 32; the last character is filled up with zero bits."""
    characters = -(-len(data) * 8 // 5)
    return encode(int.from_bytes(data, "big") << characters * 5 - len(data) * 8, characters)


def decode_bytes(text: str) -> bytes:
    """Give the bytes of `encode_bytes`, and raise MistypedError for what it never writes."""
    size, spare = divmod(len(text) * 5, 8)
    value = decode(text)
    if spare >= 5 or value & (1 << spare) - 1:
        raise MistypedError("the text is cut: its last character does not end a byte")
    return (value >> spare).to_bytes(size, "big")


def seal(value: int, bits: int) -> str:
    """Give a number of `bits` bits with its checksum, in groups of five characters.

    `bits` and the 24 of the checksum must fill the characters exactly.
    """
    text = encode(value << CRC_BITS | crc24(value, bits), (bits + CRC_BITS) // 5)
    return "-".join(text[start : start + 5] for start in range(0, len(text), 5))


def unseal(text: str, bits: int) -> int:
    """Give the number that was sealed; raises MistypedError when a character is wrong, missing or too much."""
    bare = tidy(text).replace("-", "")
    expected = (bits + CRC_BITS) // 5
    if len(bare) != expected:
        raise MistypedError(f"the text has {len(bare)} characters where {expected} are expected")
    sealed = decode(bare)
    value = sealed >> CRC_BITS
    if crc24(value, bits) != sealed & (1 << CRC_BITS) - 1:
        raise MistypedError("the text does not have its checksum: at least one character is wrong")
    return value
