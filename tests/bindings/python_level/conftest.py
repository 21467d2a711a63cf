"""The service bindings of the observations that led to a Worker of JavaScript."""

import pytest


@pytest.fixture
def workflow_bindings(request):
    try:
        from js_callee import Methods, Service
    except ImportError:
        return {}
    from pytest_workflows.session.session import SESSION
    from pytest_workflows.workers.binding_wrappers import wrap_binding
    from pytest_workflows.workers.environment import raw_env

    host = request.config.stash[SESSION].test_run.env.host
    service = wrap_binding(Service(host, Methods(lambda name: getattr(raw_env, name))))
    return {"JSSVC": service, "SELFJS": service}
