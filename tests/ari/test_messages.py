"""Tests of the ARI codec."""

from __future__ import annotations

import json
from types import NoneType
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from txasterisk.ari.messages import (
    BOOLEAN,
    FIELDS,
    INTEGER,
    MAX_EVENT,
    OBJECT,
    TEXT,
    TEXTS,
    Operation,
    Request,
    Response,
    decode_event,
    event_type,
    events_resource,
    objects_of,
    request_for,
)
from txasterisk.ari.models import EVENTS, Channel, Event, PlaybackFinished, StasisStart
from txasterisk.ari.resources import OPERATIONS
from txasterisk.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    InvalidState,
    LocalProtocolError,
    LoginRefused,
    NotFound,
    RemoteProtocolError,
    RequestFailed,
    ServerFailed,
    Unprocessable,
)

#: As Asterisk 22.10.1 sent it.
STASIS_START = (
    b'{"type":"StasisStart","timestamp":"2026-11-21T19:47:20.979+0000","args":["a1"],'
    b'"channel":{"id":"o1","name":"Local/answer@default-00000000;1","state":"Down",'
    b'"protocol_id":"","caller":{"name":"Bob B","number":"1234"},'
    b'"connected":{"name":"Bob B","number":"1234"},"accountcode":"",'
    b'"dialplan":{"context":"default","exten":"answer","priority":1,"app_name":"AppDial2",'
    b'"app_data":"(Outgoing Line)"},"creationtime":"2026-11-21T19:29:22.693+0000",'
    b'"language":"en","channelvars":{"ARIVAR1":"av","ARIVAR2":""}},'
    b'"asterisk_id":"02:fc:00:00:00:01","application":"pcapp"}'
)


def operation(method: str, path: str) -> Operation[Any]:
    """Return the operation of that method and path."""
    return next(known for known in OPERATIONS if (known.method, known.path) == (method, path))


PLAY = operation("POST", "/channels/{channelId}/play")
SET_VARIABLE = operation("POST", "/channels/{channelId}/variable")

#: What is no list of texts, elements of fields, names of applications, variables.
NO_LISTS: list[Any] = [[None], ["a", 5], [["a"]], 5, {"a": "b"}, []]
NO_FIELDS: list[Any] = [[{}], [{"attribute": "a"}], [{"value": "v"}], ["a"], [None], {}, "a"]
NO_NAMES: list[list[str]] = [[], [""], ["a", ""], ["a,b"], ["a\n"], [" "]]
NO_JSON: list[Any] = [{"a": object()}, {"a": "\udc80"}, {1: "a"}]


