import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { createServer } from "node:net";
import { after, before, describe, it } from "node:test";
import { CertificateAuthority } from "../../support/certificates.ts";
import { ask } from "../../support/ecr/client.ts";
import { Origin } from "../../support/ecr/origin.ts";
import type { Service } from "../../support/ecr/wire.ts";
import { ConnectProxy, type ProxyFault } from "../../support/proxy.ts";

const hello: Service = {
  kindOf: () => "hello",
  answer: ({ url }) => ({ status: 200, body: `hello from ${url.host}` }),
};

describe("a certificate authority", () => {
  const authority = new CertificateAuthority();
  after(() => authority.remove());

  it("signs leaves for a host name, valid now", () => {
    const leaf = new X509Certificate(authority.leaf("public.ecr.aws").cert);
    const root = new X509Certificate(authority.pem);
    assert.ok(root.ca && leaf.verify(root.publicKey) && leaf.checkIssued(root));
    assert.equal(leaf.checkHost("public.ecr.aws"), "public.ecr.aws");
    assert.equal(leaf.checkHost("other.ecr.aws"), undefined);
    assert.ok(Date.parse(leaf.validFrom) < Date.now() && Date.parse(leaf.validTo) > Date.now());
  });

  it("signs leaves for an address, for a wrong name and expired ones", () => {
    assert.equal(new X509Certificate(authority.leaf("127.0.0.1").cert).checkIP("127.0.0.1"), "127.0.0.1");
    const other = new X509Certificate(authority.leaf("a.example", { name: "b.example" }).cert);
    assert.deepEqual([other.checkHost("a.example"), other.checkHost("b.example")], [undefined, "b.example"]);
    const expired = new X509Certificate(authority.leaf("a.example", { expired: true }).cert);
    assert.ok(Date.parse(expired.validTo) < Date.now());
  });

  it("is the same authority in another process when it is kept", () => {
    const again = new CertificateAuthority(authority.keep());
    assert.equal(again.pem, authority.pem);
    assert.ok(
      new X509Certificate(again.leaf("a.example").cert).verify(new X509Certificate(authority.pem).publicKey),
    );
  });
});

describe("the proxy", () => {
  const certificates = new CertificateAuthority();
  const origin = new Origin(hello, { certificates });
  const plain = new Origin(hello);
  const proxy = new ConnectProxy({ credentials: { username: "user", password: "canary" } });
  let url: string;
  before(async () => {
    await origin.start();
    await plain.start();
    proxy.route("public.ecr.aws", origin.port);
    proxy.route("plain.example:80", plain.port);
    url = await proxy.start();
  });
  after(async () => {
    await Promise.all([proxy.stop(), origin.stop(), plain.stop()]);
    certificates.remove();
  });

  const through = (host: string, proxyUrl = url) =>
    ask(`https://${host}/`, { proxy: proxyUrl, ca: certificates.pem });
  const withFault = async <T>(fault: ProxyFault, run: () => Promise<T>) => {
    proxy.fault = () => fault;
    return run().finally(() => {
      proxy.fault = () => undefined;
    });
  };

  it("carries TLS to the host of its table, which shows a certificate for that name", async () => {
    assert.equal(String((await through("public.ecr.aws")).body), "hello from public.ecr.aws");
  });

  it("refuses a host that is not in its table and remembers it", async () => {
    await assert.rejects(through("evil.example"), /answered 403/);
    assert.deepEqual(proxy.refused, ["evil.example:443"]);
  });

  it("refuses who does not know its password", async () => {
    await assert.rejects(through("public.ecr.aws", url.replace("canary", "wrong")), /answered 407/);
  });

  it("sees in plain http whether credentials were sent", async () => {
    const { port } = new URL(url);
    const headers = {
      host: "plain.example",
      authorization: "Basic eA==",
      "proxy-authorization": `Basic ${Buffer.from("user:canary").toString("base64")}`,
    };
    const { status, body } = await ask(`http://127.0.0.1:${port}`, {
      path: "http://plain.example/x",
      headers,
    });
    assert.equal(`${status} ${body}`, "200 hello from plain.example");
    assert.equal(proxy.requests.at(-1)?.authorized, true);
  });

  it("fails with a status when told so", async () => {
    await withFault({ do: "answer", status: 503 }, () =>
      assert.rejects(through("public.ecr.aws"), /answered 503/),
    );
  });

  it("says nothing when told so", async () => {
    const silent = withFault({ do: "hang" }, () =>
      Promise.race([through("public.ecr.aws"), new Promise((done) => setTimeout(done, 150, "silence"))]),
    );
    assert.equal(await silent, "silence");
  });

  it("cuts a tunnel after some bytes when told so", async () => {
    await withFault({ do: "cut", after: 600, direction: "down" }, () =>
      assert.rejects(through("public.ecr.aws"), { code: "ECONNRESET" }),
    );
  });

  it("answers 502 where nobody listens", async () => {
    const free = createServer().listen(0, "127.0.0.1");
    const address = await new Promise<number>((done) =>
      free.once("listening", () => {
        const found = free.address();
        free.close(() => done(typeof found === "object" && found ? found.port : 0));
      }),
    );
    proxy.route("down.example", address);
    await assert.rejects(through("down.example"), /answered 502/);
  });
});
