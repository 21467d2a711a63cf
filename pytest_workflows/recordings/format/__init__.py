"""What a recording is in a file: its structs, its values, what is redacted or cut, and whether it makes sense.

What the file format says belongs here. How a recording is made belongs to `capture`, what is done with one to
`playback`, and dumps of the platform to `production`.
"""
