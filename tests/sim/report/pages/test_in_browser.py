"""Pages in a real browser, where there is one: pictures, table, colours, paper, hostile names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.browser import CHROMIUM, Browser, open_browser
from tests.random_networks import mixed_network, random_codebook
from tests.sim.report.pages.study_tables import HOSTILE, factorial, hostile
from vqrom_hw.config import load_config
from vqrom_sim.engines import Timeline
from vqrom_sim.flows import simulate
from vqrom_sim.report import simulation_page, study_page

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")

PICTURES = "document.querySelectorAll('.plot .main-svg').length > 0"
CELLS = "[...document.querySelectorAll('#table tbody tr')].map(row => row.cells[{}].textContent)"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as one:
        yield one


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    study_page(*factorial(), path)
    return path


def opened(browser: Browser, path: Path, **how: bool) -> None:
    browser.messages.clear()
    browser.open(path, **how)
    browser.settle()
    assert browser.messages == []


def test_table_sorts_finds_and_pages(browser: Browser, page: Path) -> None:
    opened(browser, page)
    assert browser.ask(PICTURES)
    assert browser.ask(CELLS.format(0)) == [str(row) for row in range(1, 9)]
    for _ in range(2):
        browser.ask("document.querySelector('button[data-key=\"cycles\"]').click()")
    assert browser.ask(CELLS.format(0)) == ["1", "2", "3", "4", "5", "6", "7", "8"]
    assert browser.ask("document.querySelector('[aria-sort]').ariaSort") == "descending"
    browser.ask("document.querySelector('button[data-key=\"area_um2\"]').click()")
    assert browser.ask(CELLS.format(6))[:3] == ["9", "12", "17"]
    browser.ask("const box = document.getElementById('find'); box.value = 'sram'; "
                "box.dispatchEvent(new Event('input'))")
    assert browser.ask("document.getElementById('where').textContent") == "points 1–4 of 4"


def test_a_click_on_a_point_shows_its_row(browser: Browser, page: Path) -> None:
    opened(browser, page)
    browser.ask("document.getElementById('pareto-0').emit('plotly_click', "
                "{points: [{customdata: 5}]})")
    assert browser.ask("document.querySelector('#table .chosen').cells[0].textContent") == "6"


def test_pareto_plots_take_the_colours_of_an_axis(browser: Browser, page: Path) -> None:
    opened(browser, page)
    colours = "new Set(document.getElementById('pareto-0').data.flatMap(trace => " \
              "trace.mode === 'markers' ? trace.marker.{} : [])).size"
    for axis, count in (("storage", 2), ("", 2), ("rows", 2)):
        browser.ask(f"document.getElementById('paint').value = '{axis}'; "
                    "document.getElementById('paint').dispatchEvent(new Event('change'))")
        assert browser.ask(colours.format("color")) == count
    assert browser.ask("document.getElementById('paint-key').textContent") == "● 8◆ 16"


def test_colours_follow_the_system_and_the_switch(browser: Browser, page: Path) -> None:
    ink = "getComputedStyle(document.querySelector('.main-svg .xtitle')).fill"
    opened(browser, page, dark=True)
    dark = browser.ask(ink)
    browser.ask("document.getElementById('theme').click()")
    assert browser.ask(ink) != dark
    browser.ask("document.getElementById('theme').click()")
    assert browser.ask(ink) == dark


def test_narrow_pages_do_not_scroll_sideways(browser: Browser, page: Path) -> None:
    browser.open(page, 400, 800)
    browser.settle()
    assert browser.ask("document.documentElement.scrollWidth") == 400


def test_paper_has_all_pictures(browser: Browser, page: Path, tmp_path: Path) -> None:
    opened(browser, page)
    browser.print(tmp_path / "page.pdf")
    assert browser.ask("[...document.querySelectorAll('.plot')].every(box => box.dataset.drawn)")
    assert (tmp_path / "page.pdf").stat().st_size > 10_000


def test_without_scripts_there_are_tables(browser: Browser, page: Path, tmp_path: Path) -> None:
    browser.open(page, script=False)
    assert "first points of the Pareto front" in browser.call(
        "DOM.getOuterHTML", nodeId=browser.call("DOM.getDocument")["root"]["nodeId"])["outerHTML"]


def test_hostile_names_run_nothing(browser: Browser, tmp_path: Path) -> None:
    study_page(*hostile(), tmp_path / "report.html")
    opened(browser, tmp_path / "report.html")
    assert browser.ask(PICTURES) and browser.ask("typeof hacked") == "undefined"
    assert browser.ask("document.querySelectorAll('img').length") == 0
    assert browser.ask("document.querySelector('.plot .xtitle').textContent").startswith(
        f"objective {HOSTILE[:30]}")


def test_timelines_zoom_to_a_layer(browser: Browser, tmp_path: Path) -> None:
    """10,000 spans are a few bars from afar, and themselves when one looks closely."""
    start = np.arange(10_000, dtype=np.int64) * 10
    layer = np.where(start < 90_000, np.arange(10_000) % 2, 2)
    line = Timeline(("array",), (HOSTILE, "conv1", "conv2"), np.zeros(10_000, np.int64), layer,
                    start, start + 5, np.full(10_000, 5), 0, 100_000)
    config = load_config("tiny")
    codebook = random_codebook(config)
    builder = mixed_network(codebook)
    report = simulate(builder.build(), codebook, config, builder.images(1), "model").report
    simulation_page(tmp_path / "report.html", report, timeline=line)
    opened(browser, tmp_path / "report.html")
    browser.ask("document.getElementById('timeline-0').scrollIntoView()")
    browser.settle()
    bars = "document.getElementById('timeline-0').data.reduce((sum, one) => sum + one.x.length, 0)"
    assert 1 <= browser.ask(bars) <= 1500 and browser.ask("typeof hacked") == "undefined"
    browser.ask("const select = document.getElementById('timeline-0-layer'); select.value = '2'; "
                "select.dispatchEvent(new Event('change'))")
    low, high = browser.ask("document.getElementById('timeline-0').layout.xaxis.range")
    assert 89_000 < low < 90_000 and high == 100_000
    browser.ask("Plotly.relayout('timeline-0', {'xaxis.range': [95000, 95100]}).then(() => 0)")
    assert 10 <= browser.ask(bars) <= 12
