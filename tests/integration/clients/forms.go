// SPDX-License-Identifier: Apache-2.0
// Calls as Go writes them: go run forms.go http://HOST:PORT
package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"strings"
)

type opaque struct{ io.Reader } // of which Go does not know the length

func call(client *http.Client, target, kind string, body io.Reader, status int, want string) {
	request, err := http.NewRequest("POST", target, body)
	if err != nil {
		log.Fatal(err)
	}
	if kind != "" {
		request.Header.Set("Content-Type", kind)
	}
	answer, err := client.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != status || !strings.Contains(string(text), want) {
		log.Fatalf("%s %q: %d %s %v", target, kind, answer.StatusCode, text, err)
	}
}

func main() {
	base := os.Args[1]
	target := base + "/v1/up/m"
	proxy, err := url.Parse(base)
	if err != nil {
		log.Fatal(err)
	}
	direct := http.DefaultClient
	// It takes the gateway for a proxy, and writes targets in absolute form.
	proxied := &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(proxy)}}
	for _, client := range []*http.Client{direct, proxied} {
		call(client, target, "application/json", strings.NewReader(`["ä"]`), 200, `"ä"`)
		call(client, target, "application/json; charset=utf8", strings.NewReader(`["ä"]`), 200, `"ä"`)
		call(client, target, "application/json", opaque{strings.NewReader(`["ä"]`)}, 200, `"ä"`)
		call(client, target, "application/json", strings.NewReader("\ufeff[7]"), 200, `7`)
		call(client, target, "", nil, 200, `""`)
		call(client, target, "", opaque{strings.NewReader("")}, 200, `""`)
		call(client, target, "", strings.NewReader("[1]"), 415, "unsupported-media-type")
		call(client, target, "", opaque{strings.NewReader("[1]")}, 415, "unsupported-media-type")
	}
	call(proxied, "http://evil.example/v1/up/m", "", nil, 421, "misdirected")
	fmt.Println("all is well")
}
