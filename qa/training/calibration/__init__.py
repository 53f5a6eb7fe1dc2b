"""Confidence calibration of a reader: parameters fitted on held-out questions, and a reliability diagram."""
