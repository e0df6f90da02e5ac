/** A secret that its structure shows, whatever the name of the file; each match is one. */
type TokenKind = readonly [what: string, pattern: RegExp];

function token(body: string): RegExp {
  return new RegExp(`(?<![A-Za-z0-9_-])(?:${body})(?![A-Za-z0-9_-])`, "g");
}

/** Formats of the issuers; GitHub's: "Behind GitHub's new authentication token formats". */
const KINDS: readonly TokenKind[] = [
  ["a GitHub token", token("gh[pousr]_[A-Za-z0-9]{36,251}|github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}")],
  ["a GitLab token", token("gl(?:pat|dt|rt|ptt|ft|soat|cbt|agent)-[A-Za-z0-9_-]{20,300}")],
  [
    "a Slack token",
    token(
      "xox[abeoprs]-(?:[0-9]{1,20}-){0,4}[A-Za-z0-9-]{20,250}|xapp-[0-9]-[A-Z0-9]{6,20}-[0-9]{6,20}-[a-f0-9]{40,80}",
    ),
  ],
  ["a Slack webhook", /hooks\.slack\.com\/services\/T[A-Z0-9]{6,14}\/B[A-Z0-9]{6,14}\/[A-Za-z0-9]{20,30}/g],
  ["a Stripe key", token("(?:sk|rk)_live_[A-Za-z0-9]{20,250}|whsec_[A-Za-z0-9+/=]{32,100}")],
  ["an npm token", token("npm_[A-Za-z0-9]{36}")],
  ["a PyPI token", token("pypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,500}")],
  ["a Google OAuth secret", token("GOCSPX-[A-Za-z0-9_-]{28}")],
  ["a SendGrid key", token("SG\\.[A-Za-z0-9_-]{22}\\.[A-Za-z0-9_-]{43}")],
  ["an OpenAI key", token("sk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]{20,150}T3BlbkFJ[A-Za-z0-9_-]{20,150}")],
  ["an Anthropic key", token("sk-ant-[a-z0-9]{5,10}-[A-Za-z0-9_-]{80,120}")],
  ["a Hugging Face token", token("hf_[A-Za-z]{34}")],
  ["a DigitalOcean token", token("do[por]_v1_[a-f0-9]{64}")],
  ["a Docker Hub token", token("dckr_(?:pat|oat)_[A-Za-z0-9_-]{20,60}")],
  ["an Azure storage key", /AccountKey=[A-Za-z0-9+/]{86}==/g],
  [
    "a private key",
    // MII begins a key of at least 256 bytes (X.690); documentation shows only its first line.
    /-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:\s|\\[rn]|["'+]){1,40}(?:[A-Za-z0-9-]{1,40}: [^\n]{1,200}\s{1,4}){0,4}(?:MII[A-Za-z0-9+/\s"'\\]{250}|(?!MII)[A-Za-z0-9+/]{60,80})/g,
  ],
];

/** A text without any of these holds no token: one pass is enough for most files. */
const HINT =
  /A(?:K|S)IA|gh[pousr]_|github_pat_|gl[a-z]{2,5}-|xox[abeoprs]-|xapp-|hooks\.slack|[sr]k_live_|whsec_|npm_|pypi-A|GOCSPX-|SG\.|sk-|hf_|do[por]_v1|dckr_|AccountKey=|PRIVATE KEY-----/;

/** Keys of users, and temporary keys of roles (IAM, "Unique identifiers"). */
const ACCESS_KEY_ID = /(?<![A-Za-z0-9])A(?:KIA|SIA)[A-Z2-7]{16}(?![A-Za-z0-9])/g;
const SECRET_ACCESS_KEY = /(?<![A-Za-z0-9/+])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])/g;

/** Returns the kind of token in the text. The time is linear in its length. */
export function tokenIn(text: string): string | undefined {
  if (!HINT.test(text)) return undefined;
  if (hasAwsKeys(text)) return "AWS keys";
  return KINDS.find(([, pattern]) => hasReal(text, pattern))?.[0];
}

/**
 * Returns whether the text holds both an ID, which alone is not a secret, and a secret key. Field
 * names and AWS's own examples do not count.
 */
export function hasAwsKeys(text: string): boolean {
  return hasReal(text, ACCESS_KEY_ID) && hasReal(text, SECRET_ACCESS_KEY, isMixed);
}

function hasReal(
  text: string,
  pattern: RegExp,
  isAccepted: (match: string) => boolean = () => true,
): boolean {
  for (const [match] of text.matchAll(pattern)) if (!isPlaceholder(match) && isAccepted(match)) return true;
  return false;
}

/** Random keys have letters of both cases and digits. */
function isMixed(text: string): boolean {
  return /[a-z]/.test(text) && /[A-Z]/.test(text) && /\d/.test(text);
}

/** The public key of Azure's emulator ("Connect to Azurite"), which its SDK for Node contains. */
const EMULATOR_KEY = "AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50u";

function isPlaceholder(match: string): boolean {
  const letters = match.replace(/^[^_-]*[_-]/, "");
  if (match.startsWith(EMULATOR_KEY)) return true;
  return /example|placeholder|your[_-]?|xxxxx|12345678901234/i.test(match) || new Set(letters).size <= 8;
}
