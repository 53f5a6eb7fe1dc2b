from __future__ import annotations

import os
import threading

from qa.models.embedder import ShippedEmbedder
from qa.models.low_priority import LowPriorityEmbedder
from qa.models.model_folder import WEIGHTS, open_model_folder


def test_what_embeds_gives_way_and_who_calls_does_not() -> None:
    before = set(threading.enumerate())
    own = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    embedder = LowPriorityEmbedder(lambda: ShippedEmbedder(open_model_folder(WEIGHTS / "embedder"), 2))
    vectors = embedder.encode_passages(["The library opens at nine.", "The ferry leaves at ten.", "Nobody answered."])
    assert vectors.shape == (3, embedder.dimension)
    begun = [thread for thread in threading.enumerate() if thread not in before]
    assert len(begun) >= 2
    assert {os.getpriority(os.PRIO_PROCESS, thread.native_id or 0) for thread in begun} == {19}
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == own
