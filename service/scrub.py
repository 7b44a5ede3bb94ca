r"""What no text may hold: secrets, tokens, card numbers and e-mail addresses, masked by pattern.

    scrub("no account for ada@example.com")  →  "no account for [masked: e-mail]"

Keys are seeded from sentry_sdk.scrubber.DEFAULT_DENYLIST; a card's number is what passes Luhn's
check (ISO/IEC 7812-1, annex B). Cases: tests/data/scrub.yaml.

It runs over every text of every event, so a pattern is asked only where a hint of it stands; and
over hostile ones, so it is linear: what may run far is possessive, or starts only where a run of
its characters starts; all else is bounded.
"""

import re
from functools import lru_cache

from matchers.text import NAME
from service.cards import DIGITS, LEAST_DIGITS, masked_cards

REMEMBERED = (
    8192  # short texts, some 10 MB at most: names, tags and lines of source come again and again
)
_FLAGS = re.VERBOSE | re.DOTALL

# In lower case, as they are sought in the lowered text. Each begins with a letter of its own, so
# that the engine passes quickly over what begins with no such letter.
_KEY = r"""(?:
    passw(?:or)?d | passphrase | private[_-]?key | pwd | phpsessid
  | secret(?:[_-]?key)? | session(?:[_-]?id)? | signing[_-]?key | sessid | ssn | symfony
  | credentials? | cookie | connect\.sid | csrf | cvv | cvc | xsrf | jwt
  | token(?<!nexpected\ token) | amz-signature | encryption[_-]?key | master[_-]?key
  | auth(?:orization)?(?!:\d{2,5}\b) | api[_-]?key | access[_-]?key | account[_-]?key
)"""
_KEY_HINTS = (
    *("passw", "key", "token", "secret", "auth", "cookie", "sess", "pwd", "credential"),
    *("passphrase", "srf", "cvv", "cvc", "ssn", "jwt", "signature", "connect.sid", "symfony"),
)
_NOT_A_MARK = "".join(
    rf"(?<!\[masked:\ {label})" for label in ("secret", "token", "credentials", r"private\ key")
)
_IS = r"""[\\"'\])]{0,3} [ \t]*+ (?: => | =(?![=>]) | :(?![:/]) ) [ \t]*+ \(?+"""
_NOT_MASKED = r"(?! \[masked (?: :\ [a-z\ -]{1,20} )? \] )"
# What is said of a secret is none: "password: must be …", "token=None".
_NOT_SAID = r"""(?! (?: none | null | nil | undefined | true | false | expired | invalid | missing
    | required | is | are | was | has | must | may | should | can | cannot | not | no | too | wrong
    | incorrect | failed | denied | unknown | empty | blank | malformed | field | punc | keyword
    | yes
) (?![\w=/+-]) )"""
_QUOTED = "|".join(
    rf"(?<=\\{quote}) (?: [^\\] | \\\\(?:\\{quote})? | \\[^{quote}\\] )++"  # JSON within a text
    rf"| (?<={quote})(?<!\\{quote}) (?: [^{quote}\\] | \\. )++"
    for quote in ('"', "'")
)
_BARE = rf"""{_NOT_SAID} (?:
    \[ [^\]\n]*+ \]?
  | (?: (?:bearer|basic|digest|token) [ \t]++ )? [^\s"'<{{&;,)\]}}] [^\s"'&;,)\]}}]*+
)"""
# In a line of source an expression stands after a key more often than a secret does.
_LITERAL = r"(?= [a-z_/+=-]{0,64} \d ) [\w/+=-]++ (?! [.(\[] )"


_KEYED = rf"""(?P<kept> {_IS} (?: \\?["'] )? ) {_NOT_MASKED}"""
_HEADER = rf"""(?: (?<=authorization) | (?<=cookie) ) (?P<header> : [ \t]*+ )
    {_NOT_MASKED} {_NOT_SAID} [^\s"'] [^\r\n"']*+"""
_SECRET = re.compile(
    rf"""{_KEY} {_NOT_A_MARK}
    (?: {_HEADER} | {_KEYED} (?: {_QUOTED} | (?<!["']) {_BARE} ) )""",
    _FLAGS,
)
_SECRET_IN_CODE = re.compile(
    rf"""{_KEY} {_NOT_A_MARK} (?: {_KEYED} (?: {_QUOTED} | (?<!["']) {_LITERAL} ) )""", _FLAGS
)
_SECRET_NAME = re.compile(rf"{_KEY} (?: \. | \Z )", _FLAGS)

