"""OpenVINO, kept from reporting to its makers: from here alone it is imported.

It tells them over the network that it was imported, and that something was converted with it, and leaves a number for
its user in the home directory. So does NNCF. Where the package that sends it is missing, both do without.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import cast

# None stands for a package that cannot be imported.
sys.modules.setdefault("openvino_telemetry", cast(ModuleType, None))

import openvino as ov  # noqa: E402

__all__ = ["ov"]
