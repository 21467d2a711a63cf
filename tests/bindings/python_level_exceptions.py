"""Where an answer of the stand-ins is another one than was observed, and which observations have no answer here."""

DIFFERS = {
    ("py.patch_env", "workers.env is env"): ("True", "our docs promise one object: a test's `workflow_env` is it too"),
    ("py.kv.errors", "attrs"): (
        "{'type': 'JsException', 'mro': ['JsException', 'Exception', 'BaseException', 'object'], 'str': "
        "'SyntaxError: Unexpected token \\'o\\', \"not json\" is not valid JSON', 'repr': 'SyntaxError: Unex"
        "pected token \\'o\\', \"not json\" is not valid JSON', 'name': 'SyntaxError', 'message': 'Unexpecte"
        "d token \\'o\\', \"not json\" is not valid JSON', 'js_error': 'JsException', 'args': '(SyntaxError:"
        " Unexpected token \\'o\\', \"not json\" is not valid JSON,)', 'stack': 'str'}",
        "an exception of JavaScript is no JsProxy here: the engine raises it, and knows nothing of JavaScript's objects",
    ),
    ("py.q.raise", "raise"): (
        "[([\"str 'm1'\", \"str 'm2'\"], [1, 1], 'ValueError: queue boom'), "
        "([\"str 'm1'\", \"str 'm2'\"], [2, 2], 'ValueError: queue boom'), "
        "([\"str 'm1'\", \"str 'm2'\"], [3, 3], 'ValueError: queue boom')]",
        "two further batches were messages that an earlier observation had left in the queue",
    ),
}
"""By record and label: what is expected in place of what was observed, and why."""

LEFT_OUT_RECORDS = {}
"""Records that are not asked, and why."""

LEFT_OUT = {}
"""Records and labels that cannot be asked here, and why."""
