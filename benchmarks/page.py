"""What the HTML page costs in Chromium: the slowest of many searches, scrolls and openings, for many instances and few.

python benchmarks/page.py
"""

import pathlib
import shutil
import sys
import tempfile

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "tests" / "html"))

from html_many import write_page

SLOWEST = """async (count) => {
    const times = [];
    const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    const timed = async (act) => {
        const start = performance.now();
        act();
        await frame();
        times.push(performance.now() - start);
    };
    const search = document.getElementById("search");
    for (const text of ["m", "ma", "many-9", "many-99", "step 5", ""]) {
        await timed(() => { search.value = text; search.dispatchEvent(new Event("input")); });
    }
    const list = document.getElementById("list");
    for (let at = 0; at < 40; at++) await timed(() => { list.scrollTop = at * list.scrollHeight / 40; });
    for (const part of [0, 0.5, 0.999]) {
        await timed(() => { location.hash = `#/runs/${Math.floor(part * count)}`; });
    }
    return Math.max(...times);
}"""


def slowest(browser, tests):
    """Milliseconds until the slowest of what a person does is drawn."""
    with tempfile.TemporaryDirectory() as folder:
        path = write_page(pathlib.Path(folder), tests)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{path.as_uri()}#/runs")
        took = page.evaluate(SLOWEST, 2 * tests)
        page.close()
        return took


with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
    few, many = slowest(browser, 5), slowest(browser, 500)
    print(f"the slowest search, scroll or opening: 10 instances {few:.0f} ms, 1,000 instances {many:.0f} ms")
    print(f"ratio: {many / few:.1f}")
    browser.close()
