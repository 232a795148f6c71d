"""Every list that AMI has, with something in it, in the middle of a flood of events."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Final
from uuid import uuid4

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.task import deferLater
from twisted.trial.runner import TestSuite
from twisted.trial.unittest import TestCase

from tests.live.fixture import LOOPBACK, asterisk, live_suite, reactor
from tests.live.watcher import Watcher
from txasterisk import AMIFactory, AMIProtocol
from txasterisk.ami import Event, Response
from txasterisk.errors import ActionFailed

#: So many events are told while a list is asked for.
FLOOD: Final = 50

#: No queue, conference, mailbox or anything else is called like this.
NOTHING: Final = "nothing"

#: Seconds; all of it is done in a few milliseconds, except what Asterisk does once a second.
SOON: Final = 10

Ask = Callable[[], Deferred[Response]]


class Lists(TestCase):
    """A real Asterisk of which lists are asked for, and what is asserted of them."""

    timeout = 60
    version: str

    async def setUp(self) -> None:  # type: ignore[override]  # trial waits for it
        """Log in twice: the other connection floods, and hears nothing itself."""
        self.floods = count()
        self.ami = await self.log_in("all")
        self.other = await self.log_in("off")

    async def log_in(self, events: str) -> AMIProtocol:
        """Log in as a user who may do everything."""
        endpoint = TCP4ClientEndpoint(reactor, LOOPBACK, asterisk(self.version).ports["ami"])
        ami = await AMIFactory("full", "full-secret", events=events).connect(endpoint)
        self.addCleanup(ami.logoff)
        return ami

    async def listed(
        self,
        ask: Ask,
        items: str,
        complete: str,
        *,
        number: int | None = None,
        unmarked: str = "",
    ) -> list[Event]:
        """
        Ask for a list in the middle of a flood, and return its items and its completion.

        :param items: the names of its items; each is there at least once.
        :param complete: the name of its completion.
        :param number: what ``ListItems`` says; how many items there are, if not given.
        :param unmarked: the name of those items that have no ActionID.
        """
        flooded = self.flood()
        answer = await ask()
        *listed, last = answer.events
        self.assertEqual({item.name for item in listed}, set(items.split()))
        self.assertEqual(last.name, complete)
        self.assertEqual(int(last["ListItems"]), len(listed) if number is None else number)
        marked = [event for event in answer.events if event.name != unmarked]
        self.assertEqual({event["ActionID"] for event in marked}, {answer["ActionID"]})
        await flooded
        return [*answer.events]

    async def until(self, ask: Ask, *items: str) -> None:
        """Wait until a list has items of these names and no others, of which no event tells."""
        ends = reactor.seconds() + SOON
        while {event.name for event in (await ask()).events[:-1]} != set(items):
            self.assertLess(reactor.seconds(), ends, f"there is no list of {items}")
            await deferLater(reactor, 0.05)

    async def empty(self, ask: Ask, complete: str) -> None:
        """Ask for a list that has only its completion."""
        await self.listed(ask, "", complete)

    async def refused(self, ask: Ask, message: str) -> None:
        """Ask for a list that is an error as long as nothing is in it."""
        flooded = self.flood()
        with self.assertRaises(ActionFailed) as caught:
            await ask()
        self.assertEqual(caught.exception.message, message)
        await flooded

    async def bare(self, ask: Ask, message: str) -> None:
        """Ask for a list that is a mere success as long as nothing is in it."""
        flooded = self.flood()
        answer = await ask()
        self.assertEqual((answer.status, answer.message, answer.events), ("Success", message, ()))
        await flooded

    def flood(self) -> Deferred[None]:
        """Tell many events, each of which comes once, in its order, as an event."""
        name = f"Flood{next(self.floods)}"
        told: list[str] = []
        numbers = [str(number) for number in range(FLOOD)]
        self.ami.on("UserEvent", lambda event: told.append(event["Number"]), UserEvent=name)
        last = self.ami.next("UserEvent", UserEvent=name, Number=numbers[-1], timeout=SOON)
        for number in numbers:
            self.other.action("UserEvent", {"UserEvent": name, "Number": number}, timeout=SOON)
        return last.addCallback(lambda _: self.assertEqual(told, numbers))

    async def call(self, channel: str, application: str = "Wait", data: str = "3600") -> str:
        """Place a call, and return the id of its channel; it is ended after the test."""
        here, there = uuid4().hex, uuid4().hex
        answered = self.ami.next("OriginateResponse", Uniqueid=here, timeout=SOON)
        gone = [
            self.ami.next("Hangup", Uniqueid=id_, timeout=self.timeout) for id_ in (here, there)
        ]
        headers = {
            "Channel": f"Local/{channel}@txasterisk",
            "Application": application,
            "Data": data,
            "Async": True,
            "ChannelId": here,
            "OtherChannelId": there,
        }
        await self.ami.action("Originate", headers, timeout=SOON)
        self.assertEqual((await answered)["Response"], "Success")
        self.addCleanup(self.hang_up, here, gone)
        return here

    async def hang_up(self, channel: str, gone: list[Deferred[Event]]) -> None:
        """End a call, unless it ended by itself, and wait until both its channels are gone."""
        try:
            await self.ami.hangup(channel=channel, timeout=SOON)
        except ActionFailed as error:
            self.assertEqual(error.message, "No such channel")
        await gatherResults(gone)

    async def confer(self) -> str:
        """Call a conference, and return the id of that channel."""
        joined = self.ami.next("ConfbridgeJoin", timeout=SOON)
        channel = await self.call("conference")
        await joined
        return channel

    async def cut(self, file: str, before: str, module: str) -> None:
        """Take the end of a configuration file away for the time of the test."""
        path = Path(asterisk(self.version).paths["home"]) / "etc" / file
        text = path.read_text()
        kept, found, _ = text.partition(before)
        self.assertEqual(found, before)
        path.write_text(kept)
        self.addCleanup(self.ami.reload, module=module, timeout=SOON)
        self.addCleanup(path.write_text, text)
        await self.ami.reload(module=module, timeout=SOON)


class CallsContract(Lists):
    """Lists of channels, bridges, and where calls wait."""

    async def test_channels(self) -> None:
        """Both halves of a Local channel are listed."""
        ami = self.ami
        await self.empty(ami.core_show_channels, "CoreShowChannelsComplete")
        await self.empty(ami.status, "StatusComplete")
        await self.call("answer")
        channels = await self.listed(
            ami.core_show_channels, "CoreShowChannel", "CoreShowChannelsComplete"
        )
        self.assertEqual(len(channels), 2 + 1)
        *_, complete = await self.listed(ami.status, "Status", "StatusComplete")
        self.assertEqual(complete["Items"], complete["ListItems"])

    async def test_bridges(self) -> None:
        """A conference is a bridge, and its channels are listed."""
        ami = self.ami
        await self.empty(lambda: ami.bridge_list(bridge_type="softmix"), "BridgeListComplete")
        await self.refused(
            lambda: ami.bridge_info(bridge_uniqueid=NOTHING), "Specified BridgeUniqueid not found"
        )
        await self.confer()
        # Where calls were parked or agents waited, an empty bridge stays; so not all are asked for.
        bridge, _ = await self.listed(
            lambda: ami.bridge_list(bridge_type="softmix"), "BridgeListItem", "BridgeListComplete"
        )
        await self.listed(
            lambda: ami.bridge_info(bridge_uniqueid=bridge["BridgeUniqueid"]),
            "BridgeInfoChannel",
            "BridgeInfoComplete",
        )
        await self.listed(
            ami.bridge_technology_list, "BridgeTechnologyListItem", "BridgeTechnologyListComplete"
        )

    async def test_conferences(self) -> None:
        """Conferences and who is in one; without any conference both are an error."""
        ami = self.ami
        nobody = "No active conferences."
        await self.refused(ami.confbridge_list_rooms, nobody)
        await self.refused(lambda: ami.confbridge_list(conference="room"), nobody)
        await self.confer()
        await self.listed(
            ami.confbridge_list_rooms, "ConfbridgeListRooms", "ConfbridgeListRoomsComplete"
        )
        await self.listed(
            lambda: ami.confbridge_list(conference="room"),
            "ConfbridgeList",
            "ConfbridgeListComplete",
        )
        await self.refused(
            lambda: ami.confbridge_list(conference=NOTHING), "No Conference by that name found."
        )

    async def test_parking(self) -> None:
        """A parked call is listed and told as the same kind of event, but not mixed up."""
        ami = self.ami
        told: list[Event] = []
        ami.on("ParkedCall", told.append)
        await self.listed(ami.parkinglots, "Parkinglot", "ParkinglotsComplete")
        await self.empty(ami.parked_calls, "ParkedCallsComplete")
        await self.refused(
            lambda: ami.parked_calls(parking_lot=NOTHING),
            "Requested parking lot could not be found.",
        )
        await self.park()
        parked, complete = await self.listed(ami.parked_calls, "ParkedCall", "ParkedCallsComplete")
        self.assertEqual(complete["Total"], complete["ListItems"])
        await self.park()
        self.assertEqual(len(told), 2)
        self.assertEqual(told[0]["ParkeeUniqueid"], parked["ParkeeUniqueid"])
        self.assertEqual({event["Privilege"] for event in told}, {"call,all"})

    async def park(self) -> None:
        """Park a call."""
        parked = self.ami.next("ParkedCall", timeout=SOON)
        await self.call("park")
        await parked

    async def test_queues(self) -> None:
        """A queue has a member and a caller, as long as the member is paused."""
        ami = self.ami
        await ami.queue_pause(interface="Local/answer@txasterisk/n", paused=True)
        self.addCleanup(ami.queue_pause, interface="Local/answer@txasterisk/n", paused=False)
        joined = ami.next("QueueCallerJoin", timeout=SOON)
        await self.call("queue")
        await joined
        await self.listed(
            ami.queue_status, "QueueParams QueueMember QueueEntry", "QueueStatusComplete"
        )
        summary, _ = await self.listed(ami.queue_summary, "QueueSummary", "QueueSummaryComplete")
        self.assertEqual((summary["Queue"], summary["Callers"]), ("support", "1"))
        await self.empty(lambda: ami.queue_status(queue=NOTHING), "QueueStatusComplete")
        await self.empty(lambda: ami.queue_summary(queue=NOTHING), "QueueSummaryComplete")

    async def test_agents(self) -> None:
        """An agent is listed, also one who talks, with the line end in the middle of a value."""
        ami = self.ami
        agent, _ = await self.listed(ami.agents, "Agents", "AgentsComplete")
        self.assertEqual(agent["Status"], "AGENT_LOGGEDOFF")
        # An agent is given calls after a probation of five seconds.
        ready = ami.next("DeviceStateChange", Device="Agent:100", State="NOT_INUSE", timeout=SOON)
        await self.call("answer", "AgentLogin", "100")
        await ready
        agent, _ = await self.listed(ami.agents, "Agents", "AgentsComplete")
        self.assertEqual(agent["Status"], "AGENT_IDLE")
        talking = ami.next("BridgeEnter", BridgeNumChannels="2", timeout=SOON)
        await self.call("answer", "AgentRequest", "100")
        await talking
        agent, _ = await self.listed(ami.agents, "Agents", "AgentsComplete")
        self.assertEqual(agent["Status"], "AGENT_ONCALL")
        self.assertRegex(agent["CallStarted"], r"^\d+\nLoggedInTime: \d+$")

    async def test_no_agents(self) -> None:
        """Without agents the list is empty."""
        await self.cut("agents.conf", "[100]", "app_agent_pool.so")
        await self.empty(self.ami.agents, "AgentsComplete")

    async def test_hangup(self) -> None:
        """Channels are hung up by a pattern, and those that are listed."""
        pattern = r"/^Local\/answer@/"
        await self.empty(lambda: self.ami.hangup(channel=pattern), "ChannelsHungupListComplete")
        await self.call("answer")
        await self.call("answer")
        await self.listed(
            lambda: self.ami.hangup(channel=pattern), "ChannelHungup", "ChannelsHungupListComplete"
        )

    async def test_fax(self) -> None:
        """Who waits for a fax is listed; ``FAXSession`` answers with one event."""
        ami = self.ami
        await self.empty(ami.fax_sessions, "FAXSessionsComplete")
        started = ami.next("Newexten", Application="ReceiveFAX", timeout=SOON)
        await self.call("receivefax")
        await started
        await self.until(ami.fax_sessions, "FAXSessionsEntry")
        session, complete = await self.listed(
            ami.fax_sessions, "FAXSessionsEntry", "FAXSessionsComplete"
        )
        self.assertEqual(complete["Total"], complete["ListItems"])
        answer = await ami.fax_session(session_number=int(session["SessionNumber"]))
        [told] = answer.events
        self.assertEqual((told.name, told["Operation"]), ("FAXSession", session["Operation"]))


class StatesContract(Lists):
    """Lists of states, and what else is kept."""

    async def test_device_states(self) -> None:
        """A state is listed and told as the same kind of event, but not mixed up."""
        told: list[Event] = []
        self.ami.on("DeviceStateChange", told.append, Device="Custom:hinted")
        for state in "BUSY", "NOT_INUSE":
            await self.change("DEVICE_STATE(Custom:hinted)", state)
            *states, _ = await self.listed(
                self.ami.device_state_list, "DeviceStateChange", "DeviceStateListComplete"
            )
            listed = [each["State"] for each in states if each["Device"] == "Custom:hinted"]
            self.assertEqual(listed, [state])
        self.assertEqual([event["State"] for event in told], ["BUSY", "NOT_INUSE"])
        self.assertEqual({event["Privilege"] for event in told}, {"call,all"})

    async def test_presence_states(self) -> None:
        """A presence is listed and told as the same kind of event, but not mixed up."""
        told: list[Event] = []
        self.ami.on("PresenceStateChange", told.append)
        for state in "away", "available":
            await self.change("PRESENCE_STATE(CustomPresence:hinted)", state)
            await self.listed(
                self.ami.presence_state_list, "PresenceStateChange", "PresenceStateListComplete"
            )
        self.assertEqual([event["Status"] for event in told], ["away", "available"])

    async def change(self, function: str, state: str) -> None:
        """Change a state, and wait until that is told."""
        changed = self.ami.next(["DeviceStateChange", "PresenceStateChange"], timeout=SOON)
        await self.other.setvar(variable=function, value=state, timeout=SOON)
        await changed

    async def test_extension_states(self) -> None:
        """A hint of the dialplan is listed."""
        await self.listed(
            self.ami.extension_state_list, "ExtensionStatus", "ExtensionStateListComplete"
        )

    async def test_no_extension_states(self) -> None:
        """Without hints the list is empty."""
        await self.cut("extensions.conf", "; A state to watch", "pbx_config.so")
        await self.empty(self.ami.extension_state_list, "ExtensionStateListComplete")

    async def test_database(self) -> None:
        """One value is a list of one, or an error; 16 counts one in a tree, whatever is there."""
        ami = self.ami
        await ami.db_put(family="seen/a", key="k", val="1")
        await ami.db_put(family="seen/b", key="k", val="2")
        self.addCleanup(ami.db_del_tree, family="seen")
        one, _ = await self.listed(
            lambda: ami.db_get(family="seen/a", key="k"), "DBGetResponse", "DBGetComplete"
        )
        self.assertEqual((one["Family"], one["Key"], one["Val"]), ("seen/a", "k", "1"))
        *tree, _ = await self.listed(
            lambda: ami.db_get_tree(family="seen"),
            "DBGetTreeResponse",
            "DBGetTreeComplete",
            number={"16": 1, "22": 2}[self.version],
        )
        self.assertEqual([each["Key"] for each in tree], ["/seen/a/k", "/seen/b/k"])
        await self.refused(lambda: ami.db_get(family="unseen", key="k"), "Database entry not found")
        await self.listed(
            lambda: ami.db_get_tree(family="unseen"),
            "",
            "DBGetTreeComplete",
            number={"16": 1, "22": 0}[self.version],
        )

    async def test_dialplan(self) -> None:
        """Each step of a context is listed; an unknown one is an error."""
        ami = self.ami
        *steps, complete = await self.listed(
            lambda: ami.show_dial_plan(context="txasterisk"), "ListDialplan", "ShowDialPlanComplete"
        )
        self.assertEqual(complete["ListContexts"], "1")
        self.assertIn("hangup", {step.get("Extension") for step in steps})
        await self.refused(
            lambda: ami.show_dial_plan(context=NOTHING), "Did not find context nothing"
        )

    async def test_voicemail(self) -> None:
        """Mailboxes are listed."""
        ami = self.ami
        await self.listed(
            ami.voicemail_users_list, "VoicemailUserEntry", "VoicemailUserEntryComplete"
        )
        await self.listed(
            lambda: ami.voicemail_user_status(context="default", mailbox="100"),
            "VoicemailUserDetail",
            "VoicemailUserDetailComplete",
        )
        await self.bare(
            lambda: ami.voicemail_user_status(context=NOTHING, mailbox=NOTHING),
            "There is no voicemail user of the given info.",
        )

    async def test_no_voicemail(self) -> None:
        """Without mailboxes there is a success, but no list."""
        await self.cut("voicemail.conf", "[default]", "app_voicemail.so")
        await self.bare(
            self.ami.voicemail_users_list, "There are no voicemail users currently defined."
        )


class PeersContract(Lists):
    """Lists of telephones, trunks and registrations."""

    async def test_iax(self) -> None:
        """The items of ``IAXpeers`` have no ActionID; those of the others have it."""
        ami = self.ami
        await self.listed(ami.iax_peers, "PeerEntry", "PeerlistComplete", unmarked="PeerEntry")
        await self.listed(ami.iax_peerlist, "PeerEntry", "PeerlistComplete")
        await self.listed(ami.iax_registry, "RegistryEntry", "RegistrationsComplete")

    async def test_no_iax(self) -> None:
        """Without peers the lists are empty."""
        ami = self.ami
        await self.cut("iax.conf", "; trunk registers", "chan_iax2.so")
        await self.empty(ami.iax_peers, "PeerlistComplete")
        await self.empty(ami.iax_peerlist, "PeerlistComplete")
        await self.empty(ami.iax_registry, "RegistrationsComplete")

    async def test_pjsip(self) -> None:
        """All that PJSIP has."""
        ami = self.ami
        await self.registered("Registered")
        for ask, items, complete in [
            (ami.pjsip_show_endpoints, "EndpointList", "EndpointListComplete"),
            (ami.pjsip_show_aors, "AorList", "AorListComplete"),
            (ami.pjsip_show_auths, "AuthList", "AuthListComplete"),
            (ami.pjsip_show_contacts, "ContactList", "ContactListComplete"),
            (
                ami.pjsip_show_registrations_inbound,
                "InboundRegistrationDetail",
                "InboundRegistrationDetailComplete",
            ),
            (
                ami.pjsip_show_registration_inbound_contact_statuses,
                "ContactStatusDetail",
                "ContactStatusDetailComplete",
            ),
            (
                ami.pjsip_show_resource_lists,
                "ResourceListDetail",
                "ResourceListDetailComplete",
            ),
        ]:
            await self.listed(ask, items, complete)
        await self.empty(
            ami.pjsip_show_subscriptions_outbound, "OutboundSubscriptionDetailComplete"
        )

    async def test_pjsip_endpoint(self) -> None:
        """An endpoint is listed with all that belongs to it."""
        ami = self.ami
        await self.registered("Registered")
        await self.listed(
            lambda: ami.pjsip_show_endpoint(endpoint="trunk"),
            "EndpointDetail TransportDetail AorDetail AuthDetail ContactStatusDetail",
            "EndpointDetailComplete",
        )
        await self.refused(
            lambda: ami.pjsip_show_endpoint(endpoint=NOTHING), "Unable to retrieve endpoint nothing"
        )

    async def test_pjsip_registrations_outbound(self) -> None:
        """``ListItems`` leaves out what is told of their passwords."""
        await self.registered("Registered")
        *_, complete = await self.listed(
            self.ami.pjsip_show_registrations_outbound,
            "OutboundRegistrationDetail AuthDetail",
            "OutboundRegistrationDetailComplete",
            number=1,
        )
        self.assertEqual((complete["Registered"], complete["NotRegistered"]), ("1", "0"))

    async def registered(self, status: str) -> None:
        """Have trunk registered at this same Asterisk, or no more."""
        told = self.ami.next("Registry", ChannelType="PJSIP", Status=status, timeout=SOON)
        act = self.ami.pjsip_register if status == "Registered" else self.ami.pjsip_unregister
        await act(registration="trunk-registration", timeout=SOON)
        await told

    async def test_pjsip_subscriptions(self) -> None:
        """A telephone that watches an extension is listed."""
        ask, complete = (
            self.ami.pjsip_show_subscriptions_inbound,
            "InboundSubscriptionDetailComplete",
        )
        await self.empty(ask, complete)
        watcher = Watcher("hinted", asterisk(self.version).ports["sip"])
        port = reactor.listenUDP(0, watcher, interface=LOOPBACK)
        self.addCleanup(port.stopListening)
        await watcher.when_told().addTimeout(SOON, reactor)
        await self.listed(ask, "InboundSubscriptionDetail", complete)
        await watcher.unsubscribe().addTimeout(SOON, reactor)

    async def test_no_pjsip(self) -> None:
        """Without endpoints, addresses, passwords and lists each is an error, others are empty."""
        ami = self.ami
        await self.registered("Unregistered")
        self.addCleanup(self.registered, "Registered")
        await self.cut("pjsip.conf", "; alice is", "res_pjsip.so")
        await self.refused(ami.pjsip_show_endpoints, "No endpoints found")
        await self.refused(ami.pjsip_show_aors, "No AORs found")
        await self.refused(ami.pjsip_show_auths, "No Auths found")
        await self.refused(ami.pjsip_show_contacts, "No Contacts found")
        await self.refused(ami.pjsip_show_resource_lists, "No resource lists found")
        for ask, complete in [
            (ami.pjsip_show_registrations_inbound, "InboundRegistrationDetailComplete"),
            (
                ami.pjsip_show_registration_inbound_contact_statuses,
                "ContactStatusDetailComplete",
            ),
            (ami.pjsip_show_registrations_outbound, "OutboundRegistrationDetailComplete"),
        ]:
            await self.empty(ask, complete)

    async def test_dahdi(self) -> None:
        """Without hardware the lists are empty."""
        await self.empty(self.ami.dahdi_show_channels, "DAHDIShowChannelsComplete")
        await self.empty(self.ami.pri_show_spans, "PRIShowSpansComplete")


class Only16(Lists):
    """What only Asterisk 16 lists."""

    async def test_sip(self) -> None:
        """The items of ``SIPpeerstatus`` have a Privilege, as events have."""
        ami = self.ami
        await self.listed(ami.sip_peers, "PeerEntry", "PeerlistComplete")
        peer, _ = await self.listed(ami.sip_peerstatus, "PeerStatus", "SIPpeerstatusComplete")
        self.assertEqual(peer["Privilege"], "System")
        await self.listed(ami.sip_showregistry, "RegistryEntry", "RegistrationsComplete")

    async def test_no_sip(self) -> None:
        """Without peers the lists are empty."""
        ami = self.ami
        await self.cut("sip.conf", "; The discard port", "chan_sip.so")
        await self.until(ami.sip_peers)
        await self.empty(ami.sip_peers, "PeerlistComplete")
        await self.empty(ami.sip_peerstatus, "SIPpeerstatusComplete")
        await self.empty(ami.sip_showregistry, "RegistrationsComplete")

    async def test_skinny(self) -> None:
        """Devices and lines are listed, although no blank line ends them."""
        ami = self.ami
        device, _ = await self.listed(ami.skinny_devices, "DeviceEntry", "DevicelistComplete")
        self.assertEqual((device["ObjectName"], device["NumberOfLines"]), ("seen-phone", "1"))
        line, _ = await self.listed(ami.skinny_lines, "LineEntry", "LinelistComplete")
        self.assertEqual((line["ObjectName"], line["Device"]), ("seen-line", "seen-phone"))

    async def test_no_skinny(self) -> None:
        """Without devices the lists are empty."""
        await self.cut("skinny.conf", "; A telephone", "chan_skinny.so")
        await self.empty(self.ami.skinny_devices, "DevicelistComplete")
        await self.empty(self.ami.skinny_lines, "LinelistComplete")


class Only22(Lists):
    """What only Asterisk 22 lists."""

    async def test_voicemail_messages(self) -> None:
        """Each message of a mailbox is listed; that of an unknown one is a mere success."""
        ami = self.ami
        await self.empty(
            lambda: ami.voicemail_box_summary(context="default", mailbox="101"),
            "VoicemailBoxDetailComplete",
        )
        self.leave_message()
        await self.listed(
            lambda: ami.voicemail_box_summary(context="default", mailbox="101"),
            "VoicemailBoxDetail",
            "VoicemailBoxDetailComplete",
        )
        await self.bare(
            lambda: ami.voicemail_box_summary(context=NOTHING, mailbox=NOTHING),
            "There is no voicemail user matching the given user.",
        )

    def leave_message(self) -> None:
        """Put a message into the mailbox 101."""
        inbox = Path(asterisk(self.version).paths["spool"]) / "voicemail/default/101/INBOX"
        inbox.mkdir(parents=True, exist_ok=True)
        for name, text in [
            ("msg0000.txt", "[message]\norigmailbox=101\nmsg_id=1-00000001\norigtime=1\n"),
            ("msg0000.wav", ""),
        ]:
            (inbox / name).write_text(text)
            self.addCleanup((inbox / name).unlink)

    async def test_channel_map(self) -> None:
        """Who is connected with a channel is listed; an unknown channel is an error."""
        ami = self.ami
        await self.confer()
        await self.confer()
        answer = await ami.confbridge_list(conference="room", timeout=SOON)
        one, other, _ = answer.events
        *connected, _ = await self.listed(
            lambda: ami.core_show_channel_map(channel=one["Channel"]),
            "CoreShowChannelMap",
            "CoreShowChannelMapComplete",
        )
        self.assertIn(other["Channel"], [each["ConnectedChannel"] for each in connected])
        await self.refused(
            lambda: ami.core_show_channel_map(channel=NOTHING),
            "Could not get channel snapshot",
        )

    async def test_pjsip_hangup(self) -> None:
        """Channels of PJSIP are hung up by a pattern, and those that are listed."""
        ami = self.ami
        await self.empty(
            lambda: ami.pjsip_hangup(channel="/^PJSIP/", cause=486), "ChannelsHungupListComplete"
        )
        ringing = ami.next("DialBegin", DestChannel=is_pjsip, timeout=SOON)
        gone = ami.next("Hangup", Channel=is_pjsip, timeout=SOON)
        headers = {"Channel": "PJSIP/watcher", "Application": "Wait", "Async": True}
        await ami.action("Originate", headers, timeout=SOON)
        await ringing
        await self.listed(
            lambda: ami.pjsip_hangup(channel="/^PJSIP/", cause=486),
            "ChannelHungup",
            "ChannelsHungupListComplete",
        )
        # As long as it rings, what was placed by Originate ends by this only.
        await ami.hangup(channel="/^PJSIP/", timeout=SOON)
        await gone

    async def test_maintenance(self) -> None:
        """Endpoints under maintenance are listed."""
        ami = self.ami
        await self.empty(ami.pjsip_show_maintenance, "PJSIPMaintenanceStatusComplete")
        await ami.pjsip_set_maintenance(endpoint="watcher", state="on")
        self.addCleanup(ami.pjsip_set_maintenance, endpoint="watcher", state="off")
        await self.listed(
            ami.pjsip_show_maintenance,
            "PJSIPMaintenanceStatus",
            "PJSIPMaintenanceStatusComplete",
        )

    async def test_dahdi_status(self) -> None:
        """Without the kernel's DAHDI that is an error."""
        await self.refused(self.ami.dahdi_show_status, "No DAHDI detected")


def is_pjsip(channel: str | None) -> bool:
    """Tell whether that is the name of a channel of PJSIP."""
    return channel is not None and channel.startswith("PJSIP/")


class Calls22Tests(CallsContract):
    """Asterisk 22."""

    version = "22"


class Calls16Tests(CallsContract):
    """Asterisk 16."""

    version = "16"


class States22Tests(StatesContract):
    """Asterisk 22."""

    version = "22"


class States16Tests(StatesContract):
    """Asterisk 16."""

    version = "16"


class Peers22Tests(PeersContract):
    """Asterisk 22."""

    version = "22"


class Peers16Tests(PeersContract):
    """Asterisk 16."""

    version = "16"


class Only22Tests(Only22):
    """Asterisk 22."""

    version = "22"


class Only16Tests(Only16):
    """Asterisk 16."""

    version = "16"


def test_suite() -> TestSuite:
    """Return the tests that trial is to run."""
    return live_suite(
        Calls22Tests,
        Calls16Tests,
        States22Tests,
        States16Tests,
        Peers22Tests,
        Peers16Tests,
        Only22Tests,
        Only16Tests,
    )
