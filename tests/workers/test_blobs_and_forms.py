"""`workers.Blob`, `File` and `FormData`."""

from __future__ import annotations

import pytest

from pytest_workflows.workers import Blob, BlobEnding, File, FormData
from pytest_workflows.workers import js_module as js
from pytest_workflows.workers.js_convert import to_js


@pytest.mark.parametrize(
    "parts",
    [
        "abc",
        b"abc",
        ["a", b"b", memoryview(b"c")],
        [to_js(b"ab"), Blob("c")],
        [to_js(b"abc").buffer],
        js.Blob.new(to_js(["ab", "c"])),
        Blob("abc"),
        (part for part in ("a", "bc")),
    ],
)
async def test_a_blob_is_made_of_texts_bytes_buffers_and_blobs(parts):
    blob = Blob(parts)

    assert (await blob.text(), blob.size) == ("abc", 3)
    assert await blob.bytes() == b"abc"


def test_a_piece_of_another_type_is_refused():
    with pytest.raises(TypeError, match=r"^Don't know how to handle <class 'int'> for Blob\(\)$"):
        Blob([5])


def test_a_blob_that_stands_alone_gives_its_content_type():
    typed = Blob("a", content_type="text/csv")

    assert (Blob(typed).content_type, Blob(typed.js_object).content_type) == ("text/csv", "text/csv")
    assert (Blob([typed]).content_type, Blob(typed, "a/b").content_type) == ("", "a/b")


async def test_a_slice_has_no_content_type():
    part = Blob("abcdef", content_type="text/csv").slice(1, -2)

    assert (await part.text(), part.content_type) == ("bcd", "")


def test_a_file_has_a_name_and_a_time():
    file = File("a", filename="a.txt", content_type="text/plain", endings=BlobEnding.TRANSPARENT, last_modified=5)

    assert (file.name, file.last_modified, file.content_type) == ("a.txt", 5, "text/plain")
    assert (File(file, "b.txt").last_modified, File(file, "b.txt").content_type) == (5, "text/plain")
    assert isinstance(file, Blob)


def test_a_form_keeps_several_values_of_a_name():
    form = FormData({"a": "1"})
    form.append("a", "2")
    form["b"] = "3"

    assert (form["a"], form.get_all("a"), form["b"]) == ("1", ["1", "2"], "3")
    assert list(form) == list(form.keys()) == ["a", "a", "b"]
    assert list(form.items()) == [("a", "1"), ("a", "2"), ("b", "3")]
    assert list(form.values()) == ["1", "2", "3"]
    assert ("a" in form, "c" in form) == (True, False)


def test_values_are_replaced_and_deleted():
    form = FormData({"a": "1", "b": "2"})
    form.append("a", "3")

    form["a"] = "4"
    del form["b"]

    assert list(form.items()) == [("a", "4")]


async def test_blobs_come_back_as_files():
    form = FormData()
    form["plain"] = Blob("a")
    form.append("named", js.Blob.new(to_js(["b"])), "b.txt")

    assert isinstance(form["plain"], File)
    assert (form["named"].name, await form["named"].text()) == ("b.txt", "b")


def test_a_form_of_javascript_is_taken_as_it_is():
    made = js.FormData.new()
    made.append("a", 123)

    assert FormData(made).js_object is made
    assert FormData(made)["a"] == "123"


def test_what_no_form_is_made_of_is_refused():
    with pytest.raises(TypeError, match=r"^Expected form_data to be a dict or an instance of FormData$"):
        FormData([("a", "1")])
    with pytest.raises(TypeError, match=r"^Expected single item in arguments to FormData\.__setitem__$"):
        FormData()["a"] = ["1", "2"]
