"""What the writer remembers from one transaction to the next."""

from service.store.known import Known
from service.store.silences import InForce
from service.store.storms import Weather


class Memory:
    def __init__(self, *, alone: bool) -> None:
        """alone: whether the database tells when another connection wrote."""
        self.in_force = InForce()
        self.weather = Weather()
        self.known = Known(remembers=alone)

    def forget(self) -> None:
        """It may have been read from what is now undone."""
        self.in_force.forget()
        self.weather.forget()
        self.known.forget()
