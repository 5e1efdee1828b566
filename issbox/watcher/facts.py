"""What a log line states: words for a person, and the same facts by name for programs."""

from collections.abc import Mapping


class Facts(str):
    """Facts as the `key=value` pairs of a line, which a handler finds by name in `values`."""

    __slots__ = ("values",)

    values: Mapping[str, str]

    def __new__(cls, values: Mapping[str, str]) -> "Facts":
        """Write them in their order; texts with spaces or control characters are quoted."""
        made = super().__new__(cls, " ".join(f"{key}={_quoted(text)}" for key, text in values.items()))
        made.values = values
        return made


def fields(**values: object) -> Facts:
    """Give facts for a log line; what is None is left out."""
    return Facts({key: str(value) for key, value in values.items() if value is not None})


def _quoted(text: str) -> str:
    plain = text.isprintable() and text and not any(character in text for character in ' "=')
    return text if plain else '"' + text.replace('"', "'").encode("unicode_escape").decode() + '"'
