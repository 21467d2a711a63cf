"""The search for a workflow class in its file, and for the steps of its `run`."""

from __future__ import annotations

from pathlib import Path

from .code_owner import file_of_class
from .flow import Klass, Walk
from .model import START, SourceWorkflow
from .modules import Function, constants_of, parse


def find_class_steps(cls: type) -> SourceWorkflow | None:
    """The steps in the source of a class; None where there is no source that can be read."""
    file = file_of_class(cls)
    return None if file is None else find_steps(Path(file), cls.__qualname__)


def find_steps(path: Path, class_name: str) -> SourceWorkflow | None:
    """The steps in the source of a class, its bases and the helpers that it calls, in files beside it too.

    Args:
        path: The file that has the class, or imports it.
        class_name: Its qualified name.

    Returns:
        None where the file cannot be read, or has no such class with a `run`.
    """
    found = find_klass(path, class_name)
    if found is None:
        return None
    klass, file = found
    walk = Walk(klass)
    ends = walk.walk_run()
    return SourceWorkflow(
        class_name=class_name,
        file=str(file),
        steps=tuple(step.freeze() for step in walk.steps),
        ends=tuple(end for end in ends if end == START or walk.steps[end].after),
    )


def find_klass(path: Path, class_name: str) -> tuple[Klass, Path] | None:
    """A class with what it inherits, and the file that it stands in.

    Args:
        path: The file that has the class, or imports it.
        class_name: Its qualified name.

    Returns:
        None where the file cannot be read, or has no such class with a `run`.
    """
    try:
        found = parse(path).find_class(class_name)
    except (OSError, SyntaxError, ValueError):
        return None
    if found is None:
        return None
    node, module = found
    klass = Klass({}, {})
    bases = [found]
    while bases:
        node, module = bases.pop(0)
        for name, text in constants_of(node.body).items():
            for prefix in ("self", "cls", node.name):
                klass.constants.setdefault(f"{prefix}.{name}", text)
        for child in node.body:
            if isinstance(child, Function):
                klass.methods.setdefault(child.name, (child, module))
        for base in node.bases:
            inherited = module.find_class(base.id) if hasattr(base, "id") else None
            if inherited is not None and inherited[0] is not node:
                bases.append(inherited)
    return (klass, found[1].path) if "run" in klass.methods else None