class RequestTests(SynchronousTestCase):
    """What is asked goes out in the form that Asterisk takes for what is meant."""

    def test_without_parameters(self) -> None:
        """A request without parameters has no body."""
        answer = operation("POST", "/channels/{channelId}/answer")
        self.assertEqual(
            answer.request({"channelId": "c1"}, {}), Request("POST", "/channels/c1/answer", None)
        )

    def test_parameters_are_json(self) -> None:
        """Parameters go into a JSON body with the types of their kinds."""
        record = operation("POST", "/channels/{channelId}/record")
        request = record.request(
            {"channelId": "c1"},
            {"name": "greeting", "format": "wav", "maxDurationSeconds": 10, "beep": True},
        )
        self.assertEqual(
            request.body,
            b'{"name":"greeting","format":"wav","maxDurationSeconds":10,"beep":true}',
        )

    def test_none_is_left_out(self) -> None:
        """A parameter that is None is not sent, so that Asterisk's own default holds."""
        request = SET_VARIABLE.request({"channelId": "c1"}, {"variable": "X", "value": None})
        self.assertEqual(request.body, b'{"variable":"X"}')

    def test_lists_are_arrays(self) -> None:
        """A list is a JSON array, because Asterisk cuts a text neither here nor at commas."""
        request = PLAY.request({"channelId": "c1"}, {"media": ("tone:1,2", "sound:a")})
        self.assertEqual(request.body, b'{"media":["tone:1,2","sound:a"]}')

    def test_one_text_is_a_list_of_one(self) -> None:
        """Where a list is wanted, one text does."""
        request = PLAY.request({"channelId": "c1"}, {"media": "sound:a"})
        self.assertEqual(request.body, b'{"media":["sound:a"]}')

    def test_path_is_encoded(self) -> None:
        """A plus sign in a path would be read as a blank and a slash as the next part."""
        get = operation("GET", "/sounds/{soundId}")
        self.assertEqual(
            get.request({"soundId": "a/b+c d%é?#"}, {}).resource,
            "/sounds/a%2Fb%2Bc%20d%25%C3%A9%3F%23",
        )

    def test_several_parts_of_a_path(self) -> None:
        """Each variable part of a path is filled by its name."""
        get = operation("GET", "/endpoints/{tech}/{resource}")
        self.assertEqual(
            get.request({"tech": "PJSIP", "resource": "a/b"}, {}).resource, "/endpoints/PJSIP/a%2Fb"
        )

    def test_bridge_goes_into_the_query(self) -> None:
        """22.10 takes a JSON body of POST /bridges for variables, so all goes into the query."""
        create = operation("POST", "/bridges")
        self.assertEqual(
            create.request({}, {"type": "mixing,dtmf_events", "name": "a&b+c"}),
            Request("POST", "/bridges?type=mixing%2Cdtmf_events&name=a%26b%2Bc", None),
        )

    def test_delete_has_a_body_too(self) -> None:
        """Asterisk reads the JSON body of a DELETE; a list in the query would be cut at commas."""
        unsubscribe = operation("DELETE", "/applications/{applicationName}/subscription")
        request = unsubscribe.request({"applicationName": "a"}, {"eventSource": ["channel:1,2"]})
        self.assertEqual(request.body, b'{"eventSource":["channel:1,2"]}')


