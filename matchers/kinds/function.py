"""`function:` globs, asked of the function a frame is in."""

from matchers.kinds.base import frame_text

KIND = frame_text("function", lambda frame: frame.function)
