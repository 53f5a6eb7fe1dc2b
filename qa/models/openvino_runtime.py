"""Import OpenVINO without its telemetry and its model converter; every other module imports it from here.

On import and on conversion, OpenVINO reports its use over the network and writes an id to the home directory. NNCF does
the same. Both work without the package that sends these reports.

The converter loads the frontends of all frameworks, which doubles the time to import OpenVINO. Only training converts.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any, cast

_CONVERTER = "openvino.tools.ovc"

# None makes the import of a module fail.
sys.modules.setdefault("openvino_telemetry", cast(ModuleType, None))
sys.modules.setdefault(_CONVERTER, cast(ModuleType, None))

import openvino as ov  # noqa: E402

if sys.modules[_CONVERTER] is None:
    del sys.modules[_CONVERTER]

__all__ = ["ov"]


def _convert_model(*arguments: Any, **options: Any) -> ov.Model:
    """Import the converter on first use."""
    from openvino.tools.ovc import convert_model

    return convert_model(*arguments, **options)


if not hasattr(ov, "convert_model"):
    ov.convert_model = _convert_model
