"""Scapy as a reader and writer of BGP messages, for tests of our own codec.

    scapy_reader.py read               hexadecimal messages from standard input, a line of JSON for each
    scapy_reader.py write COUNT SEED   random messages in hexadecimal

What it reads is in the form that `plain.ts` describes.
"""

import ipaddress
import json
import logging
import random
import sys

logging.getLogger("scapy").setLevel(logging.ERROR)
from scapy.contrib import bgp  # noqa: E402
from scapy.packet import Raw  # noqa: E402

bgp.bgp_module_conf.use_2_bytes_asn = False
KINDS = {1: "set", 2: "sequence"}


def hexed(data):
    return "0x" + bytes(data or b"").hex()


def prefixes(routes):
    return [str(route.prefix) for route in routes]


def capability(one):
    if one.code == 1:
        return [1, "%d/%d" % (one.afi, one.safi)]
    if one.code == 65:
        return [65, str(one.asn)]
    return [one.code, hexed(bytes(one)[2 : 2 + bytes(one)[1]])]


def capabilities(parameter):
    value = parameter.param_value
    while value is not None and parameter.param_length:
        yield capability(value)
        # Scapy itself reads the first one of a parameter.
        rest = bytes(value.payload)
        value = bgp.BGPCapability(rest) if rest else None


def attribute(one):
    code, value = one.type_code, one.attribute
    if value is None:
        return [code, "" if code == 6 else "0x"]
    if code == 1:
        return [code, str(value.origin)]
    if code == 2:
        segments = [
            " ".join([KINDS[s.segment_type]] + [str(asn) for asn in s.segment_value]) for s in value.segments
        ]
        return [code, ", ".join(segments)]
    if code == 3:
        return [code, value.next_hop]
    if code == 4:
        return [code, str(value.med)]
    if code == 5:
        return [code, str(value.local_pref)]
    if code == 9:
        return [code, value.originator_id]
    if code == 10:
        return [code, " ".join(str(ipaddress.IPv4Address(one)) for one in value.cluster_list)]
    if code == 14 and value.afi == 2 and value.safi == 1:
        hops = value.nh_v6_addr if value.nh_addr_len == 16 else value.nh_v6_global + "," + value.nh_v6_link_local
        return [code, " ".join(["2/1 " + hops] + prefixes(value.nlri))]
    if code == 15 and value.afi == 2 and value.safi == 1:
        routes = getattr(value.afi_safi_specific, "fields", {}).get("withdrawn_routes", [])
        return [code, " ".join(["2/1"] + prefixes(routes))]
    # What Scapy has no class for, or one that reads a part of it only, is compared by its octets.
    return [code, hexed(bytes(value))]


def read(line):
    result = {"type": 0, "fields": [], "items": [], "withdrawn": [], "announced": []}
    try:
        message = bgp.BGPHeader(bytes.fromhex(line))
        result["type"] = message.type
        body = message.payload
        if message.type == 1:
            result["fields"] = [str(body.my_as), str(body.hold_time), body.bgp_id]
            for parameter in body.opt_params or []:
                result["items"].extend(capabilities(parameter))
        elif message.type == 2:
            result["withdrawn"] = prefixes(body.withdrawn_routes)
            result["announced"] = prefixes(body.nlri)
            result["items"] = [attribute(one) for one in body.path_attr]
        elif message.type == 3:
            result["fields"] = [str(body.error_code), str(body.error_subcode), hexed(body.data)]
        elif message.type == 5:
            result["fields"] = [str(body.afi), str(body.safi), str(body.subtype)]
    except Exception as error:  # whatever Scapy raises is its answer
        result["error"] = "%s: %s" % (type(error).__name__, error)
    return result


