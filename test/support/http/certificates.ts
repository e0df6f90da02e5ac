import {
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSecureContext, type SecureContext } from "node:tls";

/** What a TLS server shows. */
export interface LeafOptions {
  /** Not valid any more since yesterday. */
  readonly expired?: boolean;
  /** Made out to this name instead of the one that was asked for. */
  readonly name?: string;
}

/**
 * A certificate authority that lives as long as the test: it makes a leaf for whatever host is asked for.
 * Only node:crypto, no openssl: `npm test` needs Node and nothing else. P-256, SHA-256 (RFC 5280, RFC 5480).
 */
export class CertificateAuthority {
  /** The authority's own certificate, PEM. */
  readonly pem: string;
  /** `pem` as a file, for NODE_EXTRA_CA_CERTS. */
  readonly file: string;
  readonly #directory: string | undefined;
  readonly #key: KeyObject;
  /** Of its own, for OpenSSL looks authorities up by their names. */
  readonly #name: string;
  readonly #leafKeys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  readonly #contexts = new Map<string, SecureContext>();

  /** With `directory`: the authority kept there by {@link keep}; the caller owns the directory. Otherwise a new one. */
  constructor(directory?: string) {
    if (directory !== undefined) {
      const { pem, key, name } = keptAuthority(directory);
      this.pem = pem;
      this.#key = key;
      this.#name = name;
      this.file = join(directory, "ca.pem");
      return;
    }
    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    this.#key = privateKey;
    this.#name = `lambda-pack test authority ${randomBytes(4).toString("hex")}`;
    const issuer = { name: this.#name, key: privateKey };
    this.pem = certificate(this.#name, publicKey, issuer, authorityExtensions(publicKey), {});
    this.#directory = mkdtempSync(join(tmpdir(), "lambda-pack-ca-"));
    this.file = join(this.#directory, "ca.pem");
    writeFileSync(this.file, this.pem);
  }

  /** Leaves the authority, private key included, beside {@link file}: a child process can be the same authority. Returns the directory. */
  keep(): string {
    const directory = join(this.file, "..");
    writeFileSync(join(directory, "ca.key"), this.#key.export({ type: "pkcs8", format: "pem" }), {
      mode: 0o600,
    });
    return directory;
  }

  /** Key and certificate for one host name or IP address, PEM. */
  leaf(host: string, options: LeafOptions = {}): { readonly key: string; readonly cert: string } {
    const { publicKey, privateKey } = this.#leafKeys;
    const subject = options.name ?? host;
    const issuer = { name: this.#name, key: this.#key };
    const cert = certificate(subject, publicKey, issuer, leafExtensions(subject), options);
    return { key: String(privateKey.export({ type: "pkcs8", format: "pem" })), cert };
  }

  /** For `SNICallback` and as the default: the same leaf every time. */
  context(host: string, options: LeafOptions = {}): SecureContext {
    const name = `${options.name ?? host} ${options.expired === true}`;
    const context = this.#contexts.get(name) ?? createSecureContext(this.leaf(host, options));
    this.#contexts.set(name, context);
    return context;
  }

  /** Removes the files of a new authority. */
  remove(): void {
    if (this.#directory !== undefined) rmSync(this.#directory, { recursive: true, force: true });
  }
}

interface Issuer {
  readonly name: string;
  readonly key: KeyObject;
}

function keptAuthority(directory: string): Issuer & { readonly pem: string } {
  const pem = readFileSync(join(directory, "ca.pem"), "utf8");
  const name = new X509Certificate(pem).subject.replace("CN=", "");
  return { pem, name, key: createPrivateKey(readFileSync(join(directory, "ca.key"))) };
}

// --- X.509 (RFC 5280 4.1) in DER (X.690): just what two kinds of certificate need ---

const SEQUENCE = 0x30;
const SET = 0x31;

function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag]), length(body.length), body]);
}

function length(size: number): Buffer {
  if (size < 0x80) return Buffer.from([size]);
  const bytes = size < 0x100 ? [size] : [size >> 8, size & 0xff];
  return Buffer.from([0x80 + bytes.length, ...bytes]);
}

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return der(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(value: number): number[] {
  const digits = [value & 0x7f];
  for (let left = value >> 7; left > 0; left >>= 7) digits.unshift((left & 0x7f) | 0x80);
  return digits;
}

function name(commonName: string): Buffer {
  const attribute = der(SEQUENCE, oid("2.5.4.3"), der(0x0c, Buffer.from(commonName.slice(0, 64))));
  return der(SEQUENCE, der(SET, attribute));
}

function time(at: number): Buffer {
  // UTCTime: the only form that RFC 5280 4.1.2.5 allows before 2050.
  const digits = new Date(at)
    .toISOString()
    .slice(2)
    .replace(/[-:T]|\.\d+/g, "");
  return der(0x17, Buffer.from(digits));
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  const flag = critical ? [der(0x01, Buffer.from([0xff]))] : [];
  return der(SEQUENCE, oid(id), ...flag, der(0x04, value));
}

function authorityExtensions(publicKey: KeyObject): readonly Buffer[] {
  const keyId = createHash("sha1").update(spki(publicKey)).digest();
  return [
    extension("2.5.29.19", true, der(SEQUENCE, der(0x01, Buffer.from([0xff])))),
    // keyCertSign and cRLSign: bits 5 and 6.
    extension("2.5.29.15", true, der(0x03, Buffer.from([0x01, 0x06]))),
    extension("2.5.29.14", false, der(0x04, keyId)),
  ];
}

function leafExtensions(host: string): readonly Buffer[] {
  return [
    // For servers and for clients.
    extension("2.5.29.37", false, der(SEQUENCE, oid("1.3.6.1.5.5.7.3.1"), oid("1.3.6.1.5.5.7.3.2"))),
    extension("2.5.29.17", false, der(SEQUENCE, alternativeName(host))),
  ];
}

function alternativeName(host: string): Buffer {
  if (isIP(host) === 0) return der(0x82, Buffer.from(host));
  if (isIP(host) === 4) return der(0x87, Buffer.from(host.split(".").map(Number)));
  throw new Error(`no certificate for ${host}: tests use IPv4 and names`);
}

function spki(publicKey: KeyObject): Buffer {
  return publicKey.export({ type: "spki", format: "der" });
}

function certificate(
  subject: string,
  publicKey: KeyObject,
  issuer: Issuer,
  extensions: readonly Buffer[],
  { expired = false }: LeafOptions,
): string {
  const day = 24 * 3600 * 1000;
  const ecdsaWithSha256 = der(SEQUENCE, oid("1.2.840.10045.4.3.2"));
  const toBeSigned = der(
    SEQUENCE,
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ecdsaWithSha256,
    name(issuer.name),
    der(SEQUENCE, time(Date.now() - 30 * day), time(Date.now() + (expired ? -day : 30 * day))),
    name(subject),
    spki(publicKey),
    der(0xa3, der(SEQUENCE, ...extensions)),
  );
  const signature = sign("sha256", toBeSigned, issuer.key);
  const whole = der(SEQUENCE, toBeSigned, ecdsaWithSha256, der(0x03, Buffer.from([0]), signature));
  const lines = whole.toString("base64").match(/.{1,64}/g) ?? [];
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n");
}
