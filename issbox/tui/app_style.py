"""Where the styles of both applications are."""

from pathlib import Path
from typing import Final

STYLE: Final = Path(__file__).with_name("console.tcss")
