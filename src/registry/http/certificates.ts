import { createPrivateKey, X509Certificate } from "node:crypto";
import { readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import tls, { rootCertificates, type SecureContextOptions } from "node:tls";
import { readConfigurationFile } from "../../blobs/regular-file.ts";
import { hasCode, LambdaPackError } from "../../errors.ts";
import type { Environment } from "./proxy.ts";

/** Which authorities one client trusts, and which certificate it shows to which host. */
export interface Certificates {
  /**
   * Returns the options of TLS connections to `url`; undefined where Node's own will do.
   * Authorities that the user trusts for `from`, the registry that led there, hold as well; its
   * client certificate stays at its host.
   * @throws USAGE for a file that a variable names, CREDENTIALS_INVALID for one of a certs.d
   * directory.
   */
  optionsFor(url: URL, from?: URL): SecureContextOptions | undefined;
  /** The directory with files for the host of `url`; undefined: there is none. */
  directoryOf(url: URL): string | undefined;
  /**
   * Trusts the authorities of the operating system from now on. Returns false where it has none.
   */
  trustSystem(): boolean;
  readonly trustsSystem: boolean;
}

/** What a certs.d directory has for one host, PEM. */
interface HostFiles {
  readonly directory: string | undefined;
  readonly authorities: readonly string[];
  readonly certificates: readonly string[];
  readonly keys: readonly string[];
}

const NO_FILES: HostFiles = { directory: undefined, authorities: [], certificates: [], keys: [] };

/**
 * `more`: PEM certificates of authorities that the caller trusts. `bundles`: where a system keeps
 * its own.
 */
export function certificatesOf(
  environment: Environment,
  more: readonly string[] = [],
  bundles: readonly string[] = BUNDLES,
): Certificates {
  const hosts = new Map<string, HostFiles>();
  const filesOf = (url: URL): HostFiles => {
    const known = hosts.get(url.host) ?? readHostFiles(url, environment);
    hosts.set(url.host, known);
    return known;
  };
  let named: readonly string[] | undefined;
  let system: readonly string[] = [];
  return {
    optionsFor(url, from) {
      named ??= [...more, ...namedAuthorities(environment)];
      const { authorities, certificates, keys } = filesOf(url);
      const ca = [...named, ...authorities, ...(from ? filesOf(from).authorities : []), ...system];
      if (ca.length === 0 && certificates.length === 0) return undefined;
      return {
        ...(ca.length > 0 && { ca: [...new Set([...defaultAuthorities(environment), ...ca])] }),
        ...(certificates.length > 0 && { cert: [...certificates], key: [...keys] }),
      };
    },
    directoryOf: (url) => filesOf(url).directory,
    get trustsSystem() {
      return system.length > 0;
    },
    trustSystem() {
      if (system.length === 0) system = systemAuthorities(environment, bundles);
      return system.length > 0;
    },
  };
}

/** Bytes; a system's whole bundle has 250 kB. */
const PEM_LIMIT = 8 * 1024 * 1024;

/**
 * Node reads NODE_EXTRA_CA_CERTS when it starts: it is read here only where a caller gives another
 * environment.
 */
function namedAuthorities(environment: Environment): readonly string[] {
  const isNodes = environment["NODE_EXTRA_CA_CERTS"] === process.env["NODE_EXTRA_CA_CERTS"];
  const names = ["SSL_CERT_FILE", ...(isNodes ? [] : ["NODE_EXTRA_CA_CERTS"])];
  return names.flatMap((name) => {
    const path = environment[name];
    return path ? [readAuthorities(name, path)] : [];
  });
}

/** @throws USAGE naming the variable or setting `name`, and the file. */
export function readAuthorities(name: string, path: string): string {
  const hint = `set ${name} to a file with certificates in PEM format`;
  const text = readConfigurationFile(path, { maxBytes: PEM_LIMIT, code: "USAGE", hint })?.toString("latin1");
  if (text?.includes("-----BEGIN ")) return text;
  const what = text === undefined ? "is not there" : "holds no certificate";
  throw new LambdaPackError("USAGE", `the file of ${name} ${what}: ${path}`, { hint });
}

/** A list of authorities takes the place of Node's own, and of NODE_EXTRA_CA_CERTS with them. */
function defaultAuthorities(environment: Environment): readonly string[] {
  const extra = environment["NODE_EXTRA_CA_CERTS"];
  const given = authoritiesOfNode("default");
  return given ?? [...rootCertificates, ...(extra ? [readAuthorities("NODE_EXTRA_CA_CERTS", extra)] : [])];
}

/** Node 22.15 and 23.10 brought `tls.getCACertificates`; undefined in an older one. */
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
 * A Node that cannot tell them reads a bundle only where NODE_USE_SYSTEM_CA, newer Nodes' own
 * variable, says so.
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
 * Podman's and docker's places, the user's own first; the first directory with the host counts
 * (containers-certs.d(5)).
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
  return NO_FILES;
}

