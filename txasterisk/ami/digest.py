"""
HTTP digest authentication, as Asterisk does it: MD5, ``qop=auth``, and a nonce that is a session.

A nonce counts the requests that are made with it, and a count that is not higher than the last one
is refused as stale, even when it has only been overtaken on the way. The session goes on under the
new nonce then (seen on 16.28 and 22.10).
"""

from __future__ import annotations

import re
from hashlib import md5
from secrets import token_hex

from ..errors import LocalProtocolError, RemoteProtocolError

__all__ = ["Digest"]

_PARAMETER = re.compile(r'(\w+)\s*=\s*(?:"([^"]*)"|([^\s",]+))')


class Digest:
    """
    Prove to a server that one knows a secret.

    :param username: a user of ``manager.conf``, spelled as there.
    :param secret: its secret.
    :param own_nonce: what the client adds to the proof; at random by default.
    :raises LocalProtocolError: HTTP cannot carry the name.
    """

    def __init__(self, username: str, secret: str, own_nonce: str | None = None) -> None:
        if not username.isprintable() or '"' in username or "\\" in username:
            raise LocalProtocolError(f"HTTP digest cannot carry the user name {username!r}")
        self.username = username
        self._secret = secret
        self._realm = ""
        self._nonce = ""
        self._count = 0
        self._own_nonce = own_nonce or token_hex(8)

    @property
    def nonce(self) -> str:
        """The server's newest; empty before its first."""
        return self._nonce

    def authorization(self, method: str, uri: str) -> str:
        """
        Return the header that a request needs.

        :param method: the method of the request.
        :param uri: its path, as it stands in the request.
        """
        self._count += 1
        count = f"{self._count:08x}"
        whose = _md5(f"{self.username}:{self._realm}:{self._secret}")
        what = _md5(f"{method}:{uri}")
        proof = _md5(f"{whose}:{self._nonce}:{count}:{self._own_nonce}:auth:{what}")
        return (
            f'Digest username="{self.username}", realm="{self._realm}", nonce="{self._nonce}", '
            f'uri="{uri}", algorithm=MD5, qop=auth, nc={count}, cnonce="{self._own_nonce}", '
            f'response="{proof}"'
        )

    def challenged(self, challenge: str) -> bool:
        """
        Take what the server wants of the next request.

        :param challenge: the value of ``WWW-Authenticate``.
        :return: whether the request that was answered so was only stale.
        :raises RemoteProtocolError: it is nothing that can be done.
        """
        scheme, _, parameters = challenge.partition(" ")
        wants = {name.lower(): quoted or bare for name, quoted, bare in _found(parameters)}
        nonce = wants.get("nonce", "")
        offered = re.split(r"\s*,\s*", wants.get("qop", ""))
        algorithm = wants.get("algorithm", "MD5").upper()
        if scheme.lower() != "digest" or not nonce or "auth" not in offered or algorithm != "MD5":
            raise RemoteProtocolError("the server wants another proof than an MD5 digest")
        if nonce != self._nonce:
            # Two requests that were stale are told the same new one.
            self._realm, self._nonce, self._count = wants.get("realm", ""), nonce, 0
        return wants.get("stale", "").lower() == "true"

    def __repr__(self) -> str:
        return f"<Digest of {self.username}>"


def _found(parameters: str) -> list[tuple[str, str, str]]:
    return _PARAMETER.findall(parameters)


def _md5(text: str) -> str:
    return md5(text.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()
