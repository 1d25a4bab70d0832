"""All tools of the roll, in the order of their digit keys."""

from soli.ui.roll.anchor_tool import AnchorTool
from soli.ui.roll.brushes import AllowBrush, ForbidBrush
from soli.ui.roll.tools import DrawTool, EraseTool, SelectTool, Tool

TOOLS: tuple[type[Tool], ...] = (SelectTool, DrawTool, AllowBrush, ForbidBrush, EraseTool, AnchorTool)
