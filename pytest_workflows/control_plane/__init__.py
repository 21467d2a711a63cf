"""The control plane: the platform's API around a workflow, and a page to steer by, for an engine on this machine.

It serves what `served.py` describes: the Worker of `pytest-workflows dev`, or the one of a test. How these come to run
does not belong here, nor does anything of pytest.
"""
