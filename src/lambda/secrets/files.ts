import { hasAwsKeys } from "./tokens.ts";

/** A kind of file whose name suggests that it holds credentials. */
interface FileKind {
  readonly what: string;
  /** Matches the path, which begins with a slash. */
  readonly path: RegExp;
  /** Returns whether the text holds any. Absent: the name is enough. */
  readonly text?: (text: string) => boolean;
}

const PRIVATE_KEY = /-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----|^PuTTY-User-Key-File-/;

/** Returns a test for `key: value` with a value that is neither empty nor a variable. */
function sets(keys: string): (text: string) => boolean {
  const pattern = new RegExp(
    `(?:^|[\\s"'<{,])(?:${keys})["']?[ \\t]*[:=>][ \\t]*["']?(?![\\s"'$<{*]|\\$\\{|null)[^\\s"']{3}`,
    "im",
  );
  return (text) => pattern.test(text);
}

/** Key stores (.p12, .jks) are not reported: most of them in apps hold trusted certificates. */
const KINDS: readonly FileKind[] = [
  {
    what: "environment variables",
    path: /\/\.env(?:$|rc$|~$|[._-](?!(?:[\w.-]*[._-])?(?:example|examples|sample|template|tmpl|tpl|dist|defaults?|schema|vault)$|(?:d\.)?[cm]?[jt]s$))[^/]*$/i,
  },
  {
    what: "environment variables with secrets",
    path: /(?<!example|sample|template|test)\.env$|\/\.envs\//i,
    text: sets("[A-Z0-9_]{0,60}(?:PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|ACCESS_KEY|PRIVATE_KEY)"),
  },
  { what: "an SSH key", path: /\/id_(?:rsa|dsa|ecdsa|ed25519|ecdsa_sk|ed25519_sk)$/ },
  {
    what: "a private key",
    path: /\.(?:pem|key|p8|ppk|crt|cer|cert|asc)$|\/id_[\w-]+$/i,
    text: (text) => PRIVATE_KEY.test(text),
  },
  {
    what: "AWS keys",
    path: /\/(?:\.?(?:aws[-_.]?)?credentials(?:\.\w+)?|\w*accessKeys\.csv|rootkey\.csv|\.s3cfg|\.boto)$/i,
    text: hasAwsKeys,
  },
  {
    // A downloaded key is called <project>-<12 hex digits>.json.
    what: "a service account's key",
    path: /(?:credential|secret|service[-_]?account|firebase|gcp|google|key|-[0-9a-f]{12})[^/]*\.json$/i,
    text: (text) => /"private_key"\s*:\s*"-----BEGIN/.test(text),
  },
  {
    what: "Google credentials",
    path: /\/(?:application_default_credentials|client_secret[^/]*)\.json$/,
    text: sets("refresh_token|client_secret"),
  },
  {
    what: "a key of Rails",
    path: /\/config\/(?:master\.key|credentials\/[^/]+\.key)$/,
    text: (text) => /^[0-9a-f]{32}\s*$/.test(text),
  },
  {
    what: "credentials of Bundler",
    path: /\/\.bundle\/config$/,
    text: (text) =>
      /^BUNDLE_\w+__\w+:[ \t]*["']?[^\s"'#]+/m.test(
        text.replace(/^BUNDLE_(?:BUILD|LOCAL|MIRROR)__.*$/gm, ""),
      ),
  },
  { what: "credentials of yarn", path: /\/\.yarnrc\.yml$/, text: sets("npmAuthToken|npmAuthIdent") },
  {
    what: "credentials of npm",
    path: /\/\.npmrc$/,
    text: sets("(?:[^\\s]{0,200}:)?_(?:authToken|auth|password)"),
  },
  {
    what: "credentials of Cargo",
    path: /\/\.cargo\/credentials(?:\.toml)?$/,
    text: sets("token|secret-key"),
  },
  {
    what: "credentials of Kubernetes",
    path: /\/(?:\.kube\/config|[^/]*kubeconfig[^/]*)$/i,
    text: sets("token|client-key-data|password"),
  },
  {
    what: "credentials of Maven",
    path: /\/(?:\.m2\/)?settings(?:-security)?\.xml$/,
    text: sets("password|passphrase|master"),
  },
  {
    what: "credentials of Gradle",
    path: /\/gradle\.properties$/,
    text: sets("[\\w.-]{0,60}(?:password|token|secret)"),
  },
  {
    what: "credentials of Composer",
    path: /\/auth\.json$/,
    text: (text) =>
      /"(?:http-basic|github-oauth|gitlab-(?:token|oauth)|bearer|bitbucket-oauth)"\s*:\s*\{\s*"/.test(text),
  },
  { what: "the state of Terraform", path: /\/[^/]*\.tfstate(?:\.backup)?$/ },
  {
    what: "variables of Terraform",
    path: /\.tfvars(?:\.json)?$/,
    text: sets("[\\w-]{0,60}(?:password|token|secret|api_key|access_key)"),
  },
  {
    what: "credentials of Terraform",
    path: /\/(?:credentials\.tfrc\.json|\.terraformrc)$/,
    text: sets("token"),
  },
  {
    what: "passwords of PostgreSQL",
    path: /\/\.pgpass$/,
    text: (text) => /^[^#\n:]*(?::[^:\n]*){3}:[^:\n]+$/m.test(text),
  },
  { what: "passwords of MySQL", path: /\/\.(?:my|mylogin)\.cnf$/, text: sets("password") },
  {
    what: "credentials of Docker",
    path: /\/(?:\.docker\/config\.json|\.dockercfg|\.dockerconfigjson)$/,
    text: sets("auth|identitytoken|password"),
  },
  {
    what: "credentials of git",
    path: /\/\.git-credentials$/,
    text: (text) => /:\/\/[^\s/:]+:[^\s/@]+@/.test(text),
  },
  { what: "passwords", path: /\/[._]netrc$/, text: (text) => /\bpassword\s+\S/.test(text) },
  {
    what: "a password in a package index's address",
    path: /^(?!.*\/node_modules\/).*\/(?:(?:requirements|constraints)[^/]*\.(?:txt|in)|pip\.(?:conf|ini)|uv\.(?:toml|lock)|py(?:project|lock[^/]*)\.toml|poetry\.(?:lock|toml)|Pipfile(?:\.lock)?|Gemfile(?:\.lock)?|package-lock\.json|npm-shrinkwrap\.json|pnpm-lock\.yaml|yarn\.lock|bun\.lock|bunfig\.toml)$/,
    text: (text) => /:\/\/[^\s/:@"'$]{1,200}:[^\s/:@"'$]{3,200}@/.test(text),
  },
  { what: "credentials of Poetry", path: /\/poetry\.toml$/, text: sets("password|pypi-token[\\w.-]{0,60}") },
  { what: "credentials of Bun", path: /\/bunfig\.toml$/, text: sets("token|password") },
  { what: "credentials of twine", path: /\/\.pypirc$/, text: sets("password") },
  { what: "password hashes", path: /\/\.htpasswd$/, text: (text) => /^[^:\n]+:\S{8}/m.test(text) },
  { what: "credentials of GitHub's command line", path: /\/gh\/hosts\.yml$/, text: sets("oauth_token") },
  { what: "a token of Vault", path: /\/\.vault-token$/ },
  { what: "credentials of Pulumi", path: /\/\.pulumi\/credentials\.json$/, text: sets("accessToken") },
  { what: "passwords of rclone", path: /\/rclone\.conf$/, text: sets("pass|secret_access_key|token") },
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
  return KINDS.filter((kind) => kind.path.test(rooted));
}

/** Returns whether the name suggests that the file holds credentials. */
export function hasSecretName(path: string, size: number): boolean {
  return kindsOf(path, size).length > 0;
}

/** Returns the kind of credentials in the file, by its name and, where needed, its text. */
export function fileSecret(path: string, size: number, text: string | undefined): string | undefined {
  return kindsOf(path, size).find((kind) => kind.text?.(text ?? "") ?? true)?.what;
}
