"""no-pyodide-build: the Worker imports a package that cannot be installed on the platform: it is not pure Python.

The check of imports notices it, from lock files, what is installed, and the list of Pyodide's builds.
"""

from .registry import register

register(
    "no-pyodide-build",
    consequence="pywrangler cannot install the package, and the deploy fails",
    remedy="take a package that is pure Python, or that Pyodide has a build of",
)
