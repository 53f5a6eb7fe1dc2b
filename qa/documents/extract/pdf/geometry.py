"""Coordinates of PDF pages (pure).

A PDF places text in its own coordinates. A viewer shows the part within the crop box, turned as the page says, and text
may run sideways on it. Lines are built in the coordinates of a sheet, in which they run from left to right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from qa.documents.extract.pdf.grids import Rule, Rules

Box = tuple[float, float, float, float]
"""Left, bottom, right and top, in points."""

# In points: boxes no further apart touch each other.
_TOUCHING = 1.0
# Joining takes quadratic time.
_MAX_BOXES = 500


class Places(Protocol):
    """Where the characters of a page are, in coordinates in which they run from left to right."""

    def boxes_of(self, text: str, numbers: Sequence[int]) -> list[Box | None]:
        """Return the boxes of characters; None for spaces."""

    def baseline_of(self, number: int) -> float:
        """Return the height of the base line of a character."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A view of a rectangle that is turned clockwise; the view's lower left corner is its origin.

    Attributes:
        left: left edge of the rectangle.
        bottom: lower edge of the rectangle.
        right: right edge of the rectangle.
        top: upper edge of the rectangle.
        turns: number of quarter turns clockwise, 0 to 3.
    """

    left: float = 0.0
    bottom: float = 0.0
    right: float = 0.0
    top: float = 0.0
    turns: int = 0

    @property
    def width(self) -> float:
        """The width of the view."""
        return self.top - self.bottom if self.turns % 2 else self.right - self.left

    @property
    def height(self) -> float:
        """The height of the view."""
        return self.right - self.left if self.turns % 2 else self.top - self.bottom

    @property
    def is_identity(self) -> bool:
        """Whether the view has the coordinates of the rectangle."""
        return not self.turns and not self.left and not self.bottom

    def view(self, box: Box) -> Box:
        """Return a box in the coordinates of the view."""
        left, bottom, right, top = box
        if self.turns == 0:
            return left - self.left, bottom - self.bottom, right - self.left, top - self.bottom
        if self.turns == 1:
            return bottom - self.bottom, self.right - right, top - self.bottom, self.right - left
        if self.turns == 2:
            return self.right - right, self.top - top, self.right - left, self.top - bottom
        return self.top - top, left - self.left, self.top - bottom, right - self.left

    def turn(self, turns: int) -> Frame:
        """Return the view of the same rectangle with further quarter turns clockwise."""
        return Frame(self.left, self.bottom, self.right, self.top, (self.turns + turns) % 4)


def turn_back(box: Box, width: float, height: float, turns: int) -> Box:
    """Return a box of a view, turned clockwise, in the coordinates of what it is a view of.

    Args:
        box: the box in the view.
        width: width of the view.
        height: height of the view.
        turns: number of quarter turns clockwise that led to the view.
    """
    return Frame(0, 0, width, height, -turns % 4).view(box)


def view_rules(rules: Rules, frame: Frame) -> Rules:
    """Return the lines that are drawn on a page in the coordinates of a view."""
    if frame.is_identity:
        return rules
    horizontal: list[Rule] = []
    vertical: list[Rule] = []
    boxes = [(rule.start, rule.position, rule.end, rule.position) for rule in rules.horizontal]
    boxes += [(rule.position, rule.start, rule.position, rule.end) for rule in rules.vertical]
    for number, box in enumerate(boxes):
        left, bottom, right, top = frame.view(box)
        if (number < len(rules.horizontal)) == (frame.turns % 2 == 0):
            horizontal.append(Rule(bottom, left, right))
        else:
            vertical.append(Rule(left, bottom, top))
    return Rules(horizontal, vertical)


def overlap(first: Box, second: Box, gap: float = 0.0) -> bool:
    """Return whether two boxes have a point in common, or are no further apart than a gap in points."""
    return (
        first[0] <= second[2] + gap
        and second[0] <= first[2] + gap
        and first[1] <= second[3] + gap
        and second[1] <= first[3] + gap
    )


def bounding_box(boxes: Sequence[Box]) -> Box:
    """Return the smallest box around boxes, of which there is at least one."""
    lefts, bottoms, rights, tops = zip(*boxes, strict=True)
    return min(lefts), min(bottoms), max(rights), max(tops)


def join_boxes(boxes: Sequence[Box]) -> list[Box]:
    """Return the boxes around groups that touch each other, such as the strips of one picture.

    Of very many boxes, it is one box around all.
    """
    if len(boxes) > _MAX_BOXES:
        return [bounding_box(boxes)]
    joined: list[Box] = []
    for box in boxes:
        while touching := [other for other in joined if overlap(box, other, _TOUCHING)]:
            joined = [other for other in joined if other not in touching]
            box = bounding_box([box, *touching])
        joined.append(box)
    return joined