class RefusedTests(SynchronousTestCase):
    """What Asterisk would misunderstand, or not survive, is refused before it is sent."""

    def refused(
        self, words: str, known: Operation[Any], path: dict[str, Any], asked: dict[str, Any]
    ) -> None:
        error = self.assertRaises(LocalProtocolError, known.request, path, asked)
        self.assertIn(words, str(error))

    def test_empty_part_of_a_path(self) -> None:
        """POST /bridges//addChannel would create a new bridge."""
        add = operation("POST", "/bridges/{bridgeId}/addChannel")
        self.refused("bridgeId", add, {"bridgeId": ""}, {"channel": ["c1"]})

    def test_control_character_in_a_path(self) -> None:
        """CR, LF and NUL never get into a path, encoded or not."""
        get = operation("GET", "/channels/{channelId}")
        for bad in "a\r\nb", "a\0b", "a\nb":
            self.refused("control character", get, {"channelId": bad}, {})

    def test_surrogate_in_a_path(self) -> None:
        """A path is UTF-8."""
        get = operation("GET", "/channels/{channelId}")
        self.refused("not a text", get, {"channelId": "\udc80"}, {})

    def test_path_is_no_number(self) -> None:
        """An id that is not a text is a mistake of the caller's."""
        get = operation("GET", "/channels/{channelId}")
        self.refused("channelId", get, {"channelId": 5}, {})

    def test_move_without_application(self) -> None:
        """POST /channels/X/move without app ends the process of 22.10 and 16.28."""
        move = operation("POST", "/channels/{channelId}/move")
        self.refused("needs app", move, {"channelId": "c"}, {"appArgs": "x"})

    def test_bridge_variable_without_name(self) -> None:
        """POST /bridges/X/variable without variable ends the process of 22.10."""
        put = operation("POST", "/bridges/{bridgeId}/variable")
        self.refused("needs variable", put, {"bridgeId": "b"}, {"value": "x"})

    def test_bridge_record_without_format(self) -> None:
        """POST /bridges/X/record without format ends the process of 22.10."""
        record = operation("POST", "/bridges/{bridgeId}/record")
        self.refused("needs format", record, {"bridgeId": "b"}, {"name": "x"})

    def test_null_in_a_list(self) -> None:
        """A null or a number in a list ends the process of 22.10 and 16.28."""
        path = {"applicationName": "a", "eventName": "e", "channelId": "c", "bridgeId": "b"}
        for method, template, name in (
            ("POST", "/applications/{applicationName}/subscription", "eventSource"),
            ("DELETE", "/applications/{applicationName}/subscription", "eventSource"),
            ("POST", "/events/user/{eventName}", "source"),
            ("GET", "/asterisk/info", "only"),
            ("GET", "/channels/{channelId}/variables", "variables"),
            ("GET", "/bridges/{bridgeId}/variables", "variables"),
        ):
            known = operation(method, template)
            for bad in NO_LISTS:
                asked = {**dict.fromkeys(known.required, "x"), name: bad}
                self.refused(name, known, path, asked)

    def test_fields_without_value(self) -> None:
        """Elements of fields without an attribute or value end the process of 22.10 and 16.28."""
        update = operation("PUT", "/asterisk/config/dynamic/{configClass}/{objectType}/{id}")
        path = {"configClass": "res_pjsip", "objectType": "auth", "id": "x"}
        for bad in NO_FIELDS:
            self.refused("fields", update, path, {"fields": bad})

    def test_fields(self) -> None:
        """Complete elements of fields are sent."""
        update = operation("PUT", "/asterisk/config/dynamic/{configClass}/{objectType}/{id}")
        path = {"configClass": "res_pjsip", "objectType": "auth", "id": "x"}
        request = update.request(path, {"fields": [{"attribute": "a", "value": "v"}]})
        self.assertEqual(request.body, b'{"fields":[{"attribute":"a","value":"v"}]}')

    def test_number_for_a_text(self) -> None:
        """Asterisk takes a number for no value at all, and would unset the variable."""
        asked = {"variable": "X", "value": 5}
        self.refused("value must be a text, not 5", SET_VARIABLE, {"channelId": "c"}, asked)

    def test_text_for_a_number(self) -> None:
        """Asterisk takes the text "1" for a time-out of 30 seconds."""
        originate = operation("POST", "/channels")
        for bad in "1", 1.5, True:
            asked = {"endpoint": "a/b", "timeout": bad}
            self.refused("timeout must be a whole number", originate, {}, asked)

    def test_text_for_a_boolean(self) -> None:
        """Asterisk takes the text "true" for false."""
        add = operation("POST", "/bridges/{bridgeId}/addChannel")
        asked = {"channel": "c", "mute": "true"}
        self.refused("mute must be True or False", add, {"bridgeId": "b"}, asked)

    def test_bridge_with_variables(self) -> None:
        """POST /bridges of 22.10 refuses variables and makes the bridge all the same."""
        create = operation("POST", "/bridges")
        self.refused("create_with_id", create, {}, {"variables": {"A": "b"}})

    def test_nul_in_json(self) -> None:
        """Asterisk's JSON parser refuses a body with a NUL in it."""
        for bad in "\0", "a\\\0":
            asked = {"variable": "X", "value": bad}
            self.refused("NUL", SET_VARIABLE, {"channelId": "c"}, asked)

    def test_backslash_and_line_end_in_json(self) -> None:
        """A line end is escaped by JSON, and what only looks like a NUL is none."""
        request = SET_VARIABLE.request(
            {"channelId": "c"}, {"variable": "X", "value": "a\r\n\\u0000"}
        )
        self.assertEqual(json.loads(request.body or b"")["value"], "a\r\n\\u0000")

    def test_what_json_cannot_hold(self) -> None:
        """What cannot be put into JSON is refused."""
        originate = operation("POST", "/channels")
        for bad in NO_JSON:
            self.refused("", originate, {}, {"endpoint": "a/b", "variables": bad})

    def test_application_names(self) -> None:
        """Asterisk cuts the names of applications at commas, and chokes on empty ones."""
        for bad in NO_NAMES:
            self.assertRaises(LocalProtocolError, events_resource, bad)


