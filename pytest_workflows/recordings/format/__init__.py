"""The file format of recordings: structs, values, redaction, truncation, and validation.

The structure of a file belongs here. A recording is made by `capture`, and used by
`playback`, and dumps of the platform to `production`.
"""
