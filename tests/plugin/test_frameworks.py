"""Web frameworks in a Worker: their requests and responses are the platform's, and no thread runs."""

from typing import Any

import pytest

FASTAPI = """
from contextlib import asynccontextmanager
import threading

import asgi
from fastapi import FastAPI, File, Request, UploadFile
from fastapi.responses import StreamingResponse
from starlette.background import BackgroundTask
from workers import WorkerEntrypoint, WorkflowEntrypoint

EVENTS = []


@asynccontextmanager
async def lifespan(app):
    EVENTS.append("up")
    yield {"pool": "open"}
    EVENTS.append("down")


app = FastAPI(lifespan=lifespan)


@app.get("/plain")
def plain(env=asgi.env):
    return {"text": env.STAGE, "thread": threading.current_thread() is threading.main_thread()}


@app.get("/state")
async def state(request: Request):
    return {"pool": request.state.pool}


@app.post("/upload")
async def upload(file: UploadFile = File(...)):
    return {"name": file.filename, "content": (await file.read()).decode()}


@app.get("/stream")
async def stream():
    def pieces():
        for index in range(3):
            yield f"{index},"

    return StreamingResponse(pieces(), background=BackgroundTask(EVENTS.append, "background"))


@app.post("/orders")
async def orders(request: Request, env=asgi.env):
    instance = await env.ORDERS.create({"params": await request.json()})
    return {"id": instance.id}


class OrderWorkflow(WorkflowEntrypoint):
    async def run(self, event, step):
        @step.do("double")
        async def double():
            return event["payload"]["n"] * 2

        return await double()


Default = asgi.entrypoint(app)
"""
FASTAPI_TEST = """
import entry
from workers import Blob, FormData, Request
from pytest_workflows import introspect_workflow

async def test_plain_functions(workflow_worker):
    assert await (await workflow_worker.fetch("/plain")).json() == {"text": "test", "thread": True}

async def test_state(workflow_worker):
    assert await (await workflow_worker.fetch("/state")).json() == {"pool": "open"}

async def test_upload(workflow_worker):
    form = FormData()
    form.append("file", Blob("content"), "a.txt")
    response = await workflow_worker.fetch(Request("https://example.com/upload", method="POST", body=form))
    assert await response.json() == {"name": "a.txt", "content": "content"}

async def test_stream(workflow_worker):
    entry.EVENTS.clear()
    response = await workflow_worker.fetch("/stream")
    assert await response.text() == "0,1,2,"
    for _ in range(10):
        await __import__("asyncio").sleep(0)
    assert entry.EVENTS == ["up", "background", "down"]

async def test_errors(workflow_worker):
    assert (await workflow_worker.fetch("/nowhere")).status == 404
    assert (await workflow_worker.fetch("/upload", method="POST")).status == 422

async def test_workflow(workflow_worker, workflow_env):
    async with introspect_workflow(workflow_env.ORDERS) as workflow:
        response = await workflow_worker.fetch("/orders", method="POST", json={"n": 21})
        assert response.status == 200
        [instance] = workflow.get()
        await instance.wait_for_status("complete")
        assert await instance.wait_for_step_result("double") == 42
"""
FLASK = """
from flask import Flask, jsonify, request
from workers import WorkflowEntrypoint, wsgi

app = Flask(__name__)


@app.post("/orders/<sku>")
def orders(sku):
    return jsonify(sku=sku, got=request.get_json(), text=request.environ["workers.env"].STAGE), 201, {"x-a": "1"}


@app.get("/stream")
def stream():
    return (f"{index}," for index in range(3)), {"content-type": "text/csv"}


class OrderWorkflow(WorkflowEntrypoint):
    async def run(self, event, step):
        pass


Default = wsgi.entrypoint(app)
"""
FLASK_TEST = """
async def test_request(workflow_worker):
    response = await workflow_worker.fetch("/orders/A%201", method="POST", json={"n": 1})
    assert (response.status, response.headers["x-a"]) == (201, "1")
    assert await response.json() == {"sku": "A 1", "got": {"n": 1}, "text": "test"}

async def test_stream(workflow_worker):
    response = await workflow_worker.fetch("/stream")
    assert (await response.text(), response.headers["content-type"]) == ("0,1,2,", "text/csv")
"""
DJANGO = """
import asyncio

import django
from django.conf import settings
from django.http import JsonResponse, StreamingHttpResponse
from django.urls import path
from workers import WorkerEntrypoint, WorkflowEntrypoint, asgi, wsgi

settings.configure(
    SECRET_KEY="a", ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], USE_TZ=True, MIDDLEWARE=[
        "django.middleware.common.CommonMiddleware",
    ],
)
django.setup()


def plain(request):
    return JsonResponse({"n": request.GET["n"]})


async def later(request):
    await asyncio.sleep(0)
    return JsonResponse({"got": request.POST["a"]})


def pieces(request):
    return StreamingHttpResponse(f"{index}," for index in range(3))


urlpatterns = [path("plain", plain), path("later", later), path("pieces", pieces)]

from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler

ASGI, WSGI = ASGIHandler(), WSGIHandler()


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if request.headers["x-by"] == "wsgi":
            return await wsgi.fetch(WSGI, request, self.env)
        return await asgi.fetch(ASGI, request, self.env)


class OrderWorkflow(WorkflowEntrypoint):
    async def run(self, event, step):
        pass
"""
DJANGO_TEST = """
import pytest

@pytest.fixture(params=["asgi", "wsgi"])
def by(request):
    return {"x-by": request.param}

async def test_plain(workflow_worker, by):
    assert await (await workflow_worker.fetch("/plain?n=1", headers=by)).json() == {"n": "1"}

async def test_async(workflow_worker):
    headers = {"x-by": "asgi", "content-type": "application/x-www-form-urlencoded", "content-length": "3"}
    response = await workflow_worker.fetch("/later", method="POST", headers=headers, content="a=b")
    assert await response.json() == {"got": "b"}

@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume synchronous iterators")
async def test_pieces(workflow_worker, by):
    assert await (await workflow_worker.fetch("/pieces", headers=by)).text() == "0,1,2,"
"""
KINGLET = """
from kinglet import Kinglet
from workers import WorkerEntrypoint, WorkflowEntrypoint

app = Kinglet()


@app.get("/orders/{sku}", public=True)
async def order(request):
    return {"sku": request.path_param("sku"), "text": request.env.STAGE, "q": request.query("q")}


@app.post("/echo", public=True)
async def echo(request):
    return await request.json()


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return await app(request, self.env)


class OrderWorkflow(WorkflowEntrypoint):
    async def run(self, event, step):
        pass
"""
KINGLET_TEST = """
async def test_route(workflow_worker):
    response = await workflow_worker.fetch("/orders/A1?q=2")
    assert await response.json() == {"sku": "A1", "text": "test", "q": "2"}

async def test_body(workflow_worker):
    response = await workflow_worker.fetch("/echo", method="POST", json={"a": [1, None]})
    assert await response.json() == {"a": [1, None]}
"""


@pytest.mark.parametrize(
    ("package", "source", "test", "passes"),
    [
        pytest.param("fastapi", FASTAPI, FASTAPI_TEST, 6, id="FastAPI"),
        pytest.param("flask", FLASK, FLASK_TEST, 2, id="Flask"),
        pytest.param("django", DJANGO, DJANGO_TEST, 5, id="Django"),
        pytest.param("kinglet", KINGLET, KINGLET_TEST, 2, id="kinglet"),
    ],
)
def test_an_application_answers(worker: Any, package: str, source: str, test: str, passes: int) -> None:
    pytest.importorskip(package)
    worker.write("src/entry.py", source)

    # Django is configured once in a process.
    result = worker.run(test, "-W", "ignore:'asyncio.iscoroutinefunction'", process=package == "django")

    result.assert_outcomes(passed=passes)
