"""Who may send events (ingest keys, one project each), and who may look and act (the admin token).

    RefusedError    401 or 403, with the words to show

With nothing set the service is open, which it only ever is on loopback. Then a web page elsewhere
must not be able to use a visitor's browser to act: the Host must be a loopback name, and a request
that changes something must not come from another site.
"""

import hmac
import re
from collections.abc import Callable, Mapping
from hashlib import sha256
from urllib.parse import urlsplit

from itsdangerous import BadSignature, URLSafeTimedSerializer

from service.settings import Settings, is_loopback

COOKIE = "pointsman"
SESSION_SECONDS = 12 * 3600
_NOWHERE = ("", None)
_KEYS_OF_QUERY = ("sentry_key", "key")  # Sentry, Airbrake
# Rollbar; Bugsnag; Honeybadger and OTLP's exporters
_KEY_HEADERS = ("x-rollbar-access-token", "bugsnag-api-key", "x-api-key")
_SENTRY_KEY = re.compile(r"sentry_key=([A-Za-z0-9._-]+)")


# headers, body, secret
Genuine = Callable[[Mapping[str, str], bytes, str], bool]


class RefusedError(Exception):
    def __init__(self, status: int, detail: str) -> None:
        self.status = status
        self.detail = detail
        super().__init__(detail)


class Auth:
    def __init__(self, settings: Settings) -> None:
        self._keys = settings.keys
        self._hook_secret = settings.sentry_hook_secret.get_secret_value()
        self._token = settings.admin_token.get_secret_value()
        self._public = _place(settings.base_url)
        secret = sha256(b"pointsman session " + self._token.encode()).digest()
        self._sessions = URLSafeTimedSerializer(secret, salt="session")
        self._csrf = URLSafeTimedSerializer(secret, salt="csrf")

    @property
    def is_open(self) -> bool:
        return not self._token

    @property
    def has_keys(self) -> bool:
        return bool(self._keys)

    def project(self, key: str | None, named: str | None) -> str:
        """The project that a sender may send to: the one it named, or its key's."""
        if not self._keys:
            return named or "1"
        project = self._keys.get(key or "")
        if project is None:
            said = "unknown" if key else "missing"
            raise RefusedError(403, f"the ingest key is {said}; the DSN is http://KEY@…/PROJECT")
        if named is not None and named != project:
            raise RefusedError(403, f"this ingest key is for project {project}, not {named}")
        return project

    def expect_signed(self) -> None:
        """Raises RefusedError where nothing that is signed could be known to be genuine."""
        if not self._hook_secret:
            raise RefusedError(404, "POINTSMAN_SENTRY_HOOK_SECRET is not set")

    def admit_signed(self, genuine: Genuine, headers: Mapping[str, str], body: bytes) -> None:
        """Raises RefusedError."""
        if not genuine(headers, body, self._hook_secret):
            raise RefusedError(401, "the signature is missing, or not by this hook's secret")

    def admit(
        self, headers: Mapping[str, str], cookie: str | None, *, changes: bool, csrf: str | None
    ) -> None:
        """Let an admin pass; raises RefusedError. csrf: the form's, None where it is no form."""
        if self._token and self._bearer(headers):
            return
        if self.is_open:
            self._admit_locally(headers)
        elif not self._session(cookie):
            raise RefusedError(401, "needs the admin token: `Authorization: Bearer …`, or log in")
        if changes:
            self._refuse_other_sites(headers)
            if not self.is_open and not self._own_form(cookie, csrf):
                raise RefusedError(403, "the form is out of date: go back, reload and try again")

    def signed_in(self, cookie: str | None) -> bool:
        """Whether there is a session to end."""
        return not self.is_open and self._session(cookie)

    def log_in(self, headers: Mapping[str, str], token: str) -> str | None:
        """The cookie of a session; None: not the token. Raises RefusedError."""
        self._refuse_other_sites(headers)
        right = bool(self._token) and hmac.compare_digest(token.encode(), self._token.encode())
        return self._sessions.dumps("admin") if right else None

    def csrf(self, cookie: str | None) -> str:
        return str(self._csrf.dumps(cookie or ""))

    def _bearer(self, headers: Mapping[str, str]) -> bool:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return False
        if not hmac.compare_digest(token.strip().encode(), self._token.encode()):
            raise RefusedError(401, "this is not the admin token")
        return True

    def _session(self, cookie: str | None) -> bool:
        try:
            return bool(self._sessions.loads(cookie or "", max_age=SESSION_SECONDS) == "admin")
        except BadSignature:
            return False

    def _own_form(self, cookie: str | None, csrf: str | None) -> bool:
        try:
            made_for = self._csrf.loads(csrf or "", max_age=SESSION_SECONDS)
        except BadSignature:
            return False
        return bool(made_for == (cookie or ""))

    def _admit_locally(self, headers: Mapping[str, str]) -> None:
        host, _ = _place("//" + headers.get("host", ""))
        if not is_loopback(host) and host != self._public[0]:
            raise RefusedError(403, f"open on loopback only, and {host[:80]!r} is no loopback name")

    def _refuse_other_sites(self, headers: Mapping[str, str]) -> None:
        site = headers.get("sec-fetch-site", "same-origin")
        origin = headers.get("origin")
        ours = {_place("//" + headers.get("host", "")), self._public}  # a proxy may rename the host
        own = origin is None or _place(origin) in ours - {_NOWHERE}
        if site not in ("same-origin", "none") or not own:
            raise RefusedError(403, "this request comes from another site")


def _place(url: str) -> tuple[str, int | None]:
    """Host and port, None where it is the scheme's own."""
    try:
        parts = urlsplit(url)
        port = None if parts.port in (80, 443) else parts.port
    except ValueError:
        return _NOWHERE
    return parts.hostname or "", port


def sentry_keys(headers: Mapping[str, str], query: Mapping[str, str]) -> set[str]:
    """All that a Sentry SDK said outside of the body. They are to agree."""
    said = (headers.get("x-sentry-auth"), headers.get("authorization"))
    found = (_SENTRY_KEY.search(each) for each in said if each)
    keys = {match[1] for match in found if match}
    return keys | {query["sentry_key"].strip()} if query.get("sentry_key") else keys


def ingest_key(headers: Mapping[str, str], query: Mapping[str, str]) -> str | None:
    """From wherever a client puts it: its header, the query, a bearer token. None: nowhere."""
    for said in (headers.get("x-sentry-auth"), headers.get("authorization")):
        if said and (found := _SENTRY_KEY.search(said)):
            return found[1]
    for key in (*map(query.get, _KEYS_OF_QUERY), *map(headers.get, _KEY_HEADERS)):
        if key:
            return key.strip()
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None
