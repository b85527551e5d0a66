package main

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
)

// Whatever is described must be found out when it deviates: each call is spoiled in three ways.
func TestADeviationOfAnyDescribedCallIsFound(t *testing.T) {
	t.Parallel()
	known, there, err := descriptions(contracts)
	if err != nil {
		t.Fatal(err)
	}
	spoiled, tried := map[string]int{}, map[string]bool{}
	for _, x := range recorded(t) {
		d, v := describedBy(known, x)
		once := x.client + v.call + strconv.Itoa(x.status)
		if d == nil || x.service == webhookService || tried[once] {
			continue
		}
		tried[once] = true
		for name, spoil := range map[string]func(exchange, verdict) (exchange, bool){"query": madeUpQuery, "body": madeUpBody, "answer": madeUpAnswer} {
			bad, can := spoil(x, v)
			if !can {
				continue
			}
			if got, _ := d.check(bad); len(got.faults) == 0 {
				t.Errorf("%s of %s (%s) was spoiled, and nobody noticed", name, v.call, v.by)
			}
			spoiled[name]++
		}
	}
	if least := map[bool]int{true: 60, false: 20}[there]; spoiled["query"] < least || spoiled["body"] < least/3 || spoiled["answer"] < least {
		t.Errorf("only %v were spoiled", spoiled)
	}
}

func describedBy(known []description, x exchange) (description, verdict) {
	for _, d := range known {
		if v, ok := d.check(x); ok {
			return d, v
		}
	}
	return nil, verdict{}
}

// madeUpQuery adds a parameter that nobody described; AWS's and Azure's libraries word queries themselves.
func madeUpQuery(x exchange, v verdict) (exchange, bool) {
	if v.by == "aws-sdk-go-v2" || v.by == "armcognitiveservices" {
		return x, false
	}
	x.request = x.request.Clone(x.request.Context())
	q := x.request.URL.Query()
	q.Set("made_up", "1")
	x.request.URL.RawQuery = q.Encode()
	return x, true
}

func madeUpBody(x exchange, v verdict) (exchange, bool) {
	if v.by == "armcognitiveservices" {
		return x, false
	}
	if strings.Contains(x.request.Header.Get("Content-Type"), "form") {
		x.body = append(bytes.Clone(x.body), "&MadeUp=1"...)
		return x, true
	}
	var changed bool
	x.body, changed = withField(x.body)
	return x, changed
}

func madeUpAnswer(x exchange, v verdict) (exchange, bool) {
	if !v.answer || !good(x.status) || v.by == "armcognitiveservices" && x.status != 200 {
		return x, false
	}
	if i := bytes.LastIndex(x.answer, []byte("</")); i > 0 && strings.Contains(x.header.Get("Content-Type"), "xml") {
		x.answer = append(append(bytes.Clone(x.answer[:i]), "<MadeUp>1</MadeUp>"...), x.answer[i:]...)
		return x, true
	}
	var changed bool
	x.answer, changed = withField(x.answer)
	return x, changed
}

// withField adds a field to a JSON object that has some.
func withField(body []byte) ([]byte, bool) {
	var object map[string]any
	if json.Unmarshal(body, &object) != nil || len(object) == 0 {
		return body, false
	}
	object["made_up"] = "1"
	out, err := json.Marshal(object)
	return out, err == nil
}
