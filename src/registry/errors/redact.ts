/** What replaces a secret. */
const REDACTED = "redacted";

/** A URL as it may be shown: query values and passwords replaced, names kept and sorted. What is no URL stays. */
export function redactUrl(url: string | URL): string {
  const [, rest = "", query, hash = ""] = /^([^?#]*)(?:\?([^#]*))?(#.*)?$/s.exec(String(url)) ?? [];
  const place = rest.replace(/^([a-z][a-z0-9+.-]*:\/\/)([^/@]*)@/i, (_, scheme: string, user: string) => {
    const name = user.includes(":") ? `${user.slice(0, user.indexOf(":"))}:` : "";
    return `${scheme}${name}xxxxx@`;
  });
  return `${place}${query ? `?${redactQuery(query)}` : ""}${hash === "" ? "" : "#"}`;
}

function redactQuery(query: string): string {
  const names = query.split("&").map((pair) => pair.split("=", 1)[0] ?? "");
  return names
    .sort()
    .map((name) => `${name}=${REDACTED}`)
    .join("&");
}

const SECRET_NAMES =
  "password|passwd|secret|auth|token|access_?token|refresh_?token|id_?token|identity_?token|registry_?token|session_?token|secret_?access_?key|authorization_?token";

/** Each keeps its first group and loses the rest. */
const PATTERNS: readonly RegExp[] = [
  /((?:proxy-)?authorization["']?\s*[:=]\s*["']?)(?:(?:basic|bearer|negotiate|aws4-hmac-sha256)\s+)?[^\s"',]+/gi,
  /(\b(?:[Bb]asic|[Bb]earer)\s+)(?=\S*[A-Z0-9=])[A-Za-z0-9+/_.~-]{8,}=*/g,
  new RegExp(`("(?:${SECRET_NAMES})"\\s*:\\s*)"(?:[^"\\\\]|\\\\.)*"?`, "gi"),
  new RegExp(`(\\b(?:${SECRET_NAMES})=)[^\\s&"',;]+`, "gi"),
  /(\b(?:x-amz-)?(?:signature|credential|security-token)=)[^\s&"',;]+/gi,
  /()\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*/g,
];

/** Any text as it may be shown: URLs as {@link redactUrl}, Authorization values, tokens, AWS signatures and password-like fields replaced. */
export function redactText(text: string): string {
  const urls = text.replace(/\b[a-z][a-z0-9+.-]*:\/\/[^\s"'<>]+/gi, (url) => redactUrl(url));
  return PATTERNS.reduce((shown, pattern) => shown.replace(pattern, `$1${REDACTED}`), urls);
}

/** A server's words, fit for a terminal: on one line, without control characters and direction marks, at most `limit` characters. */
export function printable(text: string, limit = 1000): string {
  const plain = text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed.
    .replace(/\u001b\[[0-9;?]*[ -/]*[@-~]/g, "")
    .replace(/\s+/g, " ")
    .replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029]/gu, "")
    .trim();
  return plain.length > limit ? `${plain.slice(0, limit)}…` : plain;
}
