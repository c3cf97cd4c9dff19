// GoBGP as an announcer for the benchmark: announces prefixes from 198.18.0.0/15 on and dials every peer.
//
//	gobgp-announcer PREFIXES PORT PEER_ADDRESS...
//
// Prints "ready" once all paths are in its table, then adds the peers and runs until it is killed.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"strconv"

	"github.com/osrg/gobgp/v4/api"
	"github.com/osrg/gobgp/v4/pkg/apiutil"
	"github.com/osrg/gobgp/v4/pkg/packet/bgp"
	"github.com/osrg/gobgp/v4/pkg/server"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	select {}
}

func run(args []string) error {
	if len(args) < 3 {
		return fmt.Errorf("usage: gobgp-announcer PREFIXES PORT PEER_ADDRESS...")
	}
	prefixes, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	port, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	quiet := slog.New(slog.DiscardHandler)
	s := server.NewBgpServer(server.LoggerOption(quiet, new(slog.LevelVar)))
	go s.Serve()
	ctx := context.Background()
	global := &api.Global{Asn: 65002, RouterId: "127.0.0.1", ListenPort: -1}
	if err := s.StartBgp(ctx, &api.StartBgpRequest{Global: global}); err != nil {
		return err
	}
	if err := addPaths(s, prefixes); err != nil {
		return err
	}
	fmt.Println("ready")
	for _, address := range args[2:] {
		peer := &api.Peer{
			Conf:         &api.PeerConf{NeighborAddress: address, PeerAsn: 65001},
			EbgpMultihop: &api.EbgpMultihop{Enabled: true, MultihopTtl: 64},
			Transport:    &api.Transport{LocalAddress: "127.0.0.1", RemotePort: uint32(port)},
			Timers:       &api.Timers{Config: &api.TimersConfig{ConnectRetry: 1, IdleHoldTimeAfterReset: 1}},
		}
		if err := s.AddPeer(ctx, &api.AddPeerRequest{Peer: peer}); err != nil {
			return err
		}
	}
	return nil
}

func addPaths(s *server.BgpServer, count int) error {
	nextHop, err := bgp.NewPathAttributeNextHop(netip.MustParseAddr("127.0.0.1"))
	if err != nil {
		return err
	}
	attributes := []bgp.PathAttributeInterface{bgp.NewPathAttributeOrigin(0), nextHop}
	address := netip.MustParseAddr("198.18.0.0")
	for range count {
		nlri, err := bgp.NewIPAddrPrefix(netip.PrefixFrom(address, 32))
		if err != nil {
			return err
		}
		path := &apiutil.Path{Family: bgp.RF_IPv4_UC, Nlri: nlri, Attrs: attributes}
		if _, err := s.AddPath(apiutil.AddPathRequest{Paths: []*apiutil.Path{path}}); err != nil {
			return err
		}
		address = address.Next()
	}
	return nil
}
