"""The CSV in which products and repositories are moved in bulk: text in, rows with their lines out, and back.

RFC 4180 with a header, UTF-8, one repository a row; a product without repositories has one row without a repository.
Comma, semicolon and tab are read as separators, because spreadsheets of some countries write them; commas are written.
A cell that a spreadsheet would take for a formula is written behind an apostrophe, which is taken off again.
"""

import csv
import difflib
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

MAX_TABLE: Final = 16 << 20
"""Bytes; a definition has some 200, so this is room for about 80,000."""
MAX_ROWS: Final = 50_000
MAX_CELL: Final = 8192
"""Characters."""

COLUMNS: Final[Mapping[str, str]] = {
    "product": "label of the product",
    "product_name": "its name",
    "product_description": "what it is for",
    "product_gpg_key": "label of the content credential for repositories without a key of their own",
    "kind": "`custom` or `redhat`; one of Red Hat must be there already, by its subscription manifest",
    "repository": "label of the repository; empty for a product without any",
    "name": "its name",
    "url": "where it is synchronized from",
    "gpg_key": "label of a content credential",
    "ca": "label of the content credential with the CA of the server; empty for those of the system",
    "client_certificate": "label of the content credential shown to the server",
    "proxy": "proxy to the server",
    "check_metadata": "`yes` or `no`: whether repomd.xml must be signed by the GPG key",
    "check_packages": "`yes` or `no`: whether every package must be signed by the GPG key",
    "content_type": "`yum`",
    "content_path": "path of the content; a custom one is always /custom/PRODUCT/REPOSITORY",
    "arches": "architectures with spaces between; empty for any",
}
"""Every column and what it means. Only `product` must be there; what a missing column says stays as it is."""

_SEPARATORS: Final = (",", ";", "\t")
_FORMULA: Final = re.compile(r"'*[=+\-@\t\r＝＋－＠]")  # noqa: RUF001 (spreadsheets in Japan take the wide ones too)
_MULTILINE: Final = frozenset({"product_description"})
_TEXTS: Final = frozenset({"product_name", "product_description", "name"})
"""Columns in which spaces around the text belong to it."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """What is wrong with one line, and where."""

    line: int
    """In the file, from 1; a cell may go over several."""
    column: str
    """Empty when it is about the whole line."""
    message: str

    def __str__(self) -> str:
        place = f"line {self.line}, {self.column}" if self.column else f"line {self.line}"
        return f"{place}: {self.message}"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    line: int
    cells: Mapping[str, str]
    """By column; without those that the table does not have."""

    def __getitem__(self, column: str) -> str:
        """Give the text of a cell, empty when the table has no such column."""
        return self.cells.get(column, "")


class _Lines:
    """Takes lines as csv writes them, with its CR LF so that it quotes both, and ends them as sed likes it."""

    def __init__(self) -> None:
        self.written: list[str] = []

    def write(self, line: str) -> None:
        self.written.append(line.removesuffix("\r\n") + "\n")


def write_table(rows: Iterable[Mapping[str, str]]) -> str:
    """Give the CSV of these rows, with all columns and a newline after each line."""
    lines = _Lines()
    writer = csv.DictWriter(lines, COLUMNS, restval="")
    writer.writeheader()
    for row in rows:
        writer.writerow({column: guard(cell) for column, cell in row.items()})
    return "".join(lines.written)


def read_table(data: bytes) -> tuple[list[Row], list[Problem]]:
    """Read the CSV; what is wrong with it is collected, and with its header or encoding nothing else is read."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return [], [Problem(line, "", "it is not UTF-8; save the file as CSV in UTF-8")]
    records = _records(text)
    line, header = next(records, (1, []))
    if isinstance(header, Problem):
        return [], [header]
    names = [cell.strip().lower() for cell in header]
    problems = list(_header_problems(line, names))
    if problems:
        return [], problems
    rows = []
    for line, cells in records:
        row = cells if isinstance(cells, Problem) else _row(line, names, cells)
        if isinstance(row, Problem):
            problems.append(row)
            continue
        problems += _cell_problems(row)
        rows.append(row)
        if len(rows) > MAX_ROWS:
            return [], [Problem(line, "", f"there are more than {MAX_ROWS} lines; import them in several files")]
    return rows, problems


def guard(cell: str) -> str:
    """Give the cell so that no spreadsheet takes it for a formula."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def unguard(cell: str) -> str:
    """Take off what `guard` put before a cell."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def _records(text: str) -> Iterator[tuple[int, list[str] | Problem]]:
    """Give the line on which each record begins, and its cells; records without any text are left out."""
    head = text.split("\n", 1)[0]
    separator = max(_SEPARATORS, key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=separator)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            # What follows a broken quotation cannot be told apart any more.
            yield line, Problem(line, "", f"it is no CSV from here on: {error}")
            return
        if any(cell.strip() for cell in cells):
            yield line, cells


def _header_problems(line: int, names: list[str]) -> Iterator[Problem]:
    if not any(names):
        yield Problem(line, "", f"the file is empty; its first line must name the columns: {', '.join(COLUMNS)}")
        return
    for name in dict.fromkeys(names):
        if name not in COLUMNS:
            near = difflib.get_close_matches(name, COLUMNS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"the columns are {', '.join(COLUMNS)}"
            yield Problem(line, "", f"{name[:64]!r} is not a column: {hint}")
        elif names.count(name) > 1:
            yield Problem(line, "", f"the column {name!r} is there {names.count(name)} times")
    if "product" not in names:
        yield Problem(line, "", "the column 'product' is missing")


def _row(line: int, names: list[str], cells: list[str]) -> Row | Problem:
    if len(cells) != len(names):
        return Problem(line, "", f"it has {len(cells)} cells, but the header has {len(names)}")
    cells = [cell if name in _TEXTS else cell.strip() for name, cell in zip(names, cells, strict=True)]
    return Row(line, {name: unguard(cell) for name, cell in zip(names, cells, strict=True)})


def _cell_problems(row: Row) -> Iterator[Problem]:
    for column, cell in row.cells.items():
        if len(cell) > MAX_CELL:
            yield Problem(row.line, column, f"it has more than {MAX_CELL} characters")
        elif any(_is_control(each) and not (column in _MULTILINE and each in "\n\r\t") for each in cell):
            yield Problem(row.line, column, "it has a control or invisible character")


def _is_control(character: str) -> bool:
    return not character.isprintable() and unicodedata.category(character) in {"Cc", "Cf", "Cs"}
