"""`pytest-workflows dev`: a Worker on this machine, in real time, with its instances and contents on disk."""
