// Go's own module for transparency logs judges ours: checkpoints by sumdb/note; tiles, entries, receipts
// and growth by sumdb/tlog.
//
// log KEY NODE OLD-CHECKPOINT RECEIPT…: the log's verifier key, the node's address, files
package main

import (
	"bytes"
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

// The height that C2SP tlog-tiles fixes.
const height = 8

var failed bool

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "log.go:", err)
		os.Exit(1)
	}
}

// row says what the judge made of a subject and of the tampered copies of it, each tried as told.
func row(judge, subject string, genuine error, copies []func() error) {
	said, refused := "verified", 0
	if genuine != nil {
		said, failed = "WRONG: "+genuine.Error(), true
	}
	for _, try := range copies {
		if try() != nil {
			refused++
		}
	}
	failed = failed || refused != len(copies) || refused == 0
	fmt.Printf("%s of %s\t%s\t%s\trefused %d of %d\n", judge, runtime.Version(), subject, said, refused, len(copies))
}

// turn answers a copy with one bit of one byte turned over.
func turn(data []byte, at int) []byte {
	data = append([]byte(nil), data...)
	data[at] ^= 1
	return data
}

func turnHash(hash tlog.Hash, at int) (turned tlog.Hash) {
	copy(turned[:], turn(hash[:], at))
	return turned
}

// open verifies a checkpoint. tlog knows its text with the first line of Go's own log, where ours has its origin.
func open(text []byte, key note.Verifier) (tree tlog.Tree, err error) {
	opened, err := note.Open(text, note.VerifierList(key))
	if err != nil {
		return tree, err
	}
	if !strings.HasPrefix(opened.Text, key.Name()+"\n") {
		return tree, errors.New("the checkpoint is of another log")
	}
	return tlog.ParseTree([]byte("go.sum database tree" + strings.TrimPrefix(opened.Text, key.Name())))
}

// bent are the tampered copies of a checkpoint: every byte of its text, and of the log's signature.
func bent(text []byte, key note.Verifier) (copies []func() error) {
	try := func(text []byte) {
		copies = append(copies, func() error { _, err := open(text, key); return err })
	}
	end := bytes.Index(text, []byte("\n\n")) + 1
	for at := 0; at < end; at++ {
		try(turn(text, at))
	}
	// Decoded, because the last digit of base64 has bits that count for nothing, at which Go does not look.
	line := strings.SplitN(string(text[end+1:]), "\n", 2)[0]
	encoded := line[strings.LastIndex(line, " ")+1:]
	signature, err := base64.StdEncoding.DecodeString(encoded)
	must(err)
	for at := range signature {
		try(bytes.Replace(text, []byte(encoded), []byte(base64.StdEncoding.EncodeToString(turn(signature, at))), 1))
	}
	return copies
}

// tiles reads tiles from a node; `change` may spoil them on the way.
type tiles struct {
	node   string
	held   map[string][]byte
	change func(tile tlog.Tile, data []byte) []byte
}

func (t tiles) get(path string) []byte {
	if t.held[path] == nil {
		answer, err := http.Get(t.node + "/log/" + path)
		must(err)
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		must(err)
		if answer.StatusCode != http.StatusOK {
			must(fmt.Errorf("%s: %s %s", path, answer.Status, body))
		}
		t.held[path] = body
	}
	return t.held[path]
}

func (t tiles) Height() int { return height }

func (t tiles) ReadTiles(asked []tlog.Tile) (data [][]byte, err error) {
	for _, tile := range asked {
		// C2SP leaves out the height, which is always the same.
		read := t.get(strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/", height), "tile/", 1))
		if t.change != nil {
			read = t.change(tile, read)
		}
		data = append(data, read)
	}
	return data, nil
}

func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}

// entries reads every entry of a tree from its bundles.
func (t tiles) entries(size int64) (entries [][]byte) {
	for start := int64(0); start < size; start += 1 << height {
		width := size - start
		if width > 1<<height {
			width = 1 << height
		}
		tile := tlog.Tile{H: height, L: -1, N: start >> height, W: int(width)}
		bundle := t.get(strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/data/", height), "tile/entries/", 1))
		for len(bundle) > 0 {
			length := 2 + int(binary.BigEndian.Uint16(bundle))
			entries = append(entries, bundle[2:length])
			bundle = bundle[length:]
		}
	}
	if int64(len(entries)) != size {
		must(fmt.Errorf("the bundles hold %d entries of %d", len(entries), size))
	}
	return entries
}

// included proves an entry from tiles, which are proven against the root as they are read.
//
// When one tile holds several of the hashes that make the root, x/mod 0.7.0 leaves as many of the other
// tiles unproven. So the entry's own hash, which is not in its proof, is compared too.
func included(tree tlog.Tree, source tlog.TileReader, index int64, entry []byte) error {
	reader := tlog.TileHashReader(tree, source)
	held, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, index)})
	if err != nil {
		return err
	}
	if held[0] != tlog.RecordHash(entry) {
		return errors.New("the tile holds another hash for this entry")
	}
	proof, err := tlog.ProveRecord(tree.N, index, reader)
	if err != nil {
		return err
	}
	return tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entry))
}