_CREDENTIALS = re.compile(
    r"""(?<=://) [^\s/?#"'<>]*@
    | (?<![\w.-]) [\w.-]{1,64}+ : [^\s@/"']{1,128}+ @(?=(?:tcp|unix)\()""",
    _FLAGS,
)
_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----.*?(?:-----END [A-Z ]{0,60}-----|\Z)",
    re.DOTALL,
)
_TOKEN = re.compile(
    r"""(?P<scheme> \b(?i:bearer)[ \t]++ )
        (?! (?i:authenti|authoriz|credential|challenge) ) [\w.~+/-]{8,}+ =*+
    | (?P<basic> \b(?i:basic)[ \t]++ ) (?! [A-Z]?[a-z]+\b ) [\w+/]{8,}+ =*+
    | (?P<hook> hooks\.slack\.com/services/ | /api/webhooks/ ) [\w/-]++
    | (?<![A-Za-z0-9]) (?:
        eyJ[\w-]{6,}+ (?: \.[\w-]*+ ){2,4}
      | A[KS]IA[0-9A-Z]{16,}+
      | gh[oprsu]_[A-Za-z0-9]{20,}+ | github_pat_\w{20,}+ | glpat-[\w-]{16,}+
      | xox[a-z]-[\w-]{10,}+ | xapp-[\w-]{10,}+
      | [a-z]k_(?:live|test)_\w{10,}+ | whsec_[\w+/=]{10,}+
      | AIza[\w-]{30,}+ | ya29\.[\w-]{20,}+ | SG\.[\w-]{16,}\.[\w-]{16,}+
      | npm_[A-Za-z0-9]{30,}+ | pypi-[\w-]{30,}+ | hf_[A-Za-z0-9]{30,}+
      | sk-(?:ant-|proj-)?[A-Za-z0-9]{20,}[\w-]*+
    )""",
    re.VERBOSE,
)
# Sought by the rarest letter of each start, which is three times as fast as by its first.
_TOKEN_HINT = re.compile(
    r"""J(?<=eyJ) | I(?<=A[KS]I)A | I(?<=AI)za | G(?<=SG)\. | 9(?<=ya29)\. | /(?<=hooks/)
    | /(?<=hooks\.slack\.com/) | _(?<=gh[oprsu]_) | _(?<=github_)pat_ | _(?<=k_)(?:live|test)_
    | _(?<=whsec_) | _(?<=npm_) | _(?<=hf_) | -(?<=glpat-) | -(?<=xox[a-z]-) | -(?<=xapp-)
    | -(?<=pypi-) | -(?<=sk-)""",
    re.VERBOSE,
)
# No versions (lodash@4.17.21), no retina images (logo@2x.png), no addresses of repositories.
_EMAIL = re.compile(
    r"""(?<![\w.+-]) (?!git@) [\w.+-]++ (?:@|%40)
        (?! v?\d++ (?: \.\d | x\. ) ) (?: [\w-]++\. )+ [^\W\d_]{2,}+
        (?> (?: [\w.+-]*+ (?:@|%40) [\w.-]*+ )* )  # one run into the next""",
    re.VERBOSE,
)
_NOT_A_DIGIT = bytes(byte for byte in range(256) if not 0x30 <= byte <= 0x39)


def scrub(text: str) -> str:
    """Never raises; what is masked stays as it is. A clean text costs a microsecond or two."""
    return _remembered(text) if len(text) <= NAME else fresh(text)


def scrub_code(line: str) -> str:
    """One line of source."""
    return _remembered(line, True) if len(line) <= NAME else fresh(line, code=True)


def is_secret(name: str) -> bool:
    """Is what goes by this dotted name a secret, whatever it looks like?"""
    return _SECRET_NAME.search(name.lower()) is not None


@lru_cache(REMEMBERED)
def _remembered(text: str, code: bool = False) -> str:
    return fresh(text, code=code)


def fresh(text: str, *, code: bool = False) -> str:
    """As scrub or scrub_code, remembering nothing."""
    low = text.lower()
    if "private key" in low:
        text = _PRIVATE_KEY.sub("[masked: private key]", text)
    if "@" in low and ("://" in low or "(" in low):
        text = _CREDENTIALS.sub("[masked: credentials]@", text)
    if ("=" in low or ":" in low) and _holds_a_key(low):
        text = _secrets_masked(text, _SECRET_IN_CODE if code else _SECRET)
    if "bearer" in low or "basic" in low or _TOKEN_HINT.search(text):
        text = _TOKEN.sub(_token, text)
    if "@" in low or "%40" in low:
        text = _EMAIL.sub("[masked: e-mail]", text)
    if len(text.encode("utf-8", "ignore").translate(None, _NOT_A_DIGIT)) >= LEAST_DIGITS:
        text = DIGITS.sub(masked_cards, text)
    return text


def _holds_a_key(low: str) -> bool:
    for hint in _KEY_HINTS:  # noqa: SIM110 any() is four times as slow
        if hint in low:
            return True
    return False


def _secrets_masked(text: str, secret: re.Pattern[str]) -> str:
    low = text.lower()
    if len(low) != len(text):  # of some letters the small one is two
        low = "".join(char.lower()[0] for char in text)
    parts: list[str] = []
    at = 0
    for found in secret.finditer(low):
        kept = found.end(found.lastgroup or 0)
        parts += text[at:kept], "[masked: secret]"
        at = found.end()
    return "".join((*parts, text[at:]))


def _token(found: re.Match[str]) -> str:
    return f"{found[found.lastgroup] if found.lastgroup else ''}[masked: token]"
