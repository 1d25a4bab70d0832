"""All tools of the roll, in the order of their digit keys."""

from soli.ui.roll.anchor_tool import AnchorTool
from soli.ui.roll.brushes import AllowBrush, ForbidBrush
from soli.ui.roll.draw_tool import DrawTool
from soli.ui.roll.erase_tool import EraseTool
from soli.ui.roll.harmonic_brush import HarmonicBrush
from soli.ui.roll.mask_eraser import MaskEraser
from soli.ui.roll.rectangle_tool import RectangleTool
from soli.ui.roll.select_tool import SelectTool
from soli.ui.roll.split_tool import SplitTool
from soli.ui.roll.tools import Tool

TOOLS: tuple[type[Tool], ...] = (
    SelectTool,
    DrawTool,
    SplitTool,
    EraseTool,
    AllowBrush,
    ForbidBrush,
    RectangleTool,
    MaskEraser,
    HarmonicBrush,
    AnchorTool,
)


def index_of(name: str) -> int:
    """The place of the tool called `name` among TOOLS."""
    return next(i for i, tool in enumerate(TOOLS) if tool.name == name)
