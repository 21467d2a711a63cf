"""Files become vectors: an upload starts it, and every file goes its own way through a graph of steps.

extract ---> validate --.
       `---> chunk -------> embed ---> upsert
"""

import asyncio
import json

from workers import Response, WorkerEntrypoint, WorkflowEntrypoint, fetch
from workers.workflows import NonRetryableError

CHUNK = 40


class EmbeddingsWorkflow(WorkflowEntrypoint):
    """One instance indexes one folder."""

    async def run(self, event, step):
        upload = await step.wait_for_event("wait for the upload", "file-upload", timeout="1 day")

        @step.do("list the files")
        async def list_files():
            listed = await self.env.UPLOADS.list(prefix=upload["payload"]["folder"])
            return [entry.key for entry in listed.objects]

        files = await list_files()
        indexed = await asyncio.gather(*[self._index(step, file) for file in files])

        return {"files": len(files), "vectors": sum(indexed)}

    def _index(self, step, file):
        @step.do(f"extract {file}")
        async def extract():
            stored = await self.env.UPLOADS.get(file)
            return await stored.text()

        @step.do(f"validate {file}", depends=[extract])
        async def validate(text):
            response = await fetch(f"{self.env.SCANNER_API}/scan", method="POST", body=json.dumps({"text": text}))
            if response.status >= 400:
                raise RuntimeError(f"the scanner answered {response.status}")
            verdict = await response.json()
            if not verdict["clean"]:
                raise NonRetryableError(f"{file} was refused: {verdict['reason']}")

        @step.do(f"chunk {file}", depends=[extract])
        async def chunk(text):
            return [text[start : start + CHUNK] for start in range(0, len(text), CHUNK)]

        # Both at the same time; each asks for the extracted text, which is extracted once.
        @step.do(f"embed {file}", depends=[chunk, validate], concurrent=True)
        async def embed(chunks, validated):
            answer = await self.env.AI.run("@cf/baai/bge-base-en-v1.5", {"text": chunks})
            return [{"id": f"{file}#{n}", "values": values} for n, values in enumerate(answer["data"])]

        @step.do(f"upsert {file}", depends=[embed])
        async def upsert(vectors):
            await self.env.INDEX.upsert(vectors)
            return len(vectors)

        return upsert()


class Default(WorkerEntrypoint):
    """PUT /FOLDER opens a folder; POST /FOLDER says that its files are there."""

    async def fetch(self, request):
        folder = request.url.split("/")[3]
        if request.method == "PUT":
            await self.env.EMBEDDINGS.create({"id": folder})
        else:
            instance = await self.env.EMBEDDINGS.get(folder)
            await instance.send_event({"type": "file-upload", "payload": {"folder": f"{folder}/"}})
        return Response(None, status=204)
