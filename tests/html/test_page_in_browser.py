"""What a person can do with the page, in Chromium."""

from pathlib import Path
from typing import Any

import pytest

NONE = "\N{EN DASH}"
ROWS = "#list [role=option]"


def ids(page: Any) -> list[str]:
    """The instances in the list, as far as they are drawn."""
    return [text.split()[1] for text in page.locator(ROWS).locator(".id").all_inner_texts()]


def opened(page: Any) -> str:
    return str(page.locator("#detail h2").inner_text())


# -- the views --------------------------------------------------------------------------------------------------------


def test_it_says_how_the_session_went_and_shows_each_workflow(tab: Any, shop_report: Path) -> None:
    page = tab.open(shop_report, "#/workflows")

    assert page.title() == "Workflows: 7 tests, 7 instances"
    assert page.locator("header .totals .badge").all_inner_texts() == [
        "1 test failed",
        "6 passed",
        "7 instances",
        "90% of steps reached",
    ]
    assert page.locator("#workflows h2").all_inner_texts() == ["ORDERS", "REFUNDS"]
    assert page.locator("#runs").is_hidden()


def test_a_workflow_shows_each_of_its_steps_with_what_happened_to_it(tab: Any, shop_report: Path) -> None:
    page = tab.open(shop_report, "#/workflows")

    lines = page.locator(".card").first.locator("table.steps tbody tr")
    shown = [" | ".join(line.locator("td").all_inner_texts()[:4]).replace(NONE, "-") for line in lines.all()]
    assert shown == [
        "check_stock | real | 6 | 6 retries",
        "price | real | 6 | 1 mocked",
        "take payment | real | 6 | 1 failed 2 retries 1 retried to the end 1 crashed",
        "let the customer cancel sleep | real | 5 | ",
        "wait for the packer event | real | 5 | 1 waited and timed out",
        "apologise | real | 1 | ",
        "ship box {box + 1} | real | 7 | ",
        "print the card | never | - | ",
    ]


def test_a_workflow_has_its_graph_with_the_branch_never_taken_in_grey(tab: Any, shop_report: Path) -> None:
    page = tab.open(shop_report, "#/workflows")

    graph = page.get_by_role("img", name="Graph of ORDERS: 8 steps, 1 of them never ran")
    assert graph.is_visible()
    assert graph.locator("g.never text.name").all_text_contents() == ["print the card"]


def test_nothing_that_a_workflow_returned_becomes_a_part_of_the_page(runs: Any) -> None:
    runs.get_by_role("option", name="order-1").click()
    runs.get_by_role("button", name="check_stock").click()

    assert "</script><img src=x onerror=document.title='broken'>" in runs.locator(".more").inner_text()
    assert runs.locator("#detail img").count() == 0
    assert runs.title() == "Workflows: 7 tests, 7 instances"


# -- limits -------------------------------------------------------------------------------------------------------------


def test_an_instance_shows_what_it_used_of_its_limits(tab: Any, limits_report: Path) -> None:
    page = tab.open(limits_report, "#/runs/0")

    rows = page.locator("table.uses tbody tr")
    assert [" | ".join(row.locator("td").all_inner_texts()).replace(NONE, "-") for row in rows.all()] == [
        "steps | 3 | 10,000 | under 0.1 %",
        "requests | 5 | 5 | 100 %",
        "calls of bindings | 2 | - | -",
        "state | 1.5 KiB | 1 GiB | under 0.1 %",
        "processor time (of one step) | 43 ms | 10 ms | 425 %",
    ]
    assert page.locator("table.uses .over").all_inner_texts() == ["425 %"]


# -- filter and search ------------------------------------------------------------------------------------------------


def test_failing_tests_come_first_and_tests_stand_above_their_instances(runs: Any) -> None:
    first = runs.locator("#list .row").all_inner_texts()[:2]

    assert first[0].split("\n")[0] == "test_a_declined_card_still_ships"
    assert "order-declined" in first[1]


