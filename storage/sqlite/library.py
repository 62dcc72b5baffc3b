"""sqlite-utils, loaded without numpy.

It imports numpy wherever that is installed, 0.3 s and 20 MB for a conversion of column types that is not used
here. An import that finds None in sys.modules fails as if the package were not there, which it is ready for.
"""

from __future__ import annotations

import sys

_hidden = "numpy" not in sys.modules
if _hidden:
    sys.modules["numpy"] = None  # type: ignore[assignment]
try:
    from sqlite_utils import Database, Migrations
finally:
    if _hidden:
        del sys.modules["numpy"]

__all__ = ["Database", "Migrations"]
