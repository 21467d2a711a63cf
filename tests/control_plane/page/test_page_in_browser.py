"""What a person can do with the page of the control plane, in Chromium."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from pytest_workflows.control_plane.served import Version
from pytest_workflows.standins.kv_store import KvEntry, KvStore

ROWS = "#list [role=option]"
ORDER = "#/instances/ORDERS/order-1"


def ids(page: Any) -> list[str]:
    """The instances in the list, as far as they are drawn."""
    return sorted(text.split()[1] for text in page.locator(f"{ROWS} .id > span").all_inner_texts())


# -- what it shows ----------------------------------------------------------------------------------------------------


def test_it_shows_the_instances_and_how_many_stand_in_each_status(shop: Any, new_tab: Any) -> None:
    shop.create("order-1", sku="A1")
    shop.create("hello", workflow="GREETINGS")

    page = new_tab().page

    assert sorted(page.locator(f"{ROWS} .id > span").all_inner_texts()) == ["GREETINGS hello", "ORDERS order-1"]
    assert page.locator("#totals .badge").all_inner_texts() == ["1 waiting", "1 complete"]
    assert page.title() == "Workflows: 2 instances"


def test_an_instance_that_comes_later_appears_without_reloading_in_both_windows(shop: Any, new_tab: Any) -> None:
    one, other = new_tab(), new_tab()

    shop.create("late", workflow="GREETINGS")

    for tab in (one, other):
        tab.waits_for("late", "#list")
        tab.waits_for("1 complete", "#totals")


def test_a_search_a_status_and_a_workflow_narrow_the_list(shop: Any, new_tab: Any) -> None:
    shop.create("order-1", "order-2")
    shop.create("hello", workflow="GREETINGS")
    page = new_tab().page

    page.fill("#search", "order-2")
    assert ids(page) == ["order-2"]
    page.fill("#search", "")
    page.locator("#chips button", has_text="complete").click()
    assert ids(page) == ["hello"]
    page.locator("#chips button", has_text="complete").click()
    page.select_option("#workflow", "ORDERS")
    assert ids(page) == ["order-1", "order-2"]
    assert page.locator("#count").inner_text() == "2 of 3"


def test_an_instance_shows_its_steps_with_attempts_errors_log_and_source(shop: Any, new_tab: Any) -> None:
    shop.create("order-1", sku="A1", declined=1)
    page = new_tab(ORDER).page

    page.locator(".timeline .step > button", has_text="charge card").click()

    detail = page.locator(".timeline .more")
    assert "RuntimeError: the bank answered 503" in detail.locator(".attempts").inner_text()
    assert "WARNING charging in attempt 1" in detail.inner_text()
    assert '@step.do("charge card", config=CARD)' in detail.locator(".source .hit").inner_text()
    assert "tries again" in page.locator(".waits").inner_text()


def test_what_a_workflow_returns_stays_text(shop: Any, new_tab: Any) -> None:
    shop.create("order-1", sku="<b>bold</b>", declined=3)
    tab = new_tab(ORDER)

    tab.page.locator(".timeline .step > button", has_text="check stock").click()

    assert "<img src=x" in tab.page.locator(".timeline .more").inner_text()
    assert tab.page.locator("main img, main b b").count() == 0
    assert "broken" not in tab.page.title()


def test_what_is_open_stays_open_while_the_instance_goes_on(shop: Any, new_tab: Any) -> None:
    shop.create("order-1", nap=False)
    tab = new_tab(ORDER)
    tab.page.locator(".timeline .step > button", has_text="check stock").click()
    tab.page.evaluate("document.querySelector('.timeline .more').marked = true")

    shop.send("order-1", "approved", {"by": "Ada"})

    tab.has_status("complete")
    tab.waits_for("ship", ".timeline")
    assert tab.page.evaluate("document.querySelector('.timeline .more').marked")
    tab.waits_for("T-1", "#detail .panes")


def test_an_instance_that_is_not_there_is_said_to_be_unknown(new_tab: Any) -> None:
    tab = new_tab(ORDER)

    tab.waits_for("Workflow 'ORDERS' has no instance 'order-1'.", "#detail")


# -- its buttons ------------------------------------------------------------------------------------------------------


def test_create_checks_that_the_params_are_json_and_opens_the_instance(shop: Any, tab: Any) -> None:
    tab.press("Create")
    tab.page.select_option("#field-workflow", "GREETINGS")
    tab.page.fill("#field-id", "hello")
    tab.page.fill("#field-params", "{name: Ada}")
    assert "This is no JSON" in tab.page.locator("dialog .field .problem").inner_text()

    tab.page.locator("dialog .main").click()
    tab.waits_for('Params must be JSON, such as {"sku": "A1"}. Nothing was sent.', "dialog")
    tab.page.fill("#field-params", '{"name": "Ada"}')
    tab.page.locator("dialog .main").click()

    tab.has_status("complete")
    tab.waits_for("Hello, Ada", "#detail .panes")
    assert shop.status("hello", "GREETINGS") == "complete"


def test_create_says_why_it_is_refused_and_keeps_what_was_written(shop: Any, tab: Any) -> None:
    shop.create("order-1")
    tab.press("Create")
    tab.page.fill("#field-id", "order-1")
    tab.page.locator("dialog .main").click()

    tab.waits_for("already", "dialog > form > .problem")
    assert tab.page.input_value("#field-id") == "order-1"


def test_an_event_of_the_type_that_is_waited_for_is_offered_and_sent(shop: Any, new_tab: Any) -> None:
    shop.create("order-1", nap=False)
    tab = new_tab(ORDER)

    tab.press("Send event")
    assert tab.page.input_value("#field-type") == "approved"
    tab.page.fill("#field-payload", '{"by": "Ada"}')
    tab.press("Send")

    tab.has_status("complete")
    tab.waits_for("approved", "[data-part=events]")


def test_pause_and_resume(shop: Any, new_tab: Any) -> None:
    shop.create("order-1")
    tab = new_tab(ORDER)

    tab.press("Pause")
    tab.has_status("paused")
    assert shop.status("order-1") == "paused"
    tab.press("Resume")
    tab.has_status("waiting")


def test_restart_from_a_step_keeps_what_ended_before_it(shop: Any, new_tab: Any) -> None:
    shop.create("order-1", nap=False)
    shop.send("order-1", "approved", {"by": "Ada"})
    tab = new_tab(ORDER)

    tab.press("Restart")
    tab.page.select_option("#field-from", label="approval, event")
    tab.page.locator("dialog").get_by_role("button", name="Restart").click()

    tab.has_status("waiting")
    assert tab.page.locator(".timeline .step b").all_inner_texts() == ["check stock", "charge card", "approval"]


def test_restart_from_the_top(shop: Any, new_tab: Any) -> None:
    shop.create("hello", workflow="GREETINGS")
    tab = new_tab("#/instances/GREETINGS/hello")

    tab.press("Restart")
    tab.page.locator("dialog").get_by_role("button", name="Restart").click()

    tab.waits_for("hello runs again.", "#toasts")
    tab.has_status("complete")


def test_terminate_asks_first(shop: Any, new_tab: Any) -> None:
    shop.create("order-1")
    tab = new_tab(ORDER)

    tab.press("Terminate")
    assert shop.status("order-1") == "waiting"
    tab.page.locator("dialog").get_by_role("button", name="Terminate").click()

    tab.has_status("terminated")
    assert shop.status("order-1") == "terminated"


def test_delete_asks_first_and_the_other_window_learns_of_it(shop: Any, new_tab: Any) -> None:
    shop.create("order-1")
    tab, other = new_tab(ORDER), new_tab(ORDER)
    other.has_status("waiting")

    tab.press("Delete")
    tab.page.locator("dialog").get_by_role("button", name="Delete").click()

    tab.waits_for("order-1 is deleted.", "#toasts")
    other.waits_for("This instance is deleted.", "#detail")
    for one in (tab, other):
        one.is_without(ROWS)


def test_the_clock_is_run_to_another_time(shop: Any, new_tab: Any) -> None:
    shop.create("order-1")
    tab = new_tab(ORDER)

    tab.page.click("#clock")
    tab.press("+ 7 days")
    tab.press("Run the clock")

    tab.waits_for("approval", ".timeline")
    tab.waits_for("2026-03-09 09:00:0", "#clock")


def test_a_sleep_is_skipped_and_a_wait_is_let_time_out(shop: Any, new_tab: Any) -> None:
    shop.create("order-1")
    tab = new_tab(ORDER)

    tab.press("Skip this sleep")
    tab.waits_for("waits for the event approved", ".waits")
    tab.press("Let it time out")

    tab.has_status("errored")
    tab.waits_for("2026-03-02 09:00:0", "#clock")


def test_a_retry_is_let_happen_now(shop: Any, new_tab: Any) -> None:
    shop.create("order-1", declined=1)
    tab = new_tab(ORDER)

    tab.press("Retry now")

    tab.has_status("waiting")
    tab.waits_for("2 tries", ".timeline")


def test_write_a_test_shows_the_file_and_its_name(shop: Any, new_tab: Any) -> None:
    shop.create("hello", workflow="GREETINGS")
    tab = new_tab("#/instances/GREETINGS/hello")

    tab.press("Write a test")

    tab.waits_for("tests/test_greetings_hello_complete.py", "dialog")
    assert 'binding.create({"id": "hello", "params": params})' in tab.page.locator("dialog .code").inner_text()
    with tab.page.expect_download() as download:
        tab.page.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "test_greetings_hello_complete.py"


# -- the other views --------------------------------------------------------------------------------------------------


def test_a_workflow_is_shown_with_its_statuses_which_lead_to_its_instances(shop: Any, new_tab: Any) -> None:
    shop.create("hello", workflow="GREETINGS")
    shop.create("order-1")
    page = new_tab("#/workflows").page

    assert page.locator("#workflows h2").all_inner_texts() == ["ORDERS", "GREETINGS", "NAPS"]
    page.locator("#workflows .badge", has_text="1 complete").click()

    assert ids(page) == ["hello"]


def test_the_steps_of_a_workflow_are_drawn_as_the_source_has_them(shop: Any, new_tab: Any) -> None:
    shop.create("order-1")
    page = new_tab("#/workflows").page

    page.locator("#workflows summary").first.click()

    picture = page.locator("#workflows img").first
    picture.scroll_into_view_if_needed()
    handle = picture.element_handle()
    assert handle.evaluate("(image) => image.decode().then(() => image.naturalHeight)") > 300


def test_a_store_shows_what_a_binding_holds(shop: Any, new_tab: Any) -> None:
    async def put() -> None:
        store = shop.env.host.stores.get("kv_namespaces", "abc", KvStore)
        store.put("sku/A1", KvEntry(b'{"left": 7}', '{"by":"Ada"}'))

    shop.run(put())
    page = new_tab("#/stores").page

    page.get_by_role("link", name="abc").click()

    assert "sku/A1" in page.locator(".contents").inner_text()
    assert '{"left": 7}' in page.locator(".contents").inner_text()


def test_the_link_that_skips_the_head_leaves_the_view_as_it_is(shop: Any, new_tab: Any) -> None:
    page = new_tab("#/workflows").page
    page.evaluate("location.hash = '#main'")

    shop.create("later", workflow="GREETINGS")

    page.locator("#workflows").get_by_text("complete").first.wait_for()


def test_more_rows_come_only_into_the_store_that_is_still_open(shop: Any, new_tab: Any) -> None:
    async def put() -> None:
        store = shop.env.host.stores.get("kv_namespaces", "abc", KvStore)
        for number in range(150):
            store.put(f"sku/{number:03}", KvEntry(b"1", None))
        shop.env.host.stores.get("kv_namespaces", "other", KvStore).put("alone", KvEntry(b"1", None))

    shop.run(put())
    page = new_tab("#/stores").page
    page.get_by_role("link", name="abc").click()
    page.get_by_text("sku/000").wait_for()
    held = []
    page.route("**/api/store?*after=*", lambda route: held.append(route))

    with page.expect_request("**/api/store?*after=*"):
        page.get_by_role("button", name="More").click()
    page.get_by_role("link", name="other").click()
    page.get_by_text("alone").wait_for()
    with page.expect_response("**/api/store?*after=*"):
        held[0].continue_()
    page.evaluate("new Promise((done) => setTimeout(done, 50))")

    assert "sku/" not in page.locator(".contents").inner_text()
    page.unroute_all()


def test_an_answer_that_fails_does_not_make_an_instance_a_deleted_one(shop: Any, new_tab: Any) -> None:
    shop.create("order-1")
    tab = new_tab(ORDER)
    tab.has_status("waiting")
    tab.page.route("**/api/instance?*", lambda route: route.fulfill(status=500, body="{}"))

    async def discard() -> None:
        shop.engine.discard(shop.engine.bindings["ORDERS"].workflow, ["order-1"])

    with tab.page.expect_response("**/api/instance?*"):
        shop.run(discard())
    tab.page.evaluate("new Promise((done) => setTimeout(done, 50))")

    assert "deleted" not in tab.page.locator("#detail").inner_text()
    tab.page.unroute_all()
    tab.waits_for("This instance is deleted.", "#detail")  # once the server says so


def test_the_numbers_are_shown_by_day_and_by_workflow(shop: Any, new_tab: Any) -> None:
    shop.create("hello", workflow="GREETINGS")
    shop.create("order-1", declined=1)
    tab = new_tab("#/numbers")

    tab.waits_for("2026-03-02", "#numbers")
    tab.press("workflow")
    tab.waits_for("GREETINGS", "#numbers table")


def test_a_version_that_cannot_be_used_is_said_on_every_view(shop: Any, tab: Any) -> None:
    shop.versions.append(Version(2, "8a1b47c7", 1_772_442_060_000, "src/entry.py:3: SyntaxError: invalid syntax"))

    tab.waits_for("Version 2 cannot be used: version 1 goes on.", "#banners")
    tab.waits_for("src/entry.py:3: SyntaxError", "#banners")
    shop.versions.append(Version(3, "9a1b47c7", 1_772_442_120_000))
    tab.is_without("#banners .banner")


def test_what_is_wrong_with_the_files_is_said(shop: Any, tab: Any) -> None:
    shop.problem = "the disk is full"

    tab.waits_for("Something is wrong with where everything is kept.", "#banners")
    tab.waits_for("the disk is full", "#banners")
    shop.problem = None
    tab.is_without("#banners .banner")


def test_a_divergence_is_shown_with_its_table_and_on_its_instance(shop: Any, new_tab: Any) -> None:
    shop.create("order-1")
    shop.divergences.append(
        SimpleNamespace(
            at=1_772_442_000_000,
            version=2,
            workflow="ORDERS",
            id="order-1",
            summary="It asks for pay.",
            table="| pay |",
        )
    )
    tab = new_tab("#/versions")

    tab.waits_for("It asks for pay.", "#versions")
    tab.waits_for("| pay |", "#versions")
    tab.page.get_by_role("link", name="ORDERS order-1").click()
    tab.waits_for("It asks for pay.", "#detail")


# -- the keyboard, narrow windows, light and dark ---------------------------------------------------------------------


def test_everything_is_reached_by_keyboard(shop: Any, new_tab: Any) -> None:
    shop.create("order-1", nap=False)
    tab = new_tab()
    keys = tab.page.keyboard

    for key in ("j", "Enter"):
        keys.press(key)
    tab.has_status("waiting")
    keys.press("e")
    assert tab.page.evaluate("document.activeElement.id") == "field-payload"
    keys.press("Escape")
    tab.is_without("dialog")
    keys.press("n")
    tab.waits_for("Create an instance", "dialog")
    keys.press("Escape")
    tab.is_without("dialog")
    keys.press("Escape")
    assert tab.page.evaluate("location.hash") == "#/instances"
    keys.press("/")
    assert tab.page.evaluate("document.activeElement.id") == "search"


def test_every_button_and_field_has_a_name(shop: Any, new_tab: Any) -> None:
    shop.create("order-1", declined=1)
    tab = new_tab(ORDER)
    tab.press("Create")

    unnamed = tab.page.evaluate(
        """[...document.querySelectorAll("button, input, select, textarea, a[href]")].filter((one) =>
        !(one.getAttribute("aria-label") || one.textContent.trim() || one.labels?.length)).map((one) => one.outerHTML)"""
    )

    assert unnamed == []


def test_a_phone_shows_everything_without_scrolling_sideways(shop: Any, new_tab: Any) -> None:
    shop.create("order-1", declined=1)
    tab = new_tab(viewport={"width": 390, "height": 844})

    for view in ("#/instances", ORDER, "#/workflows", "#/stores", "#/numbers", "#/versions"):
        tab.open(view)
        assert tab.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_it_is_dark_where_the_system_is(new_tab: Any) -> None:
    tab = new_tab(color_scheme="dark")

    assert tab.page.evaluate("document.documentElement.dataset.theme") == "dark"
    tab.page.keyboard.press("d")
    assert tab.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(246, 247, 249)"
