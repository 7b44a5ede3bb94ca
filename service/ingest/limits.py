"""Every limit of what comes in, in one place. docs/ingest.md has them as a table; a test compares.

Cut, rather than refused, is whatever a sender would otherwise throw away: its event arrives.
What is cut from one text stands in matchers/text.py.
"""

from datetime import timedelta

KIB, MIB = 1024, 1024 * 1024

BODY = 20 * MIB  # bytes, packed and unpacked; past it 413
BODY_SECONDS = 60.0  # until a whole body is there: one that drips holds memory, and the exit
PIECE = 64 * KIB  # bytes that a decoder hands out at once
WINDOW = 8 * MIB  # bytes that zstd may look back: what RFC 8878, 3.1.1.1.2, asks of a decoder
MEMBERS = 1000  # of a gzip or zstd body; each costs, however little it holds
LARGE = 64 * KIB  # bytes; what may take longer to read than other senders should wait
LARGE_BODY = MIB  # bytes; of bodies past it only a few are in memory at once
LARGE_BODIES = 2  # how many those are; the others wait, within their BODY_SECONDS

HEADER_LINE = 8 * KIB  # bytes of one line of an envelope's headers
ITEMS = 1000  # of an envelope; SDKs send a handful
ENVELOPE_EVENTS = 20  # of an envelope; the specification knows one
BATCH = 1000  # members of a native batch
BATCH_FRAMES = 20_000  # of all its members
OTLP_ERRORS = 10_000  # of a request, with what cannot be read; collectors batch some 8,000
TRACEBACK = 4 * MIB  # bytes of a text whose end is looked at

EVENT = MIB  # bytes, as JSON; past it contexts are lost first, then outer frames
FRAMES = 1000  # of an event; what an SDK sends at most
EXCEPTIONS = 50  # of an event
TAGS = 100  # of an event
MORE = 2  # read beyond these three where a list is cut while it is read, so that the cut is seen
TAG = 200  # characters of a tag's name, and of its value
FINGERPRINT = 50  # parts
DEPTH = 64  # levels of JSON that are always read; past some hundreds it is refused

AHEAD = timedelta(minutes=1)  # how far a sender's clock may run before ours
DRIFT = timedelta(minutes=1)  # a sender's clock is put right past it; less is the network's way
