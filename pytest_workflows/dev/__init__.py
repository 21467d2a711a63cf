"""`pytest-workflows dev`: a Worker on this machine, in real time, with its instances and contents on disk.

The process belongs here: its threads, its folder, its port, its source as it changes. What it answers does not: that is
the control plane.
"""
