"""Test data of this folder is imported by its module name."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
