"""Import OpenVINO without its telemetry; every other module imports it from here.

On import and on conversion, OpenVINO reports its use over the network and writes an id to the home directory. NNCF does
the same. Both work without the package that sends these reports.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import cast

# None makes the import of the package fail.
sys.modules.setdefault("openvino_telemetry", cast(ModuleType, None))

import openvino as ov  # noqa: E402

__all__ = ["ov"]
