"""Whose code a file has, and which frames are not shown."""

import asyncio
import json
import os

import pytest

import durable_engine
from durable_engine import Owner, hide_frames, is_hidden, own_folder, owner_of


@pytest.mark.parametrize(
    ("file", "owner"),
    [
        (durable_engine.__file__, Owner.OURS),
        ("<string>", Owner.GENERATED),
        ("<frozen importlib._bootstrap>", Owner.GENERATED),
        (json.__file__, Owner.STANDARD),
        (asyncio.__file__, Owner.STANDARD),
        (pytest.__file__, Owner.INSTALLED),
        (os.path.join(os.sep, "shop", "python_modules", "httpx", "_api.py"), Owner.INSTALLED),
        (__file__, Owner.USER),
    ],
)
def test_whose_code_a_file_has(file, owner):
    assert owner_of(file) is owner


def test_a_link_into_a_library_is_the_librarys(tmp_path):
    (tmp_path / "shortcut").symlink_to(os.path.dirname(json.__file__))

    assert owner_of(str(tmp_path / "shortcut" / "decoder.py")) is Owner.STANDARD


def test_code_that_is_counted_as_ours_is_shown_all_the_same(tmp_path):
    file = str(tmp_path / "plugin" / "part.py")
    assert owner_of(file) is Owner.USER

    own_folder(str(tmp_path / "plugin"))

    assert owner_of(file) is Owner.OURS
    assert owner_of(str(tmp_path / "plugin_of_others" / "part.py")) is Owner.USER
    assert not is_hidden(file)


def test_code_that_is_hidden_is_ours_too(tmp_path):
    file = str(tmp_path / "between.py")
    assert owner_of(file) is Owner.USER

    hide_frames(file)

    assert owner_of(file) is Owner.OURS
    assert is_hidden(file)
    assert is_hidden(durable_engine.__file__)
