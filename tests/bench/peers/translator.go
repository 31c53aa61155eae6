// SPDX-License-Identifier: Apache-2.0

// What a translator of some sixty lines with Go's net/http and encoding/xml costs, for comparison:
// POST /v1/NAME/METHOD with JSON params becomes a call of UPSTREAM/NAME. It knows the types that the
// benchmark has, and no fault.
package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
)

type value struct {
	Int     *string  `xml:"int"`
	String  *string  `xml:"string"`
	Double  *string  `xml:"double"`
	Boolean *string  `xml:"boolean"`
	Struct  *members `xml:"struct"`
	Array   *struct {
		Values []value `xml:"data>value"`
	} `xml:"array"`
	Text string `xml:",chardata"`
}

type members struct {
	Members []struct {
		Name  string `xml:"name"`
		Value value  `xml:"value"`
	} `xml:"member"`
}

func (v value) plain() any {
	switch {
	case v.Int != nil:
		n, _ := strconv.Atoi(*v.Int)
		return n
	case v.Double != nil:
		n, _ := strconv.ParseFloat(*v.Double, 64)
		return n
	case v.Boolean != nil:
		return *v.Boolean == "1"
	case v.Struct != nil:
		out := make(map[string]any, len(v.Struct.Members))
		for _, m := range v.Struct.Members {
			out[m.Name] = m.Value.plain()
		}
		return out
	case v.Array != nil:
		out := make([]any, len(v.Array.Values))
		for i, item := range v.Array.Values {
			out[i] = item.plain()
		}
		return out
	case v.String != nil:
		return *v.String
	}
	return v.Text
}

func write(out *bytes.Buffer, v any) {
	switch v := v.(type) {
	case json.Number:
		kind := "int"
		if strings.ContainsAny(string(v), ".eE") {
			kind = "double"
		}
		fmt.Fprintf(out, "<value><%s>%s</%s></value>", kind, v, kind)
	case string:
		out.WriteString("<value><string>")
		xml.EscapeText(out, []byte(v))
		out.WriteString("</string></value>")
	case bool:
		fmt.Fprintf(out, "<value><boolean>%d</boolean></value>", map[bool]int{true: 1}[v])
	case []any:
		out.WriteString("<value><array><data>")
		for _, item := range v {
			write(out, item)
		}
		out.WriteString("</data></array></value>")
	case map[string]any:
		out.WriteString("<value><struct>")
		for name, item := range v {
			out.WriteString("<member><name>")
			xml.EscapeText(out, []byte(name))
			out.WriteString("</name>")
			write(out, item)
			out.WriteString("</member>")
		}
		out.WriteString("</struct></value>")
	}
}

func main() {
	upstream := os.Args[1]
	client := &http.Client{Transport: &http.Transport{MaxIdleConns: 4096, MaxIdleConnsPerHost: 4096}}
	handle := func(w http.ResponseWriter, r *http.Request) {
		parts := strings.Split(r.URL.Path, "/")
		decoder := json.NewDecoder(r.Body)
		decoder.UseNumber()
		var params []any
		if len(parts) != 4 || decoder.Decode(&params) != nil {
			http.Error(w, "bad request", 400)
			return
		}
		call := bytes.NewBufferString("<?xml version='1.0'?><methodCall><methodName>")
		xml.EscapeText(call, []byte(parts[3]))
		call.WriteString("</methodName><params>")
		for _, param := range params {
			call.WriteString("<param>")
			write(call, param)
			call.WriteString("</param>")
		}
		call.WriteString("</params></methodCall>")
		answer, err := client.Post(upstream+"/"+parts[2], "text/xml", call)
		if err != nil {
			http.Error(w, err.Error(), 502)
			return
		}
		defer answer.Body.Close()
		var document struct {
			Value value `xml:"params>param>value"`
		}
		if err := xml.NewDecoder(answer.Body).Decode(&document); err != nil {
			http.Error(w, err.Error(), 502)
			return
		}
		io.Copy(io.Discard, answer.Body) // or the connection is not kept
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(map[string]any{"result": document.Value.plain()})
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	panic(http.Serve(listener, http.HandlerFunc(handle)))
}
