"""`module:` globs, asked of the frame's module: `com.acme.billing.*`."""

from matchers.kinds.base import frame_text

KIND = frame_text("module", lambda frame: frame.module)
