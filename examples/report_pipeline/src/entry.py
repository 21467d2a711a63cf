"""A report: validated, created by a remote API, its files fetched and archived, finalized.

No step writes to a variable outside itself: after a crash it would not run again, and the variable would be empty.
What later steps need is what earlier ones returned.
"""

import hashlib
import json
from datetime import UTC, datetime

from workers import WorkflowEntrypoint, fetch
from workers.workflows import NonRetryableError


class ReportWorkflow(WorkflowEntrypoint):
    """One instance makes one report."""

    async def run(self, event, step):
        payload = event["payload"]

        @step.do("validate the input")
        async def validate():
            if not payload.get("customer"):
                raise NonRetryableError("a report needs a customer")
            if payload.get("kind") not in ("sales", "stock"):
                raise NonRetryableError(f"there is no report of kind {payload.get('kind')!r}")
            return {"customer": payload["customer"], "kind": payload["kind"]}

        wanted = await validate()

        @step.do("create the report")
        async def create_report():
            answer = await self._call("POST", "/reports", wanted, key=event["instanceId"])
            if not isinstance(answer, dict) or not isinstance(answer.get("id"), str):
                raise NonRetryableError(f"the answer has an unexpected shape: {json.dumps(answer)}")
            return {"id": answer["id"], "has_files": bool(answer.get("files"))}

        report = await create_report()

        files = []
        if report["has_files"]:

            @step.do("gather the files")
            async def gather_files():
                answer = await self._call("GET", f"/reports/{report['id']}/files")
                return [{"name": file["name"], "url": file["url"]} for file in answer]

            files = await gather_files()

        # A step for each file: one that fails is tried again alone, and those before it are done for good.
        uploads = [await self._upload(step, report["id"], file) for file in files]

        @step.do("attach hashes and timestamps")
        async def attach():
            archived_at = datetime.now(UTC).isoformat()
            files = [{**upload, "archived_at": archived_at} for upload in uploads]
            key = f"{event['instanceId']}-attach"
            await self._call("POST", f"/reports/{report['id']}/attachments", {"files": files}, key)
            return files

        attached = await attach()

        @step.do("finalize the report")
        async def finalize():
            await self._call("POST", f"/reports/{report['id']}/finalize", {}, key=f"{event['instanceId']}-finalize")

        await finalize()

        return {"report": report["id"], "files": attached}

    async def _upload(self, step, report, file):
        # Two services, two steps: an archive that fails does not let the file be fetched again.
        @step.do(f"fetch {file['name']}")
        async def fetch_file():
            response = await fetch(file["url"])
            if response.status != 200:
                raise RuntimeError(f"{file['url']} answered {response.status}")
            return await response.text()

        text = await fetch_file()

        @step.do(f"upload {file['name']}")
        async def upload():
            key = f"{report}/{file['name']}"
            # An attempt that was lost half-way may have stored it already.
            if not await self.env.ARCHIVE.head(key):
                await self.env.ARCHIVE.put(key, text)
            return {"key": key, "sha256": hashlib.sha256(text.encode()).hexdigest()}

        return await upload()

    async def _call(self, method, path, body=None, key=None):
        headers = {"content-type": "application/json"}
        if key is not None:
            headers["idempotency-key"] = key
        response = await fetch(
            f"{self.env.REPORT_API}{path}",
            method=method,
            headers=headers,
            body=None if body is None else json.dumps(body),
        )
        if response.status >= 400:
            raise RuntimeError(f"{method} {path} answered {response.status}")
        return await response.json()
