// The Ed25519 profile for Node: points are checked here, with BigInt, and the equation by WebCrypto,
// whose verdict on odd keys and signatures is otherwise another one.
import { webcrypto } from 'node:crypto';
import { readFileSync } from 'node:fs';

const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const mod = (n) => ((n % P) + P) % P;

function power(base, exponent) {
  let result = 1n;
  for (; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = mod(result * base);
    base = mod(base * base);
  }
  return result;
}

const D = mod(-121665n * power(121666n, P - 2n));
const ROOT_OF_MINUS_ONE = power(2n, (P - 1n) / 4n);
const little = (bytes) => bytes.reduceRight((number, byte) => (number << 8n) | BigInt(byte), 0n);

// A point in extended coordinates, or nothing when the 32 bytes are not its one encoding.
function decode(bytes) {
  const all = little(bytes);
  const [sign, y] = [all >> 255n, all & (2n ** 255n - 1n)];
  if (y >= P) return undefined;
  const square = mod((y * y - 1n) * power(mod(D * y * y + 1n), P - 2n));
  let x = power(square, (P + 3n) / 8n);
  if (mod(x * x) !== square) x = mod(x * ROOT_OF_MINUS_ONE);
  if (mod(x * x) !== square || (x === 0n && sign === 1n)) return undefined;
  if ((x & 1n) !== sign) x = P - x;
  return [x, y, 1n, mod(x * y)];
}

function add([x1, y1, z1, t1], [x2, y2, z2, t2]) {
  const [a, b] = [mod((y1 - x1) * (y2 - x2)), mod((y1 + x1) * (y2 + x2))];
  const [c, d] = [mod(2n * t1 * t2 * D), mod(2n * z1 * z2)];
  const [e, f, g, h] = [b - a, d - c, d + c, b + a];
  return [mod(e * f), mod(g * h), mod(f * g), mod(e * h)];
}

function times(point, factor) {
  let result = [0n, 1n, 1n, 0n];
  for (; factor > 0n; factor >>= 1n) {
    if (factor & 1n) result = add(result, point);
    point = add(point, point);
  }
  return result;
}

const isNeutral = ([x, y, z]) => x === 0n && y === z;
const isSmallOrder = (point) => isNeutral(times(point, 8n));

const keys = new Map();
function keyIsSound(key) {
  const name = Buffer.from(key).toString('hex');
  if (!keys.has(name)) {
    const point = key.length === 32 ? decode(key) : undefined;
    keys.set(name, point !== undefined && !isSmallOrder(point) && isNeutral(times(point, L)));
  }
  return keys.get(name);
}

async function accepts(key, message, signature) {
  if (signature.length !== 64 || !keyIsSound(key)) return false;
  const r = decode(signature.subarray(0, 32));
  if (r === undefined || isSmallOrder(r) || little(signature.subarray(32)) >= L) return false;
  const imported = await webcrypto.subtle.importKey('raw', key, { name: 'Ed25519' }, false, ['verify']);
  return webcrypto.subtle.verify({ name: 'Ed25519' }, imported, signature, message);
}

const verdicts = [];
for (const line of readFileSync(0, 'latin1').split('\n').filter((line) => line !== '')) {
  const parts = line.split(':').map((part) => Uint8Array.from(Buffer.from(part, 'hex')));
  verdicts.push((await accepts(...parts)) ? '1\n' : '0\n');
}
process.stdout.write(verdicts.join(''));
