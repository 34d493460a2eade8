"""Take the pictures of these pages from those that the tests in JupyterLab have kept.

After a change of what is seen: `pytest tests/journeys && python docs/site/pictures.py`, and look at what has changed.
"""

from __future__ import annotations

import shutil
from pathlib import Path

ROOT = Path(__file__).parents[2]
# What each picture is called here, and what the test calls it that takes it.
PICTURES = {
    "browse.png": "browse_values.png",
    "diagram.png": "diagram-card.png",
    "progress.png": "progress_running.png",
    "slider.png": "slider.png",
}


def main() -> None:
    """Copy each picture."""
    for here, there in PICTURES.items():
        shutil.copy(ROOT / "tests" / "screenshots" / there, ROOT / "docs" / "images" / here)


if __name__ == "__main__":
    main()
