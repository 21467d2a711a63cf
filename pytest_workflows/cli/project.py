from pathlib import Path
def failures_dir(config): return Path(".workflows/failures")
