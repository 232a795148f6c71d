"""HTTP digest authentication."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from txasterisk.ami.digest import Digest
from txasterisk.errors import LocalProtocolError, RemoteProtocolError

ASTERISK = 'Digest algorithm=MD5, realm="asterisk", nonce="4090e772", qop="auth", opaque="4090e772"'


class DigestTests(SynchronousTestCase):
    """Challenges, and the proofs that answer them."""

    def test_proof(self) -> None:
        """The proof is the one that Asterisk 22.10 took for this challenge, as RFC 2617 says."""
        digest = Digest("full", "full-secret", "abcdef01")
        digest.challenged(ASTERISK)
        self.assertEqual(
            digest.authorization("POST", "/arawman"),
            'Digest username="full", realm="asterisk", nonce="4090e772", uri="/arawman", '
            'algorithm=MD5, qop=auth, nc=00000001, cnonce="abcdef01", '
            'response="e0f072a4d5eb78845f7d6de388abc526"',
        )

    def test_example_of_the_standard(self) -> None:
        """The example of RFC 2617 comes out as it stands there."""
        digest = Digest("Mufasa", "Circle Of Life", "0a4f113b")
        digest.challenged(
            'Digest realm="testrealm@host.com", qop="auth,auth-int", '
            'nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"'
        )
        self.assertIn(
            'response="6629fae49393a05397450978507c4ef1"',
            digest.authorization("GET", "/dir/index.html"),
        )

    def test_count(self) -> None:
        """Each request with the same nonce has a higher count; a new nonce begins with one."""
        digest = Digest("full", "full-secret")
        digest.challenged(ASTERISK)
        for count in ("nc=00000001", "nc=00000002"):
            self.assertIn(count, digest.authorization("POST", "/arawman"))
        digest.challenged(ASTERISK.replace("4090e772", "316b128a"))
        proof = digest.authorization("POST", "/arawman")
        self.assertIn('nonce="316b128a"', proof)
        self.assertIn("nc=00000001", proof)

    def test_the_same_nonce_again(self) -> None:
        """A nonce that is told twice is counted on."""
        digest = Digest("full", "full-secret")
        digest.challenged(ASTERISK)
        digest.authorization("POST", "/arawman")
        digest.challenged(f"{ASTERISK}, stale=true")
        self.assertIn("nc=00000002", digest.authorization("POST", "/arawman"))

    def test_stale(self) -> None:
        """A challenge says whether the proof was right and only too old."""
        digest = Digest("full", "full-secret")
        self.assertFalse(digest.challenged(ASTERISK))
        self.assertTrue(digest.challenged(f"{ASTERISK}, stale=true"))

    def test_other_challenges(self) -> None:
        """What cannot be answered is no Asterisk."""
        for challenge in (
            "",
            "Digest",
            'Basic realm="asterisk"',
            'Digest realm="asterisk", qop="auth"',
            'Digest realm="asterisk", nonce="1", qop="auth-int"',
            'Digest realm="asterisk", nonce="1"',
            'Digest realm="asterisk", nonce="1", qop="auth", algorithm=SHA-256',
        ):
            digest = Digest("full", "full-secret")
            self.assertRaises(RemoteProtocolError, digest.challenged, challenge)

    def test_bytes_that_are_no_text(self) -> None:
        """A secret of any bytes can be proven."""
        digest = Digest("full", "s\udcffcret")
        digest.challenged(ASTERISK)
        self.assertIn("response=", digest.authorization("POST", "/arawman"))

    def test_names_that_cannot_be_sent(self) -> None:
        """A name that would end its quotes or its line is refused."""
        for name in ('a"b', "a\\b", "a\r\nb", "a\0b", "a\udcff"):
            self.assertRaises(LocalProtocolError, Digest, name, "secret")

    def test_the_secret_is_not_shown(self) -> None:
        """Neither the secret nor what it becomes stands in the text of it."""
        self.assertEqual(repr(Digest("full", "full-secret")), "<Digest of full>")
