/** What replaces a secret. */
const REDACTED = "redacted";

/**
 * Returns a URL for display: query values and passwords are replaced, query names kept and sorted.
 * Text that is not a URL stays unchanged.
 */
export function redactUrl(url: string | URL): string {
  const [, rest = "", query, hash = ""] = /^([^?#]*)(?:\?([^#]*))?(#.*)?$/s.exec(String(url)) ?? [];
  const place = rest.replace(/^([a-z][a-z0-9+.-]*:\/\/)([^/@]*)@/i, (_, scheme: string, user: string) => {
    const name = user.includes(":") ? `${user.slice(0, user.indexOf(":"))}:` : "";
    return `${scheme}${name}xxxxx@`;
  });
  const names = query ? query.split("&").map((pair) => pair.split("=", 1)[0] ?? "") : [];
  const hidden = names.sort().map((name) => `${name}=${REDACTED}`);
  return `${place}${query ? `?${hidden.join("&")}` : ""}${hash === "" ? "" : "#"}`;
}

const SECRET_NAMES =
  "password|passwd|pwd|secret|client_?secret|auth|token|access_?token|refresh_?token|id_?token|identity_?token|registry_?token|session_?token|access_?key|secret_?access_?key|authorization_?token|api_?key|private_?key|sig|signature|_state|code_verifier";

/** Of each match only the first group is kept. */
const PATTERNS: readonly RegExp[] = [
  /((?:proxy-)?authorization["']?\s*[:=]\s*["']?)(?:(?:basic|bearer|negotiate|aws4-hmac-sha256)\s+)?[^\s"',]+/gi,
  /(\b(?:[Bb]asic|[Bb]earer)\s+)(?=\S*[A-Z0-9=])[A-Za-z0-9+/_.~-]{8,}=*/g,
  new RegExp(`("(?:${SECRET_NAMES})"\\s*:\\s*)"(?:[^"\\\\]|\\\\.)*"?`, "gi"),
  new RegExp(`(\\b(?:${SECRET_NAMES})=)[^\\s&"',;]+`, "gi"),
  /(\b(?:x-amz-)?(?:signature|credential|security-token)=)[^\s&"',;]+/gi,
  /()\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*/g,
  /((?:set-)?cookie["']?\s*[:=]\s*)[^\r\n"']+/gi,
  /(\bx-(?:[a-z]+-)*(?:token|key|secret)["']?\s*[:=]\s*["']?)[^\s"',]+/gi,
  /()-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
  // npm, GitHub, GitLab, Docker Hub, Slack, AWS key identifiers:
  // https://github.com/gitleaks/gitleaks.
  /()\b(?:npm_[A-Za-z0-9]{20,}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{15,}|dckr_[a-z]+_[\w-]{15,}|xox[a-z]-[\w-]{10,})/g,
  /()\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g,
];

/**
 * Returns a text for display: URLs as {@link redactUrl} returns them, and Authorization values,
 * tokens, AWS signatures and password-like fields replaced.
 */
export function redactText(text: string): string {
  const urls = text.replace(/\b[a-z][a-z0-9+.-]*:\/\/[^\s"'<>]+/gi, (url) => redactUrl(url));
  return PATTERNS.reduce((shown, pattern) => shown.replace(pattern, `$1${REDACTED}`), urls);
}

/** Returns the text with these values replaced, URL-encoded ones too. */
export function redactSecrets(text: string, secrets: readonly string[]): string {
  const forms = secrets.flatMap((secret) => [secret, encodeURIComponent(secret)]);
  return forms.reduce((shown, secret) => shown.replaceAll(secret, REDACTED), text);
}

/**
 * Returns a server's text for a terminal: on one line, without control characters and direction
 * marks, at most `limit` characters.
 */
export function printable(text: string, limit = 1000): string {
  const plain = text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed.
    .replace(/\u001b\[[0-9;?]*[ -/]*[@-~]/g, "")
    .replace(/\s+/g, " ")
    .replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029]/gu, "")
    .trim();
  return plain.length > limit ? `${plain.slice(0, limit)}…` : plain;
}