def test_a_status_filters_the_instances(runs: Any) -> None:
    runs.get_by_role("button", name="errored 2").click()

    assert ids(runs) == ["order-declined", "refund-1"]
    assert runs.locator("#count").inner_text() == "2 of 7 instances"
    assert runs.get_by_role("button", name="errored 2").get_attribute("aria-pressed") == "true"

    runs.get_by_role("button", name="errored 2").click()

    assert len(ids(runs)) == 7


@pytest.mark.parametrize(
    ("chip", "found"),
    [
        ("in failing tests 1", ["order-declined"]),
        ("retried 3", ["order-declined", "order-2", "order-3"]),
        ("crashed 1", ["order-crash"]),
    ],
)
def test_instances_are_found_by_what_happened_to_them(runs: Any, chip: str, found: list[str]) -> None:
    runs.get_by_role("button", name=chip).click()

    assert ids(runs) == found


def test_a_workflow_can_be_chosen(runs: Any) -> None:
    runs.get_by_label("Workflow").last.select_option("REFUNDS")

    assert ids(runs) == ["refund-1"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("order-3", ["order-3"]),
        ("test_nobody", ["order-late"]),
        ("apologise", ["order-late"]),
        ("WAS DECLINED", ["order-declined"]),
        ("bank closed", ["refund-1"]),
        ("ship box 3", ["order-3"]),
    ],
)
def test_a_search_finds_ids_tests_steps_and_errors(runs: Any, text: str, found: list[str]) -> None:
    runs.get_by_role("searchbox").fill(text)

    assert ids(runs) == found


def test_a_search_without_a_find_says_so(runs: Any) -> None:
    runs.get_by_role("searchbox").fill("no such thing")

    assert runs.get_by_text("Nothing fits.").is_visible()
    assert runs.locator("#count").inner_text() == "0 of 7 instances"


# -- an instance ------------------------------------------------------------------------------------------------------


def test_an_instance_shows_its_error_with_the_lines_of_the_source(runs: Any) -> None:
    runs.get_by_role("option", name="order-declined").click()

    assert opened(runs) == "ORDERS order-declined"
    assert (
        runs.locator("#detail .error").first.inner_text().split("\n")[0] == "Error ValueError: card 4242 was declined"
    )
    assert runs.locator("#detail .source .hit").first.inner_text().split(maxsplit=1)[1] == (
        "raise ValueError(f\"card {order['card']} was declined\")"
    )
    assert "UnreachableStatusError" in runs.locator("section", has_text="The test's failure").last.inner_text()


def test_a_step_opens_with_attempts_config_input_output_calls_and_what_it_printed(runs: Any) -> None:
    runs.get_by_role("option", name="order-3").click()
    step = runs.get_by_role("button", name="check_stock, step, complete, 3 attempts")
    step.click()

    more = runs.locator(".more")
    assert step.get_attribute("aria-expanded") == "true"
    outcomes = [row.locator("td").nth(2).inner_text() for row in more.locator("table.attempts tbody tr").all()]
    assert outcomes == [
        "ran Error: ConnectionError: the warehouse does not answer",
        "ran Error: ConnectionError: the warehouse does not answer",
        "ran succeeded",
    ]
    assert [row.locator("td").nth(3).inner_text() for row in more.locator("tbody tr").all()] == ["30 s", "1 min", NONE]
    text = more.inner_text()
    assert '"limit": 3' in text
    assert '"sku": "A-17"' in text
    assert "looking for A-17 in attempt 3" in text

    step.click()
    assert runs.locator(".more").count() == 0

    runs.get_by_role("button", name="take payment").click()
    text = runs.locator(".more").inner_text()
    assert "INPUT" in text
    assert "BANK.charge" in text
    assert "WARNING taking 42 EUR" in text


def test_events_crash_points_and_modifications_are_listed(runs: Any) -> None:
    runs.get_by_role("option", name="order-crash").click()
    detail = runs.locator("#detail").inner_text()
    assert "packed" in detail
    assert "wait for the packer-1" in detail
    assert "after take payment-1" in detail

    runs.get_by_role("option", name="order-late").click()
    assert "mock_step_result('price'" in runs.locator("#detail").inner_text()


