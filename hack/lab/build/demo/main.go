// Command demo is the web application that the lab runs behind Services. Its answers say which node
// and pod served the request and which client address it saw.
//
//	/         one line of text, or JSON when the request accepts application/json
//	/json     the same as JSON
//	/stream   a line every 100 ms until the client goes away, for tests of long-lived connections
//	/healthz  "ok"
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

const streamInterval = 100 * time.Millisecond

type answer struct {
	Node   string `json:"node"`
	Pod    string `json:"pod"`
	Client string `json:"client"`
}

func answerTo(request *http.Request) answer {
	client, _, err := net.SplitHostPort(request.RemoteAddr)
	if err != nil {
		client = request.RemoteAddr
	}
	return answer{Node: os.Getenv("NODE_NAME"), Pod: os.Getenv("POD_NAME"), Client: client}
}

func serveRoot(writer http.ResponseWriter, request *http.Request) {
	if strings.Contains(request.Header.Get("Accept"), "application/json") {
		serveJSON(writer, request)
		return
	}
	reply := answerTo(request)
	writer.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintf(writer, "node=%s pod=%s client=%s\n", reply.Node, reply.Pod, reply.Client)
}

func serveJSON(writer http.ResponseWriter, request *http.Request) {
	writer.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(writer).Encode(answerTo(request))
}

func serveStream(writer http.ResponseWriter, request *http.Request) {
	writer.Header().Set("Content-Type", "text/plain; charset=utf-8")
	controller := http.NewResponseController(writer)
	ticker := time.NewTicker(streamInterval)
	defer ticker.Stop()
	reply := answerTo(request)
	for line := 0; ; line++ {
		_, err := fmt.Fprintf(writer, "%d node=%s pod=%s\n", line, reply.Node, reply.Pod)
		if err != nil || controller.Flush() != nil {
			return
		}
		select {
		case <-request.Context().Done():
			return
		case <-ticker.C:
		}
	}
}

func main() {
	address := ":8080"
	if port := os.Getenv("PORT"); port != "" {
		address = ":" + port
	}
	http.HandleFunc("/", serveRoot)
	http.HandleFunc("/json", serveJSON)
	http.HandleFunc("/stream", serveStream)
	http.HandleFunc("/healthz", func(writer http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(writer, "ok")
	})
	log.Printf("demo listens on %s", address)
	log.Fatal(http.ListenAndServe(address, nil))
}
