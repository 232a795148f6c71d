"""
What Asterisk 22.10.1 has, by name: to tell what nobody has from what only the fake lacks.

A program that asks for what does not exist is told so in Asterisk's words. One that asks for what
a real Asterisk would have done must not be, so that is :class:`NotFaked`.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "ACTIONS",
    "AGI_COMMANDS",
    "APPLICATIONS",
    "CONSOLE_COMMANDS",
    "FUNCTIONS",
    "TECHNOLOGIES",
]


def _names(text: str) -> frozenset[str]:
    return frozenset(" ".join(name.split()) for name in text.split(",") if name.strip())


#: The actions of AMI, in lower case.
ACTIONS: Final = _names(
    """
    AGI, AOCMessage, AbsoluteTimeout, AgentLogoff, Agents, Atxfer, BlindTransfer, Bridge,
    BridgeDestroy, BridgeInfo, BridgeKick, BridgeList, BridgeTechnologyList,
    BridgeTechnologySuspend, BridgeTechnologyUnsuspend, CancelAtxfer, Challenge, Command,
    ConfbridgeKick, ConfbridgeList, ConfbridgeListRooms, ConfbridgeLock, ConfbridgeMute,
    ConfbridgeSetSingleVideoSrc, ConfbridgeStartRecord, ConfbridgeStopRecord, ConfbridgeUnlock,
    ConfbridgeUnmute, ControlPlayback, CoreSettings, CoreShowChannelMap, CoreShowChannels,
    CoreStatus, CreateConfig, DAHDIDNDoff, DAHDIDNDon, DAHDIDialOffhook, DAHDIHangup,
    DAHDIRestart, DAHDIShowChannels, DAHDIShowStatus, DAHDITransfer, DBDel, DBDelTree, DBGet,
    DBGetTree, DBPut, DeviceStateList, DialplanExtensionAdd, DialplanExtensionRemove, Events,
    ExtensionState, ExtensionStateList, FAXSession, FAXSessions, FAXStats, Filter, GetConfig,
    GetConfigJSON, Getvar, Hangup, IAXnetstats, IAXpeerlist, IAXpeers, IAXregistry, JabberSend,
    ListCategories, ListCommands, LocalOptimizeAway, LoggerRotate, Login, Logoff, MWIDelete,
    MWIGet, MWIUpdate, MailboxCount, MailboxStatus, MeetmeList, MeetmeListRooms, MeetmeMute,
    MeetmeUnmute, MessageSend, MixMonitor, MixMonitorMute, ModuleCheck, ModuleLoad, MuteAudio,
    Originate, PJSIPHangup, PJSIPNotify, PJSIPQualify, PJSIPRegister, PJSIPSetMaintenance,
    PJSIPShowAors, PJSIPShowAuths, PJSIPShowContacts, PJSIPShowEndpoint, PJSIPShowEndpoints,
    PJSIPShowMaintenance, PJSIPShowRegistrationInboundContactStatuses,
    PJSIPShowRegistrationsInbound, PJSIPShowRegistrationsOutbound, PJSIPShowResourceLists,
    PJSIPShowSubscriptionsInbound, PJSIPShowSubscriptionsOutbound, PJSIPUnregister,
    PRIDebugFileSet, PRIDebugFileUnset, PRIDebugSet, PRIShowSpans, Park, ParkedCalls,
    Parkinglots, Ping, PlayDTMF, PlayMF, PresenceState, PresenceStateList, QueueAdd,
    QueueChangePriorityCaller, QueueLog, QueueMemberRingInUse, QueuePause, QueuePenalty,
    QueueReload, QueueRemove, QueueReset, QueueRule, QueueStatus, QueueSummary,
    QueueWithdrawCaller, Redirect, Reload, SendFlash, SendText, Setvar, ShowDialPlan,
    SorceryMemoryCacheExpire, SorceryMemoryCacheExpireObject, SorceryMemoryCachePopulate,
    SorceryMemoryCacheStale, SorceryMemoryCacheStaleObject, Status, StopMixMonitor,
    UpdateConfig, UserEvent, VoicemailBoxSummary, VoicemailForward, VoicemailMove,
    VoicemailRefresh, VoicemailRemove, VoicemailUserStatus, VoicemailUsersList, WaitEvent
    """.lower()
)

#: The commands of AGI.
AGI_COMMANDS: Final = _names(
    """
    ANSWER, ASYNCAGI BREAK, CHANNEL STATUS, DATABASE DEL, DATABASE DELTREE, DATABASE GET,
    DATABASE PUT, EXEC, GET DATA, GET FULL VARIABLE, GET OPTION, GET VARIABLE, HANGUP, NOOP,
    RECEIVE CHAR, RECEIVE TEXT, RECORD FILE, SAY ALPHA, SAY DIGITS, SAY NUMBER, SAY PHONETIC,
    SAY DATE, SAY TIME, SAY DATETIME, SEND IMAGE, SEND TEXT, SET AUTOHANGUP, SET CALLERID, SET
    CONTEXT, SET EXTENSION, SET MUSIC, SET PRIORITY, SET VARIABLE, STREAM FILE, CONTROL STREAM
    FILE, TDD MODE, VERBOSE, WAIT FOR DIGIT, SPEECH CREATE, SPEECH SET, SPEECH DESTROY, SPEECH
    LOAD GRAMMAR, SPEECH UNLOAD GRAMMAR, SPEECH ACTIVATE GRAMMAR, SPEECH DEACTIVATE GRAMMAR,
    SPEECH RECOGNIZE, GOSUB
    """
)

#: The applications of the dialplan, in lower case.
APPLICATIONS: Final = _names(
    """
    AddQueueMember, AgentLogin, AgentRequest, AGI, Answer, AttendedTransfer, AudioSocket,
    Authenticate, BackGround, BackgroundDetect, BlindTransfer, Bridge, BridgeAdd, BridgeWait,
    Broadcast, Busy, CallCompletionCancel, CallCompletionRequest, CELGenUserEvent, ChanIsAvail,
    ChannelRedirect, ChanSpy, ClearHash, ConfBridge, ConfKick, Congestion, ContinueWhile,
    ControlPlayback, DAHDIScan, DateTime, DBdeltree, DeadAGI, Dial, Dictate, Directory, DISA,
    DumpChan, EAGI, Echo, Else, ElseIf, EndIf, EndWhile, Exec, ExecIf, ExecIfTime, ExitIf,
    ExitWhile, ExtenSpy, ExternalIVR, ForkCDR, Gosub, GosubIf, Goto, GotoIf, GotoIfTime, Hangup,
    HangupCauseClear, IAX2Provision, If, Incomplete, JabberJoin, JabberLeave, JabberSend,
    JabberSendGroup, Log, MessageSend, Milliwatt, MinivmAccMess, MinivmDelete, MinivmGreet,
    MinivmMWI, MinivmNotify, MinivmRecord, MixMonitor, Morsecode, MP3Player, MSet, MusicOnHold,
    NoOp, Originate, Page, Park, ParkAndAnnounce, ParkedCall, PauseQueueMember, Pickup,
    PickupChan, PJSIPHangup, PJSIPNotify, Playback, PlayTones, PrivacyManager, Proceeding,
    Progress, Queue, QueueLog, QueueUpdate, RaiseException, Read, ReadExten, ReceiveFAX,
    ReceiveMF, ReceiveSF, ReceiveText, Record, Reload, RemoveQueueMember, ResetCDR, RetryDial,
    Return, Ringing, SayAlpha, SayAlphaCase, SayDigits, SayMoney, SayNumber, SayOrdinal,
    SayPhonetic, SayUnixTime, SendDTMF, SendFAX, SendMF, SendSF, SendText, Set, Signal,
    SLAStation, SLATrunk, SMS, SoftHangup, SpeechActivateGrammar, SpeechBackground,
    SpeechCreate, SpeechDeactivateGrammar, SpeechDestroy, SpeechLoadGrammar,
    SpeechProcessingSound, SpeechStart, SpeechUnloadGrammar, StackPop, StartMusicOnHold, Stasis,
    StasisBroadcast, StopMixMonitor, StopMusicOnHold, StopPlayTones, StoreDTMF, StreamEcho,
    System, TestClient, TestServer, ToneScan, Transfer, TryExec, TrySystem, UnpauseQueueMember,
    UserEvent, Verbose, VMAuthenticate, VMSayName, VoiceMail, VoiceMailMain, VoiceMailPlayMsg,
    Wait, WaitDigit, WaitExten, WaitForCondition, WaitForNoise, WaitForRing, WaitForSignal,
    WaitForSilence, WaitForTone, WaitUntil, While, Zapateller
    """.lower()
)

#: The functions of the dialplan.
FUNCTIONS: Final = _names(
    """
    ABS, AES_DECRYPT, AES_ENCRYPT, AGC, AGENT, AMI_CLIENT, ARRAY, AST_CONFIG, AST_SORCERY,
    BASE64_DECODE, BASE64_ENCODE, BASENAME, BLACKLIST, CALLCOMPLETION, CALLERID, CDR, CDR_PROP,
    CHANNEL, CHANNELS, CHANNEL_EXISTS, CONFBRIDGE, CONFBRIDGE_CHANNELS, CONFBRIDGE_INFO,
    CONNECTEDLINE, CSV_QUOTE, CURL, CURLOPT, CUT, DB, DB_DELETE, DB_EXISTS, DB_KEYCOUNT,
    DB_KEYS, DEC, DELETE, DENOISE, DEVICE_STATE, DIALGROUP, DIALPLAN_EXISTS, DIGIT_SUM, DIRNAME,
    ENUMLOOKUP, ENUMQUERY, ENUMRESULT, ENV, EVAL, EVAL_EXTEN, EVAL_SUB, EXCEPTION, EXISTS,
    EXPORT, EXTENSION_STATE, FAXOPT, FEATURE, FEATUREMAP, FIELDNUM, FIELDQTY, FILE,
    FILE_COUNT_LINE, FILE_FORMAT, FILTER, FRAME_DROP, FRAME_TRACE, GEOLOC_PROFILE, GLOBAL,
    GLOBAL_DELETE, GLOBAL_EXISTS, GROUP, GROUP_COUNT, GROUP_LIST, GROUP_MATCH_COUNT,
    HANGUPCAUSE, HANGUPCAUSE_KEYS, HASH, HASHKEYS, HINT, HOLD_INTERCEPT, IAXPEER, IAXVAR, ICONV,
    IF, IFMODULE, IFTIME, IMPORT, INC, ISNULL, JABBER_RECEIVE, JABBER_STATUS, JITTERBUFFER,
    JSON_DECODE, KEYPADHASH, LEN, LISTFILTER, LOCAL, LOCAL_PEEK, LOCK, LOG_GROUP, LTRIM,
    MASTER_CHANNEL, MATH, MAX, MD5, MESSAGE, MESSAGE_DATA, MIN, MINIVMACCOUNT, MINIVMCOUNTER,
    MIXMONITOR, MUTEAUDIO, PARK_GET_CHANNEL, PASSTHRU, PERIODIC_HOOK, PITCH_SHIFT, PJSIP_AOR,
    PJSIP_CONTACT, PJSIP_DIAL_CONTACTS, PJSIP_DTMF_MODE, PJSIP_ENDPOINT, PJSIP_HEADER,
    PJSIP_HEADERS, PJSIP_HEADER_PARAM, PJSIP_INHERITABLE_HEADER, PJSIP_MEDIA_OFFER,
    PJSIP_MOH_PASSTHROUGH, PJSIP_PARSE_URI, PJSIP_PARSE_URI_FROM, PJSIP_RESPONSE_HEADER,
    PJSIP_RESPONSE_HEADERS, PJSIP_SEND_SESSION_REFRESH, PJSIP_TRANSFER_HANDLING, POP,
    PRESENCE_STATE, PUSH, QUEUE_EXISTS, QUEUE_GET_CHANNEL, QUEUE_MEMBER, QUEUE_MEMBER_COUNT,
    QUEUE_MEMBER_LIST, QUEUE_MEMBER_PENALTY, QUEUE_VARIABLES, QUEUE_WAITING_COUNT, QUOTE, RAND,
    REALTIME, REALTIME_DESTROY, REALTIME_FIELD, REALTIME_HASH, REALTIME_STORE, RECORDING_INFO,
    REDIRECTING, REGEX, REPLACE, RTRIM, SAYFILES, SCRAMBLE, SET, SHA1, SHARED, SHELL, SHIFT,
    SORT, SPEECH, SPEECH_ENGINE, SPEECH_GRAMMAR, SPEECH_RESULTS_TYPE, SPEECH_SCORE, SPEECH_TEXT,
    SPRINTF, SRVQUERY, SRVRESULT, STACK_PEEK, STAT, STRBETWEEN, STRFTIME, STRPTIME, STRREPLACE,
    SYSINFO, TALK_DETECT, TESTTIME, TIMEOUT, TOLOWER, TONE_DETECT, TOUPPER, TRIM, TRYLOCK,
    TXTCIDNAME, UNLOCK, UNSHIFT, URIDECODE, URIENCODE, UUID, VALID_EXTEN, VARIABLE_EXISTS,
    VERSION, VMCOUNT, VM_INFO, VOLUME
    """
)

#: The first words of the console's commands.
CONSOLE_COMMANDS: Final = _names(
    """
    acl, aeap, agent, agi, aoc, ari, bridge, cc, cdr, cel, channel, cli, confbridge, config,
    core, database, devstate, dialplan, dnsmgr, fax, features, file, geoloc, group, http, iax2,
    indication, keys, local, logger, malloc, manager, media, minivm, mixmonitor, module, moh,
    no, opus, parking, pjproject, pjsip, presencestate, queue, realtime, rtcp, rtp, say, sla,
    sorcery, stasis, stun, test, timing, translate, udptl, ulimit, voicemail, xmldoc, xmpp
    """
)

#: The channel technologies.
TECHNOLOGIES: Final = _names(
    """
    Recorder, Announcer, CBAnn, CBRec, AudioSocket, WebSocket, UnicastRTP, MulticastRTP, IAX2,
    PJSIP, Local, Surrogate
    """
)
