// Receives webhooks of Holdfast with nothing but Go's own library: verifies, works, notes, and answers.
//
//	WEBHOOK_SECRET=whsec_... go run receiver.go 8000 inbox.txt
//
// What matters is the order: nothing of a request is believed before its signature is verified over the very bytes that
// came, and the answer leaves when the work is done and noted: an event that is not answered within 15 seconds comes again.
package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	bodyBytesMax = 256_000 // Holdfast sends no more
	tolerance    = 5 * time.Minute
)

// event is what every one has; data is as the event's type says.
type event struct {
	ID      string          `json:"id"`
	Type    string          `json:"type"`
	Subject string          `json:"subject"`
	Cursor  string          `json:"cursor"`
	Data    json.RawMessage `json:"data"`
}

// isVerified tells whether a body was signed with the secret, at most five minutes ago (Standard Webhooks 1.0.0).
// The body is as it came: JSON that is parsed and written again is another.
func isVerified(secret []byte, headers http.Header, body []byte) bool {
	id, timestamp := headers.Get("webhook-id"), headers.Get("webhook-timestamp")
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || id == "" || time.Since(time.Unix(seconds, 0)).Abs() > tolerance {
		return false
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	expected := mac.Sum(nil)
	// Several while a secret is rotated; one of ours is enough.
	for _, one := range strings.Split(headers.Get("webhook-signature"), " ") {
		version, text, _ := strings.Cut(one, ",")
		given, err := base64.StdEncoding.DecodeString(text)
		if version == "v1" && err == nil && hmac.Equal(given, expected) {
			return true
		}
	}
	return false
}

// inbox holds events that came, each once however often it was sent, a line each; a database of yours would have a table.
type inbox struct {
	mutex sync.Mutex
	file  *os.File
	known map[string]bool
}

func openInbox(path string) (*inbox, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	kept, err := io.ReadAll(file)
	if err != nil {
		return nil, err
	}
	whole := kept[:bytes.LastIndexByte(kept, '\n')+1]
	if err := file.Truncate(int64(len(whole))); err != nil { // a line that was cut off was never answered
		return nil, err
	}
	if _, err := file.Seek(0, io.SeekEnd); err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, line := range strings.Split(string(whole), "\n") {
		id, _, _ := strings.Cut(line, "\t")
		known[id] = true
	}
	return &inbox{file: file, known: known}, nil
}

// once does the work for an event that is not known, and notes it with the cursor that is in it.
func (inbox *inbox) once(id string, one event, body []byte) error {
	inbox.mutex.Lock()
	defer inbox.mutex.Unlock()
	if inbox.known[id] {
		return nil
	}
	if err := handle(one); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(inbox.file, "%s\t%s\n", id, body); err != nil {
		return err
	}
	if err := inbox.file.Sync(); err != nil { // answered only when no loss of power undoes it
		return err
	}
	inbox.known[id] = true
	return nil
}

// handle is your work; what takes longer than a few seconds belongs in a queue of yours, and is put there here. It is done
// twice for one event where the machine stops between the work and the note.
func handle(one event) error {
	_, err := fmt.Println(one.ID, one.Type, one.Subject)
	return err
}

func receive(secret []byte, inbox *inbox) http.HandlerFunc {
	return func(response http.ResponseWriter, request *http.Request) {
		if request.Method != http.MethodPost {
			response.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(response, request.Body, bodyBytesMax))
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			response.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		if err != nil || !isVerified(secret, request.Header, body) {
			response.WriteHeader(http.StatusUnauthorized)
			return
		}
		var one event
		if err := json.Unmarshal(body, &one); err != nil {
			response.WriteHeader(http.StatusBadRequest)
			return
		}
		if err := inbox.once(request.Header.Get("webhook-id"), one, body); err != nil {
			log.Print(err)
			response.WriteHeader(http.StatusInternalServerError) // it comes again
			return
		}
		response.WriteHeader(http.StatusNoContent)
	}
}

func main() {
	secret, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(os.Getenv("WEBHOOK_SECRET"), "whsec_"))
	if err != nil || len(secret) < 24 || len(os.Args) != 3 {
		log.Fatal("usage: WEBHOOK_SECRET=whsec_... go run receiver.go PORT FILE")
	}
	inbox, err := openInbox(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	address := "127.0.0.1:" + os.Args[1]
	server := &http.Server{
		Addr:        address,
		Handler:     receive(secret, inbox),
		ReadTimeout: 10 * time.Second,
	}
	fmt.Println("ready on " + address)
	log.Fatal(server.ListenAndServe())
}