class AnyRequestTests(SynchronousTestCase):
    """A request that is given by its path is checked as the operation that it is."""

    def request(self, method: str, resource: str, **parameters: object) -> Request:
        return request_for(OPERATIONS, method, resource, parameters)

    def test_known(self) -> None:
        """A known operation is found by its path, and its parameters are checked."""
        self.assertRaises(LocalProtocolError, self.request, "POST", "/channels/c1/move")
        self.assertRaises(
            LocalProtocolError, self.request, "GET", "/asterisk/info?x=y", only=[None]
        )

    def test_known_keeps_its_path(self) -> None:
        """The path that is given is the path that is sent."""
        self.assertEqual(
            self.request("POST", "/channels/a%2Fb/move", app="x"),
            Request("POST", "/channels/a%2Fb/move", b'{"app":"x"}'),
        )

    def test_unknown(self) -> None:
        """An operation that is newer than our tables is sent as it is."""
        self.assertEqual(
            self.request("POST", "/new/thing", a="b", c=1, d=True, e=["f"], g={"h": None}),
            Request("POST", "/new/thing", b'{"a":"b","c":1,"d":true,"e":["f"],"g":{"h":null}}'),
        )

    def test_unknown_parameter(self) -> None:
        """So is a parameter that is newer than our tables."""
        self.assertEqual(self.request("POST", "/channels/c/answer", new="x").body, b'{"new":"x"}')

    def test_null_in_any_list(self) -> None:
        """A null in a list is refused even where we know nothing of the operation."""
        self.assertRaises(LocalProtocolError, self.request, "POST", "/new", a=[None])

    def test_bad_paths(self) -> None:
        """A path with an empty part, a trailing slash or without encoding is refused."""
        for bad in "", "channels", "/channels/", "/channels//answer", "/a b", "/a\r\nX: y", "/é":
            self.assertRaises(LocalProtocolError, self.request, "GET", bad)

    def test_bad_query(self) -> None:
        """A query that is not encoded is refused."""
        self.assertRaises(LocalProtocolError, self.request, "GET", "/channels?a=b c")


class EventsResourceTests(SynchronousTestCase):
    """The WebSocket is asked for by the names of the applications."""

    def test_several(self) -> None:
        """Several applications are one list; of a name given twice the versions take another."""
        self.assertEqual(events_resource(["a", "b c", "d+é"]), "/events?app=a,b%20c,d%2B%C3%A9")

    def test_subscribe_all(self) -> None:
        """Everything that happens can be asked for."""
        self.assertEqual(
            events_resource(["a"], subscribe_all=True), "/events?app=a&subscribeAll=true"
        )


