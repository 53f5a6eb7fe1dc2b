from __future__ import annotations

import os
import threading

from qa.models.embedder import OpenVINOEmbedder
from qa.models.low_priority import LowPriorityEmbedder
from qa.models.model_folder import WEIGHTS, open_model_folder


def test_only_the_embedding_threads_run_at_low_priority() -> None:
    threads_before = set(threading.enumerate())
    priority_before = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    embedder = LowPriorityEmbedder(lambda: OpenVINOEmbedder(open_model_folder(WEIGHTS / "embedder"), 2))
    vectors = embedder.encode_passages(["The library opens at nine.", "The ferry leaves at ten.", "No one answered."])
    assert vectors.shape == (3, embedder.dimension)
    started = [thread for thread in threading.enumerate() if thread not in threads_before]
    assert len(started) >= 2
    assert {os.getpriority(os.PRIO_PROCESS, thread.native_id or 0) for thread in started} == {19}
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == priority_before
