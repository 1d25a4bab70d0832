"""All tools of the roll, in the order of their digit keys."""

from soli.ui.roll.anchor_tool import AnchorTool
from soli.ui.roll.brushes import AllowBrush, ForbidBrush
from soli.ui.roll.tools import DrawTool, EraseTool, SelectTool, Tool

TOOLS: tuple[type[Tool], ...] = (SelectTool, DrawTool, EraseTool, AllowBrush, ForbidBrush, AnchorTool)


def index_of(name: str) -> int:
    """The place of the tool called `name` among TOOLS."""
    return next(i for i, tool in enumerate(TOOLS) if tool.name == name)
