"""Which calls of a binding are subrequests: those that reach a service, and not those that only prepare or read.

Documented (workers/platform/limits, 2026-09-05): a request by `fetch`, or to a service such as R2, KV or D1. Seen by
others on the platform, August and October 2026: a statement of D1, and a call of a Durable Object, are one each.
"""

from __future__ import annotations

from typing import Final

from pytest_workflows.workers.binding_wrappers import BindingWrapper, FetcherWrapper, RpcStubWrapper

_NONE: Final = frozenset(
    (
        *("prepare", "bind", "withSession", "getBookmark"),  # D1
        *("resumeMultipartUpload", "writeHttpMetadata"),  # R2
        *("text", "json", "arrayBuffer", "bytes", "blob"),  # of what an earlier call has fetched
        *("gateway", "input", "transform", "draw"),  # AI Gateway, Images
        *("writeDataPoint", "limit"),  # Analytics Engine and rate limits, which are no requests
    )
)
"""Methods that make no request, by the platform's names."""


def is_subrequest(wrapper: BindingWrapper, method: str) -> bool:
    """Whether a call of a binding, or of an object that a call of it gave, makes a request.

    Args:
        wrapper: The binding or object, as the Worker has it.
        method: The method, by the platform's name.
    """
    # Durable Objects and other Workers have methods of any name.
    return method not in _NONE or isinstance(wrapper, FetcherWrapper | RpcStubWrapper)
