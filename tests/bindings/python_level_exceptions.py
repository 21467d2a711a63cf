"""Where an answer of the stand-ins is another one than was observed, and which observations have no answer here."""

OTHER_IDS = "a new id is another one each time"
NO_TARGET = "the object of JavaScript's `RpcTarget` came from a Worker of JavaScript"
_OURS = "workflow bindings, instances and subscriptions are the engine's own objects, with a repr of their own"

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
    ("py.svc.fromjs", "set"): ("set {…}", "a set of a number and a text has no order, in either place"),
    ("py.q.raise", "raise"): (
        "[([\"str 'm1'\", \"str 'm2'\"], [1, 1], 'ValueError: queue boom'), "
        "([\"str 'm1'\", \"str 'm2'\"], [2, 2], 'ValueError: queue boom'), "
        "([\"str 'm1'\", \"str 'm2'\"], [3, 3], 'ValueError: queue boom')]",
        "two further batches were messages that an earlier observation had left in the queue",
    ),
    ("py.do.ns", "newUniqueId"): ("JsProxy js:DurableObjectId <64 hex>", OTHER_IDS),
    ("py.do.errors", "JsException"): (
        "raises pyodide.ffi.JsException: 'PythonError: Traceback (most recent call last):\\nin wrapper_func\\nin throw\\n"
        "in raise_it\\npyodide.ffi.JsException: SyntaxError: Expected property name or \\'}\\' in JSON at position 1 "
        "(line 1 column 2)\\n'",
        "a frame of Pyodide's own stands between the call and its error there",
    ),
    ("py.do.errors", "attrs"): (
        "{'name': 'PythonError', 'message': 'Traceback (most recent call last):…', 'remote': 'True', "
        "'durableObjectId': '<64 hex>', 'type': 'ValueError', 'stack': 'PythonError: Traceback (most recent call last):…'}",
        "the texts were cut amid the names of files",
    ),
    ("py.wf", "type"): ("WorkflowBinding", _OURS),
    ("py.wf", "instance"): ("InstanceHandle", _OURS),
    ("py.wf", "createBatch dict"): (
        "JsDict {'created': [<WorkflowInstance '<uuid>' of 'WF'>, <WorkflowInstance '<uuid>' of 'WF'>], 'errors': []}",
        _OURS,
    ),
    ("py.wf", "create_batch list"): (
        "list [<WorkflowInstance '<uuid>' of 'WF'>, <WorkflowInstance '<uuid>' of 'WF'>]",
        _OURS,
    ),
    ("py.wf", "kwargs"): ("InstanceHandle <WorkflowInstance '<uuid>' of 'WF'>", _OURS),
    ("py.wf", "subscribe"): (
        "list ['Subscription', {'done': False, 'value': {'instanceId': '<uuid>', 'eventId': 1, 'timestamp': <ms now>, "
        "'type': 'workflow_queued'}}]",
        _OURS,
    ),
    ("py.wf", "delete_batch"): (
        "raises builtins.AttributeError: \"A workflow binding has no 'delete_batch', here as in production. The "
        "platform's name is 'deleteBatch'.\"",
        "the error says what the platform's name is",
    ),
}
"""By record and label: what is expected in place of what was observed, and why."""

LEFT_OUT_RECORDS = {}
"""Records that are not asked, and why."""

LEFT_OUT = {
    ("py.svc.fromjs", "target"): NO_TARGET,
    ("py.svc.functions", "target type"): NO_TARGET,
    ("py.svc.functions", "target.hello()"): NO_TARGET,
    ("py.svc.functions", "target.missing()"): NO_TARGET,
}
"""Records and labels that cannot be asked here, and why."""