def test_a_broken_rule_is_told_with_its_consequence_remedy_and_line(tab: Any, findings_report: Path) -> None:
    page = tab.open(findings_report, "#/runs/0")

    finding = page.locator("section", has_text="Findings").last
    assert "random-outside-step" in finding.inner_text()
    assert "In production: every replay of `run` gets another value." in finding.inner_text()
    assert finding.locator(".hit").inner_text().split(maxsplit=1)[1] == "number = random.random()"
    assert page.get_by_role("button", name="findings 1").is_visible()


# -- the timeline -----------------------------------------------------------------------------------------------------


def ticks(page: Any) -> list[str]:
    return list(page.locator(".axis span").all_inner_texts())


def test_the_timeline_shows_virtual_time_squeezed_waits_and_real_time(runs: Any) -> None:
    runs.get_by_role("option", name="order-declined").click()

    assert ticks(runs) == ["+0 ms", "+30 s", "+1 min", "+1 min 30 s", "+2 min", "+2 min 30 s", "+3 min"]
    assert runs.locator(".track").first.locator("i").count() == 5  # three attempts and two delays

    runs.get_by_role("button", name="Waits squeezed").click()
    assert ticks(runs)[0] == "+0 ms"
    assert ticks(runs)[-1] == "+3 min 30 s"

    runs.get_by_role("button", name="Real time").click()
    assert all(tick.endswith("ms") for tick in ticks(runs))
    assert runs.locator(".track").first.locator("i").count() == 3


def test_the_timeline_can_be_zoomed_and_moved(runs: Any) -> None:
    runs.get_by_role("option", name="order-declined").click()
    whole = ticks(runs)

    runs.get_by_role("button", name="Zoom in").click()
    nearer = ticks(runs)
    runs.get_by_role("button", name="Later").click()

    assert len({tuple(whole), tuple(nearer), tuple(ticks(runs))}) == 3
    assert "+0 ms" not in ticks(runs)

    runs.get_by_role("button", name="Show all").click()
    assert ticks(runs) == whole


# -- keyboard ---------------------------------------------------------------------------------------------------------


def test_everything_can_be_done_from_the_keyboard(tab: Any, shop_report: Path) -> None:
    page = tab.open(shop_report, "#/workflows")
    press = page.keyboard.press

    press("/")
    page.keyboard.type("order-")
    press("Enter")  # from the search to the list, onto its first instance
    press("ArrowDown")
    press("j")
    press("k")
    press("Enter")
    assert opened(page) == "ORDERS order-1"

    press("End")
    press("Enter")
    assert opened(page) == "ORDERS order-late"

    press("Home")
    press("Enter")
    whole = ticks(page)
    press("+")
    assert ticks(page) != whole
    press("0")
    assert ticks(page) == whole
    press("t")
    assert page.get_by_role("button", name="Waits squeezed").get_attribute("aria-pressed") == "true"

    press("Escape")
    assert page.locator("#detail h2").count() == 0
    assert page.url.endswith("#/runs")

    press("?")
    assert page.get_by_role("dialog").is_visible()
    press("Escape")
    press("w")
    assert page.locator("#workflows").is_visible()


def test_the_list_tells_which_instance_is_active_and_which_is_opened(runs: Any) -> None:
    runs.locator("#list").focus()
    runs.keyboard.press("ArrowDown")

    active = runs.locator("#list").get_attribute("aria-activedescendant")
    assert runs.locator(f"#{active}").inner_text().startswith("ORDERS order-declined")

    runs.keyboard.press("Enter")
    assert runs.locator(ROWS).first.get_attribute("aria-selected") == "true"


def test_a_link_to_an_instance_opens_it(tab: Any, shop_report: Path) -> None:
    page = tab.open(shop_report, "#/runs/0")

    assert opened(page) == "ORDERS order-declined"


# -- dark and light, contrast, print ----------------------------------------------------------------------------------


def theme(page: Any) -> str:
    return str(page.evaluate("document.documentElement.dataset.theme"))


def test_dark_and_light_are_switched_by_button_and_key_and_kept(runs: Any) -> None:
    assert theme(runs) == "light"
    background = runs.evaluate("getComputedStyle(document.body).backgroundColor")

    runs.get_by_role("button", name="Dark").click()
    assert theme(runs) == "dark"
    assert runs.evaluate("getComputedStyle(document.body).backgroundColor") != background

    runs.reload()
    assert theme(runs) == "dark"

    runs.keyboard.press("d")
    assert theme(runs) == "light"


