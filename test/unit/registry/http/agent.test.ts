import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { get as getPlain, type IncomingMessage, type RequestListener } from "node:http";
import { get as getSecure } from "node:https";
import { describe, it, type TestContext } from "node:test";
import { inspect } from "node:util";
import { agentsFor, type Environment } from "../../../../src/registry/http/agent.ts";
import { certificatesOf } from "../../../../src/registry/http/certificates.ts";
import { createHttp } from "../../../../src/registry/http/http.ts";
import { proxyFor } from "../../../../src/registry/http/proxy.ts";
import { CertificateAuthority } from "../../../support/http/certificates.ts";
import { ConnectProxy, type ProxyOptions } from "../../../support/http/proxy.ts";
import { NOBODY_LISTENS, serve, serveTls } from "../../../support/http/serve.ts";
import { run } from "../../../support/run.ts";

describe("the proxy of a URL", () => {
  const environment: Environment = { HTTPS_PROXY: "http://proxy:3128", HTTP_PROXY: "http://plain:3128" };
  const chosen = (url: string, more: Environment = {}) =>
    proxyFor(new URL(url), { ...environment, ...more })?.host;

  it("the proxy of a URL is that of its scheme", () => {
    assert.equal(chosen("https://ecr.example.com/"), "proxy:3128");
    assert.equal(chosen("http://registry.test/"), "plain:3128");
  });

  it("the proxy of a URL is none without a variable, or with an empty one", () => {
    assert.equal(proxyFor(new URL("https://host/"), {}), undefined);
    assert.equal(chosen("https://host/", { HTTPS_PROXY: "" }), undefined);
  });

  it("the proxy of a URL is that of the lower-case variable if both are set", () => {
    assert.equal(chosen("https://host/", { https_proxy: "http://lower:1" }), "lower:1");
  });

  it("may be written without a scheme", () => {
    assert.equal(chosen("https://host/", { HTTPS_PROXY: "bare:3128" }), "bare:3128");
  });

  for (const value of ["socks5://proxy:1080", "http://"]) {
    it(`the proxy of a URL is refused as ${value}, without showing what may be a password`, () => {
      const withPassword = value.replace("proxy", "user:hunter2@proxy");
      assert.throws(
        () => chosen("https://host/", { HTTPS_PROXY: withPassword }),
        (error) => {
          assert.match(inspect(error), /HTTPS_PROXY does not name/);
          return !inspect(error).includes("hunter2");
        },
      );
    });
  }

  for (const url of [
    "https://localhost:5000/",
    "http://127.0.0.1/",
    "https://[::1]/",
    "https://a.localhost/",
  ]) {
    it(`the proxy of a URL is none for ${url}`, () => assert.equal(chosen(url), undefined));
  }

  const direct: readonly (readonly [string, string])[] = [
    ["*", "https://any.example.com/"],
    ["example.com", "https://example.com/"],
    ["example.com", "https://a.example.com/"],
    ["EXAMPLE.com", "https://a.example.COM./"],
    [".example.com", "https://a.example.com/"],
    [".example.com.", "https://a.example.com/"],
    ["example.com.:443", "https://example.com/"],
    ["*.example.com", "https://a.b.example.com/"],
    ["other.net, example.com", "https://example.com/"],
    ["other.net example.com", "https://example.com/"],
    ["example.com:8443", "https://example.com:8443/"],
    ["example.com:443", "https://example.com/"],
    ["10.0.0.1", "https://10.0.0.1:5000/"],
    ["10.0.0.0/8", "https://10.9.9.9/"],
    ["fd00::/8", "https://[fd00::1]/"],
    ["[fd00::1]:443", "https://[fd00::1]/"],
    ["fd00::1", "https://[fd00::1]/"],
  ];
  for (const [list, url] of direct) {
    it(`the proxy of a URL is none for ${url} with NO_PROXY=${list}`, () =>
      assert.equal(chosen(url, { NO_PROXY: list }), undefined));
  }

  const proxied: readonly (readonly [string, string])[] = [
    ["example.com", "https://notexample.com/"],
    [".example.com", "https://example.com/"],
    ["example.com:8443", "https://example.com/"],
    ["10.0.0.0/8", "https://11.0.0.1/"],
    ["10.0.0.0/33", "https://10.0.0.1/"],
    ["10.0.0.1", "https://110.0.0.1/"],
    ["nonsense/x, ,", "https://example.com/"],
  ];
  for (const [list, url] of proxied) {
    it(`stays for ${url} with NO_PROXY=${list}`, () =>
      assert.equal(chosen(url, { NO_PROXY: list }), "proxy:3128"));
  }
});

