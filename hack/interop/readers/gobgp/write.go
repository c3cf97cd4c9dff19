package main

import (
	"bufio"
	"encoding/hex"
	"math/rand/v2"
	"net/netip"

	"github.com/osrg/gobgp/v4/pkg/packet/bgp"
)

// Random messages that GoBGP itself would send, as far as they fit into 4096 octets.
func write(out *bufio.Writer, count int, seed uint64) {
	g := generator{rand.New(rand.NewPCG(seed, 0))}
	for written := 0; written < count; {
		bytes, err := g.message().Serialize()
		if err != nil || len(bytes) > 4096 {
			continue
		}
		out.WriteString(hex.EncodeToString(bytes) + "\n")
		written++
	}
}

type generator struct{ *rand.Rand }

func (g generator) bytes(most int) []byte {
	all := make([]byte, g.IntN(most+1))
	for i := range all {
		all[i] = byte(g.Uint32())
	}
	return all
}

func (g generator) v4() netip.Addr {
	return netip.AddrFrom4([4]byte{byte(1 + g.IntN(223)), byte(g.Uint32()), byte(g.Uint32()), byte(g.Uint32())})
}

func (g generator) v6() netip.Addr {
	address := [16]byte{0x20, 0x01, 0x0d, 0xb8}
	for i := 4; i < 16; i++ {
		if g.IntN(2) == 0 {
			address[i] = byte(g.Uint32())
		}
	}
	return netip.AddrFrom16(address)
}

func (g generator) routes(address func() netip.Addr, least, most int) []bgp.PathNLRI {
	all := make([]bgp.PathNLRI, 0)
	for range least + g.IntN(most-least+1) {
		one := address()
		prefix, _ := one.Prefix(g.IntN(one.BitLen() + 1))
		nlri, _ := bgp.NewIPAddrPrefix(prefix)
		all = append(all, bgp.PathNLRI{NLRI: nlri})
	}
	return all
}

func list[T any](most int, make func() T) []T {
	var all []T
	for range most {
		all = append(all, make())
	}
	return all
}

func (g generator) message() *bgp.BGPMessage {
	switch g.IntN(12) {
	case 0:
		return bgp.NewBGPKeepAliveMessage()
	case 1:
		return bgp.NewBGPNotificationMessage(uint8(1+g.IntN(8)), uint8(g.IntN(12)), g.bytes(200))
	case 2:
		return bgp.NewBGPRouteRefreshMessage(uint16(1+g.IntN(2)), uint8(g.IntN(3)), 1)
	case 3, 4, 5:
		return g.open()
	}
	return bgp.NewBGPUpdateMessage(g.routes(g.v4, 0, 6), g.attributes(), g.routes(g.v4, 0, 6))
}

