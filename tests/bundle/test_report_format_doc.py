"""docs/report-format.md: its command works, and what it says is what the code does."""

import os
import re
import subprocess
from dataclasses import fields
from pathlib import Path

from makers.bundles import new_key
from makers.needs import needs_openssl

from issbox.model import (
    REPORT_FORMAT,
    ImportReport,
    ReportBox,
    ReportCheck,
    ReportEnvironment,
    ReportFiles,
    ReportPromotion,
    ReportRepository,
    ReportSource,
    ReportVolume,
)

DOC = (Path(__file__).parents[2] / "docs" / "report-format.md").read_text()
(SHELL,) = re.findall(r"```sh\n(.*?)```", DOC, re.DOTALL)


@needs_openssl
def test_the_documented_command_checks_a_report(tmp_path: Path) -> None:
    key, report = new_key(), tmp_path / "report.json"
    report.write_text("{}\n")
    report.with_name("report.json.sig").write_bytes(key.sign(b"{}\n"))
    pem = tmp_path / "box.pem"

    def check(public: str) -> int:
        pem.write_text(public)
        environment = os.environ | {"KEY": str(pem), "REPORT": str(report)}
        return subprocess.run(["sh", "-c", SHELL], env=environment, capture_output=True, check=False).returncode

    assert check(key.public_pem) == 0
    assert check(new_key().public_pem) != 0
    report.write_text("{ }\n")
    assert check(key.public_pem) != 0


def test_every_field_and_check_is_described() -> None:
    kinds = (
        *(ImportReport, ReportBox, ReportSource, ReportVolume, ReportFiles, ReportRepository),
        *(ReportEnvironment, ReportPromotion),
    )
    for name in sorted({field.name for kind in kinds for field in fields(kind)}):
        assert f"`{name}`" in DOC, f"{name} is not described"
    for check in ReportCheck:
        assert f"| `{check}` |" in DOC
    assert REPORT_FORMAT in DOC
