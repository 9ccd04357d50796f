"""Write ``docs/reference/registers.md`` again after a change of the registers.

Run: ``python -m tests.bench.registers_page``.
"""

from pathlib import Path

from vqrom_hw.export import registers_markdown

PAGE = Path(__file__).parents[2] / "docs/reference/registers.md"
"""The committed page."""

if __name__ == "__main__":
    PAGE.write_text(registers_markdown(), encoding="utf-8")
