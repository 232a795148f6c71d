"""What makes ``twistd asterisk`` and ``twist asterisk`` known."""

from twisted.application.service import ServiceMaker

asterisk = ServiceMaker(
    "txasterisk",
    "txasterisk.service.maker",
    "Applications for the Asterisk PBX: AMI, FastAGI and ARI as configured services.",
    "asterisk",
)