/** A proxy that knows `registry.test:80`, and a client that may speak http to it. */
async function proxied(t: TestContext, options: ProxyOptions = {}, connectMs = 60_000) {
  const registry = await serve(t, (request, response) => response.end(`hello ${request.headers.host}`));
  const proxy = new ConnectProxy(options);
  proxy.route("registry.test:80", Number(registry.port));
  proxy.route("registry.test:443", Number(registry.port));
  const url = await proxy.start();
  t.after(() => proxy.stop());
  const send = ({ HTTP_PROXY, ...others }: Environment, scheme: "http" | "https" = "http") => {
    const environment = { ...others, HTTP_PROXY, HTTPS_PROXY: HTTP_PROXY };
    const http = createHttp({
      environment,
      insecureRegistries: ["registry.test"],
      timeouts: { connectMs },
    });
    t.after(() => http.close());
    return http.send({ method: "GET", url: new URL(`${scheme}://registry.test/v2/`) });
  };
  return { proxy, url, send };
}

describe("a request through a proxy", () => {
  it("reaches the registry, with the proxy's password", async (t) => {
    const { url, send, proxy } = await proxied(t, { credentials: { username: "u", password: "p" } });
    assert.equal(await (await send({ HTTP_PROXY: url })).text(100), "hello registry.test");
    assert.deepEqual(proxy.refused, []);
  });

  it("http requests reach a proxy in absolute form, over one connection", async (t) => {
    const { url, proxy } = await proxied(t);
    const http = createHttp({ environment: { HTTP_PROXY: url }, insecureRegistries: ["registry.test"] });
    t.after(() => http.close());
    for (let count = 0; count < 3; count++) {
      await (await http.send({ method: "GET", url: new URL("http://registry.test/v2/") })).text(100);
    }
    assert.deepEqual(
      proxy.requests.map(({ method }) => method),
      ["GET", "GET", "GET"],
    );
    assert.equal(proxy.connections, 1);
  });

  it("http uploads reach a proxy in absolute form, with their body", async (t) => {
    const received: string[] = [];
    const registry = await serve(t, async (request, response) => {
      for await (const chunk of request) received.push(String(chunk));
      response.writeHead(201).end();
    });
    const proxy = new ConnectProxy({ credentials: { username: "u", password: "p@ss" } });
    proxy.route("registry.test:5000", Number(registry.port));
    const url = (await proxy.start()).replace("p@ss", "p%40ss");
    t.after(() => proxy.stop());
    const http = createHttp({ environment: { HTTP_PROXY: url }, insecureRegistries: ["registry.test:5000"] });
    t.after(() => http.close());
    const body = {
      length: 4,
      async *read() {
        yield Buffer.from("blob");
      },
    };
    const target = new URL("http://registry.test:5000/v2/app/blobs/uploads/1?digest=x");
    assert.equal((await http.send({ method: "PUT", url: target, body })).status, 201);
    assert.equal(received.join(""), "blob");
  });

  it("that wants a password says so, and names the proxy", async (t) => {
    const { url, send } = await proxied(t, { credentials: { username: "u", password: "right" } });
    for (const scheme of ["http", "https"] as const)
      await assert.rejects(send({ HTTP_PROXY: url.replace("right", "wr0ng") }, scheme), (error: Error) => {
        assert.match(inspect(error), /REGISTRY_UNREACHABLE/);
        assert.match(
          error.message,
          /the proxy http:\/\/127\.0\.0\.1:\d+ .* registry\.test(:443)? .*user name and password/,
        );
        return !inspect(error, { depth: 9, showHidden: true }).includes("wr0ng");
      });
  });

  it("that is forbidden says so", async (t) => {
    const { url, send, proxy } = await proxied(t);
    proxy.fault = () => ({ do: "answer", status: 403 });
    await assert.rejects(send({ HTTP_PROXY: url }, "https"), {
      code: "REGISTRY_UNREACHABLE",
      message: /the proxy http.* refused .*status 403/,
      hint: /NO_PROXY/,
    });
  });

  const page = (title: string) => `<html><head><title>${title}</title></head></html>`;
  const marks: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
    ["Via and an empty body", { via: "1.1 squid" }],
    ["X-Squid-Error", { "x-squid-error": "ERR_ACCESS_DENIED 0", "content-type": "text/plain" }],
    ["Proxy-Status", { "proxy-status": "p; error=http_request_denied" }],
    ["a page", { "content-type": "text/html; charset=utf-8" }],
  ];
  for (const [mark, headers] of marks) {
    it(`the 403 of a proxy to a plain http request names the proxy: ${mark}`, async (t) => {
      const { url, send, proxy } = await proxied(t);
      const body = headers["content-type"] ? page("Blocked by policy") : "";
      proxy.fault = () => ({ do: "answer", status: 403, headers, body });
      await assert.rejects(send({ HTTP_PROXY: url }), {
        code: "REGISTRY_UNREACHABLE",
        message: body
          ? /the proxy http:.* refused a connection to registry\.test \(status 403: Blocked by policy\)$/
          : /the proxy http:.* refused a connection to registry\.test \(status 403\)$/,
        hint: /NO_PROXY=registry\.test$/,
      });
    });
  }

  it("the 407 of a proxy to a plain http request needs no mark", async (t) => {
    const { url, send, proxy } = await proxied(t);
    proxy.fault = () => ({ do: "answer", status: 407 });
    await assert.rejects(send({ HTTP_PROXY: url }), {
      code: "REGISTRY_UNREACHABLE",
      message: /the proxy http:.* \(it wants a user name and password\)$/,
    });
  });

  it("the 503 of a proxy to a plain http request names the proxy and may be tried again", async (t) => {
    const { url, send, proxy } = await proxied(t);
    const headers = { "content-type": "text/html" };
    proxy.fault = () => ({ do: "answer", status: 503, headers, body: page("503 Service Unavailable") });
    await assert.rejects(send({ HTTP_PROXY: url }), {
      code: "EHOSTUNREACH",
      message: /^the proxy http:.* answered 503 for registry\.test: Service Unavailable$/,
    });
  });

  for (const method of ["GET", "HEAD"] as const)
    it(`the registry's own 403 to a ${method} stays its answer behind a proxy that adds Via`, async (t) => {
      const { url, proxy } = await proxied(t);
      const registry = await serve(t, (_, response) => {
        response.writeHead(403, method === "GET" ? { "content-type": "application/json" } : {});
        response.end('{"errors":[{"code":"DENIED"}]}');
      });
      proxy.route("registry.test:80", Number(registry.port));
      const http = createHttp({ environment: { HTTP_PROXY: url }, insecureRegistries: ["registry.test"] });
      t.after(() => http.close());
      const answer = await http.send({ method, url: new URL("http://registry.test/v2/") });
      assert.deepEqual([answer.status, answer.header("via")], [403, "1.1 proxy"]);
      answer.discard();
    });

  for (const status of [408, 429, 502, 503, 504])
    it(`that answers ${status} may be tried again`, async (t) => {
      const { url, send, proxy } = await proxied(t);
      proxy.fault = () => ({ do: "answer", status });
      await assert.rejects(send({ HTTP_PROXY: url }, "https"), {
        code: "ECONNREFUSED",
        message: new RegExp(`the proxy http.* answered ${status}`),
      });
    });

  for (const password of ["100%", "%zz", "%ff", "a%20b%"])
    it(`takes the password ${password} as it is written`, async (t) => {
      const { url, send, proxy } = await proxied(t, { credentials: { username: "u", password } });
      assert.ok(url.includes(`:${password}@`));
      assert.equal((await send({ HTTP_PROXY: url })).status, 200);
      // The registry behind the tunnel does not speak https.
      await assert.rejects(send({ HTTP_PROXY: url }, "https"));
      assert.deepEqual([proxy.refused, proxy.requests.map(({ method }) => method)], [[], ["GET", "CONNECT"]]);
    });

  it("that opens no tunnel ends with ETIMEDOUT", async (t) => {
    const { url, send, proxy } = await proxied(t, {}, 150);
    proxy.fault = () => ({ do: "hang" });
    await assert.rejects(send({ HTTP_PROXY: url }, "https"), {
      code: "ETIMEDOUT",
      message: /the proxy http/,
    });
  });

  it("that is not there names the proxy, not the registry", async (t) => {
    const { send } = await proxied(t);
    const { origin } = NOBODY_LISTENS;
    await assert.rejects(send({ HTTP_PROXY: origin }, "https"), {
      code: "ECONNREFUSED",
      message: /the proxy http/,
    });
  });

  it("whose tunnel is cut gives ECONNRESET", async (t) => {
    const { url, send, proxy } = await proxied(t);
    proxy.fault = () => ({ do: "cut", after: 1, direction: "up" });
    await assert.rejects(send({ HTTP_PROXY: url }, "https"), { code: "ECONNRESET" });
  });
});

