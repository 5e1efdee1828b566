"""Labels of forms fit into their column on a screen of 80 columns; what needs more words is the help of the field."""

import ast
from collections.abc import Iterator
from pathlib import Path

import issbox.console.places

PLACES = Path(issbox.console.places.__file__).parent
WIDEST = 23
"""30 of 100 of the columns inside the frame; a star and a space stand behind the label of what is required."""


def labels() -> Iterator[tuple[str, str]]:
    for path in sorted(PLACES.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Question":
                label = node.args[1] if len(node.args) > 1 else None
                required = any(word.arg == "required" for word in node.keywords)
                if isinstance(label, ast.Constant) and isinstance(label.value, str):
                    yield path.name, label.value + " *" * required


def test_labels_fit() -> None:
    found = list(labels())
    assert len(found) > 50
    assert [each for each in found if len(each[1]) > WIDEST] == []
