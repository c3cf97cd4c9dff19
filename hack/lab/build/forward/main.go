// Command forward accepts TCP connections on the machine's loopback and carries each to an address
// inside a network namespace, so that kubectl on the machine reaches the lab's API server.
//
//	forward NETNS-FILE TARGET-IP:PORT PORT-FILE
//
// It takes a free port and writes its number to PORT-FILE (through a rename, so a reader never sees
// half of it).
package main

import (
	"io"
	"log"
	"net"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

const (
	// setns(2) has no wrapper in the standard library; the number differs by architecture.
	setnsAmd64  = 308
	setnsArm64  = 268
	dialTimeout = 5 * time.Second
)

// enter moves the calling thread into the network namespace.
func enter(namespace *os.File) error {
	number := uintptr(setnsAmd64)
	if runtime.GOARCH == "arm64" {
		number = setnsArm64
	}
	_, _, errno := syscall.RawSyscall(number, namespace.Fd(), syscall.CLONE_NEWNET, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// dialer runs on a thread of its own that stays inside the namespace: a socket belongs to the
// namespace of the thread that made it, and Go moves goroutines between threads unless locked.
func dialer(namespace *os.File, target string, requests <-chan *net.TCPConn) {
	runtime.LockOSThread()
	if err := enter(namespace); err != nil {
		log.Fatalf("entering %s: %v", namespace.Name(), err)
	}
	for client := range requests {
		server, err := net.DialTimeout("tcp", target, dialTimeout)
		if err != nil {
			client.SetLinger(0)
			client.Close()
			continue
		}
		go carry(client, server.(*net.TCPConn))
		go carry(server.(*net.TCPConn), client)
	}
}

// carry copies one direction and passes on its end.
func carry(from, to *net.TCPConn) {
	if _, err := io.Copy(to, from); err != nil {
		from.Close()
		to.Close()
		return
	}
	to.CloseWrite()
}

func main() {
	if len(os.Args) != 4 {
		log.Fatal("usage: forward NETNS-FILE TARGET-IP:PORT PORT-FILE")
	}
	namespace, err := os.Open(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	portFile := os.Args[3]
	port := strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
	if err := os.WriteFile(portFile+".new", []byte(port), 0o644); err != nil {
		log.Fatal(err)
	}
	if err := os.Rename(portFile+".new", portFile); err != nil {
		log.Fatal(err)
	}
	requests := make(chan *net.TCPConn)
	for range 4 {
		go dialer(namespace, os.Args[2], requests)
	}
	for {
		client, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		requests <- client.(*net.TCPConn)
	}
}
