// A log's client of a witness (C2SP tlog-witness), written from the specification over Go's own modules:
// proofs by sumdb/tlog, signatures by crypto/ed25519. It asks, verifies what is answered, and asks wrongly.
//
// witness WITNESS-KEY LOG-KEY WITNESS-NODE LOG-NODE OLD-CHECKPOINT: verifier keys, addresses, a file
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

var failed bool

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "witness.go:", err)
		os.Exit(1)
	}
}

func row(subject, genuine string, right bool, refused, copies int) {
	if !right {
		genuine = "WRONG: " + genuine
	}
	failed = failed || !right || refused != copies || copies == 0
	fmt.Printf("tlog-witness client, %s\t%s\t%s\trefused %d of %d\n", runtime.Version(), subject, genuine, refused, copies)
}

func read(answer *http.Response, err error) (*http.Response, string) {
	must(err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	must(err)
	return answer, string(body)
}

// checkpoint is what a log signed: its note, the text that was signed, and the tree.
type checkpoint struct {
	note, text string
	tree       tlog.Tree
}

// open verifies a checkpoint. tlog knows its text with the first line of Go's own log.
func open(signed string, log note.Verifier) checkpoint {
	opened, err := note.Open([]byte(signed), note.VerifierList(log))
	must(err)
	tree, err := tlog.ParseTree([]byte("go.sum database tree" + strings.TrimPrefix(opened.Text, log.Name())))
	must(err)
	return checkpoint{signed, opened.Text, tree}
}

// hashes makes the tree from the log's entries, which are few.
func hashes(node string, size int64) tlog.HashReader {
	_, bundle := read(http.Get(fmt.Sprintf("%s/log/tile/entries/000.p/%d", node, size)))
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) (found []tlog.Hash, err error) {
		for _, index := range indexes {
			found = append(found, stored[index])
		}
		return found, nil
	})
	for index := int64(0); index < size; index++ {
		length := 2 + int(binary.BigEndian.Uint16([]byte(bundle)))
		more, err := tlog.StoredHashes(index, []byte(bundle[2:length]), reader)
		must(err)
		stored, bundle = append(stored, more...), bundle[length:]
	}
	return reader
}

// cosigner is a key of type 0x04, which sumdb/note does not know.
type cosigner struct {
	name   string
	id     [4]byte
	public ed25519.PublicKey
}

func newCosigner(vkey string) (c cosigner) {
	parts := strings.SplitN(vkey, "+", 3)
	key, err := base64.StdEncoding.DecodeString(parts[2])
	must(err)
	if len(key) != 33 || key[0] != 4 {
		must(errors.New("the witness's key is not of type 4"))
	}
	hash := sha256.Sum256(append([]byte(parts[0]+"\n"), key...))
	c = cosigner{name: parts[0], public: key[1:]}
	copy(c.id[:], hash[:4])
	if fmt.Sprintf("%x", c.id) != parts[1] {
		must(errors.New("the witness's key has another id"))
	}
	return c
}

// verify checks the line of an answer: name, key id, a time that is not 0, and the signature over both.
func (c cosigner) verify(payload []byte, text string) error {
	if len(payload) != 4+8+64 || !bytes.Equal(payload[:4], c.id[:]) {
		return errors.New("another key")
	}
	time := binary.BigEndian.Uint64(payload[4:])
	message := fmt.Sprintf("cosignature/v1\ntime %d\n%s", time, text)
	if time == 0 || !ed25519.Verify(c.public, []byte(message), payload[12:]) {
		return errors.New("the cosignature does not hold")
	}
	return nil
}

type client struct {
	address string
	witness cosigner
}

func body(old int64, proof tlog.TreeProof, signed string) string {
	text := fmt.Sprintf("old %d\n", old)
	for _, hash := range proof {
		text += hash.String() + "\n"
	}
	return text + "\n" + signed
}

func (c client) ask(request string) (int, string, string) {
	answer, text := read(http.Post(c.address, "text/plain", strings.NewReader(request)))
	return answer.StatusCode, answer.Header.Get("Content-Type"), text
}

