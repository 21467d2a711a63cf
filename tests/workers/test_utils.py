"""`workers.utils`: modules of the runtime, and `patch_env` as it is."""

from __future__ import annotations

import base64
import hashlib

import pytest

import pytest_workflows.workers as workers
from pytest_workflows.workers import import_from_javascript, patch_env
from pytest_workflows.workers import js_module as js
from pytest_workflows.workers.environment import raw_env
from pytest_workflows.workers.js_convert import to_js
from pytest_workflows.workers.utils import HTTPMessageMapping, _to_js_headers, get_compat_flag


def test_the_runtime_s_own_module_is_there():
    module = import_from_javascript("cloudflare:workers")

    assert repr(module) == "[object Module]"
    assert not hasattr(module, "constructor")
    assert callable(module.waitUntil)
    assert module.env is raw_env


def test_a_module_that_there_is_not_is_an_import_error():
    with pytest.raises(ImportError) as caught:
        import_from_javascript("nope:nope")

    assert str(caught.value) == "Failed to import 'nope:nope': Error: No such module \"nope:nope\"."
    assert type(caught.value.__cause__).__name__ == "JsException"


def test_a_module_of_node_says_what_to_do():
    with pytest.raises(ImportError, match="does not provide the JavaScript module 'node:fs': it runs no JavaScript"):
        import_from_javascript("node:fs")


@pytest.mark.parametrize("encoding", ["hex", "base64", "base64url", None])
@pytest.mark.parametrize("algorithm", ["md5", "SHA-256"])
def test_hashes_of_node(algorithm, encoding):
    crypto = import_from_javascript("node:crypto")

    digest = crypto.createHash(algorithm).update("a").update(to_js(b"b")).digest(encoding)

    expected = hashlib.new(algorithm.replace("-", "").lower(), b"ab")
    match encoding:
        case None:
            assert digest.to_bytes() == expected.digest()
        case "hex":
            assert digest == expected.hexdigest()
        case _:
            in_base64 = base64.b64encode(expected.digest()).decode().rstrip("=")
            assert digest.rstrip("=").replace("-", "+").replace("_", "/") == in_base64


def test_what_node_s_crypto_refuses():
    crypto = import_from_javascript("node:crypto")
    done = crypto.createHmac("sha1", "key")
    done.digest("hex")

    for call, text in (
        (lambda: crypto.createHash("nope"), "Digest method not supported"),
        (lambda: done.digest(), "Digest already called"),
        (lambda: done.update("a"), "Digest already called"),
        (lambda: crypto.createHash("md5").update(5), "The data is a text or bytes"),
        (lambda: crypto.createHash("md5").digest("nope"), "Unknown encoding: nope"),
    ):
        with pytest.raises(Exception, match=text):
            call()
    assert crypto.timingSafeEqual(to_js(b"a"), to_js(b"a"))
    assert (len(crypto.randomUUID()), crypto.randomBytes(3).length) == (36, 3)


def test_patch_env_fails_as_in_the_sdk_and_says_what_to_do():
    with pytest.raises(AttributeError, match=r"^patch_env_helper\n") as caught, patch_env({"A": 1}, B=2):
        raise AssertionError("not reached")

    assert str(caught.value) == "patch_env_helper"
    assert "override the fixture workflow_bindings" in caught.value.__notes__[0]


def test_dir_shows_what_the_sdk_s_shows():
    shown = [name for name in dir(workers) if not name.startswith("_")]

    assert "FormData" in shown
    assert "utils" in shown
    assert not {"env", "wait_until", "waitUntil", "importlib"}.intersection(shown)


def test_other_names_of_the_module():
    assert HTTPMessageMapping.__module__ == "workers.utils"
    assert get_compat_flag("python_request_headers_preserve_commas")
    assert not get_compat_flag("other")
    assert _to_js_headers([("a", 1)]).get("a") == "1"
    assert _to_js_headers(given := js.Headers.new()) is given
