// A second verifier of evidence bundles, by docs/evidence.md; it reads them whole: node verify.mjs KEYS.json BUNDLE.zip…
import { createHash, createPublicKey, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { inflateRawSync } from 'node:zlib'
const need = (ok, what) => { if (!ok) throw new Error(what) }
const sha = (...parts) => parts.reduce((h, p) => h.update(p), createHash('sha256')).digest('hex')
const u64 = n => { const b = Buffer.alloc(8); b.writeBigUInt64BE(BigInt(n)); return b }
const field = v => Buffer.concat([u64(Buffer.byteLength(v)), Buffer.from(v)])
const jcs = v => v === null || typeof v !== 'object' ? JSON.stringify(v) : Array.isArray(v) ? `[${v.map(jcs)}]` : `{${Object.keys(v).sort().map(k => `${JSON.stringify(k)}:${jcs(v[k])}`)}}`
function unzip(z) { // files one after the other, their directory, the end, and not a byte more
  const end = z.length - 22, count = z.readUInt16LE(end + 10), start = z.readUInt32LE(end + 16), files = new Map(), seen = new Set()
  let at = 0, dir = start
  need(z.readUInt32LE(end) === 0x06054b50 && z.readUInt32LE(end + 4) === 0 && z.readUInt16LE(end + 20) === 0 && count <= 10000 && z.readUInt16LE(end + 8) === count && start + z.readUInt32LE(end + 12) === end, 'bytes before or after the files')
  for (let i = 0; i < count; i++) {
    const flags = z.readUInt16LE(dir + 8), method = z.readUInt16LE(dir + 10), size = z.readUInt32LE(dir + 24), n = z.readUInt16LE(dir + 28), extra = z.readUInt16LE(dir + 30)
    const data = at + 30 + n + extra, after = data + z.readUInt32LE(dir + 20), head = Buffer.from(z.subarray(at + 4, at + 30))
    if (flags & 8) need(z.readUInt32LE(after) === 0x08074b50 && z.copy(head, 10, after + 4, after + 16), 'the sizes do not follow the file')
    need(z.readUInt32LE(dir) === 0x02014b50 && z.readUInt32LE(at) === 0x04034b50 && head.equals(z.subarray(dir + 6, dir + 32)) && z.subarray(at + 30, data).equals(z.subarray(dir + 46, dir + 46 + n + extra)), 'bytes of no file, or two descriptions of one')
    need(!(flags & ~0x80e) && [0, 8].includes(method) && !z.readUInt16LE(dir + 32) && (!extra || extra === 9 && z.readUInt32LE(data - 9) === 0x55455), 'more than a name and a time')
    const name = z.toString('utf8', dir + 46, dir + 46 + n), folded = name.toLowerCase(), kind = z.readUInt32LE(dir + 38) >>> 28
    need(/^(?:[^\\:*?"<>|\p{C}\p{Z}]| )+$/u.test(name) && n <= 512 && !name.split('/').some(p => ['', '.', '..'].includes(p)) && [0, 8].includes(kind) && !seen.has(folded) && seen.add(folded), `${name}: not a plain file, or there twice`)
    files.set(name, { size, method, body: z.subarray(data, after) });
    [at, dir] = [after + (flags & 8 ? 16 : 0), dir + 46 + n + extra]
  }
  return need(at === start && dir === end, 'bytes between the files and their directory') ?? files
}
function take(files, name, limit) {
  const f = files.get(name)
  need(f && f.size <= limit && files.delete(name), `${name}: removed or too large`)
  const { buffer, engine } = f.method ? inflateRawSync(f.body, { maxOutputLength: f.size + 1, info: true }) : { buffer: f.body, engine: { bytesWritten: f.size } }
  return need(buffer.length === f.size && engine.bytesWritten === f.body.length, `${name}: another size, or bytes behind it`) ?? buffer
}
function chain(m, rows, head = { seq: 0, hash: '' }, gone = [], told = []) {
  for (const r of rows) {
    const [, second, rest = ''] = /^(.{19})(?:\.(\d+))?Z$/.exec(r.at), micros = BigInt(Date.parse(`${second}Z`)) * 1000n + BigInt(rest.padEnd(6, '0').slice(0, 6))
    const hash = sha(...['tourniquet/ledger/v1', r.run, r.prev].map(field), u64(r.seq), ...[r.id, r.kind, r.actor, r.step].map(field), u64(micros), field(r.commitment))
    need(r.run === m.run && r.seq === head.seq + 1 && r.prev === head.hash && r.hash === `sha256:${hash}`, `ledger entry ${head.seq + 1}: changed, missing or moved`)
    if (r.body === undefined && r.salt === undefined) gone.push(r.seq)
    else need(r.commitment === `sha256:${sha(field('tourniquet/ledger-body/v1'), field(Buffer.from(r.salt, 'base64')), jcs(r.body))}`, `ledger entry ${r.seq}: another body`)
    if (r.kind === 'ledger.erased') told.push(r.body?.erased_seq)
    head = r
  }
  need(head.seq === m.ledger.seq && head.hash === m.ledger.hash && (m.redacted || gone.every(s => told.includes(s))), 'ledger: cut off, or a body is gone')
}
function check(keys, files, ledger, body) {
  const raw = take(files, 'manifest.json', 4 << 20), sig = take(files, 'manifest.sig', 1024), m = JSON.parse(raw)
  need(m.format === 'tourniquet/bundle/v1' && Object.hasOwn(keys, m.key_id), 'unknown format or key')
  const key = createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(keys[m.key_id], 'base64').toString('base64url') } })
  need(verify(null, Buffer.concat([Buffer.from('tourniquet/bundle-manifest/v1\0'), raw]), key, Buffer.from(`${sig}`, 'base64')), 'the signature does not fit')
  for (const { name, withheld, sha256, size = 0 } of m.files) {
    if (withheld) need(m.redacted && name !== 'ledger.jsonl' && !files.has(name), `${name}: may not be withheld, or is there`)
    else need(sha(body = take(files, name, size)) === sha256 && body.length === size, `${name}: changed`)
    if (name === 'ledger.jsonl') ledger = `${body}`.split('\n').filter(Boolean)
  }
  need(ledger && files.size === 0, `added: ${[...files.keys()]}, or no ledger`)
  chain(m, ledger.map(line => JSON.parse(line)))
}
const [keys, ...bundles] = process.argv.slice(2)
for (const path of bundles) try { console.log(check(JSON.parse(readFileSync(keys)), unzip(readFileSync(path))) ?? 'good') }
catch (e) { process.exitCode = 1; console.log(`bad: ${e.message.split('\n')[0]}`) }
