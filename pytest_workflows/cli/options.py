"""Arguments and options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .files import FILE_HELP

File = Annotated[str, typer.Argument(metavar="FILE", help=FILE_HELP)]
Config = Annotated[
    str | None,
    typer.Option(
        "--config",
        metavar="PATH",
        help="The wrangler configuration, in place of the one that pytest finds.",
    ),
]
WorkflowOption = Annotated[
    str | None,
    typer.Option(
        "--workflow",
        metavar="BINDING",
        help="Which workflow it is an instance of: production's JSON does not say. Recordings of ours do.",
    ),
]
InstanceId = Annotated[
    str | None,
    typer.Option(
        "--id", metavar="ID", help="The instance's id, where the file does not say: the API's answer does not."
    ),
]
JsonOutputs = Annotated[
    bool | None,
    typer.Option(
        "--json-outputs/--text-outputs",
        help="How outputs are read that stand in production's JSON as JSON text: as the values, or as texts.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Count = Annotated[int | None, typer.Option("--count", metavar="N", min=1, help="Which of several steps of that name.")]
Url = Annotated[
    str | None,
    typer.Option("--url", metavar="URL", help="The `pytest-workflows dev` that is asked; by default this folder's."),
]
Token = Annotated[str | None, typer.Option("--token", metavar="TEXT", help="The token that it asks for.")]
Folder = Annotated[Path | None, typer.Option("--state", metavar="FOLDER", help="The folder of its state.")]
