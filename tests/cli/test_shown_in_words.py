"""Facts that are objects in JSON are sentences for people."""

import pytest

from issbox.cli.exchange.export_shapes import EXPORT
from issbox.cli.exchange.import_shapes import IMPORT


@pytest.mark.parametrize(
    ("base", "words"),
    [
        ({"kind": "since", "time": "2026-11-01T00:00:00Z"}, "what there was on 2026-11-01T00:00:00Z"),
        ({"kind": "export", "bundle_id": "d631", "sequence": 3}, "exports up to number 3 (d631)"),
        (
            {"kind": "receipt", "box_id": "7c", "box_name": "inside", "created_at": "2026-11-25", "verified": True},
            "receipt of inside of 2026-11-25",
        ),
        (
            {"kind": "receipt", "box_id": "7c", "box_name": "", "created_at": "2026-11-25", "verified": False},
            "receipt of 7c of 2026-11-25, not signed",
        ),
        ({"kind": "moon", "phase": "full"}, "kind moon, phase full"),
    ],
)
def test_the_base_of_an_export(base: dict[str, object], words: str) -> None:
    show = next(field.show for field in EXPORT.fields if field.name == "base")
    assert show is not None
    assert show(base) == words


def test_what_an_import_changed() -> None:
    show = next(field.show for field in IMPORT.fields if field.name == "changes")
    assert show is not None
    changes = [
        {"repository": "ACME/Tools/base", "before": 2, "after": 3},
        {"repository": "ACME/Extras/extras", "before": None, "after": 1},
    ]
    assert show(changes) == "ACME/Tools/base 2 -> 3; ACME/Extras/extras new -> 1"
