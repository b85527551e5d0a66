package evidence

import (
	"archive/zip"
	"bufio"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"hash/crc32"
	"io"
)

const (
	endSize      = 22
	localSize    = 30
	centralSize  = 46
	followSize   = 16
	maxDirectory = maxFiles * (centralSize + maxName + 64)
	flagFollows  = 0x8         // sizes follow the file
	flagsKnown   = 0x800 | 0xe // UTF-8, the packer's level, sizes follow
	extraTime    = 0x5455      // when the file was made; the only extra field we take
)

// A zip may hold bytes that belong to no file, name one file twice in two ways, or let files share bytes; two programs then see
// two different bundles. So the layout is checked to the byte: files one after the other, their directory, the end.

// start is where the directory begins, told by an end record that stands at the very end.
func start(r io.ReaderAt, size int64) (int64, error) {
	tail := make([]byte, min(size, endSize+0xffff))
	if _, err := r.ReadAt(tail, size-int64(len(tail))); err != nil && err != io.EOF {
		return 0, fault(BadFormat, "", "the bundle cannot be read: %v", err)
	}
	at := bytes.LastIndex(tail, []byte("PK\x05\x06"))
	if at < 0 || len(tail)-at < endSize {
		return 0, fault(BadFormat, "", "this is not a bundle, or its end is cut off")
	}
	end, u16 := tail[at:], binary.LittleEndian.Uint16
	if after := len(end) - endSize; after > 0 {
		if int(u16(end[20:])) == after {
			return 0, fault(Added, "", "the bundle carries a comment that nobody signed")
		}
		return 0, fault(Stray, "", "%d bytes that nobody signed follow the bundle", after)
	}
	files, length, offset := u16(end[10:]), int64(binary.LittleEndian.Uint32(end[12:])), int64(binary.LittleEndian.Uint32(end[16:]))
	switch {
	case files > maxFiles || length > maxDirectory:
		return 0, fault(TooLarge, "", "the bundle holds more than %d files or a directory of more than %d bytes", maxFiles, maxDirectory)
	case u16(end[4:]) != 0 || u16(end[6:]) != 0 || u16(end[8:]) != files || u16(end[20:]) != 0:
		return 0, fault(BadFormat, "", "the end of the bundle contradicts itself")
	case offset+length != size-endSize:
		return 0, fault(Stray, "", "the bundle holds bytes that nobody signed, before its first file or after its directory")
	}
	return offset, nil
}

// contiguous checks that the files fill everything before the directory and that both places say the same of each.
func contiguous(r io.ReaderAt, z *zip.Reader, directory, size int64) error {
	var at, listed int64
	for _, f := range z.File {
		end, err := filled(r, f, at)
		if err != nil {
			return err
		}
		at = end
		listed += centralSize + int64(len(f.Name)+len(f.Extra))
	}
	if at != directory || listed != size-endSize-directory {
		return fault(Stray, "", "the bundle holds bytes between its files and its directory that belong to no file")
	}
	return nil
}

// filled checks one file where it stands and says where the next one must begin.
func filled(r io.ReaderAt, f *zip.File, at int64) (int64, error) {
	head := make([]byte, localSize+len(f.Name)+len(f.Extra))
	if _, err := r.ReadAt(head, at); err != nil || string(head[:4]) != "PK\x03\x04" {
		return 0, fault(Stray, f.Name, "bytes that belong to no file stand where %q should begin", f.Name)
	}
	u16 := binary.LittleEndian.Uint16
	names, extras := int(u16(head[26:])), int(u16(head[28:]))
	same := names == len(f.Name) && extras == len(f.Extra) && string(head[localSize:]) == f.Name+string(f.Extra) &&
		u16(head[6:]) == f.Flags && u16(head[8:]) == f.Method
	if !same || f.Comment != "" || !onlyTime(f.Extra) {
		return 0, fault(Stray, f.Name, "%q has two descriptions that differ, or says more than a name and a time", f.Name)
	}
	if f.Flags&^flagsKnown != 0 || f.Method != zip.Store && f.Method != zip.Deflate {
		return 0, fault(BadFormat, f.Name, "%q is encrypted or packed in a way that bundles are not", f.Name)
	}
	sums := head[14:26]
	end := at + int64(len(head)) + int64(f.CompressedSize64) //nolint:gosec // at most 32 bits: what needs more has an extra field
	if f.Flags&flagFollows != 0 {
		follow := make([]byte, followSize)
		if _, err := r.ReadAt(follow, end); err != nil || string(follow[:4]) != "PK\x07\x08" {
			return 0, fault(Stray, f.Name, "bytes that belong to no file stand where %q should end", f.Name)
		}
		sums, end = follow[4:], end+followSize
	}
	if want := described(f); !bytes.Equal(sums, want) {
		return 0, fault(Stray, f.Name, "%q has two descriptions that differ", f.Name)
	}
	return end, nil
}

func described(f *zip.File) []byte {
	b := binary.LittleEndian.AppendUint32(nil, f.CRC32)
	b = binary.LittleEndian.AppendUint32(b, uint32(f.CompressedSize64))      //nolint:gosec // see filled
	return binary.LittleEndian.AppendUint32(b, uint32(f.UncompressedSize64)) //nolint:gosec // see filled
}

func onlyTime(extra []byte) bool {
	return len(extra) == 0 || len(extra) == 9 && binary.LittleEndian.Uint16(extra) == extraTime && binary.LittleEndian.Uint16(extra[2:]) == 5
}

// unpacked reads a file of the bundle and knows afterwards whether all of its bytes were used.
type unpacked struct {
	io.Reader
	raw *bufio.Reader
	f   *zip.File
}

func unpack(f *zip.File) (*unpacked, error) {
	raw, err := f.OpenRaw()
	if err != nil {
		return nil, fault(Changed, f.Name, "%q cannot be unpacked: %v", f.Name, err)
	}
	u := &unpacked{raw: bufio.NewReader(raw), f: f}
	u.Reader = u.raw
	if f.Method == zip.Deflate {
		u.Reader = flate.NewReader(u.raw)
	}
	return u, nil
}

// whole is asked at the end: did the directory tell the truth, and was nothing hidden behind the packed bytes?
func (u *unpacked) whole(crc uint32, size int64) error {
	if crc != u.f.CRC32 || uint64(size) != u.f.UncompressedSize64 { //nolint:gosec // a size is not negative
		return fault(Changed, u.f.Name, "%q is not as large, or not the bytes, that the directory of the bundle says", u.f.Name)
	}
	if _, err := u.raw.ReadByte(); err != io.EOF {
		return fault(Stray, u.f.Name, "bytes that nobody signed are hidden behind the packed bytes of %q", u.f.Name)
	}
	return nil
}

// sums counts what is read: bytes and CRC-32.
type sums struct {
	crc uint32
	n   int64
}

func (s *sums) Write(p []byte) (int, error) {
	s.crc, s.n = crc32.Update(s.crc, crc32.IEEETable, p), s.n+int64(len(p))
	return len(p), nil
}
