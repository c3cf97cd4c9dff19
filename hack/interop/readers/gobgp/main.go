// GoBGP's packet library as a reader and writer of BGP messages, for tests of our own codec.
//
//	gobgp-reader read             hexadecimal messages from standard input, a line of JSON for each
//	gobgp-reader write COUNT SEED random messages in hexadecimal
//
// What it reads is in the form that `plain.ts` describes.
package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/osrg/gobgp/v4/pkg/packet/bgp"
)

type item [2]any

type plain struct {
	Type      uint8    `json:"type"`
	Fields    []string `json:"fields"`
	Items     []item   `json:"items"`
	Withdrawn []string `json:"withdrawn"`
	Announced []string `json:"announced"`
	Error     string   `json:"error,omitempty"`
}

func main() {
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	if len(os.Args) == 4 && os.Args[1] == "write" {
		count, _ := strconv.Atoi(os.Args[2])
		seed, _ := strconv.ParseUint(os.Args[3], 10, 64)
		write(out, count, seed)
		return
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		answer, _ := json.Marshal(read(lines.Text()))
		out.Write(append(answer, '\n'))
	}
}

func read(line string) plain {
	result := plain{Fields: []string{}, Items: []item{}, Withdrawn: []string{}, Announced: []string{}}
	data, err := hex.DecodeString(line)
	if err != nil {
		result.Error = err.Error()
		return result
	}
	message, err := bgp.ParseBGPMessage(data)
	if err != nil {
		result.Error = err.Error()
		return result
	}
	result.Type = message.Header.Type
	switch body := message.Body.(type) {
	case *bgp.BGPOpen:
		result.Fields = texts(body.MyAS, body.HoldTime, body.ID)
		for _, parameter := range body.OptParams {
			if capabilities, is := parameter.(*bgp.OptionParameterCapability); is {
				for _, capability := range capabilities.Capability {
					result.Items = append(result.Items, capabilityOf(capability))
				}
			}
		}
	case *bgp.BGPNotification:
		result.Fields = texts(body.ErrorCode, body.ErrorSubcode, raw(body.Data))
	case *bgp.BGPRouteRefresh:
		result.Fields = texts(body.AFI, body.SAFI, body.Demarcation)
	case *bgp.BGPUpdate:
		result.Withdrawn = prefixes(body.WithdrawnRoutes)
		result.Announced = prefixes(body.NLRI)
		for _, attribute := range body.PathAttributes {
			result.Items = append(result.Items, attributeOf(attribute))
		}
	}
	return result
}

func capabilityOf(capability bgp.ParameterCapabilityInterface) item {
	code := capability.Code()
	switch c := capability.(type) {
	case *bgp.CapMultiProtocol:
		return item{code, fmt.Sprintf("%d/%d", c.CapValue.Afi(), c.CapValue.Safi())}
	case *bgp.CapFourOctetASNumber:
		return item{code, fmt.Sprint(c.CapValue)}
	}
	bytes, _ := capability.Serialize()
	return item{code, raw(bytes[2:])}
}

func attributeOf(attribute bgp.PathAttributeInterface) item {
	code := attribute.GetType()
	switch a := attribute.(type) {
	case *bgp.PathAttributeOrigin:
		return item{code, fmt.Sprint(a.Value)}
	case *bgp.PathAttributeAsPath:
		segments := []string{}
		for _, segment := range a.Value {
			kind := map[uint8]string{1: "set", 2: "sequence"}[segment.GetType()]
			segments = append(segments, strings.Join(append([]string{kind}, joined(segment.GetAS())...), " "))
		}
		return item{code, strings.Join(segments, ", ")}
	case *bgp.PathAttributeNextHop:
		return item{code, a.Value.String()}
	case *bgp.PathAttributeMultiExitDisc:
		return item{code, fmt.Sprint(a.Value)}
	case *bgp.PathAttributeLocalPref:
		return item{code, fmt.Sprint(a.Value)}
	case *bgp.PathAttributeAtomicAggregate:
		return item{code, ""}
	case *bgp.PathAttributeAggregator:
		return item{code, fmt.Sprint(a.Value.AS, " ", a.Value.Address)}
	case *bgp.PathAttributeCommunities:
		all := []string{}
		for _, community := range a.Value {
			all = append(all, fmt.Sprintf("%d:%d", community>>16, community&0xffff))
		}
		return item{code, strings.Join(all, " ")}
	case *bgp.PathAttributeOriginatorId:
		return item{code, a.Value.String()}
	case *bgp.PathAttributeClusterList:
		return item{code, strings.Join(joined(a.Value), " ")}
	case *bgp.PathAttributeLargeCommunities:
		all := []string{}
		for _, c := range a.Values {
			all = append(all, fmt.Sprintf("%d:%d:%d", c.ASN, c.LocalData1, c.LocalData2))
		}
		return item{code, strings.Join(all, " ")}
	case *bgp.PathAttributeMpReachNLRI:
		hops := a.Nexthop.String()
		if a.LinkLocalNexthop.IsValid() {
			hops += "," + a.LinkLocalNexthop.String()
		}
		head := fmt.Sprintf("%d/%d %s", a.AFI, a.SAFI, hops)
		return item{code, strings.Join(append([]string{head}, prefixes(a.Value)...), " ")}
	case *bgp.PathAttributeMpUnreachNLRI:
		head := fmt.Sprintf("%d/%d", a.AFI, a.SAFI)
		return item{code, strings.Join(append([]string{head}, prefixes(a.Value)...), " ")}
	}
	bytes, _ := attribute.Serialize()
	head := 3
	if attribute.GetFlags()&bgp.BGP_ATTR_FLAG_EXTENDED_LENGTH != 0 {
		head = 4
	}
	return item{code, raw(bytes[head:])}
}

func prefixes(routes []bgp.PathNLRI) []string {
	all := []string{}
	for _, route := range routes {
		all = append(all, route.NLRI.String())
	}
	return all
}

func texts(values ...any) []string {
	return joined(values)
}

func joined[T any](values []T) []string {
	all := []string{}
	for _, value := range values {
		all = append(all, fmt.Sprint(value))
	}
	return all
}

func raw(data []byte) string {
	return "0x" + hex.EncodeToString(data)
}