def test_who_prefers_dark_gets_dark(browser: Any, shop_report: Path) -> None:
    page = browser.new_page(color_scheme="dark")
    page.goto(shop_report.as_uri())

    assert theme(page) == "dark"
    page.close()


CONTRASTS = """() => {
  const style = getComputedStyle(document.documentElement);
  const probe = document.body.appendChild(document.createElement("i"));
  const light = (name) => {
    probe.style.color = style.getPropertyValue(name);
    const [r, g, b] = getComputedStyle(probe).color.match(/[\\d.]+/g).slice(0, 3).map((value) => {
      const part = Number(value) / 255;
      return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const pairs = [["--text", "--bg"], ["--text", "--panel"], ["--soft", "--panel"], ["--soft", "--bg"],
    ["--soft", "--soft-panel"], ["--text", "--soft-panel"], ["--text", "--mark"], ["--text", "--bad-bg"],
    ["--accent", "--accent-bg"], ...["ok", "bad", "warn", "info", "gone", "never"].map((name) => [`--${name}`, `--${name}-bg`])];
  return Object.fromEntries(pairs.map(([text, back]) => {
    const [low, high] = [light(text), light(back)].sort((one, other) => one - other);
    return [`${text} on ${back}`, (high + 0.05) / (low + 0.05)];
  }));
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_the_contrast_that_wcag_asks_for(browser: Any, shop_report: Path, scheme: str) -> None:
    page = browser.new_page(color_scheme=scheme)
    page.goto(shop_report.as_uri())

    low = {pair: round(ratio, 2) for pair, ratio in page.evaluate(CONTRASTS).items() if ratio < 4.5}

    assert low == {}
    page.close()


def test_every_control_has_a_name(runs: Any) -> None:
    runs.get_by_role("option", name="order-1").click()

    nameless = runs.evaluate("""() => [...document.querySelectorAll("button, input, select, a, [role=img]")].filter(
        (one) => !(one.textContent.trim() || one.getAttribute("aria-label") || one.title)).map((one) => one.outerHTML)""")

    assert nameless == []


def test_in_print_everything_that_is_open_is_there_and_no_controls(runs: Any) -> None:
    runs.get_by_role("option", name="order-1").click()

    runs.emulate_media(media="print")

    assert runs.locator("#workflows").is_visible()
    assert runs.locator("#detail").is_visible()
    assert runs.locator("#list").is_hidden()
    assert runs.get_by_role("button", name="Dark").is_hidden()


# -- many -------------------------------------------------------------------------------------------------------------


def test_of_1000_instances_only_those_in_sight_are_drawn(tab: Any, large_report: Path) -> None:
    page = tab.open(large_report, "#/runs")
    assert page.locator("#count").inner_text() == "1000 instances"
    assert page.locator("#list .row").count() < 60

    page.locator("#list").focus()
    page.keyboard.press("End")

    assert ids(page)[-1] == "many-999"
    assert page.locator("#list .row").count() < 60


def test_of_1000_instances_few_are_drawn_wherever_the_list_is_and_whatever_is_searched(
    tab: Any, large_report: Path
) -> None:
    # How long it takes is measured by benchmarks/page.py.
    page = tab.open(large_report, "#/runs")

    most = page.evaluate("""async () => {
        const counts = [];
        const frame = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
        const counted = async (act) => { act(); await frame(); counts.push(document.querySelectorAll("#list .row").length); };
        const search = document.getElementById("search");
        for (const text of ["m", "many-9", "step 5", ""]) {
            await counted(() => { search.value = text; search.dispatchEvent(new Event("input")); });
        }
        const list = document.getElementById("list");
        for (let at = 0; at < 10; at++) await counted(() => { list.scrollTop = at * 5600; });
        return Math.max(...counts);
    }""")

    assert 0 < most < 60


def test_an_address_written_by_hand_opens_an_instance_far_down(tab: Any, large_report: Path) -> None:
    page = tab.open(large_report, "#/runs")

    page.evaluate("location.hash = '#/runs/999'")

    page.get_by_role("heading", name="MANY many-999").wait_for()
    assert ids(page)[-1] == "many-999"


def test_the_link_past_the_header_stays_in_the_view(runs: Any) -> None:
    runs.evaluate("location.hash = '#main'")
    runs.wait_for_function("location.hash === '#main'")
    runs.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    assert runs.locator("#runs").is_visible()
    assert runs.locator("#workflows").is_hidden()


def test_a_search_among_1000_finds_the_one(tab: Any, large_report: Path) -> None:
    page = tab.open(large_report, "#/runs")

    page.get_by_role("searchbox").fill("many-777")

    assert ids(page) == ["many-777"]


# -- a failing test ---------------------------------------------------------------------------------------------------


def test_a_session_that_failed_opens_on_its_first_failing_test(tab: Any, shop_report: Path) -> None:
    page = tab.open(shop_report)

    assert opened(page) == "ORDERS order-declined"
    assert page.locator("#detail .of").inner_text() == ("failed tests/test_orders.py::test_a_declined_card_still_ships")
    assert page.locator(".failure .key").inner_text().startswith("UnreachableStatusError: ")


def test_a_session_that_passed_opens_with_its_workflows(tab: Any, large_report: Path) -> None:
    page = tab.open(large_report)

    assert page.locator("#workflows").is_visible()
    assert page.locator("#runs").is_hidden()


def test_a_failing_test_shows_the_line_that_runs_it_again_and_its_recording(tab: Any, shop_report: Path) -> None:
    page = tab.open(shop_report)

    name = "test_a_declined_card_still_ships"
    recording = f".workflows/failures/tests.test_orders--{name}/ORDERS-order-declined.json"
    assert page.locator(".failure .command").all_inner_texts() == [
        f"Run it again\npytest 'tests/test_orders.py::{name}'\nCopy",
        f"Recording\n{recording}\nCopy",
        f"Step through it\npytest-workflows reproduce {recording}\nCopy",
    ]
    assert (shop_report.parent / recording).is_file()


def test_a_command_is_copied(browser: Any, shop_report: Path) -> None:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(shop_report.as_uri())

    page.get_by_role("button", name="Copy Run it again").click()

    page.get_by_role("button", name="Copy Run it again").get_by_text("Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == "pytest 'tests/test_orders.py::test_a_declined_card_still_ships'"
    context.close()


def test_a_test_can_be_opened_with_all_of_its_failure_and_its_instances(runs: Any) -> None:
    runs.locator("#list .row.test", has_text="test_a_declined_card").click()

    assert opened(runs) == "tests/test_orders.py::test_a_declined_card_still_ships"
    assert 'await instance.wait_for_status("complete")' in runs.locator(".failure pre").inner_text()
    runs.get_by_role("link", name="ORDERS order-declined").click()
    assert opened(runs) == "ORDERS order-declined"


def test_a_test_that_failed_before_it_created_an_instance_is_there(tab: Any, broken_report: Path) -> None:
    page = tab.open(broken_report)

    assert page.locator("header .totals .badge").all_inner_texts()[:3] == [
        "1 test failed",
        "2 other failures",
        "1 passed",
    ]
    assert opened(page) == "tests/test_env.py::test_without_a_binding"
    assert page.get_by_text("It created no instance.").is_visible()
    page.locator("#list").focus()
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    assert opened(page) == "ORDERS a"
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    assert opened(page) == "tests/test_env.py::test_without_a_binding"
    page.get_by_role("link", name="2 other failures").click()
    assert page.locator(".others li").all_inner_texts() == ["tests/test_sums.py::test_sum", "tests/test_broken.py"]


# -- pills ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pill", "found"),
    [
        ("1 test failed", ["order-declined"]),
        ("6 passed", ["order-1", "order-2", "order-3", "order-crash", "order-late", "refund-1"]),
        ("1 errored", ["order-declined"]),
        ("5 complete", ["order-1", "order-2", "order-3", "order-crash", "order-late"]),
        ("6 retries", ["order-declined", "order-2", "order-3"]),
        ("1 mocked", ["order-late"]),
        ("1 crashed", ["order-crash"]),
        ("1 waited and timed out", ["order-late"]),
    ],
)
def test_a_pill_shows_the_instances_that_it_counts(tab: Any, shop_report: Path, pill: str, found: list[str]) -> None:
    page = tab.open(shop_report, "#/workflows")

    page.get_by_role("button", name=pill).first.click()

    assert page.locator("#runs").is_visible()
    assert ids(page) == found


def test_what_a_pill_filtered_is_named_and_can_be_taken_back(tab: Any, shop_report: Path) -> None:
    page = tab.open(shop_report, "#/workflows")

    page.get_by_role("button", name="1 crashed").click()
    page.get_by_role("button", name="ORDERS, take payment: crashed").click()

    assert len(ids(page)) == 7


# -- findings ---------------------------------------------------------------------------------------------------------


def test_findings_are_put_together_by_rule_and_place(tab: Any, many_findings_report: Path) -> None:
    page = tab.open(many_findings_report, "#/findings")

    rules = page.locator("#findings .rule")
    assert rules.locator("header").all_inner_texts() == [
        "not-idempotent\n1 place, 1 instance",
        "random-outside-step\n2 places, 303 instances",
    ]
    assert rules.last.locator("h3").all_inner_texts() == [
        "entry.py:3 303 instances of 2 tests",
        "entry.py:5 1 instance of 1 test",
    ]
    assert rules.last.locator(".hit").first.inner_text().split(maxsplit=1)[1] == "number = random.random()"
    assert page.locator("header .badge.finding").inner_text() == "3 findings"

    page.get_by_role("button", name="303 instances").click()
    assert page.locator("#count").inner_text() == "303 of 304 instances"


# -- nothing is hidden ------------------------------------------------------------------------------------------------

SIZES = [(1440, 900), (1280, 800), (1024, 768), (800, 700), (390, 844)]


def box(page: Any, selector: str) -> dict[str, float]:
    found: dict[str, float] = page.locator(selector).first.bounding_box()
    return found


def header_bottom(page: Any) -> float:
    """Where the view begins below the header; a header that scrolls away hides nothing."""
    return float(page.evaluate("Math.max(0, document.querySelector('header.top').getBoundingClientRect().bottom)"))


def wide_page(browser: Any, path: Path, size: tuple[int, int], view: str = "") -> Any:
    page = browser.new_page(viewport={"width": size[0], "height": size[1]})
    page.goto(f"{path.as_uri()}{view}")
    return page


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_head_of_an_opened_instance_is_in_sight_at_any_width(
    browser: Any, shop_report: Path, size: tuple[int, int]
) -> None:
    page = wide_page(browser, shop_report, size)

    def in_sight() -> bool:
        head = box(page, "#detail h2")
        return header_bottom(page) <= head["y"] and head["y"] + head["height"] <= size[1]

    assert in_sight()
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.evaluate("location.hash = '#/runs/3'")
    page.get_by_role("heading", name="ORDERS order-3").wait_for()
    assert in_sight()
    page.close()


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_nothing_is_wider_than_the_screen(browser: Any, long_names_report: Path, size: tuple[int, int]) -> None:
    page = wide_page(browser, long_names_report, size)

    for view in ("#/workflows", "#/tests/0", "#/findings", "#/runs/5", "#/runs/0"):
        page.evaluate("(view) => { location.hash = view; }", view)
        page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        page.evaluate("document.querySelectorAll('#runs:not(.hidden) .step > button').forEach((one) => one.click())")
        widths = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert widths[0] <= widths[1], view
    page.close()


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_list_of_runs_is_whole_below_the_header(browser: Any, shop_report: Path, size: tuple[int, int]) -> None:
    page = wide_page(browser, shop_report, size, "#/runs")
    page.evaluate("scrollTo(0, 400)")

    panel = box(page, ".list-panel")

    assert page.evaluate("getComputedStyle(document.querySelector('.list-panel')).position") == (
        "sticky" if size[0] > 980 else "static"
    )
    if size[0] > 980:
        assert header_bottom(page) <= panel["y"]
        assert panel["y"] + panel["height"] <= size[1]
    page.close()
