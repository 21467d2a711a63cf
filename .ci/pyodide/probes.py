"""The probes: what they find on Pyodide and not on CPython, or in another way, goes into the table of differences.

This file runs as it is on both, with `calls.txt` beside it. It prints a line of JSON before each probe,
`[number, kind, name, "begins"]`, and one with its outcome: `["ok", value]` or `["raises", error, arguments, text]`. Who
runs it gives the number of the first probe, to go on behind one that ended the interpreter.
"""

import ast
import asyncio
import importlib
import inspect
import json
import os
import sys
import tempfile
import types
import warnings

SUBMODULES = """
asyncio.subprocess asyncio.unix_events collections.abc compression.bz2 compression.gzip compression.lzma
compression.zlib compression.zstd concurrent.futures concurrent.futures.interpreter concurrent.futures.process
concurrent.futures.thread concurrent.interpreters ctypes.util ctypes.wintypes curses.ascii curses.panel
curses.textpad dbm.dumb dbm.gnu dbm.ndbm dbm.sqlite3 distutils.core email.mime.text encodings.idna html.parser
http.client http.cookiejar http.cookies http.server importlib.metadata importlib.resources json.tool
logging.config logging.handlers multiprocessing.connection multiprocessing.dummy multiprocessing.managers
multiprocessing.pool multiprocessing.shared_memory multiprocessing.sharedctypes multiprocessing.synchronize
pathlib.types pydoc_data.topics sqlite3.dbapi2 string.templatelib tkinter.ttk turtledemo unittest.mock
urllib.error urllib.parse urllib.request urllib.response urllib.robotparser wsgiref.simple_server
xml.dom.minidom xml.etree.ElementTree xml.parsers.expat xml.sax xmlrpc.client xmlrpc.server
""".split()
PRIVATE = ["_hashlib", "_interpreters", "_multiprocessing", "_posixshmem", "_pydecimal", "_thread"]
OF_OTHER_VERSIONS = """
aifc annotationlib asynchat asyncore audioop cgi cgitb chunk compression crypt distutils imghdr imp lib2to3
mailcap msilib nis nntplib ossaudiodev pipes smtpd sndhdr spwd sunau telnetlib uu xdrlib
""".split()
"""Modules that some versions have: tests may run on another one than the platform's."""
NAMELESS = {"idlelib", "lib2to3", "msilib", "msvcrt", "nt", "test", "turtledemo", "typing", "winreg", "winsound"}
"""Modules whose names are nobody's business, or are there when they were asked for."""
PLACES = {"posix", "_socket", "_thread"}
"""Modules that define classes for others."""


def modules():
    """The modules of the standard library, with those of their submodules that are used."""
    names = {name for name in sys.stdlib_module_names if not name.startswith("_")} - {"antigravity", "this"}
    return sorted(names.union(SUBMODULES, PRIVATE, OF_OTHER_VERSIONS))


def names_of(module):
    """The public names of a module, and of its classes as `Class.name`."""
    found = set()
    held = importlib.import_module(module)
    for name in dir(held):
        value = getattr(held, name, None)
        if name.startswith("_") or isinstance(value, types.ModuleType):
            continue
        found.add(name)
        if inspect.isclass(value) and value.__module__.partition(".")[0] in {module.partition(".")[0], *PLACES}:
            found.update(f"{name}.{inner}" for inner in dir(value) if not inner.startswith("_"))
    return sorted(found)


def calls(text):
    """The lines of `calls.txt`: what is called, and the code."""
    for line in text.splitlines():
        name, mark, code = line.partition(" :: ")
        if mark:
            yield name, code.replace("\\n", "\n")


async def outcome_of_code(code):
    """Run a piece of code, which may await; `r` is what it gave."""
    names = {}
    try:
        waits = eval(compile(code, "<probe>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)
        if waits is not None:
            await waits
        return ["ok", json.loads(json.dumps(names.get("r")))]
    except BaseException as error:
        return raised(error)


def raised(error):
    """An exception, with its class and its arguments."""
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    arguments = [one if isinstance(one, int | float | str | None) else repr(one) for one in error.args]
    return ["raises", name, arguments, str(error)]


async def outcome_of_names(module):
    """The names of a module."""
    try:
        return ["ok", names_of(module)]
    except BaseException as error:
        return raised(error)


def all_probes(text):
    """Every probe: its kind, its name, what runs it, and with what."""
    for name in modules():
        yield "import", name, outcome_of_code, f"import {name}"
    for name in modules():
        if name.partition(".")[0] not in NAMELESS:
            yield "names", name, outcome_of_names, name
    for name, code in calls(text):
        yield "call", name, outcome_of_code, code


def say(entry):
    """Print a line for who runs this."""
    print("\x02" + json.dumps(entry), flush=True)


async def main(text, first):
    """Run the probes, each call in a folder of its own, and in this loop: one that a probe makes on Pyodide runs."""
    warnings.simplefilter("ignore")
    loop = asyncio.get_running_loop()
    for number, (kind, name, probe, argument) in enumerate(all_probes(text)):
        if number < first:
            continue
        if kind == "call":
            os.chdir(tempfile.mkdtemp())
        say([number, kind, name, "begins"])
        say([number, kind, name, await probe(argument)])
        asyncio.set_event_loop(loop)
        asyncio._set_running_loop(loop)
    say(["end"])


if __name__ == "__main__" and sys.platform != "emscripten":
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "calls.txt")) as opened:
        asyncio.run(main(opened.read(), int(sys.argv[1])))
