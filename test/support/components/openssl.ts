import { join } from "node:path";
import { run } from "../run.ts";

export interface Certificate {
  readonly key: string;
  readonly certificate: string;
}

export interface TlsFiles extends Certificate {
  /** The authority that signed it, as NODE_EXTRA_CA_CERTS wants it. */
  readonly authority: string;
}

const EC_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** A certificate that is its own authority, in `directory`. */
export async function selfSigned(directory: string, name: string): Promise<Certificate> {
  const key = join(directory, `${name}.key`);
  const certificate = join(directory, `${name}.pem`);
  const files = ["-keyout", key, "-out", certificate];
  await run("openssl", ["req", "-x509", ...EC_KEY, "-days", "2", "-subj", `/CN=${name}`, ...files]);
  return { key, certificate };
}

/** A server's certificate for `host` and localhost, signed by an authority of its own. */
export async function signedFor(directory: string, host: string): Promise<TlsFiles> {
  const authority = await selfSigned(directory, "authority");
  const [key, request] = [join(directory, "server.key"), join(directory, "server.csr")];
  const names = `subjectAltName=DNS:${host},DNS:localhost,IP:127.0.0.1`;
  const ask = ["-subj", `/CN=${host}`, "-addext", names, "-keyout", key, "-out", request];
  await run("openssl", ["req", ...EC_KEY, ...ask]);
  const certificate = join(directory, "server.pem");
  const sign = ["-CA", authority.certificate, "-CAkey", authority.key, "-CAcreateserial", "-days", "2"];
  await run("openssl", [
    ...["x509", "-req", "-in", request, ...sign, "-copy_extensions", "copy", "-out", certificate],
  ]);
  return { key, certificate, authority: authority.certificate };
}
