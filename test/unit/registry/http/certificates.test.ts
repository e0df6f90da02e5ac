import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import tls, { TLSSocket } from "node:tls";
import { LambdaPackError } from "../../../../src/errors.ts";
import { certificatesOf } from "../../../../src/registry/http/certificates.ts";
import { createHttp } from "../../../../src/registry/http/http.ts";
import { socketError } from "../../../../src/registry/http/socket-error.ts";
import { CertificateAuthority } from "../../../support/http/certificates.ts";
import { ConnectProxy } from "../../../support/http/proxy.ts";
import { serveTls } from "../../../support/http/serve.ts";
import { run } from "../../../support/run.ts";

type Files = Readonly<Record<string, string>>;

/** Answers with the name in the client's certificate. */
const tellClient: RequestListener = ({ socket }, response) => {
  const shown = socket instanceof TLSSocket ? socket.getPeerCertificate().subject : undefined;
  response.end(`client: ${shown?.CN ?? "none"}`);
};

describe("certificates", () => {
  const authority = new CertificateAuthority();
  let home = "";
  before(() => {
    home = mkdtempSync(join(tmpdir(), "lambda-pack-certs-"));
  });
  after(() => {
    authority.remove();
    rmSync(home, { recursive: true, force: true });
  });

  const client = (name: string): Files => {
    const { cert, key } = authority.leaf(name);
    return { "client.cert": cert, "client.key": key };
  };
  const serverFor = (t: TestContext, wants: "a certificate" | "none" | "any" = "none") =>
    serveTls(
      t,
      {
        ...authority.leaf("127.0.0.1"),
        ca: authority.pem,
        requestCert: wants !== "none",
        rejectUnauthorized: wants === "a certificate",
      },
      tellClient,
    );
  /** Writes the files of `host` to a certs.d directory of its own. */
  const place = (host: string, files: Files) => {
    const config = mkdtempSync(join(home, "config-"));
    const directory = join(config, "containers", "certs.d", host);
    mkdirSync(directory, { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
    return { XDG_CONFIG_HOME: config, HOME: home };
  };
  const get = async (t: TestContext, url: URL, environment: Files, from?: URL) => {
    const http = createHttp({ environment: { HOME: home, ...environment } });
    t.after(() => http.close());
    return (await http.send({ method: "GET", url, from })).text(1000);
  };

  it("of an authority are read from certs.d of the registry's host and port", async (t) => {
    const url = await serverFor(t);
    assert.equal(await get(t, url, place(url.host, { "ca.crt": authority.pem })), "client: none");
    await assert.rejects(get(t, url, place("other.example.com", { "ca.crt": authority.pem })), {
      code: "REGISTRY_UNREACHABLE",
      hint: /SSL_CERT_FILE or NODE_EXTRA_CA_CERTS.*certs\.d\/127\.0\.0\.1:\d+\/ca\.crt/,
    });
  });

  it("of a client are shown to the registry that wants one", async (t) => {
    const url = await serverFor(t, "a certificate");
    const files = place(url.host, { "ca.crt": authority.pem, ...client("robot") });
    assert.equal(await get(t, url, files), "client: robot");
  });

  it("of a client are shown through a proxy's tunnel", async (t) => {
    const leaf = { ...authority.leaf("registry.test"), ca: authority.pem, requestCert: true };
    const far = await serveTls(t, leaf, tellClient);
    const proxy = new ConnectProxy();
    proxy.route("registry.test", Number(far.port));
    const HTTPS_PROXY = await proxy.start();
    t.after(() => proxy.stop());
    const files = place("registry.test:443", { "ca.crt": authority.pem, ...client("robot") });
    assert.equal(
      await get(t, new URL("https://registry.test/v2/"), { ...files, HTTPS_PROXY }),
      "client: robot",
    );
  });

  it("of a client that are missing or refused by the registry are a fault of the login", async (t) => {
    const url = await serverFor(t, "a certificate");
    const hint = /certs\.d\/127\.0\.0\.1:\d+\/client\.cert and client\.key/;
    const none = place(url.host, { "ca.crt": authority.pem });
    await assert.rejects(get(t, url, none), {
      code: "CREDENTIALS_INVALID",
      message: /127\.0\.0\.1:\d+ wants a client certificate/,
      hint,
    });
    const unknown = "error:0A000418:SSL routines:ssl3_read_bytes:tlsv1 alert unknown ca:rec_layer_s3.c:1605:";
    const alert = Object.assign(new Error(unknown), { code: "ERR_SSL_TLSV1_ALERT_UNKNOWN_CA" });
    const told = socketError(alert, url);
    assert.ok(told instanceof LambdaPackError);
    assert.equal(told.code, "CREDENTIALS_INVALID");
    assert.match(told.message, /127\.0\.0\.1:\d+ refused the client certificate: tlsv1 alert unknown ca$/);
    assert.match(told.hint ?? "", hint);
  });

  it("of a client stay at their host when the registry leads elsewhere, and its authority holds there", async (t) => {
    const [registry, storage] = [await serverFor(t, "any"), await serverFor(t, "any")];
    const files = place(registry.host, { "ca.crt": authority.pem, ...client("robot") });
    assert.equal(await get(t, storage, files, registry), "client: none");
    assert.equal(await get(t, registry, files), "client: robot");
  });

  it("in podman's place of the user come before docker's", async (t) => {
    const url = await serverFor(t, "any");
    const files = place(url.host, { "ca.crt": authority.pem, ...client("podman") });
    const docker = mkdtempSync(join(home, "docker-"));
    mkdirSync(join(docker, "certs.d", url.host), { recursive: true });
    for (const [name, text] of Object.entries({ "ca.crt": authority.pem, ...client("docker") }))
      writeFileSync(join(docker, "certs.d", url.host, name), text);
    assert.equal(await get(t, url, { ...files, DOCKER_CONFIG: docker }), "client: podman");
    const others = { ...place("other.example.com", {}), DOCKER_CONFIG: docker };
    assert.equal(await get(t, url, others), "client: docker");
  });

  for (const [what, files, message] of [
    ["a key without its certificate", { "client.key": "k" }, /client\.key has no client\.cert beside it/],
    ["a certificate without its key", { "client.cert": "c" }, /client\.cert has no client\.key beside it/],
    ["a file that is not PEM", { "ca.crt": "\u0030\u0082" }, /ca\.crt holds nothing in PEM format/],
    [
      "a key of another certificate",
      {
        "client.cert": tls.rootCertificates[0] ?? "",
        "client.key": authority.leaf("robot").key,
      },
      /client\.cert and \.key cannot be used: the key is that of another certificate/,
    ],
  ] as const) {
    it(`in certs.d with ${what} are refused with the name of the file`, async (t) => {
      const url = await serverFor(t);
      await assert.rejects(get(t, url, place(url.host, files)), { code: "CREDENTIALS_INVALID", message });
    });
  }

  it("in certs.d that cannot be read are named", async (t) => {
    const url = await serverFor(t);
    const files = place(url.host, {});
    mkdirSync(join(files.XDG_CONFIG_HOME, "containers", "certs.d", url.host, "ca.crt"));
    await assert.rejects(get(t, url, files), {
      code: "CREDENTIALS_INVALID",
      message: /ca\.crt is a directory, not a regular file/,
    });
  });

  for (const name of ["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"]) {
    it(`of the authorities in ${name} are trusted, and a bad file is named`, async (t) => {
      const url = await serverFor(t);
      assert.equal(await get(t, url, { [name]: authority.file }), "client: none");
      const nothing = join(home, "nothing.pem");
      await assert.rejects(get(t, url, { [name]: nothing }), {
        code: "USAGE",
        message: `the file of ${name} is not there: ${nothing}`,
      });
      const text = join(home, "text.pem");
      writeFileSync(text, "hello");
      await assert.rejects(get(t, url, { [name]: text }), { code: "USAGE", message: /holds no certificate/ });
    });
  }

  it("of the operating system's authorities are trusted if an unknown one signed", async (t) => {
    const url = await serverFor(t);
    if (!Reflect.has(tls, "getCACertificates")) {
      // This Node cannot tell them: a bundle is read where NODE_USE_SYSTEM_CA says so.
      const environment = { HOME: home, NODE_USE_SYSTEM_CA: "1" };
      const certificates = certificatesOf(environment, [], [join(home, "nothing"), authority.file]);
      assert.equal(certificates.optionsFor(url), undefined);
      assert.equal(certificates.trustSystem(), true);
      assert.ok([certificates.optionsFor(url)?.ca].flat().includes(authority.pem));
      assert.equal(certificatesOf({ HOME: home }, [], [authority.file]).trustSystem(), false);
      return;
    }
    // OpenSSL's variable says where the system's authorities are; the environment of the client has none.
    const source = new URL("../../../../src/registry/http/http.ts", import.meta.url).href;
    const script = `
      import { createHttp } from ${JSON.stringify(source)};
      const http = createHttp({ environment: {} });
      const url = new URL(${JSON.stringify(url.href)});
      process.stdout.write(await (await http.send({ method: "GET", url })).text(100));
      http.close();`;
    const args = ["--import", "tsx", "--input-type=module", "-e", script];
    const env = { SSL_CERT_FILE: authority.file, HOME: home };
    assert.equal(await run(process.execPath, args, { env }), "client: none");
  });
});
