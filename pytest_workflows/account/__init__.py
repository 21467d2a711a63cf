"""An account of the platform, read by its API: which instances a workflow has, and each of them as a recording.

It needs the extra `pull`, the platform's own client. That client's models change values (`true` is 1.0 there), so its
requests are used and its models are not: what a dump says belongs to `recordings.production`.
"""
