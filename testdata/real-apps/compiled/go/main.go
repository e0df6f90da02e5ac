// A Lambda function in Go with no client library: it asks the Runtime API for events and answers them.
package main

import (
	"bytes"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"os"
	"runtime"
)

type event struct {
	Name string `json:"name"`
}

func main() {
	api := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation/"
	for {
		next, err := http.Get(api + "next")
		if err != nil {
			log.Fatal(err)
		}
		body, err := io.ReadAll(next.Body)
		if err != nil {
			log.Fatal(err)
		}
		var asked event
		if err := json.Unmarshal(body, &asked); err != nil {
			log.Fatal(err)
		}
		answer, err := json.Marshal(map[string]string{"greeting": "Hello " + asked.Name, "arch": runtime.GOARCH})
		if err != nil {
			log.Fatal(err)
		}
		id := next.Header.Get("Lambda-Runtime-Aws-Request-Id")
		if _, err := http.Post(api+id+"/response", "application/json", bytes.NewReader(answer)); err != nil {
			log.Fatal(err)
		}
	}
}
