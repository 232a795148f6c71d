"""What a real Asterisk says, and what the fake takes for it, sound by sound."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from twisted.internet.defer import Deferred, gatherResults
from twisted.trial.runner import TestSuite

from tests.live.fixture import live_suite
from tests.live.scripted import ScriptedCalls
from txasterisk.agi import AGISession
from txasterisk.testing import saying

#: In UTC: 1066, the last of 1900, and the first of 1901.
OLD: Final = (-28_502_841_600, -2_177_452_801, -2_177_452_800)
#: Moments in UTC: 1902, 1970, 1999, 2000, a leap day, noon, 2023, 2037, and 2100.
MOMENTS: Final = (
    -2_145_916_800,
    5,
    946_684_799,
    946_684_800,
    951_782_400,
    1_293_883_509,
    1_700_000_000,
    2_145_850_200,
    4_102_444_800,
)
NUMBERS: Final = (
    *(0, 7, 10, 20, 21, 99, 100, 110, -15, 1000, 12_345, 1_000_001, 2_000_300_000),
    *(2**31 - 1, -(2**31 - 1)),
)

#: A command, its arguments, and the sounds that are expected.
Said = tuple[str, tuple[object, ...], list[str]]

CASES: Final[Sequence[Said]] = [
    *(("SAY NUMBER", (n, ""), saying.number(n)) for n in NUMBERS),
    *(("SAY DIGITS", (text, ""), saying.digits(text)) for text in ("0123456789", "-1*2#x ")),
    *(("SAY ALPHA", (text, ""), saying.alphabet(text)) for text in ("aZ9 ä", "!@#$%*+-./=&~?")),
    *(("SAY PHONETIC", (text, ""), saying.phonetic(text)) for text in ("aZ", "0189", "!#%? ä")),
    *(("SAY DATE", (moment, ""), saying.date(moment)) for moment in MOMENTS),
    *(("SAY TIME", (moment, ""), saying.time(moment)) for moment in MOMENTS),
    *(("SAY DATETIME", (moment, ""), saying.date_and_time(moment)) for moment in MOMENTS),
    *(
        ("SAY DATETIME", (moment, "", form), saying.date_and_time(moment, form))
        for moment in MOMENTS
        for form in ("HkS", "T")
    ),
    *(
        ("SAY DATETIME", (moment, "", "YIMp", zone), saying.date_and_time(moment, "YIMp", zone))
        for moment in MOMENTS[:4]
        for zone in ("Asia/Tokyo", "America/New_York")
    ),
    *(
        ("SAY DATETIME", (day * 86_400, "", "de"), saying.date_and_time(day * 86_400, "de"))
        for day in (19, 20, 28, 29, 30)
    ),
    *(
        ("SAY DATETIME", (moment, "", "eY", "UTC"), saying.date_and_time(moment, "eY", "UTC"))
        for moment in OLD
    ),
]

#: Asterisk 16 comes without the sounds for this.
CASES_22: Final[Sequence[Said]] = [
    ("SAY ALPHA", ("aB1", "", case), saying.alphabet("aB1", case))
    for case in ("none", "lower", "upper", "all")
]

#: So many calls are made at once.
CALLS: Final = 30


class SayingContract(ScriptedCalls):
    """What is said."""

    timeout = 120
    cases: Sequence[Said] = CASES

    async def test_sounds(self) -> None:
        """Numbers, letters, dates and times are said as the fake says them."""
        calls = [
            Deferred.fromCoroutine(self.check(f"say-{number}", self.cases[number::CALLS]))
            for number in range(CALLS)
        ]
        await gatherResults(calls, consumeErrors=True)

    async def check(self, path: str, cases: Sequence[Said]) -> None:
        """Have some things said in one call, and compare what Asterisk reports that it plays."""

        async def script(session: AGISession) -> None:
            heard: list[str] = []
            channel = session.environment.channel

            def played(event: Any) -> None:
                if event.get("State") == "PLAYBACK" and event.get("Channel") == channel:
                    heard.append(event["Message"])

            with self.ami.on("TestEvent", played):
                for command, arguments, expected in cases:
                    heard.clear()
                    await session.command(command, *map(str, arguments))
                    # What was reported before this answer is there before it.
                    await self.ami.ping()
                    self.assertEqual(heard, expected, f"{command} {arguments}")

        await self.run_script(script, path)


class Saying22Tests(SayingContract):
    """Asterisk 22."""

    version = "22"
    cases = (*CASES, *CASES_22)


class Saying16Tests(SayingContract):
    """Asterisk 16."""

    version = "16"


def test_suite() -> TestSuite:
    """Return the tests that trial is to run."""
    return live_suite(Saying22Tests, Saying16Tests)