describe("https", () => {
  it("of a private authority works with NODE_EXTRA_CA_CERTS, directly and through a proxy", async (t) => {
    const authority = new CertificateAuthority();
    t.after(() => authority.remove());
    const hello = (_: unknown, response: { end(text: string): void }) => response.end("hello");
    const near = await serveTls(t, authority.leaf("127.0.0.1"), hello);
    const far = await serveTls(t, authority.leaf("registry.test"), hello);
    const proxy = new ConnectProxy();
    proxy.route("registry.test", Number(far.port));
    const url = await proxy.start();
    t.after(() => proxy.stop());
    const script = `
      import { createHttp } from ${JSON.stringify(new URL("../../../../src/registry/http/http.ts", import.meta.url).href)};
      const http = createHttp({ environment: process.env });
      for (const url of [${JSON.stringify(near.href)}, "https://registry.test/"]) {
        process.stdout.write(await (await http.send({ method: "GET", url: new URL(url) })).text(100) + "\\n");
      }
      http.close();`;
    const env = { NODE_EXTRA_CA_CERTS: authority.file, HTTPS_PROXY: url, NO_PROXY: "" };
    const told = await run(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
      env,
    });
    assert.equal(told, "hello\nhello\n");
    assert.deepEqual(
      proxy.requests.map(({ host }) => host),
      ["registry.test"],
    );
  });
});