class Generator:
    """Messages of which Scapy knows each field."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def u(self, bits):
        return self.random.getrandbits(bits)

    def v4(self):
        return str(ipaddress.IPv4Address(self.u(32)))

    def v6(self):
        return str(ipaddress.IPv6Address((0x20010DB8 << 96) + self.u(32 + 64 * self.u(1))))

    def routes(self, v6, least=0):
        kind, width, cls = (
            (ipaddress.IPv6Network, 128, bgp.BGPNLRI_IPv6) if v6 else (ipaddress.IPv4Network, 32, bgp.BGPNLRI_IPv4)
        )
        host = self.v6 if v6 else self.v4
        # A default route beside others would be taken by Scapy for one with a path identifier.
        return [
            cls(prefix=str(kind((host(), self.random.randint(1, width)), strict=False)))
            for _ in range(self.random.randint(least, 6))
        ]

    def attr(self, code, flags, value):
        long = value is not None and len(bytes(value)) > 255
        return bgp.BGPPathAttr(type_flags=flags | (0x10 if long else 0), type_code=code, attribute=value)

    def attributes(self):
        path = bgp.BGPPAAS4BytesPath(
            segments=[
                bgp.BGPPAAS4BytesPath.ASPathSegment(
                    segment_type=1 + self.u(1),
                    segment_value=[1 + self.u(31) for _ in range(self.random.randint(1, 6))],
                )
                for _ in range(self.random.randint(0, 3))
            ]
        )
        reach = bgp.BGPPAMPReachNLRI(afi=2, safi=1, nh_addr_len=16, nh_v6_addr=self.v6(), nlri=self.routes(True))
        both = bgp.BGPPAMPReachNLRI(
            afi=2, safi=1, nh_addr_len=32, nh_v6_global=self.v6(), nh_v6_link_local="fe80::1", nlri=self.routes(True)
        )
        unreach = bgp.BGPPAMPUnreachNLRI(
            afi=2, safi=1, afi_safi_specific=bgp.BGPPAMPUnreachNLRI_IPv6(withdrawn_routes=self.routes(True))
        )
        large = bgp.BGPPALargeCommunity(
            segments=[
                bgp.BGPLargeCommunitySegment(
                    global_administrator=self.u(32), local_data_part1=self.u(32), local_data_part2=self.u(32)
                )
                for _ in range(self.random.randint(1, 30))
            ]
        )
        optional = [
            self.attr(4, 0x80, bgp.BGPPAMultiExitDisc(med=self.u(32))),
            self.attr(6, 0x40, None),
            self.attr(8, 0xC0, bgp.BGPPACommunity(community=self.u(32))),
            self.attr(14, 0x80, self.random.choice([reach, both])),
            self.attr(15, 0x80, unreach),
            self.attr(32, 0xC0, large),
            self.attr(35, 0xC0, Raw(self.random.randbytes(3) + b"\1")),
            self.attr(200, 0xC0, Raw(self.random.randbytes(self.random.randint(1, 300)))),
        ]
        some = self.random.sample(optional, self.random.randint(0, len(optional)))
        return [
            self.attr(1, 0x40, bgp.BGPPAOrigin(origin=self.random.randint(0, 2))),
            self.attr(2, 0x40, path),
            self.attr(3, 0x40, bgp.BGPPANextHop(next_hop=self.v4())),
        ] + some

    def open(self):
        capabilities = [
            bgp.BGPCapMultiprotocol(afi=1 + self.u(1), safi=1),
            bgp.BGPCapGeneric(code=2),
            bgp.BGPCapFourBytesASN(asn=1 + self.u(31)),
            bgp.BGPCapGeneric(code=70),
            bgp.BGPCapGeneric(code=9, cap_data=bytes([self.random.randint(0, 4)])),
            bgp.BGPCapGeneric(code=200 + self.u(4), cap_data=self.random.randbytes(self.random.randint(0, 40))),
        ]
        some = self.random.sample(capabilities, self.random.randint(0, len(capabilities)))
        return bgp.BGPOpen(
            my_as=1 + self.u(15),
            hold_time=self.random.choice([0, 3, 90, 65535]),
            bgp_id=str(ipaddress.IPv4Address(1 + self.u(31))),
            opt_params=[bgp.BGPOptParam(param_type=2, param_value=one) for one in some],
        )

    def message(self):
        kind = self.random.randrange(12)
        if kind == 0:
            return bgp.BGPKeepAlive()
        if kind == 1:
            return bgp.BGPHeader(type=3) / bgp.BGPNotification(
                error_code=self.random.randint(1, 8),
                error_subcode=self.random.randint(0, 12),
                data=self.random.randbytes(self.random.randint(0, 100)),
            )
        if kind == 2:
            return bgp.BGPHeader(type=5, len=23) / bgp.BGPRouteRefresh(
                afi=1 + self.u(1), subtype=self.random.randint(0, 2), safi=1
            )
        if kind < 6:
            return bgp.BGPHeader(type=1) / self.open()
        return bgp.BGPHeader(type=2) / bgp.BGPUpdate(
            withdrawn_routes=self.routes(False), path_attr=self.attributes(), nlri=self.routes(False)
        )


def main():
    if sys.argv[1] == "write":
        generator = Generator(int(sys.argv[3]))
        for _ in range(int(sys.argv[2])):
            print(bytes(generator.message()).hex())
        return
    for line in sys.stdin:
        print(json.dumps(read(line.strip())))


main()
