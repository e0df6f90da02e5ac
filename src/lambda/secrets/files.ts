import { hasAwsKeys } from "./tokens.ts";

/** A kind of file that may hold credentials; without a test of its text, the path is enough. */
type FileKind = readonly [what: string, path: RegExp, hasSecret?: (text: string) => boolean];

const PRIVATE_KEY = /-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----|^PuTTY-User-Key-File-/;

/** Returns a test for `key: value` with a value that is neither empty nor a variable. */
function sets(keys: string): (text: string) => boolean {
  const pattern = new RegExp(
    `(?:^|[\\s"'<{,])(?:${keys})["']?[ \\t]*[:=>][ \\t]*["']?(?![\\s"'$<{*]|\\$\\{|null)[^\\s"']{3}`,
    "im",
  );
  return (text) => pattern.test(text);
}

/** Paths begin with a slash. No key stores (.p12, .jks): most in apps hold trusted certificates. */
const KINDS: readonly FileKind[] = [
  [
    "environment variables",
    /\/\.env(?:$|rc$|~$|[._-](?!(?:[\w.-]*[._-])?(?:example|examples|sample|template|tmpl|tpl|dist|defaults?|schema|vault)$|(?:d\.)?[cm]?[jt]s$))[^/]*$/i,
  ],
  [
    "environment variables with secrets",
    /(?<!example|sample|template|test)\.env$|\/\.envs\//i,
    sets("[A-Z0-9_]{0,60}(?:PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|ACCESS_KEY|PRIVATE_KEY)"),
  ],
  ["an SSH key", /\/id_(?:rsa|dsa|ecdsa|ed25519|ecdsa_sk|ed25519_sk)$/],
  ["a private key", /\.(?:pem|key|p8|ppk|crt|cer|cert|asc)$|\/id_[\w-]+$/i, (text) => PRIVATE_KEY.test(text)],
  [
    "AWS keys",
    /\/(?:\.?(?:aws[-_.]?)?credentials(?:\.\w+)?|\w*accessKeys\.csv|rootkey\.csv|\.s3cfg|\.boto)$/i,
    hasAwsKeys,
  ],
  [
    // A downloaded key is called <project>-<12 hex digits>.json.
    "a service account's key",
    /(?:credential|secret|service[-_]?account|firebase|gcp|google|key|-[0-9a-f]{12})[^/]*\.json$/i,
    (text) => /"private_key"\s*:\s*"-----BEGIN/.test(text),
  ],
  [
    "Google credentials",
    /\/(?:application_default_credentials|client_secret[^/]*)\.json$/,
    sets("refresh_token|client_secret"),
  ],
  [
    "a key of Rails",
    /\/config\/(?:master\.key|credentials\/[^/]+\.key)$/,
    (text) => /^[0-9a-f]{32}\s*$/.test(text),
  ],
  [
    "credentials of Bundler",
    /\/\.bundle\/config$/,
    (text) =>
      /^BUNDLE_\w+__\w+:[ \t]*["']?[^\s"'#]+/m.test(
        text.replace(/^BUNDLE_(?:BUILD|LOCAL|MIRROR)__.*$/gm, ""),
      ),
  ],
  ["credentials of yarn", /\/\.yarnrc\.yml$/, sets("npmAuthToken|npmAuthIdent")],
  ["credentials of npm", /\/\.npmrc$/, sets("(?:[^\\s]{0,200}:)?_(?:authToken|auth|password)")],
  ["credentials of Cargo", /\/\.cargo\/credentials(?:\.toml)?$/, sets("token|secret-key")],
  [
    "credentials of Kubernetes",
    /\/(?:\.kube\/config|[^/]*kubeconfig[^/]*)$/i,
    sets("token|client-key-data|password"),
  ],
  ["credentials of Maven", /\/(?:\.m2\/)?settings(?:-security)?\.xml$/, sets("password|passphrase|master")],
  ["credentials of Gradle", /\/gradle\.properties$/, sets("[\\w.-]{0,60}(?:password|token|secret)")],
  [
    "credentials of Composer",
    /\/auth\.json$/,
    (text) =>
      /"(?:http-basic|github-oauth|gitlab-(?:token|oauth)|bearer|bitbucket-oauth)"\s*:\s*\{\s*"/.test(text),
  ],
  ["the state of Terraform", /\/[^/]*\.tfstate(?:\.backup)?$/],
  [
    "variables of Terraform",
    /\.tfvars(?:\.json)?$/,
    sets("[\\w-]{0,60}(?:password|token|secret|api_key|access_key)"),
  ],
  ["credentials of Terraform", /\/(?:credentials\.tfrc\.json|\.terraformrc)$/, sets("token")],
  ["passwords of PostgreSQL", /\/\.pgpass$/, (text) => /^[^#\n:]*(?::[^:\n]*){3}:[^:\n]+$/m.test(text)],
  ["passwords of MySQL", /\/\.(?:my|mylogin)\.cnf$/, sets("password")],
  [
    "credentials of Docker",
    /\/(?:\.docker\/config\.json|\.dockercfg|\.dockerconfigjson)$/,
    sets("auth|identitytoken|password"),
  ],
  ["credentials of git", /\/\.git-credentials$/, (text) => /:\/\/[^\s/:]+:[^\s/@]+@/.test(text)],
  ["passwords", /\/[._]netrc$/, (text) => /\bpassword\s+\S/.test(text)],
  [
    "a password in a package index's address",
    /^(?!.*\/node_modules\/).*\/(?:(?:requirements|constraints)[^/]*\.(?:txt|in)|pip\.(?:conf|ini)|uv\.(?:toml|lock)|py(?:project|lock[^/]*)\.toml|poetry\.(?:lock|toml)|Pipfile(?:\.lock)?|Gemfile(?:\.lock)?|package-lock\.json|npm-shrinkwrap\.json|pnpm-lock\.yaml|yarn\.lock|bun\.lock|bunfig\.toml)$/,
    (text) => /:\/\/[^\s/:@"'$]{1,200}:[^\s/:@"'$]{3,200}@/.test(text),
  ],
  ["credentials of Poetry", /\/poetry\.toml$/, sets("password|pypi-token[\\w.-]{0,60}")],
  ["credentials of Bun", /\/bunfig\.toml$/, sets("token|password")],
  ["credentials of twine", /\/\.pypirc$/, sets("password")],
  ["password hashes", /\/\.htpasswd$/, (text) => /^[^:\n]+:\S{8}/m.test(text)],
  ["credentials of GitHub's command line", /\/gh\/hosts\.yml$/, sets("oauth_token")],
  ["a token of Vault", /\/\.vault-token$/],
  ["credentials of Pulumi", /\/\.pulumi\/credentials\.json$/, sets("accessToken")],
  ["passwords of rclone", /\/rclone\.conf$/, sets("pass|secret_access_key|token")],
];

/** The beginnings and ends of all these names: a quick test that excludes most files. */
const BEGINS =
  /^(?:[._]|id_|aws|cred|auth|settings|config$|hosts|rclone|client_|root|gradle|kube|requirements|constraints|pip|uv\.|py(?:project|lock)|poetry\.|gemfile|package-lock|npm-shrinkwrap|pnpm-lock|yarn\.lock|bun)/i;
const ENDS =
  /(?:env|pem|key|p8|ppk|crt|cer|cert|asc|json|csv|tfstate|backup|tfvars|kubeconfig|credentials)[^/]*$|kubeconfig/i;

/** In bytes. Larger files hold credentials only by accident. */
export const MAX_SECRET_BYTES = 1024 * 1024;

function kindsOf(path: string, size: number): readonly FileKind[] {
  if (size > MAX_SECRET_BYTES) return [];
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (!BEGINS.test(name) && !ENDS.test(name)) return [];
  const rooted = `/${path}`;
  return KINDS.filter(([, path]) => path.test(rooted));
}

/** Returns whether the name suggests that the file holds credentials. */
export function hasSecretName(path: string, size: number): boolean {
  return kindsOf(path, size).length > 0;
}

/** Returns the kind of credentials in the file, by its name and, where needed, its text. */
export function fileSecret(path: string, size: number, text: string | undefined): string | undefined {
  return kindsOf(path, size).find(([, , hasSecret]) => hasSecret?.(text ?? "") ?? true)?.[0];
}
