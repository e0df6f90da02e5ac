import { createPrivateKey, X509Certificate } from "node:crypto";
import { readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import tls, { rootCertificates, type SecureContextOptions } from "node:tls";
import { readConfigurationFile } from "../../blobs/regular-file.ts";
import { hasCode, LambdaPackError, messageOf } from "../../errors.ts";
import type { Environment } from "./proxy.ts";

/** The certificate authorities that a client trusts, and the client certificates it presents. */
export type Certificates = ReturnType<typeof certificatesOf>;

/** The contents of a certs.d directory for one host, in PEM format. */
interface HostFiles {
  readonly directory: string | undefined;
  readonly authorities: readonly string[];
  readonly pairs: readonly { readonly cert: string; readonly key: string }[];
}

/**
 * Returns the certificates of one client. `more`: PEM certificates of authorities that the caller
 * trusts. `bundles`: where operating systems keep theirs.
 */
export function certificatesOf(
  environment: Environment,
  more: readonly string[] = [],
  bundles: readonly string[] = BUNDLES,
) {
  const hosts = new Map<string, HostFiles>();
  const filesOf = (url: URL): HostFiles => {
    const known = hosts.get(url.host) ?? readHostFiles(url, environment);
    hosts.set(url.host, known);
    return known;
  };
  let named: readonly string[] | undefined;
  let system: readonly string[] = [];
  return {
    /**
     * Returns the TLS options for connections to `url`; undefined if Node's defaults are enough.
     * They include the authorities, but not the client certificate, for `from`, the registry that
     * named `url`.
     * @throws USAGE for a file that a variable names, CREDENTIALS_INVALID for a file in a certs.d
     * directory.
     */
    optionsFor(url: URL, from?: URL): SecureContextOptions | undefined {
      named ??= [...more, ...namedAuthorities(environment)];
      const { authorities, pairs } = filesOf(url);
      const ca = [...named, ...authorities, ...(from ? filesOf(from).authorities : []), ...system];
      if (ca.length === 0 && pairs.length === 0) return undefined;
      return {
        ...(ca.length > 0 && { ca: [...new Set([...defaultAuthorities(environment), ...ca])] }),
        ...(pairs.length > 0 && { cert: pairs.map(({ cert }) => cert), key: pairs.map(({ key }) => key) }),
      };
    },
    /** Returns the certs.d directory for the host of `url`, if there is one. */
    directoryOf: (url: URL) => filesOf(url).directory,
    get trustsSystem(): boolean {
      return system.length > 0;
    },
    /** Trusts the operating system's authorities from now on. Returns false if it has none. */
    trustSystem(): boolean {
      if (system.length === 0) system = systemAuthorities(environment, bundles);
      return system.length > 0;
    },
  };
}

/** In bytes; the bundle of an operating system has 250 kB. */
const PEM_LIMIT = 8 * 1024 * 1024;

/**
 * Reads the files that variables name. Node itself reads NODE_EXTRA_CA_CERTS when it starts, so it
 * is read here only where the caller passes another environment.
 */
function namedAuthorities(environment: Environment): readonly string[] {
  const isNodes = environment["NODE_EXTRA_CA_CERTS"] === process.env["NODE_EXTRA_CA_CERTS"];
  const names = ["SSL_CERT_FILE", ...(isNodes ? [] : ["NODE_EXTRA_CA_CERTS"])];
  return names.flatMap((name) => {
    const path = environment[name];
    return path ? [readAuthorities(name, path)] : [];
  });
}

/** Reads a PEM file. @throws USAGE, which names the file and `name`, the variable or setting. */
export function readAuthorities(name: string, path: string): string {
  const hint = `set ${name} to a file with certificates in PEM format`;
  const text = readConfigurationFile(path, { maxBytes: PEM_LIMIT, code: "USAGE", hint })?.toString("latin1");
  if (text?.includes("-----BEGIN ")) return text;
  const what = text === undefined ? "is not there" : "holds no certificate";
  throw new LambdaPackError("USAGE", `the file of ${name} ${what}: ${path}`, { hint });
}

/** Returns Node's authorities and NODE_EXTRA_CA_CERTS, because the option `ca` replaces both. */
function defaultAuthorities(environment: Environment): readonly string[] {
  const extra = environment["NODE_EXTRA_CA_CERTS"];
  const given = authoritiesOfNode("default");
  return given ?? [...rootCertificates, ...(extra ? [readAuthorities("NODE_EXTRA_CA_CERTS", extra)] : [])];
}

/** Returns undefined before Node 22.15 and 23.10, which added `tls.getCACertificates`. */
function authoritiesOfNode(type: "default" | "system"): readonly string[] | undefined {
  const get: unknown = Reflect.get(tls, "getCACertificates");
  const list: unknown = typeof get === "function" ? Reflect.apply(get, tls, [type]) : undefined;
  return Array.isArray(list) ? list.filter((pem) => typeof pem === "string") : undefined;
}

/** Debian and Alpine, Fedora and Amazon Linux, openSUSE, macOS (Go's crypto/x509 root_linux.go). */
const BUNDLES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

/**
 * Returns the operating system's authorities. An older Node cannot list them; for it a bundle is
 * read, but only if NODE_USE_SYSTEM_CA, the variable of newer versions, is 1.
 */
function systemAuthorities(environment: Environment, bundles: readonly string[]): readonly string[] {
  const given = authoritiesOfNode("system");
  if (given || environment["NODE_USE_SYSTEM_CA"] !== "1") return given ?? [];
  for (const path of bundles) {
    const bundle = readConfigurationFile(path, { maxBytes: PEM_LIMIT, code: "USAGE" });
    if (bundle) return [bundle.toString("latin1")];
  }
  return [];
}

/**
 * Returns the certs.d directories of podman and docker, the user's own first. The first one with a
 * directory for the host is used (containers-certs.d(5)).
 */
function certificateDirectories(environment: Environment): readonly string[] {
  const { XDG_CONFIG_HOME, DOCKER_CONFIG } = environment;
  const home = environment["HOME"] || homedir();
  const config = XDG_CONFIG_HOME || join(home, ".config");
  return [
    join(config, "containers", "certs.d"),
    join(config, "docker", "certs.d"),
    join(DOCKER_CONFIG || join(home, ".docker"), "certs.d"),
    "/etc/containers/certs.d",
    "/etc/docker/certs.d",
  ];
}

function readHostFiles(url: URL, environment: Environment): HostFiles {
  const names = url.port === "" && url.protocol === "https:" ? [url.host, `${url.host}:443`] : [url.host];
  for (const place of certificateDirectories(environment)) {
    for (const name of names) {
      const directory = join(place, name);
      const files = filesIn(directory);
      if (files) return readFiles(directory, files);
    }
  }
  return { directory: undefined, authorities: [], pairs: [] };
}

/** Lists a directory; undefined if it does not exist or this user may not read it. */
function filesIn(directory: string): readonly string[] | undefined {
  try {
    return readdirSync(directory).sort();
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR", "EACCES", "EPERM")) return undefined;
    throw error;
  }
}

/** `*.crt` are authorities, `NAME.cert` and `NAME.key` a client certificate and its key. */
function readFiles(directory: string, files: readonly string[]): HostFiles {
  const read = (file: string) => readHostFile(join(directory, file));
  const names = new Set(files.flatMap((file) => /^(.+)\.(?:cert|key)$/.exec(file)?.[1] ?? []));
  for (const name of names) {
    if (!files.includes(`${name}.key`)) throw alone(directory, `${name}.cert`, `${name}.key`);
    if (!files.includes(`${name}.cert`)) throw alone(directory, `${name}.key`, `${name}.cert`);
  }
  return {
    directory,
    authorities: files.filter((file) => file.endsWith(".crt")).map(read),
    pairs: [...names].map((name) => checkedPair(directory, name, read)),
  };
}

/**
 * @throws CREDENTIALS_INVALID for a key that has a password or belongs to another certificate:
 * OpenSSL would ignore it silently.
 */
function checkedPair(directory: string, name: string, read: (file: string) => string) {
  const [cert, key] = [read(`${name}.cert`), read(`${name}.key`)];
  let problem: string;
  try {
    if (new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) return { cert, key };
    problem = "the key is that of another certificate";
  } catch (error) {
    problem = messageOf(error);
  }
  throw invalid(
    `${join(directory, name)}.cert and .key cannot be used: ${problem}`,
    "write both again in PEM format, the key without a password",
  );
}

function alone(directory: string, file: string, missing: string): LambdaPackError {
  return invalid(
    `${join(directory, file)} has no ${missing} beside it`,
    "a client certificate needs NAME.cert and NAME.key; the certificate of an authority is named NAME.crt",
  );
}

function readHostFile(path: string): string {
  const hint = `make it readable to this user: chmod, or a copy in ~/.docker/certs.d, which comes before /etc`;
  const bytes = readConfigurationFile(path, { maxBytes: PEM_LIMIT, code: "CREDENTIALS_INVALID", hint });
  if (bytes?.includes("-----BEGIN ")) return bytes.toString("latin1");
  throw invalid(
    `${path} holds nothing in PEM format`,
    "write it again in PEM format, which begins with -----BEGIN",
  );
}

function invalid(message: string, hint: string): LambdaPackError {
  return new LambdaPackError("CREDENTIALS_INVALID", message, { hint });
}
