import { LambdaPackError } from "../errors.ts";
import type { Collection, SourceFile } from "../layer/collect.ts";
import { installedIn } from "../layer/packages.ts";

export interface SecretFinding {
  readonly path: string;
  /** `a private key`. */
  readonly what: string;
}

interface Kind {
  readonly what: string;
  /** Of the file's name, without directories. */
  readonly name: RegExp;
  /** Whether its text is one. Absent: the name is enough. */
  readonly text?: (text: string) => boolean;
}

/** As AWS makes them (IAM, "Unique identifiers"): of a user, or of a role for a while. */
const ACCESS_KEY_ID = /(?<![A-Za-z0-9])A(?:KIA|SIA)[A-Z0-9]{16}(?![A-Za-z0-9])/g;
const SECRET_ACCESS_KEY =
  /(?<![A-Za-z0-9/+])(?=[a-z0-9/+]*[A-Z])(?=[A-Z0-9/+]*[a-z])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])/g;

/** Code and documentation that name the fields, or show AWS's own example keys, have no keys. */
function hasAwsKeys(text: string): boolean {
  const isReal = (key: string) => !/EXAMPLE/i.test(key) && new Set(key).size > 6;
  return [ACCESS_KEY_ID, SECRET_ACCESS_KEY].every((pattern) => text.match(pattern)?.some(isReal) === true);
}

const PRIVATE_KEY = /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|^PuTTY-User-Key-File-/;

/**
 * A file is read only where its name calls for it: 20,000 names cost milliseconds. Key stores (.p12, .jks) are no findings: most of those in apps
 * hold certificates to trust.
 */
const KINDS: readonly Kind[] = [
  {
    what: "environment variables",
    name: /^\.env(?:$|rc$|[._-](?!(?:[\w.-]*[._-])?(?:example|sample|template|dist|defaults|schema)$))/i,
  },
  { what: "an SSH key", name: /^id_(?:rsa|dsa|ecdsa|ed25519|ecdsa_sk|ed25519_sk)$/ },
  {
    what: "a private key",
    name: /\.(?:pem|key|p8|ppk|crt|cer|cert|asc)$|^id_[\w-]+$/i,
    text: (text) => PRIVATE_KEY.test(text),
  },
  {
    what: "AWS keys",
    name: /^(?:\.?(?:aws[-_.]?)?credentials(?:\.\w+)?|\w*accessKeys\.csv|\.s3cfg|\.boto)$/i,
    text: hasAwsKeys,
  },
  {
    // A downloaded key is called <project>-<12 hex digits>.json.
    what: "a service account's key",
    name: /(?:credential|secret|service[-_]?account|firebase|gcp|google|key|-[0-9a-f]{12}).*\.json$|-[0-9a-f]{12}\.json$/i,
    text: (text) => /"private_key"\s*:\s*"-----BEGIN/.test(text),
  },
];

/** How the names of all kinds begin or end: most names do neither, which takes less time to tell than that they are of no kind. */
const BEGINS = /^(?:\.|id_|aws|credentials)/i;
const ENDS = /\.(?:pem|key|p8|ppk|crt|cer|cert|asc|json|csv)$/i;

/** Larger files are no key files. */
const MAX_BYTES = 1024 * 1024;

/**
 * The files that should not be in an image, in the order of the collection: private keys, `.env`, credentials. Those in `allowed` (paths in the
 * source directory) are left out. Installed packages are not looked into: the keys that some ship are for their own tests, and known to all.
 * `read` gives the text of a file of the source directory.
 */
export async function findSecrets(
  collection: Collection,
  read: (path: string) => Promise<string | undefined>,
  allowed: readonly string[] = [],
): Promise<readonly SecretFinding[]> {
  const isInstalled = installedIn(collection.distributions);
  const found: SecretFinding[] = [];
  for (const file of collection.files) {
    const kinds = kindsOf(file);
    if (kinds.length === 0 || allowed.includes(file.path) || isInstalled(file.path)) continue;
    const kind = await kindFound(kinds, () => read(file.path));
    if (kind) found.push({ path: file.path, what: kind.what });
  }
  return found;
}

async function kindFound(
  kinds: readonly Kind[],
  read: () => Promise<string | undefined>,
): Promise<Kind | undefined> {
  const byName = kinds.find(({ text }) => text === undefined);
  if (byName) return byName;
  const text = (await read()) ?? "";
  return kinds.find((kind) => kind.text?.(text));
}

const NONE: readonly Kind[] = [];

function kindsOf({ path, entry }: SourceFile): readonly Kind[] {
  return entry.kind === "file" ? kindsOfName(path, entry.size) : [];
}

function kindsOfName(path: string, size: number): readonly Kind[] {
  if (size > MAX_BYTES) return [];
  const name = path.slice(path.lastIndexOf("/") + 1);
  return BEGINS.test(name) || ENDS.test(name) ? KINDS.filter((kind) => kind.name.test(name)) : NONE;
}

/** Whether the text of a file of this name and size (bytes) tells if it is a secret. */
export function mayBeSecret(path: string, size: number): boolean {
  return kindsOfName(path, size).length > 0;
}

/** What the file of an image is, where it should not be in one. `text`: as far as it is at hand. */
export function secretIn(path: string, size: number, text: string | undefined): string | undefined {
  return kindsOfName(path, size).find((kind) => kind.text?.(text ?? "") ?? true)?.what;
}

const MAX_NAMED = 5;

/** For `findings`, of which there is at least one. Never shows what is in them. */
export function secretError(findings: readonly SecretFinding[]): LambdaPackError {
  const named = findings.slice(0, MAX_NAMED).map(({ path, what }) => `${JSON.stringify(path)} (${what})`);
  const more = findings.length > MAX_NAMED ? ` and ${findings.length - MAX_NAMED} more` : "";
  const [first] = findings;
  return new LambdaPackError("SECRET_FOUND", `secrets would be in the image: ${named.join(", ")}${more}`, {
    hint: `leave them out in .lambdaignore, or say --allow-secret ${first?.path ?? "FILE"} where that is meant`,
  });
}