class ResponseTests(SynchronousTestCase):
    """An answer is a typed result, or the error of its status with Asterisk's own words."""

    request = Request("GET", "/channels/c1?x=y", None)

    def test_model(self) -> None:
        """A success is decoded into its model."""
        response = Response(200, "application/json", b'{"id":"c1","state":"Up","brand_new":1}')
        channel = response.result(self.request, Channel)
        self.assertEqual((channel.id, channel.state, channel.name), ("c1", "Up", None))

    def test_list(self) -> None:
        """A list of models is a list."""
        response = Response(200, "application/json", b'[{"id":"a"},{"id":"b"}]')
        self.assertEqual([c.id for c in response.result(self.request, list[Channel])], ["a", "b"])

    def test_nothing(self) -> None:
        """204 gives None."""
        self.assertIsNone(Response(204, "", b"").result(self.request, NoneType))

    def test_bytes(self) -> None:
        """A stored recording is given as it is."""
        self.assertEqual(Response(200, "audio/wav", b"RIFF").result(self.request, bytes), b"RIFF")

    def test_anything(self) -> None:
        """Where no type is known, the plain JSON is given, or None."""
        self.assertEqual(
            Response(200, "application/json;x", b"[1]").result(self.request, object), [1]
        )
        self.assertIsNone(Response(204, "", b"").result(self.request, object))

    def test_statuses(self) -> None:
        """Each status has its own error, which keeps method, path, status and message."""
        for status, kind in (
            (400, BadRequest),
            (403, Forbidden),
            (404, NotFound),
            (409, Conflict),
            (412, InvalidState),
            (422, Unprocessable),
            (500, ServerFailed),
            (503, ServerFailed),
            (405, RequestFailed),
            (302, RequestFailed),
        ):
            response = Response(status, "application/json", b'{"message":"Channel not found"}')
            error = self.assertRaises(RequestFailed, response.result, self.request, Channel)
            self.assertIs(type(error), kind)
            self.assertEqual(
                (error.method, error.path, error.status, error.message),
                ("GET", "/channels/c1", status, "Channel not found"),
            )

    def test_other_key(self) -> None:
        """A failed allocation, and what Asterisk takes for one, is told under another key."""
        response = Response(500, "application/json", b'{"error":"Allocation failed"}')
        self.assertEqual(response.message(), "Allocation failed")

    def test_html_is_not_parsed(self) -> None:
        """Errors of the HTTP layer are HTML, of which nothing is read."""
        response = Response(404, "text/html", b'{"message":"no"}')
        error = self.assertRaises(NotFound, response.result, self.request, Channel)
        self.assertEqual(error.message, "")

    def test_login(self) -> None:
        """401 means the credentials."""
        response = Response(401, "application/json", b'{"message":"Authentication required"}')
        error = self.assertRaises(LoginRefused, response.result, self.request, Channel)
        self.assertEqual(str(error), "Authentication required")

    def test_unreadable_success(self) -> None:
        """A success that cannot be read is the server's fault: 16.28 has an empty one."""
        for kind, body in (
            ("application/json", b""),
            ("application/json", b"{"),
            ("application/json", b"[]"),
            ("application/json", b'{"id":\xff}'),
            ("text/html", b"<p>hello</p>"),
            ("", b""),
        ):
            self.assertRaises(
                RemoteProtocolError, Response(200, kind, body).result, self.request, Channel
            )

    @given(st.integers(100, 599), st.sampled_from(["application/json", "x", ""]), st.binary())
    def test_any_answer(self, status: int, kind: str, body: bytes) -> None:
        """Any answer whatever gives a result or one of our errors."""
        try:
            Response(status, kind, body).result(self.request, Channel)
        except (LoginRefused, RequestFailed, RemoteProtocolError):
            pass