// cosigned asks, and judges the cosignature and copies of it with one bit turned over.
func (c client) cosigned(subject, request string, of checkpoint) {
	status, _, text := c.ask(request)
	prefix := "\u2014 " + c.witness.name + " "
	if status != http.StatusOK || !strings.HasPrefix(text, prefix) || !strings.HasSuffix(text, "\n") {
		row(subject, fmt.Sprintf("status %d: %.80q", status, text), false, 0, 0)
		return
	}
	payload, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(strings.TrimPrefix(text, prefix), "\n"))
	must(err)
	refused, copies := 0, 0
	try := func(payload []byte, text string) {
		copies++
		if c.witness.verify(payload, text) != nil {
			refused++
		}
	}
	for at := range payload {
		spoilt := append([]byte(nil), payload...)
		spoilt[at] ^= 1
		try(spoilt, of.text)
	}
	for at := range of.text {
		try(payload, of.text[:at]+string(rune(of.text[at]^1))+of.text[at+1:])
	}
	err = c.witness.verify(payload, of.text)
	row(subject, "verified", err == nil, refused, copies)
}

func main() {
	log, err := note.NewVerifier(os.Args[2])
	must(err)
	witness := client{os.Args[3] + "/witness/add-checkpoint", newCosigner(os.Args[1])}
	earlier, err := os.ReadFile(os.Args[5])
	must(err)
	_, signed := read(http.Get(os.Args[4] + "/log/checkpoint"))
	old, now := open(string(earlier), log), open(signed, log)
	reader := hashes(os.Args[4], now.tree.N)
	proof, err := tlog.ProveTree(now.tree.N, old.tree.N, reader)
	must(err)

	witness.cosigned(fmt.Sprintf("first checkpoint, of %d entries", old.tree.N), body(0, nil, old.note), old)
	// What is refused comes before what is cosigned next, which proves that the memory stayed.
	spoilt := append(tlog.TreeProof(nil), proof...)
	spoilt[0][0] ^= 1
	stranger := strings.Replace(now.note, log.Name(), "xx.example.org/log", -1)
	unsigned := now.text + "\n\u2014 " + log.Name() + " " + base64.StdEncoding.EncodeToString(make([]byte, 68)) + "\n"
	refused, wrong := 0, ""
	requests := []struct {
		what, request string
		status        int
	}{
		{"no request", "please\n", 400},
		{"a size with a leading zero", "old 0" + strings.TrimPrefix(body(old.tree.N, proof, now.note), "old "), 400},
		{"no blank line", strings.Replace(body(old.tree.N, proof, now.note), "\n\n", "\n", -1), 400},
		{"64 hashes", body(old.tree.N, make(tlog.TreeProof, 64), now.note), 400},
		{"backwards", body(now.tree.N+1, proof, now.note), 400},
		{"another log", body(old.tree.N, proof, stranger), 404},
		{"nobody's signature", body(old.tree.N, proof, unsigned), 403},
		{"another memory", body(old.tree.N-1, proof, now.note), 409},
		{"no memory", body(0, nil, now.note), 409},
		{"no proof", body(old.tree.N, nil, now.note), 422},
		{"a changed proof", body(old.tree.N, spoilt, now.note), 422},
		{"a proof too long", body(old.tree.N, append(spoilt, spoilt[0]), now.note), 422},
	}
	for _, it := range requests {
		status, kind, text := witness.ask(it.request)
		right := status == it.status
		if status == http.StatusConflict {
			right = right && kind == "text/x.tlog.size" && text == fmt.Sprintf("%d\n", old.tree.N)
		}
		if right {
			refused++
		} else {
			wrong += fmt.Sprintf("%s: %d %s %.60q; ", it.what, status, kind, text)
		}
	}
	row("wrong requests", wrong+"each with its status", wrong == "", refused, len(requests))
	subject := fmt.Sprintf("growth from %d to %d entries", old.tree.N, now.tree.N)
	witness.cosigned(subject, body(old.tree.N, proof, now.note), now)
	witness.cosigned("the same once more", body(now.tree.N, nil, now.note), now)
	if failed {
		os.Exit(1)
	}
}
