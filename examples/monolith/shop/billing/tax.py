"""Value added tax on hats, by country."""

PERCENT = {"DE": 19, "FR": 20, "GB": 20, "LU": 17}


def with_tax(cents: int, country: str) -> int:
    return cents + cents * PERCENT[country] // 100
