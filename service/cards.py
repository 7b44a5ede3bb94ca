"""Card numbers in a text: 13 to 19 digits that pass Luhn's check, in groups or without.

Spec: ISO/IEC 7812-1, annex B. No UUID is looked into, nothing that goes on in letters, and no
fraction. Of the numbers without groups those are left that count milli-, micro- or nanoseconds
since 1970. Any other id of that length has one chance in ten of being taken for a card's.
"""

import re

LEAST_DIGITS, MOST_DIGITS = 13, 19
_GROUP = range(3, 8)  # digits; the last may be shorter
_OF_A_CLOCK = (13, 16, 19)  # digits, the first of them 1 until 2033

DIGITS = re.compile(
    r"""(?P<uuid> \b [0-9a-fA-F]{8} (?: -[0-9a-fA-F]{4} ){3} -[0-9a-fA-F]{12} \b )
    | (?<![0-9A-Za-z])(?<!\d\.)
      \d++ (?! [A-Za-z] | \.\d ) (?> (?: [ -] \d++ (?! [A-Za-z] | \.\d ) )* )""",
    re.VERBOSE | re.ASCII,
)


def masked_cards(found: re.Match[str]) -> str:
    """The run of digits with the cards' numbers in it masked."""
    if found["uuid"]:
        return found[0]
    parts = re.split("([ -])", found[0])  # groups, and what stands between them
    said: list[str] = []
    at = 0
    while at < len(parts):
        end = _end_of_card(parts, at)
        said += ["[masked: card number]"] if end else [parts[at]]
        at = end or at + 1
        said += parts[at : at + 1]  # what stands before the next group
        at += 1
    return "".join(said)


def passes_luhn(digits: str) -> bool:
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0


def _end_of_card(parts: list[str], at: int) -> int | None:
    """Where the longest card's number ends that begins with this group."""
    digits, found = "", None
    for end in range(at, len(parts), 2):
        digits += parts[end][: MOST_DIGITS + 1]
        if len(digits) > MOST_DIGITS or (end > at and len(parts[end]) >= _GROUP.stop):
            break
        if _is_card(digits, alone=end == at):
            found = end + 1
        if len(parts[end]) not in _GROUP:
            break
    return found


def _is_card(digits: str, *, alone: bool) -> bool:
    if len(digits) < LEAST_DIGITS or digits[0] == "0":
        return False
    if alone and digits[0] == "1" and len(digits) in _OF_A_CLOCK:
        return False
    return passes_luhn(digits)