func (g generator) open() *bgp.BGPMessage {
	families := []bgp.Family{bgp.RF_IPv4_UC, bgp.RF_IPv6_UC}
	all := []bgp.ParameterCapabilityInterface{
		bgp.NewCapMultiProtocol(families[g.IntN(2)]),
		bgp.NewCapRouteRefresh(),
		bgp.NewCapExtendedMessage(),
		bgp.NewCapEnhancedRouteRefresh(),
		bgp.NewCapFourOctetASNumber(1 + g.Uint32N(1<<32-1)),
		bgp.NewCapExtendedNexthop([]*bgp.CapExtendedNexthopTuple{
			bgp.NewCapExtendedNexthopTuple(bgp.RF_IPv4_UC, 2)}),
		bgp.NewCapGracefulRestart(g.IntN(2) == 0, g.IntN(2) == 0, uint16(g.IntN(4096)),
			[]*bgp.CapGracefulRestartTuple{bgp.NewCapGracefulRestartTuple(families[g.IntN(2)], g.IntN(2) == 0)}),
		bgp.NewCapAddPath([]*bgp.CapAddPathTuple{
			bgp.NewCapAddPathTuple(families[g.IntN(2)], bgp.BGPAddPathMode(1+g.IntN(3)))}),
		bgp.NewCapLongLivedGracefulRestart([]*bgp.CapLongLivedGracefulRestartTuple{
			bgp.NewCapLongLivedGracefulRestartTuple(families[g.IntN(2)], g.IntN(2) == 0, g.Uint32N(1<<24))}),
		bgp.NewCapFQDN("tor1", "example.net"),
		bgp.NewCapSoftwareVersion("GoBGP"),
		bgp.NewCapUnknown(bgp.BGPCapabilityCode(200+g.IntN(20)), g.bytes(30)),
	}
	g.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	// One parameter with all capabilities, or one for each.
	some := all[:g.IntN(len(all)+1)]
	var parameters []bgp.OptionParameterInterface
	if g.IntN(2) == 0 {
		parameters = append(parameters, bgp.NewOptionParameterCapability(some))
	} else {
		for _, one := range some {
			parameters = append(parameters,
				bgp.NewOptionParameterCapability([]bgp.ParameterCapabilityInterface{one}))
		}
	}
	holdTimes := []uint16{0, 3, 90, 180, 65535}
	message, err := bgp.NewBGPOpenMessage(uint16(1+g.IntN(65535)), holdTimes[g.IntN(5)], g.v4(), parameters)
	if err != nil {
		panic(err)
	}
	return message
}

func (g generator) attributes() []bgp.PathAttributeInterface {
	path := func() bgp.AsPathParamInterface {
		return bgp.NewAs4PathParam(uint8(1+g.IntN(2)),
			list(1+g.IntN(5), func() uint32 { return 1 + g.Uint32N(1<<32-1) }))
	}
	nextHop, _ := bgp.NewPathAttributeNextHop(g.v4())
	aggregator, _ := bgp.NewPathAttributeAggregator(1+g.Uint32N(1<<32-1), g.v4())
	reach, _ := bgp.NewPathAttributeMpReachNLRI(bgp.RF_IPv6_UC, g.routes(g.v6, 1, 5), g.v6())
	overV6, _ := bgp.NewPathAttributeMpReachNLRI(bgp.RF_IPv4_UC, g.routes(g.v4, 1, 5), g.v6())
	unreach, _ := bgp.NewPathAttributeMpUnreachNLRI(bgp.RF_IPv6_UC, g.routes(g.v6, 1, 5))
	optional := []bgp.PathAttributeInterface{
		[]bgp.PathAttributeInterface{reach, overV6}[g.IntN(2)],
		unreach,
		bgp.NewPathAttributeMultiExitDisc(g.Uint32()),
		bgp.NewPathAttributeAtomicAggregate(),
		aggregator,
		bgp.NewPathAttributeCommunities(list(1+g.IntN(70), g.Uint32)),
		bgp.NewPathAttributeExtendedCommunities(list(1+g.IntN(4), func() bgp.ExtendedCommunityInterface {
			return bgp.NewTwoOctetAsSpecificExtended(2, uint16(g.Uint32()), g.Uint32(), true)
		})),
		bgp.NewPathAttributeLargeCommunities(list(1+g.IntN(4), func() *bgp.LargeCommunity {
			return bgp.NewLargeCommunity(g.Uint32(), g.Uint32(), g.Uint32())
		})),
		bgp.NewPathAttributeUnknown(bgp.BGP_ATTR_FLAG_OPTIONAL|bgp.BGP_ATTR_FLAG_TRANSITIVE, 200, g.bytes(300)),
	}
	g.Shuffle(len(optional), func(i, j int) { optional[i], optional[j] = optional[j], optional[i] })
	return append([]bgp.PathAttributeInterface{
		bgp.NewPathAttributeOrigin(uint8(g.IntN(3))),
		bgp.NewPathAttributeAsPath(list(g.IntN(4), path)),
		nextHop,
	}, optional[:g.IntN(len(optional)+1)]...)
}