/** undefined where there is no directory, or one that another user keeps to itself. */
function filesIn(directory: string): readonly string[] | undefined {
  try {
    return readdirSync(directory).sort();
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR", "EACCES", "EPERM")) return undefined;
    throw error;
  }
}

/** `*.crt` are authorities, `NAME.cert` and `NAME.key` a client's certificate and its key. */
function readFiles(directory: string, files: readonly string[]): HostFiles {
  const ending = (end: string) => files.filter((file) => file.endsWith(end));
  const names = ending(".cert").map((file) => file.slice(0, -".cert".length));
  for (const name of names)
    if (!files.includes(`${name}.key`)) throw alone(directory, `${name}.cert`, ".key");
  for (const file of ending(".key")) {
    if (!names.includes(file.slice(0, -".key".length))) throw alone(directory, file, ".cert");
  }
  const read = (file: string) => readHostFile(join(directory, file));
  const pairs = names.map((name) => checkedPair(directory, name, read));
  return {
    directory,
    authorities: ending(".crt").map(read),
    certificates: pairs.map(({ certificate }) => certificate),
    keys: pairs.map(({ key }) => key),
  };
}

/**
 * @throws CREDENTIALS_INVALID for a key that has a password or belongs to another certificate:
 * OpenSSL would drop it without a word.
 */
function checkedPair(directory: string, name: string, read: (file: string) => string) {
  const [certificate, key] = [read(`${name}.cert`), read(`${name}.key`)];
  const refuse = (why: string, cause?: unknown) =>
    new LambdaPackError(
      "CREDENTIALS_INVALID",
      `${join(directory, name)}.cert and .key cannot be used: ${why}`,
      {
        hint: "write both again in PEM format, the key without a password",
        cause,
      },
    );
  let fits: boolean;
  try {
    fits = new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
  } catch (cause) {
    throw refuse(cause instanceof Error ? cause.message : String(cause), cause);
  }
  if (!fits) throw refuse("the key is that of another certificate");
  return { certificate, key };
}

function alone(directory: string, file: string, wanted: ".key" | ".cert"): LambdaPackError {
  const other = file.replace(/\.(cert|key)$/, wanted);
  return new LambdaPackError("CREDENTIALS_INVALID", `${join(directory, file)} has no ${other} beside it`, {
    hint: "a client certificate needs NAME.cert and NAME.key; the certificate of an authority is named NAME.crt",
  });
}

function readHostFile(path: string): string {
  const hint = `make it readable to this user: chmod, or a copy in ~/.docker/certs.d, which comes before /etc`;
  const bytes = readConfigurationFile(path, { maxBytes: PEM_LIMIT, code: "CREDENTIALS_INVALID", hint });
  if (bytes?.includes("-----BEGIN ")) return bytes.toString("latin1");
  throw new LambdaPackError("CREDENTIALS_INVALID", `${path} holds nothing in PEM format`, {
    hint: "write it again in PEM format, which begins with -----BEGIN",
  });
}