class EventTests(SynchronousTestCase):
    """An event is decoded into its struct, whatever the server has added or left out."""

    def test_known(self) -> None:
        """A known event is its struct, with structs inside."""
        event = decode_event(STASIS_START)
        assert isinstance(event, StasisStart)
        self.assertEqual(event.args, ["a1"])
        self.assertEqual(event.channel.caller.name, "Bob B")
        self.assertEqual(event.channel.dialplan.priority, 1)
        self.assertEqual(event.application, "pcapp")
        self.assertIsNone(event.replace_channel)

    def test_type_alone(self) -> None:
        """The type is read without the rest, wherever it stands."""
        self.assertEqual(event_type(b'{"a":{"type":"x"},"type":"Dial","b":1}'), "Dial")

    def test_unknown_type(self) -> None:
        """An event of an unknown type is a plain event, and nothing of it is lost."""
        event = decode_event(b'{"type":"Brand new","application":"a","more":[1]}')
        self.assertIs(type(event), Event)
        self.assertEqual((event.type, event.application), ("Brand new", "a"))
        self.assertEqual(event.as_sent()["more"], [1])

    def test_unknown_field(self) -> None:
        """A field that no model declares can be read all the same."""
        event = decode_event(b'{"type":"StasisEnd","channel":{"id":"c","tech":"x"}}')
        self.assertEqual(event.as_sent()["channel"]["tech"], "x")

    def test_unknown_word(self) -> None:
        """A state that is in no list is a text like any other."""
        event = decode_event(b'{"type":"PlaybackFinished","playback":{"id":"p","state":"paused"}}')
        assert isinstance(event, PlaybackFinished)
        self.assertEqual(event.playback.state, "paused")

    def test_missing_field(self) -> None:
        """A declared field that is not sent is None."""
        event = decode_event(b'{"type":"StasisStart"}')
        assert isinstance(event, StasisStart)
        self.assertIsNone(event.channel)

    def test_other_type_of_field(self) -> None:
        """A field of another type than declared makes it a plain event, and breaks nothing."""
        event = decode_event(b'{"type":"StasisStart","args":"a1","application":"x"}')
        self.assertIs(type(event), Event)
        self.assertEqual(event.as_sent()["args"], "a1")

    def test_keyword(self) -> None:
        """A field whose name is a Python keyword has an underscore behind it."""
        event: Any = decode_event(b'{"type":"TextMessageReceived","message":{"from":"a"}}')
        self.assertEqual(event.message.from_, "a")

    def test_raw_json_does_not_show(self) -> None:
        """What is kept for as_sent is no field: it neither shows nor counts in comparisons."""
        event = decode_event(b'{"type":"StasisEnd","x":1}')
        self.assertNotIn("_sent", repr(event))
        self.assertEqual(event, decode_event(b'{"type":"StasisEnd"}'))

    def test_garbage(self) -> None:
        """What is no JSON object with a type is refused."""
        for bad in (
            b"",
            b"{",
            b"[]",
            b"null",
            b"{}",
            b'{"type":5}',
            b'{"type":"a","b":"\xff"',
            b'{"type":"a"} x',
            b"[" * 100_000,
            b'{"a":' + b"[" * 100_000,
        ):
            self.assertRaises(RemoteProtocolError, decode_event, bad)

    def test_limit(self) -> None:
        """An event over the limit is refused."""
        filler = b" " * MAX_EVENT
        self.assertRaises(RemoteProtocolError, decode_event, b'{"type":"a"}' + filler)

    @given(st.binary() | st.binary().map(lambda rest: b'{"type":"Dial",' + rest))
    def test_any_bytes(self, payload: bytes) -> None:
        """Any bytes give an event or RemoteProtocolError."""
        try:
            decode_event(payload)
        except RemoteProtocolError:
            pass

    @given(
        st.sampled_from(sorted(EVENTS)),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        ),
    )
    def test_any_values(self, kind: str, value: object) -> None:
        """Any JSON in any field gives an event of that type."""
        fields = dict.fromkeys(("channel", "args", "playback", "bridge", "cause"), value)
        event = decode_event(json.dumps({**fields, "type": kind}).encode())
        self.assertEqual(event.type, kind)
        objects_of(event)

    def test_objects(self) -> None:
        """The objects of an event are known by kind and id."""
        event = decode_event(
            b'{"type":"ChannelEnteredBridge","bridge":{"id":"b"},"channel":{"id":"c"}}'
        )
        self.assertEqual(sorted(objects_of(event)), [("Bridge", "b"), ("Channel", "c")])

    def test_objects_of_several_fields(self) -> None:
        """Every field that holds a channel counts, under whatever name."""
        event = decode_event(b'{"type":"Dial","caller":{"id":"a"},"peer":{"id":"b"}}')
        self.assertEqual(objects_of(event), [("Channel", "a"), ("Channel", "b")])

    def test_recordings_go_by_name(self) -> None:
        """A live recording has a name for an id."""
        event = decode_event(b'{"type":"RecordingStarted","recording":{"name":"r"}}')
        self.assertEqual(objects_of(event), [("LiveRecording", "r")])


class KindTests(SynchronousTestCase):
    """Operations know the kinds of their parameters."""

    def test_every_kind_is_used(self) -> None:
        """There is no kind that no operation has."""
        used = {kind for known in OPERATIONS for kind in known.parameters.values()}
        self.assertEqual(used, {TEXT, TEXTS, INTEGER, BOOLEAN, OBJECT, FIELDS})