func judgeEntries(tree tlog.Tree, source tiles, entries [][]byte) {
	var genuine error
	var copies, hashes []func() error
	seen := map[string]bool{}
	// Copies of every tile that a proof reads are made at its first reading: one for each hash in it.
	for index, entry := range entries {
		index, entry := int64(index), entry
		watched := source
		watched.change = func(tile tlog.Tile, data []byte) []byte {
			path := tile.Path()
			for at := 0; !seen[path] && at < len(data); at += tlog.HashSize {
				at, spoilt := at, source
				spoilt.change = func(read tlog.Tile, data []byte) []byte {
					if read == tile {
						return turn(data, at)
					}
					return data
				}
				hashes = append(hashes, func() error { return included(tree, spoilt, index, entry) })
			}
			seen[path] = true
			return data
		}
		if err := included(tree, watched, index, entry); err != nil && genuine == nil {
			genuine = fmt.Errorf("entry %d: %w", index, err)
		}
		for at := range entry {
			at := at
			copies = append(copies, func() error { return included(tree, source, index, turn(entry, at)) })
		}
	}
	row("sumdb/tlog", fmt.Sprintf("%d entries in their bundles", len(entries)), genuine, copies)
	for at := range tree.Hash {
		other := tlog.Tree{N: tree.N, Hash: turnHash(tree.Hash, at)}
		hashes = append(hashes, func() error { return included(other, source, 0, entries[0]) })
	}
	row("sumdb/tlog", fmt.Sprintf("%d tiles under the root", len(seen)), genuine, hashes)
}

// judgeReceipt checks a C2SP tlog-proof as our node made it.
func judgeReceipt(file string, key note.Verifier, entries [][]byte) {
	text, err := os.ReadFile(file)
	must(err)
	parts := bytes.SplitN(text, []byte("\n\n"), 2)
	lines := strings.Split(string(parts[0]), "\n")
	tree, err := open(parts[1], key)
	must(err)
	var index int64
	_, err = fmt.Sscanf(strings.Join(lines[:2], "\n"), "c2sp.org/tlog-proof@v1\nindex %d", &index)
	must(err)
	var proof tlog.RecordProof
	for _, line := range lines[2:] {
		hash, err := tlog.ParseHash(line)
		must(err)
		proof = append(proof, hash)
	}
	check := func(proof tlog.RecordProof, index int64, root tlog.Hash, entry []byte) error {
		return tlog.CheckRecord(proof, tree.N, root, index, tlog.RecordHash(entry))
	}
	entry := entries[index]
	copies := []func() error{
		func() error { return check(proof, index-1, tree.Hash, entry) },
		func() error { return check(proof[1:], index, tree.Hash, entry) },
	}
	for at := 0; at < tlog.HashSize; at++ {
		at := at
		copies = append(copies, func() error { return check(proof, index, turnHash(tree.Hash, at), entry) })
		for nth := range proof {
			spoilt := append(tlog.RecordProof(nil), proof...)
			spoilt[nth] = turnHash(proof[nth], at)
			copies = append(copies, func() error { return check(spoilt, index, tree.Hash, entry) })
		}
	}
	subject := fmt.Sprintf("receipt of entry %d of %d", index, tree.N)
	row("sumdb/tlog", subject, check(proof, index, tree.Hash, entry), copies)
}

func judgeGrowth(old, tree tlog.Tree, source tiles) {
	proof, err := tlog.ProveTree(tree.N, old.N, tlog.TileHashReader(tree, source))
	must(err)
	check := func(old, tree tlog.Tree) func() error {
		return func() error { return tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash) }
	}
	copies := []func() error{
		check(tlog.Tree{N: old.N - 1, Hash: old.Hash}, tree),
		check(tlog.Tree{N: old.N + 1, Hash: old.Hash}, tree),
	}
	for at := range tree.Hash {
		copies = append(copies, check(tlog.Tree{N: old.N, Hash: turnHash(old.Hash, at)}, tree),
			check(old, tlog.Tree{N: tree.N, Hash: turnHash(tree.Hash, at)}))
	}
	row("sumdb/tlog", fmt.Sprintf("growth from %d to %d", old.N, tree.N), check(old, tree)(), copies)
}

func main() {
	key, err := note.NewVerifier(os.Args[1])
	must(err)
	source := tiles{node: os.Args[2], held: map[string][]byte{}}
	earlier, err := os.ReadFile(os.Args[3])
	must(err)
	var trees []tlog.Tree
	for _, text := range [][]byte{earlier, source.get("checkpoint")} {
		tree, err := open(text, key)
		row("sumdb/note", fmt.Sprintf("checkpoint of %d entries", tree.N), err, bent(text, key))
		must(err)
		trees = append(trees, tree)
	}
	old, tree := trees[0], trees[1]
	entries := source.entries(tree.N)
	judgeEntries(tree, source, entries)
	for _, receipt := range os.Args[4:] {
		judgeReceipt(receipt, key, entries)
	}
	judgeGrowth(old, tree, source)
	if failed {
		os.Exit(1)
	}
}
