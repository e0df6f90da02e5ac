import { LambdaPackError } from "../../errors.ts";

/**
 * Returns the system's own error inside an error of the HTTP library, so that a retry can judge its
 * code. The library's errors contain the request's headers, which contain secrets, so nothing else
 * of them is kept. An untrusted certificate becomes REGISTRY_UNREACHABLE, because another attempt
 * would not help.
 */
export function socketError(error: unknown, url: URL): Error {
  const own = plainError(error);
  const code = "code" in own ? String(own.code) : "";
  if (own instanceof LambdaPackError) return own;
  if (PLAIN_HTTP.test(`${code} ${own.message}`))
    return new LambdaPackError("REGISTRY_UNREACHABLE", `${url.host} does not speak https`, {
      hint: `to reach it over http: --insecure-registry ${url.host}`,
      cause: own,
    });
  return TLS_CODE.test(code) ? untrusted(own, url) : own;
}

const PLAIN_HTTP = /wrong[ _]version[ _]number|packet[ _]length[ _]too[ _]long/i;

const TLS_CODE =
  /^(?:CERT_|CRL_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|ERR_TLS_|ERR_SSL_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH|EPROTO$)/;

/** TLS alerts about a client certificate, or the lack of one (RFC 8446 6.2), in OpenSSL's words. */
const CLIENT_CERTIFICATE =
  /alert (certificate required|bad certificate|unsupported certificate|certificate (revoked|expired|unknown)|unknown ca|access denied)/i;

const UNKNOWN_AUTHORITY =
  /^(UNABLE_TO_GET_ISSUER_CERT(_LOCALLY)?|UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT)$/;

/** Returns whether the server's certificate is signed by an authority that is not trusted. */
export function isUnknownAuthority(error: unknown): boolean {
  const cause = error instanceof LambdaPackError ? error.cause : error;
  return cause instanceof Error && "code" in cause && UNKNOWN_AUTHORITY.test(String(cause.code));
}

function untrusted(cause: Error, url: URL): LambdaPackError {
  if (CLIENT_CERTIFICATE.test(cause.message)) return certificateRefused(cause, url);
  return new LambdaPackError(
    "REGISTRY_UNREACHABLE",
    `no trusted TLS connection to ${url.host}: ${cause.message}`,
    {
      hint: `for a private certificate authority set SSL_CERT_FILE or NODE_EXTRA_CA_CERTS to the file of its certificate, or copy that to ~/.docker/certs.d/${url.host}/ca.crt`,
      cause,
    },
  );
}

function certificateRefused(cause: Error, { host }: URL): LambdaPackError {
  const wants = /certificate required/i.test(cause.message)
    ? "wants a client certificate"
    : "refused the client certificate";
  return new LambdaPackError("CREDENTIALS_INVALID", `${host} ${wants}: ${reasonOf(cause)}`, {
    hint: clientCertificateHint(host),
    cause,
  });
}

export function clientCertificateHint(host: string): string {
  return `a client certificate and its key belong in ~/.docker/certs.d/${host}/client.cert and client.key`;
}

/** Returns OpenSSL's message without its error numbers and source locations. */
function reasonOf({ message }: Error): string {
  return /:(?:SSL routines):[^:]*:([^:]+):/.exec(message)?.[1] ?? message;
}

function plainError(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  if (!("options" in error)) return spoken(error);
  if (error.cause instanceof Error) return spoken(error.cause);
  return Object.assign(new Error(error.message), "code" in error && { code: String(error.code) });
}

/**
 * Returns the first error where Node's own has no message: every address of a host failed (happy
 * eyeballs, RFC 8305).
 */
function spoken(error: Error): Error {
  const [first] = error instanceof AggregateError ? error.errors : [];
  return first instanceof Error && error.message === "" ? first : error;
}