const agentsOf = (environment: Environment, connections: number) =>
  agentsFor({ environment, connections, certificates: certificatesOf(environment) });

describe("agents", () => {
  it("agents are one for each scheme and proxy", async () => {
    const agents = await agentsOf({ HTTPS_PROXY: "http://proxy:1", NO_PROXY: "direct.example.com" }, 4);
    const agentFor = (url: string) => agents.agentFor(new URL(url));
    assert.equal(agentFor("https://a.example.com/"), agentFor("https://b.example.com/"));
    assert.notEqual(agentFor("https://a.example.com/"), agentFor("https://direct.example.com/"));
    assert.equal(agents.proxyFor(new URL("https://a.example.com/"))?.host, "proxy:1");
    agents.close();
  });

  for (const scheme of ["http", "https"] as const) {
    it(`give answers over ${scheme} memory of their own, though their sockets read into one place`, async (t) => {
      const authority = new CertificateAuthority();
      t.after(() => authority.remove());
      const bodies = Array.from({ length: 3 }, () => randomBytes(300_000));
      const answer: RequestListener = ({ url = "" }, response) => response.end(bodies[Number(url.slice(1))]);
      const leaf = authority.leaf("127.0.0.1");
      const url = await (scheme === "http" ? serve(t, answer) : serveTls(t, leaf, answer));
      const agents = await agentsOf({}, 1);
      t.after(() => agents.close());
      const options = { agent: agents.agentFor(url), ca: authority.pem };
      const get = scheme === "http" ? getPlain : getSecure;
      const got: Buffer[][] = [];
      for (const index of bodies.keys()) {
        const [message] = await once(get(new URL(`/${index}`, url), options), "response");
        got.push(await piecesOf(message));
      }
      assert.deepEqual(
        got.map((pieces, index) => Buffer.concat(pieces).equals(bodies[index] ?? Buffer.alloc(0))),
        [true, true, true],
      );
    });
  }
});

/** As they came, not copied. */
async function piecesOf(message: IncomingMessage): Promise<Buffer[]> {
  const pieces: Buffer[] = [];
  for await (const piece of message) pieces.push(piece);
  return pieces;
}
